import { type ApiKey, apiKeys, oneOf, sessionJwt } from '../../src/endpoint.ts'
import {
  audience,
  backend,
  bearer,
  createTestEndpoint,
  expectGrant,
  expectProblem,
  issuer,
  keySet,
  loosely,
  makeRequest,
  refuses,
  send,
  sessionToken,
  sha256,
  visitor,
} from './endpoint-scene.ts'
import { now } from './forge.ts'
import type { ConformanceModule } from './suite.ts'
import { assert, equal, rejects } from './suite.ts'

const current = 'mt_w7vZr3nq0Xk5yB1cD9eF2gH4iJ6kL8mN'
const next = 'mt_P0oN9mI8bU7vY6cT5xR4zE3wQ2aS1dF0'
const console_ = '~key.with-all_of+RFC/6750=='

async function keys(): Promise<ApiKey[]> {
  return [
    { name: 'backend', sha256: await sha256(current), scopes: ['customer'] },
    { name: 'backend', sha256: (await sha256(next)).toUpperCase(), scopes: ['customer', 'admin'] },
    { name: 'console', sha256: await sha256(console_), scopes: ['admin'] },
  ]
}

export const endpointApiKeys: ConformanceModule = ({ test }, lib) => {
  const known: [string, string, object][] = [
    ['a key', current, { name: 'backend', scopes: ['customer'] }],
    ['the next key of the same service', next, { name: 'backend', scopes: ['customer', 'admin'] }],
    ['every character there may be', console_, { name: 'console', scopes: ['admin'] }],
  ]
  for (const [title, key, expected] of known) {
    test(`known: ${title}`, async () => {
      const caller = await apiKeys({ keys: await keys() })(bearer(key))
      equal({ ...caller }, { kind: 'service', method: 'api-key', ...expected })
    })
  }

  const unknown: [string, string][] = [
    ['another key', 'mt_another'],
    ['a key cut short', current.slice(0, -1)],
    ['a key and more', `${current}A`],
    ['a key in capitals', current.toUpperCase()],
    ['the digest of a key', '0'.repeat(64)],
    ['two parts', 'e30.e30'],
  ]
  for (const [title, key] of unknown) {
    test(`unknown: ${title}`, async () => {
      const authenticate = apiKeys({ keys: await keys() })
      const { message } = await refuses(() => authenticate(bearer(key)), 'ERR_CREDENTIALS_INVALID')
      assert(!message.includes(key), 'the message quotes the key')
    })
  }

  test('unknown: the digest that stands in the settings', async () => {
    const authenticate = apiKeys({ keys: await keys() })
    for (const { sha256 } of await keys()) {
      await refuses(() => authenticate(bearer(sha256)), 'ERR_CREDENTIALS_INVALID')
    }
  })

  test('unknown: a key that was taken away', async () => {
    const authenticate = apiKeys({ keys: (await keys()).slice(1) })
    await refuses(() => authenticate(bearer(current)), 'ERR_CREDENTIALS_INVALID')
    assert(await authenticate(bearer(next)))
  })

  test('null: no bearer, and what has the shape of a JWT', async () => {
    const authenticate = apiKeys({ keys: await keys() })
    equal(await authenticate(bearer(await sessionToken())), null)
    equal(await authenticate(bearer('a.b.c')), null)
    equal(await authenticate(bearer('a.b.')), null)
    for (const headers of [{}, { Authorization: `Basic ${current}` }, { 'X-Api-Key': current }] as const) {
      equal(await authenticate(makeRequest({ headers: headers as Record<string, string> })), null)
    }
    equal(await authenticate(makeRequest({ search: `?access_token=${current}` })), null)
  })

  test('refused: a header that cannot be read', async () => {
    const authenticate = apiKeys({ keys: await keys() })
    for (const [Authorization, code] of [
      ['Bearer', 'ERR_CREDENTIALS_INVALID'],
      [`Bearer ${current} ${next}`, 'ERR_CREDENTIALS_INVALID'],
      [`Bearer ${current}, Bearer ${next}`, 'ERR_CREDENTIALS_AMBIGUOUS'],
    ] as const) {
      await refuses(() => authenticate(makeRequest({ headers: { Authorization } })), code)
    }
  })

  test('its scopes decide', async () => {
    const authenticate = apiKeys({ keys: await keys() })
    const headers = (key: string) => ({ Authorization: `Bearer ${key}` })
    const [customer, admin] = [
      await createTestEndpoint(lib, authenticate),
      await createTestEndpoint(lib, authenticate, { kind: 'admin' }),
    ]
    const body = { id: 'c' }
    await expectGrant(await send(customer, { body, headers: headers(current) }))
    await expectGrant(await send(admin, { method: 'POST', headers: headers(console_) }))
    expectProblem(await send(admin, { method: 'POST', headers: headers(current) }), 'ERR_CALLER_FORBIDDEN')
    expectProblem(await send(customer, { body, headers: headers(console_) }), 'ERR_CALLER_FORBIDDEN')
    expectProblem(await send(customer, { body, headers: headers('other') }), 'ERR_CREDENTIALS_INVALID')
  })

  test('what changes later changes nothing', async () => {
    const list = await keys()
    const authenticate = apiKeys({ keys: list })
    const scopes = list[0]?.scopes as string[]
    scopes.push('admin')
    list.splice(0)
    const caller = await authenticate(bearer(current))
    assert(caller?.kind === 'service')
    equal(caller.scopes, ['customer'])
  })

  const wrong: [string, (key: ApiKey) => unknown][] = [
    ['nothing', () => undefined],
    ['null', () => null],
    ['no list', (key) => ({ keys: key })],
    ['JSON', (key) => ({ keys: JSON.stringify([key]) })],
    ['null for a key', () => ({ keys: [null] })],
    ['a key in the clear', (key) => ({ keys: [{ ...key, sha256: current }] })],
    ['a digest cut short', (key) => ({ keys: [{ ...key, sha256: key.sha256.slice(1) }] })],
    ['a digest and a line break', (key) => ({ keys: [{ ...key, sha256: `${key.sha256}\n` }] })],
    ['a digest in base64', (key) => ({ keys: [{ ...key, sha256: 'w7vZ'.repeat(11) }] })],
    ['no digest', ({ name, scopes }) => ({ keys: [{ name, scopes }] })],
    ['no name', ({ sha256, scopes }) => ({ keys: [{ sha256, scopes }] })],
    ['an empty name', (key) => ({ keys: [{ ...key, name: '' }] })],
    ['no scopes', ({ name, sha256 }) => ({ keys: [{ name, sha256 }] })],
    ['an empty list of scopes', (key) => ({ keys: [{ ...key, scopes: [] }] })],
    ['another scope', (key) => ({ keys: [{ ...key, scopes: ['customer', 'owner'] }] })],
    ['one key twice', (key) => ({ keys: [key, { ...key, name: 'other' }] })],
    [
      'one key twice, the case apart',
      (key) => ({ keys: [key, { ...key, sha256: key.sha256.toUpperCase() }] }),
    ],
  ]
  for (const [title, make] of wrong) {
    test(`wrong: ${title}`, async () => {
      const [key] = await keys()
      const error = await rejects(loosely(apiKeys, make(key as ApiKey)), 'ERR_OPTION_INVALID')
      assert(!error.message.includes(current), 'the message quotes the key')
    })
  }
}

