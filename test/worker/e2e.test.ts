import { generateKeyPairSync } from 'node:crypto'
import { MembraneClient } from '@membranehq/sdk'
import { createTokenProvider } from 'membrane-token/client'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { type Bindings, makeSettings, randomKey } from './harness.ts'
import { AUDIENCE, CLIENT_ID, type IdentityProvider, startIdentityProvider } from './identity-provider.ts'
import { type MembraneApi, startMembraneApi, type WorkspaceKey } from './membrane-api.ts'
import { startTimedWorker, type TimedWorker } from './timed-worker.ts'

// A user signs in at a certified identity provider, the Worker on workerd issues a token, Membrane's own SDK sends it, and
// the receiver verifies it as Membrane does.

interface System {
  identityProvider: IdentityProvider
  worker: TimedWorker
  api: MembraneApi
  apiKeys: Record<string, string>
}

type Signing = { settings: Bindings; key: (worker: TimedWorker) => WorkspaceKey }

function pair(type: 'ec' | 'rsa'): { privateKey: string; publicKey: string } {
  const options = { namedCurve: 'P-256', modulusLength: 2048 }
  const { privateKey, publicKey } = generateKeyPairSync(type as 'rsa', options)
  return {
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    publicKey: publicKey.export({ type: 'spki', format: 'pem' }) as string,
  }
}

function secretSigning(): Signing {
  const secret = randomKey()
  return { settings: { MEMBRANE_WORKSPACE_SECRET: secret }, key: () => ({ secret }) }
}

function pairSigning(type: 'ec' | 'rsa', isPublished = false): Signing {
  const { privateKey, publicKey } = pair(type)
  return {
    settings: { MEMBRANE_PRIVATE_KEY: privateKey },
    key: ({ url }) => (isPublished ? { jwksUri: `${url}/.well-known/jwks.json` } : { publicKey }),
  }
}

const WORKSPACE_KEY = 'workspace-under-test'

async function startSystem(
  { settings, key }: Signing,
  algorithm: 'HS512' | 'ES256' | 'RS256',
  more: Bindings = {},
  providerOptions: Parameters<typeof startIdentityProvider>[0] = {},
): Promise<System> {
  const { settings: base, apiKeys } = makeSettings()
  const { MEMBRANE_WORKSPACE_SECRET: _, ...rest } = base
  const identityProvider = await startIdentityProvider(providerOptions)
  const worker = await startTimedWorker({
    ...rest,
    MEMBRANE_WORKSPACE_KEY: WORKSPACE_KEY,
    SESSION_ISSUER: identityProvider.issuer,
    SESSION_AUDIENCE: AUDIENCE,
    ...settings,
    ...more,
  })
  const api = await startMembraneApi(WORKSPACE_KEY, key(worker), algorithm)
  return { identityProvider, worker, api, apiKeys }
}

async function stopSystem({ identityProvider, worker, api }: System): Promise<void> {
  await Promise.all([identityProvider.close(), worker.dispose(), api.close()])
}

const bearer = (credentials: string) => ({ Authorization: `Bearer ${credentials}` })
const tokenUrl = ({ worker }: System) => `${worker.url}/api/membrane-token`
const issued = ({ worker }: System): number =>
  worker.logged.filter((line) => line.includes('"outcome":"issued"')).length

/** Two ways to get tokens: the function in Membrane's documentation, and our client. */
const ways = {
  'a one-line fetchToken': (system: System, session: string) => async () => {
    const response = await fetch(tokenUrl(system), { headers: bearer(session) })
    return ((await response.json()) as { token: string }).token
  },
  createTokenProvider: (system: System, session: string) =>
    createTokenProvider({ url: tokenUrl(system), headers: () => bearer(session) }),
}

const signings = [
  ['HS512 and the secret', 'HS512', secretSigning],
  ['ES256 and a public key', 'ES256', () => pairSigning('ec')],
  ['ES256 and the published JWK set', 'ES256', () => pairSigning('ec', true)],
  ['RS256 and a public key', 'RS256', () => pairSigning('rsa')],
  ['RS256 and the published JWK set', 'RS256', () => pairSigning('rsa', true)],
] as const

describe.each(signings)('with %s', (_, algorithm, makeSigning) => {
  let system: System
  beforeAll(async () => {
    system = await startSystem(
      makeSigning(),
      algorithm,
      { SESSION_FIELD_CLAIMS: 'org.plan' },
      { algorithm: algorithm === 'RS256' ? 'RS256' : 'ES256' },
    )
  })
  afterAll(() => stopSystem(system))

  test.each(Object.entries(ways))("Membrane's SDK calls the API with %s", async (_, way) => {
    const { identityProvider, api } = system
    const { accessToken } = await identityProvider.signIn('customer-7')
    const membrane = new MembraneClient({ apiUri: api.url, fetchToken: way(system, accessToken) })
    const customer = { id: 'customer-7', name: 'Company of customer-7', fields: { plan: 'trial' } }
    expect(await membrane.self.get()).toMatchObject(customer)
    expect(await membrane.integrations.find()).toMatchObject({ items: [{ key: 'hubspot' }] })
    expect(api.requests.splice(0)).toEqual(
      ['/self', '/integrations'].map((path) => ({
        path,
        claims: {
          iss: WORKSPACE_KEY,
          ...customer,
          jti: expect.any(String),
          iat: expect.any(Number),
          exp: expect.any(Number),
        },
      })),
    )
  })

  test('a service gets tokens for a customer and for itself', async () => {
    const { worker, api, apiKeys } = system
    const post = async (path: string, key: string, body: unknown): Promise<string> => {
      const response = await fetch(`${worker.url}/api/${path}`, {
        method: 'POST',
        headers: { ...bearer(key), 'Content-Type': 'application/json', Accept: 'application/jwt' },
        body: JSON.stringify(body),
      })
      return response.text()
    }
    const customer = { id: 'customer-8', name: 'Eight & Söhne', fields: { plan: 'paid' } }
    const tokens = {
      customer: await post('membrane-token', apiKeys.backend!, customer),
      admin: await post('membrane-admin-token', apiKeys.console!, {}),
    }
    expect(await new MembraneClient({ apiUri: api.url, token: tokens.customer }).self.get()).toMatchObject(
      customer,
    )
    expect(await new MembraneClient({ apiUri: api.url, token: tokens.admin }).self.get()).toEqual({
      isAdmin: true,
    })
    api.requests.splice(0)
  })
})

