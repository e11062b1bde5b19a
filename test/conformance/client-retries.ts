import { clientTest, grant, makeToken, status, type TestClient } from './client-harness.ts'
import { assert, type ConformanceModule, equal, rejects } from './suite.ts'

export const clientRetries: ConformanceModule = (suite) => {
  const test = clientTest(suite)
  /** Milliseconds since the first request. */
  const times = ({ requests }: TestClient): number[] => requests.map(({ at }) => at - (requests[0]?.at ?? 0))

  for (const failure of [status(429), status(500), status(502), status(503), status(504), new TypeError()]) {
    const name = typeof failure === 'function' ? String(failure().status) : 'a network error'
    test(`retries after ${name}, and then gives up`, async ({ createClient }) => {
      const client = createClient([failure])
      await rejects(client.getToken, 'ERR_TOKEN_REQUEST_FAILED')
      equal(times(client), [0, 500, 1500, 3500])
    })
  }

  test('the delays are random', async ({ clock, createClient }) => {
    for (const [random, expected] of [
      [0, [0, 0, 0, 0]],
      [0.5, [0, 250, 750, 1750]],
    ] as const) {
      clock.random = random
      const client = createClient([status(503)])
      await rejects(client.getToken, 'ERR_TOKEN_REQUEST_FAILED')
      equal(times(client), expected)
    }
  })

  test('returns the token as soon as a retry succeeds', async ({ createClient }) => {
    const token = makeToken()
    const { getTokens, requests } = createClient([status(503), new TypeError('offline'), grant(token)])
    equal([await getTokens(2), requests.length], [[token, token], 3])
  })

  for (const code of [400, 401, 403, 404, 405, 422]) {
    test(`does not retry after ${code}`, async ({ createClient }) => {
      const { getToken, requests } = createClient([status(code, { 'Retry-After': '1' })])
      const error = await rejects(getToken, 'ERR_TOKEN_REQUEST_REFUSED')
      assert(error.message.includes(String(code)), error.message)
      equal(requests.length, 1)
    })
  }

  const dateHeaders = {
    Date: 'Thu, 01 Jan 2026 00:00:00 GMT',
    'Retry-After': 'Thu, 01 Jan 2026 00:00:07 GMT',
  }
  for (const [title, code, headers, wait] of [
    ['seconds', 429, { 'Retry-After': '7' }, 7000],
    ['seconds, with a 503', 503, { 'Retry-After': '30' }, 30_000],
    ['zero seconds', 429, { 'Retry-After': '0' }, 0],
    ['a date', 429, dateHeaders, 7000],
    ['a date in the past', 429, { ...dateHeaders, Date: 'Fri, 02 Jan 2026 00:00:00 GMT' }, 0],
    ['not a date', 429, { 'Retry-After': 'soon' }, 0],
    ['a negative number', 429, { 'Retry-After': '-5' }, 0],
  ] as const) {
    test(`Retry-After is ${title}`, async ({ clock, createClient }) => {
      clock.ahead = Date.UTC(2040)
      clock.random = 0.5
      const token = makeToken()
      const client = createClient([status(code, headers), grant(token)])
      equal(await client.getToken(), token)
      equal(times(client), [0, wait + 250])
    })
  }

  test('Retry-After is a date, and the response has no Date', async ({ clock, createClient }) => {
    clock.random = 0
    clock.ahead = Date.UTC(2026, 0, 1) - clock.now
    const client = createClient([status(429, { 'Retry-After': dateHeaders['Retry-After'] }), grant()])
    await client.getToken()
    equal(times(client), [0, 7000])
  })

  for (const value of ['60', '1e999', 'Thu, 01 Jan 2026 01:00:00 GMT']) {
    test(`gives up without waiting when Retry-After is ${value}`, async ({ createClient }) => {
      const { getToken, requests } = createClient([status(429, { ...dateHeaders, 'Retry-After': value })])
      await rejects(getToken, 'ERR_TOKEN_REQUEST_FAILED')
      equal(requests.length, 1)
    })
  }

  test('a request times out after ten seconds, even if fetch ignores the signal', async (harness) => {
    harness.clock.random = 0
    const client = harness.createClient(['silence'])
    const error = await rejects(client.getToken, 'ERR_TOKEN_REQUEST_FAILED')
    assert(error.message.includes('timed out'), error.message)
    equal(times(client), [0, 10_000, 20_000, 30_000])
    assert(
      client.requests.every(({ init }) => init.signal?.aborted),
      'a request is not aborted',
    )
  })
}
