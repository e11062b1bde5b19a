import { afterEach, describe, expect, test, vi } from 'vitest'
import { expectProblem, makeSettings } from './harness.ts'
import {
  AUDIENCE,
  type Handler,
  type IdentityProvider,
  KEYS,
  METADATA,
  startIdentityProvider,
} from './identity-provider.ts'
import { startTimedWorker, type TimedWorker } from './timed-worker.ts'

// What becomes of the Worker's callers when the identity provider changes its keys, or has troubles of its own.

interface Scene {
  identityProvider: IdentityProvider
  worker: TimedWorker
  apiKey: string
  /** Asks for a token with a session, at the Worker's time. */
  ask(session: string, headers?: Record<string, string>, signal?: AbortSignal): Promise<Response>
  signIn(): Promise<string>
}

const MINUTE = 60
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

const openScenes = new Set<Scene>()

async function setScene(): Promise<Scene> {
  const { settings, apiKeys } = makeSettings()
  const identityProvider = await startIdentityProvider()
  const worker = await startTimedWorker({
    ...settings,
    SESSION_ISSUER: identityProvider.issuer,
    SESSION_AUDIENCE: AUDIENCE,
  })
  const scene: Scene = {
    identityProvider,
    worker,
    apiKey: apiKeys.backend!,
    ask: (session, headers, signal = AbortSignal.timeout(20_000)) =>
      fetch(`${worker.url}/api/membrane-token`, {
        headers: { Authorization: `Bearer ${session}`, ...worker.clock(), ...headers },
        signal,
      }),
    signIn: async () => (await identityProvider.signIn('customer-7')).accessToken,
  }
  openScenes.add(scene)
  return scene
}

async function strike(scene: Scene): Promise<void> {
  openScenes.delete(scene)
  await Promise.all([scene.identityProvider.close(), scene.worker.dispose()])
}

afterEach(async () => {
  await Promise.all(Array.from(openScenes, strike))
})

async function expectUnavailable(response: Response): Promise<void> {
  await expectProblem(response, 503, 'ERR_JWKS_UNAVAILABLE')
  expect(response.headers.get('Retry-After')).toMatch(/^[1-9]\d*$/)
}

async function expectServed(...responses: Promise<Response>[]): Promise<void> {
  expect((await Promise.all(responses)).map(({ status }) => status)).toEqual(responses.map(() => 200))
}

/** Holds every request for metadata or keys back until it is let go. */
function hold({ identityProvider }: Scene, path?: string) {
  const held: (() => unknown)[] = []
  identityProvider.interfere((request, response) => {
    held.push(() => identityProvider.answer(request, response))
  }, path)
  return {
    /** Resolves when that many requests wait. */
    reached: (count: number) =>
      expect.poll(() => held.length, { timeout: 4000 }).toBeGreaterThanOrEqual(count),
    release: async () => {
      await identityProvider.recover()
      for (const answer of held.splice(0)) answer()
    },
  }
}

describe('key rotation', () => {
  test('a new key is picked up, and old sessions stay valid while the old key is published', async () => {
    const scene = await setScene()
    const { identityProvider, worker, ask } = scene
    const old = await scene.signIn()
    await expectServed(ask(old))
    expect(identityProvider.requests).toEqual([METADATA, KEYS])

    worker.wait(MINUTE)
    await identityProvider.rotate()
    const young = await scene.signIn()
    await expectServed(ask(young))
    await expectServed(ask(old), ask(young))
    expect(identityProvider.requests).toEqual([METADATA, KEYS, METADATA, KEYS])

    worker.wait(HOUR)
    identityProvider.retire()
    await expectServed(ask(young))
    await expectProblem(await ask(old), 401, 'ERR_CREDENTIALS_INVALID')
  })

  test('concurrent first requests with the new key are all served', async () => {
    const scene = await setScene()
    await expectServed(scene.ask(await scene.signIn()))
    scene.worker.wait(MINUTE)
    await scene.identityProvider.rotate()
    const young = await scene.signIn()
    await expectServed(...Array.from({ length: 20 }, () => scene.ask(young)))
  })

  test('sessions with unpublished keys do not flood the identity provider', async () => {
    const scene = await setScene()
    await expectServed(scene.ask(await scene.signIn()))
    scene.worker.wait(MINUTE)
    const before = scene.identityProvider.requests.length
    const forged = (await scene.signIn()).replace(/^[^.]+/, () =>
      Buffer.from(JSON.stringify({ alg: 'ES256', typ: 'at+jwt', kid: 'nobody' })).toString('base64url'),
    )
    for (let count = 0; count < 20; count++) {
      await expectProblem(await scene.ask(forged), 401, 'ERR_CREDENTIALS_INVALID')
    }
    expect(scene.identityProvider.requests.length - before).toBeLessThanOrEqual(2)
  })
})