describe('with sessions that expire', () => {
  let system: System
  beforeAll(async () => {
    system = await startSystem(pairSigning('ec'), 'ES256', {
      TOKEN_EXPIRES_IN: '20s',
      SESSION_AUDIENCE: `${AUDIENCE},${CLIENT_ID}`,
    })
  })
  afterAll(() => stopSystem(system))
  afterEach(() => {
    vi.useRealTimers()
    system.worker.logged.splice(0)
    system.api.requests.splice(0)
  })

  /** A client that counts its token requests. */
  function connect(session: string) {
    let requests = 0
    const counted: typeof fetch = (...request) => {
      requests++
      return fetch(...request)
    }
    const fetchToken = createTokenProvider({
      url: tokenUrl(system),
      headers: () => bearer(session),
      fetch: counted,
    })
    const membrane = new MembraneClient({ apiUri: system.api.url, fetchToken })
    return { fetchToken, membrane, requests: () => requests }
  }

  test('thirty concurrent first calls make one token request', async () => {
    const { accessToken } = await system.identityProvider.signIn('customer-30')
    const { membrane, requests } = connect(accessToken)
    await Promise.all(Array.from({ length: 30 }, () => membrane.self.get()))
    expect(system.api.requests).toHaveLength(30)
    expect(requests()).toBe(1)
    await vi.waitFor(() => expect(issued(system)).toBe(1))
  })

  test('an ID token is also a session', async () => {
    const { idToken } = await system.identityProvider.signIn('customer-9')
    expect(await connect(idToken).membrane.self.get()).toMatchObject({
      id: 'customer-9',
      name: 'Company of customer-9',
    })
  })

  test('a token is renewed shortly before it expires, and not earlier', async () => {
    const { accessToken } = await system.identityProvider.signIn('customer-10')
    const { membrane, requests } = connect(accessToken)
    vi.useFakeTimers({ toFake: ['Date', 'performance'], now: Date.now() })
    await membrane.self.get()
    vi.setSystemTime(Date.now() + 5_000)
    await membrane.self.get()
    expect(requests()).toBe(1)
    vi.setSystemTime(Date.now() + 10_000)
    await membrane.self.get()
    await membrane.self.get()
    expect(requests()).toBe(2)
    expect(system.api.requests.every(({ claims }) => claims)).toBe(true)
  })

  test('a token that Membrane rejects is replaced after invalidate()', async () => {
    const { accessToken } = await system.identityProvider.signIn('customer-11')
    const { fetchToken, membrane, requests } = connect(accessToken)
    const rejected = await fetchToken()
    system.api.revoke(rejected)
    await expect(membrane.self.get()).rejects.toThrow()
    expect(await fetchToken()).toBe(rejected)
    fetchToken.invalidate()
    const again = new MembraneClient({ apiUri: system.api.url, fetchToken })
    expect(await again.self.get()).toMatchObject({ id: 'customer-11' })
    expect(requests()).toBe(2)
  })

  test('concurrent callers each get their own token', async () => {
    const ids = Array.from({ length: 10 }, (_, index) => `customer-concurrent-${index}`)
    const sessions = await Promise.all(ids.map((id) => system.identityProvider.signIn(id)))
    const clients = sessions.map(({ accessToken }) => connect(accessToken).membrane)
    const selves = await Promise.all([...clients, ...clients].map((membrane) => membrane.self.get()))
    expect(selves.map(({ id }) => id)).toEqual([...ids, ...ids])
  })

  test('a session of another identity provider is rejected without retries', async () => {
    const foreign = await startIdentityProvider()
    const { accessToken } = await foreign.signIn('customer-12')
    const { membrane, requests } = connect(accessToken)
    await expect(membrane.self.get()).rejects.toMatchObject({ code: 'ERR_TOKEN_REQUEST_REFUSED' })
    expect(requests()).toBe(1)
    expect(foreign.requests).toEqual([])
    expect(system.api.requests).toEqual([])
    await foreign.close()
  })

  test('no log line contains a token', async () => {
    const { accessToken } = await system.identityProvider.signIn('customer-13')
    const token = await connect(accessToken).fetchToken()
    await vi.waitFor(() => expect(issued(system)).toBe(1))
    for (const secret of [accessToken, token].flatMap((jwt) => jwt.split('.').slice(1))) {
      expect(system.worker.logged.join('\n')).not.toContain(secret)
    }
  })
})

test('a token expires with its session', async () => {
  const system = await startSystem(secretSigning(), 'HS512', {}, { sessionSeconds: 300 })
  const { accessToken } = await system.identityProvider.signIn('customer-14')
  const response = await fetch(tokenUrl(system), { headers: bearer(accessToken) })
  const { expiresIn } = (await response.json()) as { expiresIn: number }
  expect(expiresIn).toBeGreaterThan(250)
  expect(expiresIn).toBeLessThanOrEqual(300)

  system.worker.wait(301)
  const late = await fetch(tokenUrl(system), {
    headers: { ...bearer(accessToken), ...system.worker.clock() },
  })
  expect(late.status).toBe(401)
  await stopSystem(system)
})
