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

// The Worker while its identity provider rotates keys, is slow or fails. Invalid key sets and metadata are tested in
// conformance/broken-key-servers.ts and conformance/endpoint-session-keys.ts.

const MINUTE = 60
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

describe('key rotation', () => {
  test('a new key is picked up, and old sessions stay valid while the old key is published', async () => {
    const harness = await startHarness()
    const { identityProvider, worker, requestToken } = harness
    const old = await harness.signIn()
    await expectServed(requestToken(old))
    expect(identityProvider.requests).toEqual([METADATA, KEYS])

    worker.wait(MINUTE)
    await identityProvider.rotate()
    const recent = await harness.signIn()
    await expectServed(requestToken(recent))
    await expectServed(requestToken(old), requestToken(recent))
    expect(identityProvider.requests).toEqual([METADATA, KEYS, METADATA, KEYS])

    worker.wait(HOUR)
    identityProvider.retire()
    await expectServed(requestToken(recent))
    await expectProblem(await requestToken(old), 401, 'ERR_CREDENTIALS_INVALID')
  })

  test('concurrent first requests with the new key are all served', async () => {
    const harness = await startHarness()
    await expectServed(harness.requestToken(await harness.signIn()))
    harness.worker.wait(MINUTE)
    await harness.identityProvider.rotate()
    const recent = await harness.signIn()
    await expectServed(...Array.from({ length: 20 }, () => harness.requestToken(recent)))
  })

  test('sessions with unpublished keys do not flood the identity provider', async () => {
    const harness = await startHarness()
    await expectServed(harness.requestToken(await harness.signIn()))
    harness.worker.wait(MINUTE)
    const before = harness.identityProvider.requests.length
    const forged = (await harness.signIn()).replace(/^[^.]+/, () =>
      Buffer.from(JSON.stringify({ alg: 'ES256', typ: 'at+jwt', kid: 'unpublished' })).toString('base64url'),
    )
    for (let count = 0; count < 20; count++) {
      await expectProblem(await harness.requestToken(forged), 401, 'ERR_CREDENTIALS_INVALID')
    }
    expect(harness.identityProvider.requests.length - before).toBeLessThanOrEqual(2)
  })
})

const reply =
  (status: number, body: string): Handler =>
  (_, response) =>
    response.writeHead(status, { 'Content-Type': 'application/json' }).end(body)

type Disturb = (identityProvider: IdentityProvider) => unknown

const both = (what: string, handler: Handler): [string, Disturb][] => [
  [`${what} for its metadata`, ({ replace }) => replace(handler, METADATA)],
  [`${what} for its keys`, ({ replace }) => replace(handler, KEYS)],
]

const outages: [string, Disturb][] = [
  ['is down', ({ stop }) => stop()],
  ...both('closes the connection', (_, response) => response.destroy()),
  ...both('returns 500', reply(500, '{"keys":[]}')),
  ...both('returns HTML', reply(200, '<!doctype html><title>Be right back</title>')),
  ...both('returns 5 MB', reply(200, `{"keys":[]${' '.repeat(5_000_000)}}`)),
  ...both('redirects', (request, response) =>
    request.url?.includes('moved')
      ? reply(200, '{"keys":[]}')(request, response)
      : response.writeHead(302, { Location: `${request.url}?moved` }).end(),
  ),
]

