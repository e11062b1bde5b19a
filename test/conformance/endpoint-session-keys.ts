import { type SessionJwtOptions, sessionJwt } from '../../src/endpoint.ts'
import {
  audience,
  bearer,
  createSession,
  createTestEndpoint,
  expectProblem,
  issuer,
  refuses,
  send,
  sessionToken,
  withProvider,
} from './endpoint-harness.ts'
import { failing, respondWithKeys, unreachable } from './key-server.ts'
import { privateJwk } from './keys.ts'
import { minute, published } from './remote-key-set-harness.ts'
import { assert, type ConformanceModule, equal } from './suite.ts'
import { now } from './token-fixtures.ts'

const metadataUrl = 'https://id.example/.well-known/openid-configuration'
const jwksUrl = 'https://keys.example/jwks.json'

/** Like `createSession`, but with discovery by default. */
const create = (options: Partial<SessionJwtOptions> = {}) =>
  sessionJwt({ issuer, audience, now: () => now, ...options })

const json = (value: unknown) => () => Response.json(value)

export const endpointSessionKeys: ConformanceModule = ({ test }, lib) => {
  test('with a key set, nothing is fetched', async () => {
    await withProvider({}, async (server) => {
      const authenticate = await createSession()
      assert(await authenticate(bearer(await sessionToken())))
      equal(server.requests.length, 0)
    })
  })

  test('with the URL of a key set, it is fetched when first needed, then cached', async () => {
    await withProvider({ [jwksUrl]: respondWithKeys(await published('P-256', 'a')) }, async (server) => {
      const authenticate = create({ jwks: new URL(jwksUrl) })
      equal(server.requests.length, 0, 'fetched too early')
      for (let time = 0; time < 3; time++) assert(await authenticate(bearer(await sessionToken())))
      const fetched = server.requests.map(({ url, redirect }) => [url, redirect])
      equal(fetched, [[jwksUrl, 'manual']])
    })
  })

  test('nothing is fetched for a token that no key can verify', async () => {
    await withProvider({}, async (server) => {
      for (const options of [{}, { jwks: new URL(jwksUrl) }]) {
        const authenticate = create(options)
        for (const claims of [{ iss: 'https://other.example/' }, { iss: undefined }]) {
          equal(await authenticate(bearer(await sessionToken(claims))), null)
        }
        equal(await authenticate(bearer('opaque')), null)
        for (const header of [{ alg: 'none' }, { alg: 'HS256' }, { crit: [] }]) {
          const token = await sessionToken({}, { header })
          await refuses(() => authenticate(bearer(token)), 'ERR_CREDENTIALS_INVALID')
        }
      }
      equal(server.requests.length, 0)
    })
  })

  test('URLs and keys in the header are ignored', async () => {
    await withProvider({ [jwksUrl]: respondWithKeys(await published('P-256', 'a')) }, async (server) => {
      const authenticate = create({ jwks: new URL(jwksUrl) })
      const key = await privateJwk('other P-256')
      for (const header of [
        { jku: 'https://evil.example/jwks' },
        { x5u: 'https://evil.example/x' },
        { x5c: ['MIIB'] },
        { jwk: await published('other P-256', 'a') },
      ]) {
        const token = await sessionToken({}, { key, header: { kid: 'a', ...header } })
        await refuses(() => authenticate(bearer(token)), 'ERR_CREDENTIALS_INVALID')
      }
      const urls = server.requests.map((request) => request.url)
      equal(urls, [jwksUrl])
    })
  })

  test('a new key is fetched', async () => {
    const routes = { [jwksUrl]: respondWithKeys(await published('P-256', 'a')) }
    await withProvider(routes, async (server) => {
      let time = now
      const authenticate = create({ jwks: new URL(jwksUrl), now: () => time })
      assert(await authenticate(bearer(await sessionToken())))
      routes[jwksUrl] = respondWithKeys(await published('P-256', 'a'), await published('other P-256', 'b'))
      time += minute
      const key = await privateJwk('other P-256')
      assert(await authenticate(bearer(await sessionToken({}, { key, header: { kid: 'b' } }))))
      equal(server.requests.length, 2)
    })
  })

  test('known keys are used while the provider is down', async () => {
    const routes: Record<string, () => Response> = {
      [jwksUrl]: respondWithKeys(await published('P-256', 'a')),
    }
    await withProvider(routes, async () => {
      let time = now
      const authenticate = create({ jwks: new URL(jwksUrl), now: () => time })
      assert(await authenticate(bearer(await sessionToken())))
      routes[jwksUrl] = unreachable
      time += 30 * minute
      assert(await authenticate(bearer(await sessionToken())))
    })
  })

  const outages: [string, () => Response][] = [
    ['500', failing(500)],
    ['404', failing(404)],
    ['a redirect', () => new Response(null, { status: 302, headers: { Location: jwksUrl } })],
    ['HTML', () => new Response('<!doctype html>')],
    ['not a key set', json({ error: 'not_found' })],
    ['an empty set', respondWithKeys()],
    ['a secret in the set', respondWithKeys({ kty: 'oct', k: 'c2VjcmV0', kid: 'a' })],
    ['null', json(null)],
    ['more than 64 KiB', () => new Response(' '.repeat(70_000))],
    ['a network error', unreachable],
    ['two keys with one kid', respondWithKeys({ kty: 'EC', kid: 'a' }, { kty: 'EC', kid: 'a' })],
  ]
  for (const [title, outage] of outages) {
    test(`503 with Retry-After: ${title}`, async () => {
      const routes = { [jwksUrl]: outage, [metadataUrl]: outage }
      await withProvider(routes, async () => {
        for (const options of [{ jwks: new URL(jwksUrl) }, {}]) {
          const handler = await createTestEndpoint(lib, create(options))
          const response = await send(handler, bearer(await sessionToken()))
          expectProblem(response, 'ERR_JWKS_UNAVAILABLE')
          assert(Number(response.headers.get('Retry-After')) > 0, 'no Retry-After')
          assert(!response.text.includes('<!doctype'), 'the response is quoted')
        }
      })
    })
  }

  test('the error names the document that could not be fetched', async () => {
    const metadata = json({ issuer, jwks_uri: jwksUrl })
    const named: [Record<string, () => Response>, document: string][] = [
      [{ [metadataUrl]: failing(404) }, 'The metadata of the issuer'],
      [{ [metadataUrl]: metadata, [jwksUrl]: failing(404) }, 'The JWK set'],
    ]
    for (const [routes, document] of named) {
      await withProvider(routes, async () => {
        const handler = await createTestEndpoint(lib, create())
        const response = await send(handler, bearer(await sessionToken()))
        const detail = expectProblem(response, 'ERR_JWKS_UNAVAILABLE')
        assert(detail.startsWith(document), detail)
      })
    }
  })

  test('401: a key set without a matching key', async () => {
    await withProvider({ [jwksUrl]: respondWithKeys(await published('P-384', 'c')) }, async () => {
      const handler = await createTestEndpoint(lib, create({ jwks: new URL(jwksUrl) }))
      expectProblem(await send(handler, bearer(await sessionToken())), 'ERR_CREDENTIALS_INVALID')
    })
  })
}

