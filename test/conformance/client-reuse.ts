import { createTokenProvider } from '../../src/client.ts'
import { grant, inWorld, json, makeToken, status, url } from './client-fixture.ts'
import { type ConformanceModule, equal } from './suite.ts'

export const clientReuse: ConformanceModule = ({ test }) => {
  test('thirty concurrent callers make one request and get one token', () =>
    inWorld(async ({ clock, serve }) => {
      const token = makeToken()
      const endpoint = serve(grant(token, 7200))
      const provide = createTokenProvider({ url, fetch: endpoint.fetch })
      const tokens = await clock.finish(Promise.all(Array.from({ length: 30 }, () => provide())))
      equal(tokens, Array(30).fill(token))
      equal(endpoint.requests.length, 1)
    }))

  test('concurrent callers fail with the same error, and the next call sends a new request', () =>
    inWorld(async ({ clock, serve }) => {
      const token = makeToken()
      const endpoint = serve(status(401), grant(token, 7200))
      const provide = createTokenProvider({ url, fetch: endpoint.fetch })
      const results = await clock.finish(Promise.allSettled([provide(), provide(), provide()]))
      const reasons = new Set(results.map((result) => result.status === 'rejected' && result.reason))
      equal([reasons.size, endpoint.requests.length], [1, 1])
      equal(await clock.finish(provide()), token)
    }))

  for (const [title, expiresIn, refreshBefore, reused] of [
    ['until a minute before its end', 7200, undefined, 7140],
    ['until refreshBefore seconds before its end', 7200, 600, 6600],
    ['to its end where refreshBefore is 0', 7200, 0, 7200],
    ['for half its life where that is short', 20, undefined, 10],
  ] as const) {
    test(`a token is reused ${title}`, () =>
      inWorld(async ({ clock, serve }) => {
        const [first, second] = [makeToken(), makeToken()]
        const endpoint = serve(grant(first, expiresIn), grant(second, expiresIn))
        const provide = createTokenProvider({ url, fetch: endpoint.fetch, refreshBefore })
        await clock.finish(provide())
        clock.now += reused * 1000 - 1
        equal(await clock.finish(provide()), first)
        clock.now += 1
        equal(await clock.finish(provide()), second)
        equal(endpoint.requests.length, 2)
      }))
  }

  for (const [title, ahead] of [
    ['in 1970', 0],
    ['in 2099', Date.UTC(2099)],
    ['before 1970', -Date.UTC(2026)],
  ] as const) {
    test(`a device whose clock is ${title} reuses tokens as usual`, () =>
      inWorld(async ({ clock, serve }) => {
        clock.ahead = ahead
        const [iat, exp] = [Date.UTC(2026) / 1000, Date.UTC(2026) / 1000 + 7200]
        for (const answer of [
          grant(makeToken({ iat, exp }), 7200),
          json({ token: makeToken({ iat, exp }) }),
        ]) {
          const endpoint = serve(answer)
          const provide = createTokenProvider({ url, fetch: endpoint.fetch })
          await clock.finish(provide())
          clock.now += 7_139_999
          await clock.finish(provide())
          equal(endpoint.requests.length, 1)
          clock.now += 1
          await clock.finish(provide())
          equal(endpoint.requests.length, 2)
        }
      }))
  }

  test('a clock that is set back does not make a token live longer', () =>
    inWorld(async ({ clock, serve }) => {
      const endpoint = serve(grant(makeToken(), 7200))
      const provide = createTokenProvider({ url, fetch: endpoint.fetch })
      await clock.finish(provide())
      clock.ahead -= 86_400_000
      clock.now += 3_600_000
      await clock.finish(provide())
      equal(endpoint.requests.length, 1)
      clock.now += 3_600_000
      await clock.finish(provide())
      equal(endpoint.requests.length, 2)
    }))

  test('a device that slept, with its monotonic clock stopped, fetches when it wakes', () =>
    inWorld(async ({ clock, serve }) => {
      const [first, second] = [makeToken(), makeToken()]
      const endpoint = serve(grant(first, 7200), grant(second, 7200))
      const provide = createTokenProvider({ url, fetch: endpoint.fetch })
      await clock.finish(provide())
      clock.ahead += 8 * 3_600_000
      equal(await clock.finish(provide()), second)
      equal(await clock.finish(provide()), second)
      equal(endpoint.requests.length, 2)
    }))
}