describe.each(outages)('an identity provider that %s', (_, disturb) => {
  test('is unavailable to new sessions, and known keys stay valid for a day', async () => {
    const harness = await startHarness()
    const { identityProvider, worker, requestToken } = harness
    const session = await harness.signIn()

    await disturb(identityProvider)
    await expectUnavailable(await requestToken(session))
    const service = await fetch(`${worker.url}/api/membrane-token`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${harness.apiKey}`, 'Content-Type': 'application/json' },
      body: '{"id":"customer-8"}',
    })
    expect(service.status).toBe(200)

    await identityProvider.recover()
    worker.wait(MINUTE)
    await expectServed(requestToken(session))

    await disturb(identityProvider)
    for (const time of [11 * MINUTE, HOUR, 20 * HOUR]) {
      worker.wait(time)
      await expectServed(requestToken(session), requestToken(session))
    }
    worker.wait(2 * DAY)
    await expectUnavailable(await requestToken(session))

    await identityProvider.recover()
    worker.wait(MINUTE)
    await expectServed(requestToken(session))
    expect(worker.logged.filter((line) => line.includes('ERR_INTERNAL'))).toEqual([])
  })
})

test('while the identity provider is down during a key rotation, only known keys are valid', async () => {
  const harness = await startHarness()
  const { identityProvider, worker, requestToken } = harness
  const old = await harness.signIn()
  await expectServed(requestToken(old))
  await identityProvider.rotate()
  const recent = await harness.signIn()
  worker.wait(MINUTE)

  await identityProvider.stop()
  for (let count = 0; count < 3; count++) {
    await expectUnavailable(await requestToken(recent))
    await expectServed(requestToken(old))
  }
  await identityProvider.recover()
  worker.wait(MINUTE)
  await expectServed(requestToken(recent), requestToken(old))
})

describe.concurrent('a slow identity provider', () => {
  const slow: [name: string, handler: Handler, path: string][] = [
    ['does not respond', () => {}, METADATA],
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
    'that %s delays no caller',
    { timeout: 90_000 },
    async ([, handler, path], { onTestFinished }) => {
      const harness = await startHarness(onTestFinished)
      const { identityProvider, worker, requestToken } = harness
      const session = await harness.signIn()
      stallRequests(harness, handler, path)
      await expectUnavailable(await requestToken(session, {}, AbortSignal.timeout(8000)))

      await identityProvider.recover()
      worker.wait(MINUTE)
      await expectServed(requestToken(session))

      // The keys are due for a refresh, and may be used until then.
      const countOpen = stallRequests(harness, handler, path)
      worker.wait(12 * MINUTE)
      const first = requestToken(session)
      await vi.waitUntil(() => countOpen() > 0, { timeout: 10_000 })
      await expectServed(...Array.from({ length: 5 }, () => requestToken(session)))
      // They were served before the refresh ended.
      expect(countOpen()).toBeGreaterThan(0)
      await expectServed(first)
    },
  )
})

describe('a request that is cancelled while the keys are being fetched', () => {
  /** Sends a request that waits for the keys, and whose client disconnects. */
  async function startAbandoned(harness: Harness, session: string, path: string) {
    const held = holdRequests(harness, path)
    const first = harness.requestToken(session, { 'X-Test-Cancel-After': '500' })
    await held.arrived()
    return {
      held,
      cancelled: async () => {
        expect((await first).status).toBe(499)
      },
    }
  }

  /** Sends more requests that wait for the same keys. They have arrived once a later request has its response. */
  async function join(harness: Harness, session: string): Promise<Promise<Response>[]> {
    const others = Array.from({ length: 5 }, () => harness.requestToken(session))
    await fetch(`${harness.worker.url}/health`)
    return others
  }

  test('does not affect the others when its client disconnects', async () => {
    const harness = await startHarness()
    const session = await harness.signIn()
    const held = holdRequests(harness)
    const abort = new AbortController()
    const first = harness.requestToken(session, {}, abort.signal)
    await held.arrived()
    const others = await join(harness, session)
    abort.abort()
    await expect(first).rejects.toMatchObject({ name: 'AbortError' })
    await held.release()
    await expectServed(...others, harness.requestToken(session))
  })

  const paths = [METADATA, KEYS]

  test.each(paths)('does not affect concurrent requests (%s)', async (path) => {
    const harness = await startHarness()
    const session = await harness.signIn()
    const { held, cancelled } = await startAbandoned(harness, session, path)
    const others = await join(harness, session)
    await cancelled()
    await held.release()
    await expectServed(...others)
  })

  test.each(paths)('does not affect later requests (%s)', async (path) => {
    const harness = await startHarness()
    const session = await harness.signIn()
    const { held, cancelled } = await startAbandoned(harness, session, path)
    await cancelled()
    await held.release()
    await expectServed(harness.requestToken(session), harness.requestToken(session))
    await expectServed(harness.requestToken(session))
  })

  test.each(paths)('does not affect requests with stale keys (%s)', async (path) => {
    const harness = await startHarness()
    const session = await harness.signIn()
    await expectServed(harness.requestToken(session))
    harness.worker.wait(HOUR)
    const { held, cancelled } = await startAbandoned(harness, session, path)
    await expectServed(harness.requestToken(session))
    await cancelled()
    await held.release()
    await expectServed(harness.requestToken(session))
    harness.worker.wait(2 * DAY)
    await expectServed(harness.requestToken(session))
  })

  test.each(paths)('does not affect sessions with a new key (%s)', async (path) => {
    const harness = await startHarness()
    await expectServed(harness.requestToken(await harness.signIn()))
    harness.worker.wait(MINUTE)
    await harness.identityProvider.rotate()
    const recent = await harness.signIn()
    const { held, cancelled } = await startAbandoned(harness, recent, path)
    await cancelled()
    await held.release()
    await expectServed(harness.requestToken(recent))
  })
})
