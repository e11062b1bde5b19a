import { cloudflareAccess, type SessionJwtOptions, sessionJwt } from '../../src/endpoint.ts'
import type { KeySetCache } from '../../src/service.ts'
import { audience, bearer, issuer, refuses, sessionToken, withProvider } from './endpoint-harness.ts'
import { respondWithKeys, unreachable } from './key-server.ts'
import { privateJwk } from './keys.ts'
import { hour, minute, published } from './remote-key-set-harness.ts'
import type { ConformanceModule } from './suite.ts'
import { assert, equal } from './suite.ts'
import { now } from './token-fixtures.ts'

const metadataUrl = 'https://id.example/.well-known/openid-configuration'
const jwksUrl = 'https://keys.example/jwks.json'

interface MemoryCache extends KeySetCache {
  readonly entries: Map<string, string>
  readonly maxAges: number[]
}

function createCache(): MemoryCache {
  const entries = new Map<string, string>()
  const maxAges: number[] = []
  return {
    entries,
    maxAges,
    get: async (url) => entries.get(url),
    put: async (url, text, maxAge) => {
      maxAges.push(maxAge)
      entries.set(url, text)
    },
  }
}

/** Processes or isolates that share a cache, a provider and the time. */
async function withRemoteKeySet(
  run: (harness: {
    cache: MemoryCache
    routes: Record<string, () => Response | Promise<Response>>
    urls: () => string[]
    isolate: (options?: Partial<SessionJwtOptions>) => ReturnType<typeof sessionJwt>
    wait: (milliseconds: number) => void
  }) => Promise<void>,
): Promise<void> {
  const routes = {
    [metadataUrl]: () => Response.json({ issuer, jwks_uri: jwksUrl }),
    [jwksUrl]: respondWithKeys(await published('P-256', 'a')),
  }
  await withProvider(routes, async (server) => {
    let time = now
    const cache = createCache()
    await run({
      cache,
      routes,
      urls: () => server.requests.map(({ url }) => url),
      isolate: (options) => sessionJwt({ issuer, audience, now: () => time, keySetCache: cache, ...options }),
      wait: (milliseconds) => {
        time += milliseconds
      },
    })
  })
}

/** A session token that expires in two days, later than any key set in the tests. */
const session = (kid = 'a') => sessionToken({ exp: now / 1000 + 48 * 3600 }, { header: { kid } })

const sessionOfNewKey = async () =>
  sessionToken({}, { key: await privateJwk('other P-256'), header: { kid: 'b' } })

const rotated = async () => respondWithKeys(await published('other P-256', 'b'))

