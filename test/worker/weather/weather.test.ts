import { randomBytes } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Server } from '../../../bench/http/server.ts'
import { startWorkerd } from '../../../bench/http/workerd.ts'
import { type Outcome, pause, requestAndReset, requestToken, requestTokens, wait } from './clients.ts'
import { createKey, type Provider, publish, startProvider } from './provider.ts'

/**
 * The identity provider's keys on workerd, over real connections: bursts, clients that disconnect, and a provider that
 * is slow, down or misconfigured.
 */

const MINUTE = 60_000
const a = createKey('a')
const b = createKey('b')
const c = createKey('c')
const attacker = createKey('attacker')

let provider: Provider
let workerd: Server
let scenario: string
let count = 0

const startWorker = (): Promise<Server> =>
  startWorkerd({
    entry: 'test/worker/weather/entry.ts',
    bindings: { ISSUER: provider.issuer, SECRET: randomBytes(64).toString('base64url') },
  })

beforeAll(async () => {
  provider = await startProvider()
  workerd = await startWorker()
})

afterAll(async () => {
  await workerd?.stop()
  await provider?.stop()
})

beforeEach(() => {
  scenario = `scenario-${++count}`
  provider.delay = 150
  provider.respond = publish(a)
  provider.requests = []
})

const requestWith = (key: typeof a, name = scenario): Promise<Outcome> =>
  requestToken(workerd.port, name, provider.session(key))

function burst(size: number, key: typeof a, name = scenario): Promise<Outcome[]> {
  const session = provider.session(key)
  return requestTokens(size, workerd.port, name, () => session)
}

/** 60 clients that disconnect after 20 to 80 milliseconds. */
async function disconnect(session: () => string, name: string): Promise<void> {
  await Promise.all(
    Array.from({ length: 60 }, (_, index) => requestAndReset(workerd.port, name, session(), 20 + index)),
  )
}

/** A token of a key that does not exist. */
const forge = (): string => provider.session({ ...attacker, kid: randomBytes(8).toString('hex') })

const tally = (outcomes: readonly Outcome[]): Record<string, number> => {
  const counts: Record<string, number> = {}
  for (const { status } of outcomes) counts[status] = (counts[status] ?? 0) + 1
  return counts
}

/** With and without an `ExecutionContext`. */
const contexts = [
  ['with waitUntil', ''],
  ['without waitUntil', '-bare'],
] as const

describe('a cold isolate', () => {
  test.each([50, 500])('%i concurrent callers are all served by one fetch', async (size) => {
    const fresh = await startWorker()
    try {
      const session = provider.session(a)
      const outcomes = await requestTokens(size, fresh.port, 'cold', () => session)
      expect(tally(outcomes)).toEqual({ 200: size })
      expect(provider.requests).toEqual(['/jwks.json'])
    } finally {
      await fresh.stop()
    }
  })

  test('500 concurrent callers wait at most 2.5 times as long as one', async () => {
    const slowest = (outcomes: readonly Outcome[]): number =>
      Math.max(...outcomes.map(({ milliseconds }) => milliseconds))
    const ratios: number[] = []
    // Other processes may use the processor meanwhile, so the best of three counts.
    while (ratios.length < 3 && !ratios.some((ratio) => ratio <= 2.5)) {
      const one = await requestWith(a, `discovered-one-${ratios.length}`)
      provider.requests = []
      const name = `discovered-all-${ratios.length}`
      const cold = await burst(500, a, name)
      expect(tally(cold)).toEqual({ 200: 500 })
      expect(provider.requests).toEqual(['/.well-known/openid-configuration', '/jwks.json'])
      // The time of 500 connections that need not wait for keys depends on the machine alone.
      const warm = await burst(500, a, name)
      ratios.push((slowest(cold) - slowest(warm)) / one.milliseconds)
    }
    expect(Math.min(...ratios)).toBeLessThanOrEqual(2.5)
  })

  test.each(contexts)('the first caller disconnects: %s', async (_, suffix) => {
    const name = scenario + suffix
    const first = requestAndReset(workerd.port, name, provider.session(a), 50)
    await pause(20)
    expect(tally(await burst(50, a, name))).toEqual({ 200: 50 })
    await first
    // With waitUntil, the fetch outlives the request that started it.
    expect(provider.requests.length).toBe(suffix ? 2 : 1)
  })

  test.each(contexts)('60 callers disconnect while keys are fetched: %s', async (_, suffix) => {
    const name = scenario + suffix
    await disconnect(() => provider.session(a), name)
    await disconnect(forge, name)
    expect(tally(await burst(20, a, name))).toEqual({ 200: 20 })
    expect(provider.requests.length).toBeLessThanOrEqual(suffix ? 6 : 3)
  })
})

