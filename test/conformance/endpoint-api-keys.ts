import { type ApiKey, apiKeys, oneOf } from '../../src/endpoint.ts'
import {
  backend,
  bearer,
  createSession,
  createTestEndpoint,
  expectGrant,
  expectProblem,
  loosely,
  makeRequest,
  refuses,
  send,
  sessionToken,
  sha256,
  visitor,
} from './endpoint-harness.ts'
import { assert, type ConformanceModule, equal, rejects } from './suite.ts'

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
    ['every allowed character', console_, { name: 'console', scopes: ['admin'] }],
  ]
  for (const [title, key, expected] of known) {
    test(`accepted: ${title}`, async () => {
      const caller = await apiKeys({ keys: await keys() })(bearer(key))
      equal({ ...caller }, { kind: 'service', method: 'api-key', ...expected })
    })
  }

  const unknown: [string, string][] = [
    ['another key', 'mt_another'],
    ['a truncated key', current.slice(0, -1)],
    ['a key with a suffix', `${current}A`],
    ['a key in capitals', current.toUpperCase()],
    ['an unknown digest', '0'.repeat(64)],
    ['two parts', 'e30.e30'],
  ]
  for (const [title, key] of unknown) {
    test(`rejected: ${title}`, async () => {
      const authenticate = apiKeys({ keys: await keys() })
      const { message } = await refuses(() => authenticate(bearer(key)), 'ERR_CREDENTIALS_INVALID')
      assert(!message.includes(key), 'the message quotes the key')
    })
  }

  test('rejected: the digest of a key', async () => {
    const authenticate = apiKeys({ keys: await keys() })
    for (const { sha256 } of await keys()) {
      await refuses(() => authenticate(bearer(sha256)), 'ERR_CREDENTIALS_INVALID')
    }
  })

  test('rejected: a revoked key', async () => {
    const authenticate = apiKeys({ keys: (await keys()).slice(1) })
    await refuses(() => authenticate(bearer(current)), 'ERR_CREDENTIALS_INVALID')
    assert(await authenticate(bearer(next)))
    await refuses(() => apiKeys({ keys: [] })(bearer(current)), 'ERR_CREDENTIALS_INVALID')
  })

  test('returns null: no bearer credentials, and JWTs', async () => {
    const authenticate = apiKeys({ keys: await keys() })
    equal(await authenticate(bearer(await sessionToken())), null)
    equal(await authenticate(bearer('a.b.c')), null)
    equal(await authenticate(bearer('a.b.')), null)
    const others: Record<string, string>[] = [{ Authorization: `Basic ${current}` }, { 'X-Api-Key': current }]
    for (const headers of [{}, ...others]) equal(await authenticate(makeRequest({ headers })), null)
    equal(await authenticate(makeRequest({ search: `?access_token=${current}` })), null)
  })

  test('rejected: a malformed header', async () => {
    const authenticate = apiKeys({ keys: await keys() })
    for (const [Authorization, code] of [
      ['Bearer', 'ERR_CREDENTIALS_INVALID'],
      [`Bearer ${current} ${next}`, 'ERR_CREDENTIALS_INVALID'],
      [`Bearer ${current}, Bearer ${next}`, 'ERR_CREDENTIALS_AMBIGUOUS'],
    ] as const) {
      await refuses(() => authenticate(makeRequest({ headers: { Authorization } })), code)
    }
  })

  test('scopes decide which tokens a key gets', async () => {
    const authenticate = apiKeys({ keys: await keys() })
    const headers = (key: string) => ({ Authorization: `Bearer ${key}` })
    const customer = await createTestEndpoint(lib, authenticate)
    const admin = await createTestEndpoint(lib, authenticate, { kind: 'admin' })
    const body = { id: 'c' }
    await expectGrant(await send(customer, { body, headers: headers(current) }))
    await expectGrant(await send(admin, { method: 'POST', headers: headers(console_) }))
    expectProblem(await send(admin, { method: 'POST', headers: headers(current) }), 'ERR_CALLER_FORBIDDEN')
    expectProblem(await send(customer, { body, headers: headers(console_) }), 'ERR_CALLER_FORBIDDEN')
    expectProblem(await send(customer, { body, headers: headers('other') }), 'ERR_CREDENTIALS_INVALID')
  })

  test('later changes to the options have no effect', async () => {
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
    ['an object instead of a list', (key) => key],
    ['JSON', (key) => JSON.stringify([key])],
    ['a key of null', () => [null]],
    ['a key instead of its digest', (key) => [{ ...key, sha256: current }]],
    ['a truncated digest', (key) => [{ ...key, sha256: key.sha256.slice(1) }]],
    ['a digest with a line break', (key) => [{ ...key, sha256: `${key.sha256}\n` }]],
    ['a digest in base64', (key) => [{ ...key, sha256: 'w7vZ'.repeat(11) }]],
    ['no digest', ({ name, scopes }) => [{ name, scopes }]],
    ['no name', ({ sha256, scopes }) => [{ sha256, scopes }]],
    ['an empty name', (key) => [{ ...key, name: '' }]],
    ['no scopes', ({ name, sha256 }) => [{ name, sha256 }]],
    ['an empty list of scopes', (key) => [{ ...key, scopes: [] }]],
    ['another scope', (key) => [{ ...key, scopes: ['customer', 'owner'] }]],
    ['the same key twice', (key) => [key, { ...key, name: 'other' }]],
    ['the same key twice, in another case', (key) => [key, { ...key, sha256: key.sha256.toUpperCase() }]],
  ]
  for (const [title, make] of wrong) {
    test(`invalid options: ${title}`, async () => {
      const [key] = await keys()
      const options = { keys: make(key as ApiKey) }
      const error = await rejects(loosely(apiKeys, options), 'ERR_OPTION_INVALID')
      assert(!error.message.includes(current), 'the message quotes the key')
    })
  }

  for (const options of [undefined, null]) {
    test(`invalid options: ${options}`, async () => {
      await rejects(loosely(apiKeys, options), 'ERR_OPTION_INVALID')
    })
  }
}