export const keySetCaches: ConformanceModule = ({ test }) => {
  for (const [title, options, urls] of [
    ['discovered', {}, [metadataUrl, jwksUrl]],
    ['of a URL', { jwks: new URL(jwksUrl) }, [jwksUrl]],
  ] as const) {
    test(`a second isolate makes no request to the provider: a set ${title}`, async () => {
      await withRemoteKeySet(async ({ isolate, urls: requested, wait }) => {
        for (let count = 0; count < 3; count++) {
          assert(await isolate(options)(bearer(await session())))
          wait(3 * minute)
        }
        equal(requested(), urls)
      })
    })
  }

  test('cloudflareAccess shares its set as well', async () => {
    const team = 'https://team.cloudflareaccess.com'
    const certs = `${team}/cdn-cgi/access/certs`
    await withProvider({ [certs]: respondWithKeys(await published('P-256', 'a')) }, async (server) => {
      const keySetCache = createCache()
      const claims = { iss: team, type: 'app', exp: now / 1000 + 3600 }
      const headers = { 'Cf-Access-Jwt-Assertion': await sessionToken(claims) }
      for (let count = 0; count < 2; count++) {
        const authenticate = cloudflareAccess({ teamDomain: 'team', audience, keySetCache, now: () => now })
        assert(await authenticate(new Request('https://tokens.example/', { headers })))
      }
      equal(server.requests.length, 1)
    })
  })

  test('the stored entry has an unreachable URL, the time of the request and a lifetime of a day', async () => {
    await withRemoteKeySet(async ({ isolate, cache, wait }) => {
      wait(minute)
      await isolate()(bearer(await session()))
      const [[url, text] = []] = cache.entries
      equal([cache.entries.size, cache.maxAges], [1, [86_400]])
      assert(url && text && new URL(url).hostname.endsWith('.invalid'), `stored under ${url}`)
      const { fetchedAt, document } = JSON.parse(text) as { fetchedAt: number; document: object }
      equal([fetchedAt, document], [now + minute, { keys: [await published('P-256', 'a')] }])
    })
  })

  test('a withdrawn key is rejected within 20 minutes, in every isolate', async () => {
    await withRemoteKeySet(async ({ isolate, routes, wait }) => {
      await isolate()(bearer(await session()))
      routes[jwksUrl] = await rotated()
      wait(9 * minute)
      const second = isolate()
      assert(await second(bearer(await session())), 'a shared set of nine minutes')
      wait(11 * minute)
      for (const authenticate of [second, isolate()])
        await refuses(async () => authenticate(bearer(await session())), 'ERR_CREDENTIALS_INVALID')
    })
  })

  test('a new key that another isolate has fetched', async () => {
    await withRemoteKeySet(async ({ isolate, routes, urls, wait }) => {
      const [first, second] = [isolate(), isolate()]
      for (const authenticate of [first, second]) await authenticate(bearer(await session()))
      routes[jwksUrl] = await rotated()
      wait(minute)
      for (const authenticate of [first, second]) assert(await authenticate(bearer(await sessionOfNewKey())))
      equal(urls(), [metadataUrl, jwksUrl, metadataUrl, jwksUrl])
    })
  })

  test('a new key that is not in the shared set', async () => {
    await withRemoteKeySet(async ({ isolate, routes }) => {
      await isolate()(bearer(await session()))
      routes[jwksUrl] = await rotated()
      assert(await isolate()(bearer(await sessionOfNewKey())))
    })
  })

  test('while the provider is down, a new isolate uses the shared set for a day', async () => {
    await withRemoteKeySet(async ({ isolate, routes, wait }) => {
      await isolate()(bearer(await session()))
      routes[metadataUrl] = unreachable
      wait(23 * hour)
      assert(await isolate()(bearer(await session())))
      wait(hour)
      await refuses(async () => isolate()(bearer(await session())), 'ERR_JWKS_UNAVAILABLE')
    })
  })

  const entry = (members: object) => async () =>
    JSON.stringify({
      url: jwksUrl,
      fetchedAt: now,
      document: { keys: [await published('other P-256', 'a')] },
      ...members,
    })
  const broken: [string, KeySetCache['get']][] = [
    ['throws', () => Promise.reject(new Error('No Cache was configured'))],
    [
      'throws synchronously',
      () => {
        throw new Error('No Cache was configured')
      },
    ],
    ['hangs', () => new Promise(() => {})],
    ['has no entry', async () => undefined],
    ['has an entry that is not text', (async () => 42) as never],
    ['has an entry that is not JSON', async () => '<!doctype html>'],
    ['has null', async () => 'null'],
    ['has a bare key set', async () => JSON.stringify({ keys: [await published('other P-256', 'a')] })],
    ['has a set of another URL', entry({ url: 'https://other.example/jwks.json' })],
    ['has no time', entry({ fetchedAt: undefined })],
    ['has a time as text', entry({ fetchedAt: `${now}` })],
    ['has a set from the future', entry({ fetchedAt: now + hour })],
    ['has a set that is over a day old', entry({ fetchedAt: now - 25 * hour })],
    ['has an empty set', entry({ document: { keys: [] } })],
    ['has a private key', async () => entry({ document: { keys: [await privateJwk('other P-256')] } })()],
  ]
  for (const [title, get] of broken) {
    test(`ignored: a cache that ${title}`, async () => {
      await withRemoteKeySet(async ({ isolate, urls }) => {
        const put = () => (title === 'hangs' ? new Promise<void>(() => {}) : Promise.reject(new Error()))
        const authenticate = isolate({ jwks: new URL(jwksUrl), keySetCache: { get, put } })
        for (let count = 0; count < 2; count++) assert(await authenticate(bearer(await session())))
        equal(urls(), [jwksUrl])
      })
    })
  }

  test('readiness: the provider responds, or did so within ten minutes', async () => {
    await withRemoteKeySet(async ({ isolate, routes, wait, urls }) => {
      const authenticate = isolate({ keySetCache: undefined })
      const [dependency, ...others] = authenticate.dependencies
      assert(dependency && others.length === 0)
      equal([dependency.name, dependency.isUsable?.()], [issuer, false])
      await dependency.check()
      equal([dependency.isUsable?.(), urls().length], [true, 2])
      routes[jwksUrl] = unreachable
      await dependency.check()
      equal(urls().length, 2, 'requests of the second check')
      wait(11 * minute)
      const check = () =>
        dependency.check().then(
          () => 'ready',
          ({ code }) => code,
        )
      equal(await check(), 'ERR_JWKS_UNAVAILABLE')
      equal([await check(), urls().length], ['ERR_JWKS_UNAVAILABLE', 4])
      equal(dependency.isUsable?.(), true, 'known keys serve callers')
      assert(await authenticate(bearer(await session())))
      wait(24 * hour)
      equal(dependency.isUsable?.(), false)
      routes[jwksUrl] = respondWithKeys(await published('P-256', 'a'))
      equal([await check(), dependency.isUsable?.()], ['ready', true])
    })
  })
}