describe('a warm isolate', () => {
  test('100 concurrent callers with a new key are all served by one fetch', async () => {
    await requestWith(a)
    provider.respond = publish(a, b)
    expect(tally(await burst(100, b))).toEqual({ 200: 100 })
    expect(provider.requests).toHaveLength(2)
  })

  test.each(contexts)(
    '60 forged and 60 genuine callers disconnect during a rotation: %s',
    async (_, suffix) => {
      const name = scenario + suffix
      await requestWith(a, name)
      provider.respond = publish(a, b)
      await disconnect(forge, name)
      await disconnect(() => provider.session(b), name)
      // Forged tokens may have used the one fetch in ten seconds for unknown keys.
      await wait(workerd.port, name, 10_000)
      expect(tally(await burst(20, b, name))).toEqual({ 200: 20 })
      expect(tally(await burst(20, a, name))).toEqual({ 200: 20 })

      // The keys are still refreshed: a withdrawn one is rejected.
      provider.respond = publish(c)
      await wait(workerd.port, name, 20 * MINUTE)
      expect(tally(await burst(20, a, name))).toEqual({ 401: 20 })
      expect(await requestWith(c, name)).toMatchObject({ status: 200 })
    },
  )

  test.each(contexts)(
    '40 callers disconnect one after the other during a rotation: %s',
    async (_, suffix) => {
      const name = scenario + suffix
      await requestWith(a, name)
      provider.respond = publish(a, b)
      const waiting = (async () => {
        await pause(100)
        return burst(20, b, name)
      })()
      for (let index = 0; index < 40; index++)
        await requestAndReset(workerd.port, name, provider.session(b), 20)
      expect(tally(await waiting)).toEqual({ 200: 20 })
      expect(provider.requests.length).toBeLessThanOrEqual(suffix ? 6 : 2)
    },
  )

  test('forged keys cause one fetch in ten seconds, and do not affect known keys', async () => {
    await requestWith(a)
    const forged = await requestTokens(100, workerd.port, scenario, forge)
    expect(tally(forged)).toEqual({ 401: 100 })
    expect(tally(await requestTokens(50, workerd.port, scenario, forge))).toEqual({ 401: 50 })
    expect(provider.requests).toHaveLength(2)
    expect(await requestWith(a)).toMatchObject({ status: 200 })
    provider.respond = publish(a, b)
    await wait(workerd.port, scenario, 10_000)
    expect(await requestWith(b)).toMatchObject({ status: 200 })
    expect(provider.requests).toHaveLength(3)
  })

  test('refreshes its keys in the background, without delay for callers', async () => {
    await requestWith(a)
    await wait(workerd.port, scenario, 11 * MINUTE)
    provider.respond = publish(b)
    provider.delay = 1000
    const outcomes = await burst(20, a)
    expect(tally(outcomes)).toEqual({ 200: 20 })
    await expect.poll(() => provider.requests.length).toBe(2)
    await expect.poll(async () => (await requestWith(a)).status, { timeout: 10_000 }).toBe(401)
    expect(provider.requests.length).toBeLessThanOrEqual(3)
  })

  test('refreshes its keys when the clock goes back', async () => {
    await requestWith(a)
    provider.respond = publish(b)
    await wait(workerd.port, scenario, -60 * MINUTE)
    expect(await requestWith(a)).toMatchObject({ status: 401 })
  })
})