export const endpointOneOf: ConformanceModule = ({ test }, lib) => {
  const none = async () => null

  test('returns null: no authenticator finds credentials', async () => {
    equal(await oneOf(none)(makeRequest()), null)
    equal(await oneOf(none, none, none)(makeRequest()), null)
  })

  test('accepted: one authenticator finds credentials, in any position', async () => {
    const one = async () => backend
    for (const all of [[one], [one, none], [none, one], [none, one, none]]) {
      equal(await oneOf(...all)(makeRequest()), backend)
    }
  })

  test('rejected: two authenticators find credentials, even the same', async () => {
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

  test('all authenticators are called in order, with the same request', async () => {
    const names: string[] = []
    const request = makeRequest()
    const named = (name: string) => async (given: Request) => {
      names.push(name)
      assert(given === request, 'not the same request')
      return name === 'b' ? backend : null
    }
    await oneOf(named('a'), named('b'), named('c'))(request)
    equal(names, ['a', 'b', 'c'])
  })

  test('rejected: invalid credentials together with valid ones', async () => {
    const authenticate = apiKeys({ keys: await keys() })
    const one = async () => backend
    for (const all of [
      [authenticate, one],
      [one, authenticate],
    ]) {
      await refuses(() => oneOf(...all)(bearer('unknown')), 'ERR_CREDENTIALS_INVALID')
    }
  })

  test('sessions and API keys together', async () => {
    const session = await createSession()
    const key = apiKeys({ keys: await keys() })
    for (const authenticate of [oneOf(session, key), oneOf(key, session)]) {
      equal((await authenticate(bearer(await sessionToken())))?.kind, 'customer')
      equal((await authenticate(bearer(current)))?.kind, 'service')
      equal(await authenticate(makeRequest()), null)
      await refuses(() => authenticate(bearer('unknown')), 'ERR_CREDENTIALS_INVALID')
      const foreign = bearer(await sessionToken({ iss: 'https://other.example/' }))
      equal(await authenticate(foreign), null)
      const response = await send(await createTestEndpoint(lib, authenticate), foreign)
      expectProblem(response, 'ERR_CREDENTIALS_INVALID')
    }
  })

  test('oneOf can be nested', async () => {
    const one = async () => backend
    equal(await oneOf(oneOf(none, one), none)(makeRequest()), backend)
    await refuses(() => oneOf(oneOf(one), one)(makeRequest()), 'ERR_CREDENTIALS_AMBIGUOUS')
  })

  for (const [title, all] of [
    ['nothing', []],
    ['undefined', [undefined]],
    ['a list of authenticators', [[none]]],
    ['a promise instead of an authenticator', [none, none()]],
    ['options instead of an authenticator', [none, { keys: [] }]],
  ] as const) {
    test(`invalid options: ${title}`, async () => {
      await rejects(() => oneOf(...(all as unknown as (typeof none)[])), 'ERR_OPTION_INVALID')
    })
  }
}