export const endpointDiscovery: ConformanceModule = ({ test }) => {
  const providers: [issuer: string, metadata: string][] = [
    ['https://id.example', 'https://id.example/.well-known/openid-configuration'],
    ['https://id.example/', 'https://id.example/.well-known/openid-configuration'],
    ['https://id.example/realms/app', 'https://id.example/realms/app/.well-known/openid-configuration'],
    ['https://id.example/realms/app/', 'https://id.example/realms/app/.well-known/openid-configuration'],
    ['http://localhost:8080/realm', 'http://localhost:8080/realm/.well-known/openid-configuration'],
  ]
  for (const [iss, url] of providers) {
    test(`from ${iss}`, async () => {
      const routes = {
        [url]: json({ issuer: iss, jwks_uri: jwksUrl, other: [1] }),
        [jwksUrl]: respondWithKeys(await published('P-256', 'a')),
      }
      await withProvider(routes, async (server) => {
        const authenticate = create({ issuer: iss })
        equal(server.requests.length, 0, 'fetched too early')
        for (let time = 0; time < 2; time++) assert(await authenticate(bearer(await sessionToken({ iss }))))
        const urls = server.requests.map((request) => request.url)
        equal(urls, [url, jwksUrl])
        assert(server.signals.every(Boolean), 'a request without a timeout')
      })
    })
  }

  const metadata: [string, unknown][] = [
    ['another issuer', { issuer: 'https://other.example/', jwks_uri: jwksUrl }],
    ['the issuer without its slash', { issuer: issuer.slice(0, -1), jwks_uri: jwksUrl }],
    ['the issuer in capitals', { issuer: issuer.toUpperCase(), jwks_uri: jwksUrl }],
    ['a list of issuers', { issuer: [issuer], jwks_uri: jwksUrl }],
    ['no issuer', { jwks_uri: jwksUrl }],
    ['no jwks_uri', { issuer }],
    ['a relative jwks_uri', { issuer, jwks_uri: '/jwks' }],
    ['a jwks_uri that is a list', { issuer, jwks_uri: [jwksUrl] }],
    ['a jwks_uri over http', { issuer, jwks_uri: jwksUrl.replace('https', 'http') }],
    ['a jwks_uri with a password', { issuer, jwks_uri: jwksUrl.replace('//', '//a:b@') }],
    ['a data: URL as jwks_uri', { issuer, jwks_uri: 'data:application/json,{"keys":[]}' }],
    ['a list', [issuer, jwksUrl]],
    ['a string', issuer],
    ['null', null],
  ]
  for (const [title, value] of metadata) {
    test(`rejected: ${title}`, async () => {
      const set = respondWithKeys(await published('P-256', 'a'))
      const routes = { [metadataUrl]: json(value), [jwksUrl]: set, [jwksUrl.replace('https', 'http')]: set }
      await withProvider(routes, async (server) => {
        const token = await sessionToken()
        await refuses(() => create()(bearer(token)), 'ERR_JWKS_UNAVAILABLE')
        equal(server.requests.length, 1, 'keys were fetched')
      })
    })
  }

  test('a provider can change its jwks_uri', async () => {
    const moved = 'https://keys.example/new'
    const routes = {
      [metadataUrl]: json({ issuer, jwks_uri: jwksUrl }),
      [jwksUrl]: respondWithKeys(await published('P-256', 'a')),
      [moved]: respondWithKeys(await published('other P-256', 'b')),
    }
    await withProvider(routes, async () => {
      let time = now
      const authenticate = create({ now: () => time })
      assert(await authenticate(bearer(await sessionToken())))
      routes[metadataUrl] = json({ issuer, jwks_uri: moved })
      time += minute
      const key = await privateJwk('other P-256')
      assert(await authenticate(bearer(await sessionToken({}, { key, header: { kid: 'b' } }))))
    })
  })
}
