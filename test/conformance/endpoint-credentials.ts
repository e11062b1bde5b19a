import {
  apiKeys,
  type Credential,
  type CredentialAuthenticator,
  cloudflareAccess,
  oneOf,
} from '../../src/endpoint.ts'
import {
  audience,
  bearer,
  createSession,
  makeRequest,
  refuses,
  sessionToken,
  sha256,
  withProvider,
} from './endpoint-harness.ts'
import { failing, respondWithKeys } from './key-server.ts'
import { published } from './remote-key-set-harness.ts'
import { assert, type ConformanceModule, equal, rejects } from './suite.ts'
import { now } from './token-fixtures.ts'

const key = 'mt_w7vZr3nq0Xk5yB1cD9eF2gH4iJ6kL8mN'
const otherKey = 'mt_P0oN9mI8bU7vY6cT5xR4zE3wQ2aS1dF0'

const token = (text: string): Credential => ({ kind: 'bearer', token: text })
const client = (name: string, secret: string): Credential => ({ kind: 'client', name, secret })

async function createKeys() {
  return apiKeys({
    keys: [
      { name: 'backend', sha256: await sha256(key), scopes: ['admin'] },
      { name: 'console', sha256: await sha256(otherKey), scopes: ['customer'] },
    ],
  })
}

export const endpointCredentials: ConformanceModule = ({ test }) => {
  test('a session is verified without a request', async () => {
    const session = await createSession()
    const caller = await session.verify(token(await sessionToken()))
    equal(caller, await session(bearer(await sessionToken())))
    equal(await session.verify(token(await sessionToken({ iss: 'https://other.example' }))), null)
    equal(await session.verify(token(key)), null)
    equal(await session.verify(client('backend', await sessionToken())), null)
    const expired = token(await sessionToken({ exp: now / 1000 - 60 }))
    await refuses(() => session.verify(expired), 'ERR_CREDENTIALS_INVALID')
  })

  test('an API key is verified as a bearer token, and as the secret of the client with its name', async () => {
    const keys = await createKeys()
    const caller = { kind: 'service', method: 'api-key', name: 'backend', scopes: ['admin'] }
    equal({ ...(await keys.verify(token(key))) }, caller)
    equal({ ...(await keys.verify(client('backend', key))) }, caller)
    equal(await keys.verify(token(await sessionToken())), null)
  })

  const unknown: [string, string, string][] = [
    ['the key of another service', 'console', key],
    ['a name in capitals', 'Backend', key],
    ['no name', '', key],
    ['another secret', 'backend', otherKey],
    ['no secret', 'backend', ''],
    ['a secret that looks like a JWT', 'backend', 'e30.e30.AAAA'],
    ['an unknown name', 'toString', key],
  ]
  for (const [title, name, secret] of unknown) {
    test(`rejected as a client: ${title}`, async () => {
      const keys = await createKeys()
      const error = await refuses(() => keys.verify(client(name, secret)), 'ERR_CREDENTIALS_INVALID')
      equal(error.message, 'Unknown or revoked API key.')
    })
  }

  test('oneOf verifies the credentials of all its authenticators', async () => {
    const all = oneOf(await createSession(), oneOf(await createKeys()), async () => null)
    equal((await all.verify(token(await sessionToken())))?.kind, 'customer')
    equal((await all.verify(client('backend', key)))?.kind, 'service')
    equal(await all.verify(token(await sessionToken({ iss: 'https://other.example' }))), null)
    await refuses(() => all.verify(token('unknown')), 'ERR_CREDENTIALS_INVALID')
    equal(await oneOf(await createSession()).verify(client('backend', key)), null)
  })

  test('oneOf uses verify of a custom authenticator', async () => {
    const custom = Object.assign(async () => null, {
      verify: async () => ({ kind: 'service' as const, name: 'custom', scopes: [] }),
      dependencies: [{ name: 'custom', check: async () => {} }],
    })
    const all = oneOf(custom, await createSession())
    equal((await all.verify(client('backend', key)))?.kind, 'service')
    const names = all.dependencies.map(({ name }) => name)
    equal(names, ['custom'])
  })

  test('each header is read once, regardless of the number of authenticators', async () => {
    const all = oneOf(
      await createSession(),
      oneOf(await createKeys(), await createSession({ issuer: 'https://second.example' })),
      cloudflareAccess({ teamDomain: 'example', audience: 'aud' }),
    )
    const { headers } = bearer(await sessionToken())
    const names: string[] = []
    const get = (name: string) => {
      names.push(name)
      return headers.get(name)
    }
    assert(await all({ headers: { get } } as Request))
    equal(names.sort(), ['Authorization', 'Cf-Access-Jwt-Assertion'])
  })

  test('custom authenticators get the context', async () => {
    const seen: unknown[] = []
    const custom = async (_: Request, context?: object) => {
      seen.push(context)
      return null
    }
    const context = { waitUntil: () => {} }
    await oneOf(custom, oneOf(custom))(makeRequest(), context)
    assert(seen.length === 2 && seen.every((found) => found === context), 'another context')
  })

  test('the context is passed to the key sets, from a request and from verify', async () => {
    const jwks = new URL('https://keys.example/jwks.json')
    const session = await sessionToken()
    const routes = { [jwks.href]: respondWithKeys(await published('P-256', 'a')) }
    for (const authenticate of [
      async (all: CredentialAuthenticator, context: object) => all(bearer(session), context),
      async (all: CredentialAuthenticator, context: object) => all.verify(token(session), context),
    ]) {
      for (const wrap of [(one: CredentialAuthenticator) => one, oneOf]) {
        await withProvider(routes, async () => {
          let kept = 0
          assert(await authenticate(wrap(await createSession({ jwks })), { waitUntil: () => kept++ }))
          assert(kept > 0, 'the fetch of the key set is not kept alive')
        })
      }
    }
  })

  test('a request with an assertion and a bearer token is rejected', async () => {
    const access = cloudflareAccess({ teamDomain: 'example', audience: 'aud' })
    const session = await createSession()
    const headers = {
      Authorization: `Bearer ${await sessionToken()}`,
      'Cf-Access-Jwt-Assertion': 'e30.e30.AAAA',
    }
    for (const authenticate of [access, oneOf(access), oneOf(session, access), oneOf(access, session)])
      await refuses(() => authenticate(makeRequest({ headers })), 'ERR_CREDENTIALS_AMBIGUOUS')
    const withKey = makeRequest({ headers: { ...headers, Authorization: `Bearer ${key}` } })
    for (const all of [oneOf(access, await createKeys()), oneOf(await createKeys(), access)])
      await refuses(() => all(withKey), 'ERR_CREDENTIALS_AMBIGUOUS')
    equal((await session(makeRequest({ headers })))?.kind, 'customer')
  })
}