const reply =
  (status: number, body: string, headers: Record<string, string> = {}): Handler =>
  (_, response) =>
    response.writeHead(status, { 'Content-Type': 'application/json', ...headers }).end(body)

/** Well-formed, and far too much. */
const bloat: Handler = (_, response) =>
  response.writeHead(200, { 'Content-Type': 'application/json' }).end(`{"keys":[]${' '.repeat(5_000_000)}}`)

type Begin = (identityProvider: IdentityProvider) => unknown

const at =
  (handler: Handler, path?: string): Begin =>
  ({ interfere }) =>
    interfere(handler, path)

const both = (name: string, handler: Handler): [string, Begin][] => [
  [`${name} for its metadata`, at(handler, METADATA)],
  [`${name} for its keys`, at(handler, KEYS)],
]

const troubles: [string, Begin][] = [
  ['is down', ({ stop }) => stop()],
  ...both('breaks the connection', (_, response) => response.destroy()),
  ...both('answers 500', reply(500, '{"keys":[]}')),
  ...both(
    'answers HTML',
    reply(200, '<!doctype html><title>Be right back</title>', { 'Content-Type': 'text/html' }),
  ),
  ...both('answers 5 MB', bloat),
  ...both('redirects', (request, response) =>
    request.url?.includes('moved')
      ? reply(200, '{"keys":[]}')(request, response)
      : reply(302, '', { Location: `${request.url}?moved` })(request, response),
  ),
  ['publishes an empty set', at(reply(200, '{"keys":[]}'), KEYS)],
  ['publishes no key set', at(reply(200, '{}'), KEYS)],
  ['returns the metadata of another issuer', at(reply(200, '{"issuer":"https://else.example"}'), METADATA)],
]