export const endpointOneOf: ConformanceModule = ({ test }, lib) => {
  const none = async () => null

  test('none finds credentials', async () => {
    equal(await oneOf(none)(makeRequest()), null)
    equal(await oneOf(none, none, none)(makeRequest()), null)
  })

  test('one does, wherever it stands', async () => {
    const one = async () => backend
    for (const all of [[one], [one, none], [none, one], [none, one, none]]) {
      equal(await oneOf(...all)(makeRequest()), backend)
    }
  })

  test('two do, be they one and the same', async () => {
    const [one, two] = [async () => backend, async () => visitor]
    for (const all of [
      [one, two],
      [two, none, one],
      [one, one],
      [one, two, one],
    ]) {
      const error = await refuses(() => oneOf(...all)(makeRequest()), 'ERR_CREDENTIALS_AMBIGUOUS')
      assert(!error.message.includes('backend'), 'the message names a caller')
    }
  })

  test('all are asked in turn, with the same request', async () => {
    const order: [string, Request][] = []
    const asking = (name: string) => async (request: Request) => {
      order.push([name, request])
      return name === 'b' ? backend : null
    }
    const request = makeRequest()
    await oneOf(asking('a'), asking('b'), asking('c'))(request)
    equal(
      order.map(([name]) => name),
      ['a', 'b', 'c'],
    )
    assert(
      order.every(([, asked]) => asked === request),
      'another request',
    )
  })

  test('bad credentials are refused, beside good ones as well', async () => {
    const authenticate = apiKeys({ keys: await keys() })
    const one = async () => backend
    for (const all of [
      [authenticate, one],
      [one, authenticate],
    ]) {
      await refuses(() => oneOf(...all)(bearer('unknown')), 'ERR_CREDENTIALS_INVALID')
    }
  })

  test('sessions and API keys side by side', async () => {
    const session = sessionJwt({ issuer, audience, jwks: (await keySet()) as never, now: () => now })
    const key = apiKeys({ keys: await keys() })
    for (const authenticate of [oneOf(session, key), oneOf(key, session)]) {
      equal((await authenticate(bearer(await sessionToken())))?.kind, 'customer')
      equal((await authenticate(bearer(current)))?.kind, 'service')
      equal(await authenticate(makeRequest()), null)
      await refuses(() => authenticate(bearer('unknown')), 'ERR_CREDENTIALS_INVALID')
      const foreign = bearer(await sessionToken({ iss: 'https://other.example/' }))
      equal(await authenticate(foreign), null)
      expectProblem(
        await send(await createTestEndpoint(lib, authenticate), foreign),
        'ERR_CREDENTIALS_INVALID',
      )
    }
  })

  test('one within another', async () => {
    const one = async () => backend
    equal(await oneOf(oneOf(none, one), none)(makeRequest()), backend)
    await refuses(() => oneOf(oneOf(one), one)(makeRequest()), 'ERR_CREDENTIALS_AMBIGUOUS')
  })

  for (const [title, all] of [
    ['nothing', []],
    ['undefined', [undefined]],
    ['a list', [[none]]],
    ['a promise', [none, none()]],
    ['options', [none, { keys: [] }]],
  ] as const) {
    test(`wrong: ${title}`, async () => {
      await rejects(() => oneOf(...(all as unknown as (typeof none)[])), 'ERR_OPTION_INVALID')
    })
  }
}