export const endpointDependencies: ConformanceModule = ({ test }) => {
  const team = 'https://example.cloudflareaccess.com/cdn-cgi/access/certs'
  const jwks = 'https://keys.example/jwks.json'

  test('dependencies names each remote key set once', async () => {
    const all = oneOf(
      await createSession({ jwks: new URL(jwks) }),
      await createSession({ jwks: new URL(jwks), audience: 'other' }),
      await createSession({ issuer: 'https://local.example' }),
      cloudflareAccess({ teamDomain: 'example', audience: 'aud' }),
      await createKeys(),
    )
    const names = all.dependencies.map(({ name }) => name)
    equal(names, [jwks, team])
  })

  test('check rejects while the key set is unreachable', async () => {
    const check = async () => (await createSession({ jwks: new URL(jwks) })).dependencies[0]?.check()
    await withProvider({ [jwks]: respondWithKeys(await published('P-256', 'a')) }, check)
    await withProvider({ [jwks]: failing(500) }, async () => {
      await rejects(check, 'ERR_JWKS_UNAVAILABLE')
    })
  })
}

export const endpointSharedIssuer: ConformanceModule = ({ test }) => {
  const second = 'https://second-api.example'

  test('the audience selects among authenticators of one issuer', async () => {
    const all = oneOf(await createSession(), await createSession({ audience: second, customerId: 'org' }))
    for (const [claims, id] of [
      [{}, 'user-7'],
      [{ aud: [second, 'https://third.example'], org: 'org-1' }, 'org-1'],
    ] as const) {
      const caller = await all(bearer(await sessionToken(claims)))
      assert(caller?.kind === 'customer')
      equal(caller.customer.id, id)
    }
  })

  test('a token for none of the audiences is rejected', async () => {
    const all = oneOf(await createSession(), await createSession({ audience: second }))
    for (const aud of ['https://third.example', undefined, [], [audience.toUpperCase()], { [audience]: 1 }]) {
      const request = bearer(await sessionToken({ aud }))
      await refuses(() => all(request), 'ERR_CREDENTIALS_INVALID')
    }
  })

  test('a token for both audiences is ambiguous', async () => {
    const all = oneOf(await createSession(), await createSession({ audience: second }))
    const both = await sessionToken({ aud: [audience, second] })
    await refuses(() => all(bearer(both)), 'ERR_CREDENTIALS_AMBIGUOUS')
    await refuses(() => all.verify(token(both)), 'ERR_CREDENTIALS_AMBIGUOUS')
  })

  const overlapping: [string, object, object][] = [
    ['the same audience', {}, {}],
    ['one audience in common', { audience: ['a', 'b'] }, { audience: ['b', 'c'] }],
    ['any audience', {}, { audience: undefined, anyAudience: true }],
    ['only authorized parties', { audience: undefined, authorizedParties: ['app'] }, {}],
  ]
  for (const [title, one, other] of overlapping) {
    test(`invalid options: two authenticators of one issuer with ${title}`, async () => {
      const [first, last] = [await createSession(one), await createSession(other)]
      for (const all of [
        [first, last],
        [last, oneOf(first)],
        [await createKeys(), first, async () => null, last],
      ]) {
        const error = await rejects(() => oneOf(...all), 'ERR_OPTION_INVALID')
        equal(Reflect.get(error, 'option'), 'audience')
      }
    })
  }

  test('two issuers may have the same audience', async () => {
    const other = await createSession({ issuer: 'https://second.example' })
    const all = oneOf(await createSession(), other)
    assert(await all(bearer(await sessionToken())))
    assert(await all(bearer(await sessionToken({ iss: 'https://second.example' }))))
  })
}
