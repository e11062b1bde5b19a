import { createTokenProvider } from '../../src/client.ts'
import { type Endpoint, grant, inWorld, makeToken, status, url } from './client-fixture.ts'
import { assert, type ConformanceModule, equal, rejects } from './suite.ts'

export const clientRetries: ConformanceModule = ({ test }) => {
  const times = (endpoint: Endpoint): number[] =>
    endpoint.requests.map(({ at }) => at - (endpoint.requests[0]?.at ?? 0))

  for (const failure of [status(429), status(500), status(502), status(503), status(504), new TypeError()]) {
    const name = typeof failure === 'function' ? String(failure().status) : 'a network error'
    test(`retries after ${name}, and then gives up`, () =>
      inWorld(async ({ clock, serve }) => {
        const endpoint = serve(failure)
        const provide = createTokenProvider({ url, fetch: endpoint.fetch })
        await rejects(() => clock.finish(provide()), 'ERR_TOKEN_REQUEST_FAILED')
        equal(times(endpoint), [0, 500, 1500, 3500])
      }))
  }

  test('the delays are random', () =>
    inWorld(async ({ clock, serve }) => {
      for (const [dice, expected] of [
        [0, [0, 0, 0, 0]],
        [0.5, [0, 250, 750, 1750]],
      ] as const) {
        clock.dice = dice
        const endpoint = serve(status(503))
        const provide = createTokenProvider({ url, fetch: endpoint.fetch })
        await rejects(() => clock.finish(provide()), 'ERR_TOKEN_REQUEST_FAILED')
        equal(times(endpoint), expected)
      }
    }))

  test('returns the token as soon as a retry succeeds', () =>
    inWorld(async ({ clock, serve }) => {
      const token = makeToken()
      const endpoint = serve(status(503), new TypeError('offline'), grant(token, 7200))
      const provide = createTokenProvider({ url, fetch: endpoint.fetch })
      equal(await clock.finish(Promise.all([provide(), provide()])), [token, token])
      equal(endpoint.requests.length, 3)
    }))

  for (const code of [400, 401, 403, 404, 405, 422]) {
    test(`does not retry after ${code}`, () =>
      inWorld(async ({ clock, serve }) => {
        const endpoint = serve(status(code, { 'Retry-After': '1' }))
        const provide = createTokenProvider({ url, fetch: endpoint.fetch })
        const error = await rejects(() => clock.finish(provide()), 'ERR_TOKEN_REQUEST_REFUSED')
        assert(error.message.includes(String(code)), error.message)
        equal(endpoint.requests.length, 1)
      }))
  }

  const dateHeaders = {
    Date: 'Thu, 01 Jan 2026 00:00:00 GMT',
    'Retry-After': 'Thu, 01 Jan 2026 00:00:07 GMT',
  }
  for (const [title, code, headers, wait] of [
    ['seconds', 429, { 'Retry-After': '7' }, 7000],
    ['seconds, of a server that is down', 503, { 'Retry-After': '30' }, 30_000],
    ['no seconds', 429, { 'Retry-After': '0' }, 0],
    ['a date', 429, dateHeaders, 7000],
    ['a date in the past', 429, { ...dateHeaders, Date: 'Fri, 02 Jan 2026 00:00:00 GMT' }, 0],
    ['not a date', 429, { 'Retry-After': 'soon' }, 0],
    ['a negative number', 429, { 'Retry-After': '-5' }, 0],
  ] as const) {
    test(`Retry-After is ${title}`, () =>
      inWorld(async ({ clock, serve }) => {
        clock.ahead = Date.UTC(2040)
        clock.dice = 0.5
        const token = makeToken()
        const endpoint = serve(status(code, headers), grant(token, 7200))
        const provide = createTokenProvider({ url, fetch: endpoint.fetch })
        equal(await clock.finish(provide()), token)
        equal(times(endpoint), [0, wait + 250])
      }))
  }

  test('Retry-After is a date, and the response has no Date', () =>
    inWorld(async ({ clock, serve }) => {
      clock.dice = 0
      clock.ahead = Date.UTC(2026, 0, 1) - clock.now
      const endpoint = serve(
        status(429, { 'Retry-After': dateHeaders['Retry-After'] }),
        grant(makeToken(), 60),
      )
      await clock.finish(createTokenProvider({ url, fetch: endpoint.fetch })())
      equal(times(endpoint), [0, 7000])
    }))

  for (const value of ['60', '1e999', 'Thu, 01 Jan 2026 01:00:00 GMT']) {
    test(`gives up without waiting when Retry-After is ${value}`, () =>
      inWorld(async ({ clock, serve }) => {
        const endpoint = serve(status(429, { ...dateHeaders, 'Retry-After': value }))
        const provide = createTokenProvider({ url, fetch: endpoint.fetch })
        await rejects(() => clock.finish(provide()), 'ERR_TOKEN_REQUEST_FAILED')
        equal(endpoint.requests.length, 1)
      }))
  }

  test('gives up on a request after ten seconds, even on a fetch that cannot be aborted', () =>
    inWorld(async ({ clock, serve }) => {
      clock.dice = 0
      const endpoint = serve('silence')
      const provide = createTokenProvider({ url, fetch: endpoint.fetch })
      const error = await rejects(() => clock.finish(provide()), 'ERR_TOKEN_REQUEST_FAILED')
      assert(error.message.includes('timed out'), error.message)
      equal(times(endpoint), [0, 10_000, 20_000, 30_000])
      equal(
        endpoint.requests.map(({ init }) => init.signal?.aborted),
        [true, true, true, true],
      )
    }))
}