describe('a provider', () => {
  test('that takes 1.5 s gets one request', async () => {
    provider.delay = 1500
    expect(tally(await burst(60, a))).toEqual({ 200: 60 })
    expect(provider.requests).toHaveLength(1)
  })

  test('that never responds times out after five seconds, and is used again when it is back', async () => {
    const { respond } = provider
    provider.respond = () => {}
    const outcomes = await burst(30, a)
    expect(tally(outcomes)).toEqual({ 503: 30 })
    expect(Math.min(...outcomes.map(({ milliseconds }) => milliseconds))).toBeGreaterThan(4500)
    expect(provider.requests).toHaveLength(1)
    provider.respond = respond
    await wait(workerd.port, scenario, 1100)
    expect(tally(await burst(30, a))).toEqual({ 200: 30 })
  })

  test('whose body never ends times out after five seconds', async () => {
    provider.respond = (response) => {
      response.writeHead(200).write('{"keys":[')
      const drip = setInterval(() => response.write(' '), 20)
      response.once('close', () => clearInterval(drip))
    }
    const outcomes = await burst(10, a)
    expect(tally(outcomes)).toEqual({ 503: 10 })
    expect(Math.max(...outcomes.map(({ milliseconds }) => milliseconds))).toBeLessThan(9000)
  })

  test('that is down gets few requests, and is used again within two seconds', async () => {
    provider.respond = (response) => response.destroy()
    const outcomes = await burst(200, a)
    expect(tally(outcomes)).toEqual({ 503: 200 })
    expect(provider.requests.length).toBeLessThanOrEqual(3)
    provider.respond = publish(a)
    await wait(workerd.port, scenario, 1100)
    expect(tally(await burst(50, a))).toEqual({ 200: 50 })
  })

  const invalid: [string, () => Provider['respond']][] = [
    ['an error', () => (response) => response.writeHead(500).end()],
    ['nothing', () => (response) => response.destroy()],
    [
      'a redirect',
      () => (response) => response.writeHead(302, { location: `${provider.issuer}/jwks.json` }).end(),
    ],
    ['HTML', () => (response) => response.writeHead(200).end('<!doctype html><title>Sign in</title>')],
    ['an empty set', () => publish()],
    [
      'a set over 64 KiB',
      () => (response) => response.writeHead(200).end(JSON.stringify({ keys: [b.jwk] }).padEnd(65_537)),
    ],
    [
      'a set over 64 KiB in a few kilobytes of gzip',
      () => (response) =>
        response
          .writeHead(200, { 'content-encoding': 'gzip' })
          .end(gzipSync(JSON.stringify({ keys: [b.jwk] }).padEnd(10_000_000))),
    ],
    ['a private key', () => publish({ ...b, jwk: { ...b.jwk, d: 'AQ' } })],
    [
      'a truncated body',
      () => (response) => {
        response.writeHead(200, { 'content-length': '1000' })
        response.write(JSON.stringify({ keys: [b.jwk] }), () => response.destroy())
      },
    ],
  ]
  test.each(invalid)('that returns %s: known keys stay valid for a day', async (_, make) => {
    provider.delay = 0
    await requestWith(a)
    provider.respond = make()
    for (const duration of [21 * MINUTE, 60 * MINUTE, 22 * 60 * MINUTE]) {
      await wait(workerd.port, scenario, duration)
      expect(await requestWith(a)).toMatchObject({ status: 200 })
    }
    await wait(workerd.port, scenario, 60 * MINUTE)
    expect(await requestWith(a)).toMatchObject({ status: 503, code: 'ERR_JWKS_UNAVAILABLE' })
    provider.respond = publish(b)
    await wait(workerd.port, scenario, MINUTE)
    expect(await requestWith(b)).toMatchObject({ status: 200 })
  })

  test('that publishes two keys with one kid: the key that verifies the token is used', async () => {
    provider.respond = publish({ ...attacker, kid: 'a', jwk: { ...attacker.jwk, kid: 'a' } }, a)
    expect(tally(await burst(20, a))).toEqual({ 200: 20 })
  })
})
