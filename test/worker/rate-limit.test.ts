import { beforeAll, describe, expect, test, vi } from 'vitest'
import { claimsOf, expectProblem, makeSettings, randomKey, useWorkers } from './harness.ts'
import { makeProvider } from './provider-stub.ts'

const idp = makeProvider('https://id.test/')
const { settings, secret, apiKeys } = makeSettings()
const LIMIT = 5

const limited = (index: number) => ({
  bindings: {
    ...settings,
    SESSION_ISSUER: idp.issuer,
    SESSION_ANY_AUDIENCE: 'true',
    ALLOWED_ORIGINS: 'https://app.test',
  },
  outbound: idp.outbound,
  options: {
    ratelimits: { RATE_LIMITER: { namespace_id: `${index}`, simple: { limit: LIMIT, period: 60 } } },
  },
})

// A limiter counts as long as its Worker runs, so each test has its own Worker.
const { send } = useWorkers({
  callers: limited(1),
  addresses: limited(2),
  both: limited(3),
  routes: limited(4),
  response: limited(5),
  unlimited: { bindings: settings },
  broken: { bindings: { ...settings, RATE_LIMITER: 'text' } },
})

// The limiter counts by full minutes; no test may run across the end of one.
beforeAll(() => vi.waitUntil(() => Date.now() % 60_000 < 50_000, { timeout: 15_000 }))

interface RequestOptions {
  authorization?: string | undefined
  address?: string
  worker: string
}

const requestToken = ({ authorization, address = '192.0.2.1', worker }: RequestOptions) =>
  send('/api/membrane-token', {
    method: 'POST',
    headers: {
      Authorization: authorization,
      'CF-Connecting-IP': address,
      'Content-Type': 'application/json',
    },
    // A session must not name a customer.
    body: authorization?.includes('.') ? {} : { id: 'customer-42' },
    worker,
  })

const BACKEND = `Bearer ${apiKeys.backend}`
const sessionOf = (sub: string) => `Bearer ${idp.sign({ sub })}`

async function statusesOf(count: number, optionsOf: (index: number) => RequestOptions): Promise<number[]> {
  const statuses: number[] = []
  for (let index = 0; index < count; index += 1) {
    statuses.push((await requestToken(optionsOf(index))).status)
  }
  return statuses
}

const times = (count: number, status: number) => Array.from({ length: count }, () => status)

describe('requests are counted', () => {
  test('by caller, regardless of address and API key', async () => {
    const worker = 'callers'
    const keys = [BACKEND, `Bearer ${apiKeys.backendNext}`]
    const ofService = (index: number) => ({
      worker,
      authorization: keys[index % 2]!,
      address: `192.0.2.${index}`,
    })
    expect(await statusesOf(LIMIT + 2, ofService)).toEqual([...times(LIMIT, 200), 429, 429])

    // Other callers are not affected, and all sessions of a user count together.
    const ofUser = (sub: string) => () => ({ worker, authorization: sessionOf(sub) })
    expect(await statusesOf(LIMIT + 1, ofUser('user-1'))).toEqual([...times(LIMIT, 200), 429])
    expect(await statusesOf(1, ofUser('user-2'))).toEqual([200])
    // A user with the name of a service is counted separately.
    expect(await statusesOf(1, ofUser('backend'))).toEqual([200])
  })

  test('by address for failed attempts of any kind', async () => {
    const worker = 'addresses'
    const attempts = [undefined, `Bearer ${randomKey()}`, 'Bearer', sessionOf(''), 'Basic eDp5']
    const failing = (index: number) => ({ worker, authorization: attempts[index % attempts.length] })
    expect(await statusesOf(LIMIT + 2, failing)).toEqual([...times(LIMIT, 401), 429, 429])
    expect(await statusesOf(1, () => ({ worker, address: '2001:db8::1' }))).toEqual([401])
  })

  test('separately: failures from an address do not count against a caller, or the reverse', async () => {
    const worker = 'both'
    expect(await statusesOf(LIMIT + 1, () => ({ worker }))).toEqual([...times(LIMIT, 401), 429])
    expect(await statusesOf(LIMIT + 1, () => ({ worker, authorization: BACKEND }))).toEqual([
      ...times(LIMIT, 200),
      429,
    ])
    expect(await statusesOf(1, () => ({ worker }))).toEqual([429])
  })

  test('on token routes only', async () => {
    const worker = 'routes'
    for (let index = 0; index < LIMIT + 2; index += 1) {
      const preflight = { method: 'OPTIONS', headers: { Origin: 'https://app.test' }, worker }
      expect((await send('/api/membrane-token', preflight)).status).toBe(204)
      expect((await send('/healthz', { worker })).status).toBe(200)
      expect((await send('/.well-known/jwks.json', { worker })).status).toBe(200)
      expect((await send('/nowhere', { worker })).status).toBe(404)
    }
    expect(await statusesOf(1, () => ({ worker }))).toEqual([401])
  })

  test('only if a limiter is configured', async () => {
    expect(await statusesOf(60, () => ({ worker: 'unlimited', authorization: BACKEND }))).toEqual(
      times(60, 200),
    )
  })
})

describe('the response over the limit', () => {
  test('is a 429 with Retry-After that a page can read', async () => {
    const options = { worker: 'response', authorization: BACKEND }
    await statusesOf(LIMIT, () => options)
    const response = await requestToken(options)
    expect(response.headers.get('Retry-After')).toBe('60')
    const detail = await expectProblem(response, 429, 'ERR_RATE_LIMITED')
    expect(detail).not.toMatch(/backend|192/)

    const fromPage = await send('/api/membrane-token', {
      headers: { Authorization: BACKEND, Origin: 'https://app.test' },
      worker: 'response',
    })
    expect(fromPage.headers.get('Access-Control-Allow-Origin')).toBe('https://app.test')
    expect(fromPage.headers.get('Access-Control-Expose-Headers')).toContain('Retry-After')
    await expectProblem(fromPage, 429, 'ERR_RATE_LIMITED')
  })
})

test('an invalid limiter is named at /healthz', async () => {
  const detail = await expectProblem(await send('/healthz', { worker: 'broken' }), 503, 'ERR_SETTING_INVALID')
  expect(detail).toMatch(/^RATE_LIMITER .*ratelimits/)
  await expectProblem(
    await requestToken({ worker: 'broken', authorization: BACKEND }),
    503,
    'ERR_SETTING_INVALID',
  )
})

test('a limiter does not change the token', async () => {
  const response = await requestToken({ worker: 'response', authorization: sessionOf('user-9') })
  expect(await claimsOf(response, secret)).toMatchObject({ id: 'user-9' })
})
