import { describe, expect, test, vi } from 'vitest'
import { expectProblem } from './harness.ts'
import { type Handler, type IdentityProvider, KEYS, METADATA } from './identity-provider.ts'
import {
  expectServed,
  expectUnavailable,
  type Harness,
  holdRequests,
  stallRequests,
  startHarness,
} from './identity-provider-harness.ts'

// How the Worker's callers fare when the identity provider rotates its keys or fails.

const MINUTE = 60
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

describe('key rotation', () => {
  test('a new key is picked up, and old sessions stay valid while the old key is published', async () => {
    const harness = await startHarness()
    const { identityProvider, worker, ask } = harness
    const old = await harness.signIn()
    await expectServed(ask(old))
    expect(identityProvider.requests).toEqual([METADATA, KEYS])

    worker.wait(MINUTE)
    await identityProvider.rotate()
    const young = await harness.signIn()
    await expectServed(ask(young))
    await expectServed(ask(old), ask(young))
    expect(identityProvider.requests).toEqual([METADATA, KEYS, METADATA, KEYS])

    worker.wait(HOUR)
    identityProvider.retire()
    await expectServed(ask(young))
    await expectProblem(await ask(old), 401, 'ERR_CREDENTIALS_INVALID')
  })

  test('concurrent first requests with the new key are all served', async () => {
    const harness = await startHarness()
    await expectServed(harness.ask(await harness.signIn()))
    harness.worker.wait(MINUTE)
    await harness.identityProvider.rotate()
    const young = await harness.signIn()
    await expectServed(...Array.from({ length: 20 }, () => harness.ask(young)))
  })

  test('sessions with unpublished keys do not flood the identity provider', async () => {
    const harness = await startHarness()
    await expectServed(harness.ask(await harness.signIn()))
    harness.worker.wait(MINUTE)
    const before = harness.identityProvider.requests.length
    const forged = (await harness.signIn()).replace(/^[^.]+/, () =>
      Buffer.from(JSON.stringify({ alg: 'ES256', typ: 'at+jwt', kid: 'nobody' })).toString('base64url'),
    )
    for (let count = 0; count < 20; count++) {
      await expectProblem(await harness.ask(forged), 401, 'ERR_CREDENTIALS_INVALID')
    }
    expect(harness.identityProvider.requests.length - before).toBeLessThanOrEqual(2)
  })
})

const reply =
  (status: number, body: string, headers: Record<string, string> = {}): Handler =>
  (_, response) =>
    response.writeHead(status, { 'Content-Type': 'application/json', ...headers }).end(body)

/** Well-formed, but far too large. */
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
    const harness = await startHarness()
    const { identityProvider, worker, ask } = harness
    const session = await harness.signIn()

    await begin(identityProvider)
    await expectUnavailable(await ask(session))
    const service = await fetch(`${worker.url}/api/membrane-token`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${harness.apiKey}`, 'Content-Type': 'application/json' },
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
  const harness = await startHarness()
  const { identityProvider, worker, ask } = harness
  const old = await harness.signIn()
  await expectServed(ask(old))
  await identityProvider.rotate()
  const young = await harness.signIn()
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
  const slow: [name: string, handler: Handler, path: string][] = [
    ['does not answer', () => {}, METADATA],
    [
      'never finishes its response',
      (_, response) => {
        response.writeHead(200)
        const drip = setInterval(() => response.write(' '), 100)
        response.once('close', () => clearInterval(drip))
      },
      KEYS,
    ],
  ]

  test.for(slow)(
    'and %s does not keep callers waiting',
    { timeout: 90_000 },
    async ([, handler, path], { onTestFinished }) => {
      const harness = await startHarness(onTestFinished)
      const { identityProvider, worker, ask } = harness
      const session = await harness.signIn()
      stallRequests(harness, handler, path)
      await expectUnavailable(await ask(session, {}, AbortSignal.timeout(8000)))

      await identityProvider.recover()
      worker.wait(MINUTE)
      await expectServed(ask(session))

      // Due for a refresh, and not too old to be used meanwhile.
      const countStalled = stallRequests(harness, handler, path)
      worker.wait(12 * MINUTE)
      const first = ask(session)
      await vi.waitUntil(() => countStalled() > 0, { timeout: 10_000 })
      await expectServed(...Array.from({ length: 5 }, () => ask(session)))
      // They were served before that refresh ended.
      expect(countStalled()).toBeGreaterThan(0)
      await expectServed(first)
    },
  )
})

describe('a first request that is aborted while the keys are being fetched', () => {
  /** A caller that waits for the keys and disconnects. */
  async function abandon(harness: Harness, session: string, path: string) {
    const held = holdRequests(harness, path)
    const first = harness.ask(session, { 'X-Test-Leave-After': '500' })
    await held.reached(1)
    return {
      held,
      leave: async () => {
        expect((await first).status).toBe(499)
      },
    }
  }

  /** Other callers that wait for the same fetch. A later request was answered, so theirs have arrived. */
  async function join(harness: Harness, session: string): Promise<Promise<Response>[]> {
    const others = Array.from({ length: 5 }, () => harness.ask(session))
    await fetch(`${harness.worker.url}/health`)
    return others
  }

  test('does not affect the others when its client disconnects', async () => {
    const harness = await startHarness()
    const session = await harness.signIn()
    const held = holdRequests(harness)
    const abort = new AbortController()
    const first = harness.ask(session, {}, abort.signal)
    await held.reached(1)
    const others = await join(harness, session)
    abort.abort()
    await expect(first).rejects.toMatchObject({ name: 'AbortError' })
    await held.release()
    await expectServed(...others, harness.ask(session))
  })

  const paths = [METADATA, KEYS]

  test.each(paths)('does not affect concurrent requests (%s)', async (path) => {
    const harness = await startHarness()
    const session = await harness.signIn()
    const { held, leave } = await abandon(harness, session, path)
    const others = await join(harness, session)
    await leave()
    await held.release()
    await expectServed(...others)
  })

  test.each(paths)('does not affect later requests (%s)', async (path) => {
    const harness = await startHarness()
    const session = await harness.signIn()
    const { held, leave } = await abandon(harness, session, path)
    await leave()
    await held.release()
    await expectServed(harness.ask(session), harness.ask(session))
    await expectServed(harness.ask(session))
  })

  test.each(paths)('does not affect requests with stale keys (%s)', async (path) => {
    const harness = await startHarness()
    const session = await harness.signIn()
    await expectServed(harness.ask(session))
    harness.worker.wait(HOUR)
    const { held, leave } = await abandon(harness, session, path)
    await expectServed(harness.ask(session))
    await leave()
    await held.release()
    await expectServed(harness.ask(session))
    harness.worker.wait(2 * DAY)
    await expectServed(harness.ask(session))
  })

  test.each(paths)('does not affect sessions with a new key (%s)', async (path) => {
    const harness = await startHarness()
    await expectServed(harness.ask(await harness.signIn()))
    harness.worker.wait(MINUTE)
    await harness.identityProvider.rotate()
    const young = await harness.signIn()
    const { held, leave } = await abandon(harness, young, path)
    await leave()
    await held.release()
    await expectServed(harness.ask(young))
  })
})