describe.each(troubles)('an identity provider that %s', (_, begin) => {
  test('is unavailable to new sessions, and known keys stay valid for a day', async () => {
    const scene = await setScene()
    const { identityProvider, worker, ask } = scene
    const session = await scene.signIn()

    await begin(identityProvider)
    await expectUnavailable(await ask(session))
    const service = await fetch(`${worker.url}/api/membrane-token`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${scene.apiKey}`, 'Content-Type': 'application/json' },
      body: '{"id":"customer-8"}',
    })
    expect(service.status).toBe(200)

    await identityProvider.recover()
    worker.wait(MINUTE)
    await expectServed(ask(session))

    await begin(identityProvider)
    for (const time of [11 * MINUTE, HOUR, 20 * HOUR]) {
      worker.wait(time)
      await expectServed(ask(session), ask(session))
    }
    worker.wait(2 * DAY)
    await expectUnavailable(await ask(session))

    await identityProvider.recover()
    worker.wait(MINUTE)
    await expectServed(ask(session))
    expect(worker.logged.filter((line) => line.includes('ERR_INTERNAL'))).toEqual([])
  })
})

test('an identity provider that is down during a key rotation: known keys stay valid, new keys have to wait', async () => {
  const scene = await setScene()
  const { identityProvider, worker, ask } = scene
  const old = await scene.signIn()
  await expectServed(ask(old))
  await identityProvider.rotate()
  const young = await scene.signIn()
  worker.wait(MINUTE)

  await identityProvider.stop()
  for (let count = 0; count < 3; count++) {
    await expectUnavailable(await ask(young))
    await expectServed(ask(old))
  }
  await identityProvider.recover()
  worker.wait(MINUTE)
  await expectServed(ask(young), ask(old))
})

describe.concurrent('a provider that takes its time', () => {
  const slow: [string, Begin][] = [
    ['does not answer', at(() => {}, METADATA)],
    [
      'never finishes its response',
      at((_, response) => {
        response.writeHead(200)
        const drip = setInterval(() => response.write(' '), 100)
        response.once('close', () => clearInterval(drip))
      }, KEYS),
    ],
  ]

  test.each(slow)(
    'and %s does not keep callers waiting',
    async (_, begin) => {
      const scene = await setScene()
      openScenes.delete(scene)
      const { identityProvider, worker, ask } = scene
      const session = await scene.signIn()
      const start = performance.now()
      await begin(identityProvider)
      await expectUnavailable(await ask(session))
      expect(performance.now() - start).toBeLessThan(8000)

      await identityProvider.recover()
      worker.wait(MINUTE)
      await expectServed(ask(session))

      // Due for a refresh, and not too old to be used meanwhile.
      await begin(identityProvider)
      worker.wait(12 * MINUTE)
      const before = identityProvider.requests.length
      const first = ask(session)
      await vi.waitUntil(() => identityProvider.requests.length > before, { timeout: 10_000 })
      const others = performance.now()
      await expectServed(...Array.from({ length: 5 }, () => ask(session)))
      expect(performance.now() - others).toBeLessThan(4000)
      await expectServed(first)
      await strike(scene)
    },
    90_000,
  )
})

describe('a first request that is aborted while the keys are being fetched', () => {
  /** Somebody who waits for the keys, and leaves. */
  async function abandon(scene: Scene, session: string, path: string) {
    const held = hold(scene, path)
    const first = scene.ask(session, { 'X-Test-Leave-After': '500' })
    await held.reached(1)
    return {
      held,
      leave: async () => {
        expect((await first).status).toBe(499)
      },
    }
  }

  /** Others who wait for the same fetch. A request that came later has been answered, so they have arrived. */
  async function join(scene: Scene, session: string): Promise<Promise<Response>[]> {
    const others = Array.from({ length: 5 }, () => scene.ask(session))
    await fetch(`${scene.worker.url}/health`)
    return others
  }

  test('does not affect the others when its client disconnects', async () => {
    const scene = await setScene()
    const session = await scene.signIn()
    const held = hold(scene)
    const abort = new AbortController()
    const first = scene.ask(session, {}, abort.signal)
    await held.reached(1)
    const others = await join(scene, session)
    abort.abort()
    await expect(first).rejects.toThrow('aborted')
    await held.release()
    await expectServed(...others, scene.ask(session))
  })

  const paths = [METADATA, KEYS]

  test.each(paths)('does not affect concurrent requests (%s)', async (path) => {
    const scene = await setScene()
    const session = await scene.signIn()
    const { held, leave } = await abandon(scene, session, path)
    const others = await join(scene, session)
    await leave()
    await held.release()
    await expectServed(...others)
  })

  test.each(paths)('does not affect later requests (%s)', async (path) => {
    const scene = await setScene()
    const session = await scene.signIn()
    const { held, leave } = await abandon(scene, session, path)
    await leave()
    await held.release()
    await expectServed(scene.ask(session), scene.ask(session))
    await expectServed(scene.ask(session))
  })

  test.each(paths)('does not affect requests with stale keys (%s)', async (path) => {
    const scene = await setScene()
    const session = await scene.signIn()
    await expectServed(scene.ask(session))
    scene.worker.wait(HOUR)
    const { held, leave } = await abandon(scene, session, path)
    await expectServed(scene.ask(session))
    await leave()
    await held.release()
    await expectServed(scene.ask(session))
    scene.worker.wait(2 * DAY)
    await expectServed(scene.ask(session))
  })

  test.each(paths)('does not affect sessions with a new key (%s)', async (path) => {
    const scene = await setScene()
    await expectServed(scene.ask(await scene.signIn()))
    scene.worker.wait(MINUTE)
    await scene.identityProvider.rotate()
    const young = await scene.signIn()
    const { held, leave } = await abandon(scene, young, path)
    await leave()
    await held.release()
    await expectServed(scene.ask(young))
  })
})
