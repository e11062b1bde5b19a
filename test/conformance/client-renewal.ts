import { createTokenProvider } from '../../src/client.ts'
import { type Answer, grant, inWorld, json, makeToken, status, url } from './client-fixture.ts'
import { assert, type ConformanceModule, equal, rejects } from './suite.ts'

export const clientRenewal: ConformanceModule = ({ test }) => {
  test('callers in the last minute wait for one new token', () =>
    inWorld(async ({ clock, serve }) => {
      const [first, second] = [makeToken(), makeToken()]
      const endpoint = serve(grant(first, 7200), grant(second, 7200))
      const provide = createTokenProvider({ url, fetch: endpoint.fetch })
      await clock.finish(provide())
      clock.now += 7_150_000
      equal(await clock.finish(Promise.all([provide(), provide()])), [second, second])
      equal(endpoint.requests.length, 2)
    }))

  test('a failed renewal is retried', () =>
    inWorld(async ({ clock, serve }) => {
      const [first, second] = [makeToken(), makeToken()]
      const endpoint = serve(grant(first, 7200), status(503), new TypeError('offline'), grant(second, 7200))
      const provide = createTokenProvider({ url, fetch: endpoint.fetch })
      await clock.finish(provide())
      clock.now += 7_150_000
      equal(await clock.finish(provide()), second)
      equal(endpoint.requests.length, 4)
    }))

  for (const [title, failure, attempts] of [
    ['is down', status(503), 4],
    ['cannot be reached', new TypeError('offline'), 4],
    ['is busy for a minute', status(429, { 'Retry-After': '60' }), 1],
    ['says no', status(401), 1],
    ['answers something else', json({}), 1],
    ['is silent', 'silence', 1],
  ] as const) {
    test(`a valid token is returned while the endpoint ${title}`, () =>
      inWorld(async ({ clock, serve }) => {
        const [first, second] = [makeToken(), makeToken()]
        const failures = Array<Answer>(attempts).fill(failure)
        const endpoint = serve(grant(first, 7200), ...failures, grant(second, 7200))
        const provide = createTokenProvider({ url, fetch: endpoint.fetch })
        await clock.finish(provide())
        clock.now += 7_150_000
        const asked = clock.now
        equal(await clock.finish(Promise.all([provide(), provide()])), [first, first])
        assert(clock.now - asked <= 5000, 'who has a token need not wait for long')
        equal(endpoint.requests.length, 1 + attempts)
        equal(await clock.finish(provide()), first, 'right after a failure')
        equal(endpoint.requests.length, 1 + attempts, 'it gives the endpoint a rest')
        clock.now += 13_000
        equal(await clock.finish(provide()), second, 'later')
      }))

    test(`an expired token is not returned while the endpoint ${title}`, () =>
      inWorld(async ({ clock, serve }) => {
        const endpoint = serve(grant(makeToken(), 7200), failure)
        const provide = createTokenProvider({ url, fetch: endpoint.fetch })
        await clock.finish(provide())
        clock.now += 7_200_000
        const code = title === 'says no' ? 'ERR_TOKEN_REQUEST_REFUSED' : 'ERR_TOKEN_REQUEST_FAILED'
        await rejects(() => clock.finish(provide()), code)
      }))
  }

  test('after invalidate the next call fetches', () =>
    inWorld(async ({ clock, serve }) => {
      const [first, second] = [makeToken(), makeToken()]
      const endpoint = serve(grant(first, 7200), grant(second, 7200))
      const provide = createTokenProvider({ url, fetch: endpoint.fetch })
      const { invalidate } = provide
      await clock.finish(provide())
      invalidate()
      equal(endpoint.requests.length, 1)
      equal(await clock.finish(provide()), second)
      equal(await clock.finish(provide()), second)
      equal(endpoint.requests.length, 2)
    }))

  for (const answered of ['before', 'after', 'never']) {
    test(`callers waiting at invalidate get the token of a new request, the old answer ${answered} the new one`, () =>
      inWorld(async ({ clock, serve }) => {
        const [first, second] = [makeToken(), makeToken()]
        const { fetch: send } = serve(grant(first, 7200), grant(second, 7200))
        const gates: (() => void)[] = []
        // The answers are those of the order in which the requests were sent.
        const fetch: typeof send = async (...request) => {
          const answer = await send(...request)
          await new Promise<void>((open) => gates.push(open))
          return answer
        }
        const reached = async (count: number): Promise<void> => {
          for (let turn = 0; gates.length < count && turn < 200; turn++) await Promise.resolve()
          equal(gates.length, count, 'requests')
        }
        const provide = createTokenProvider({ url, fetch })
        const waiting = [provide(), provide()]
        await reached(1)
        provide.invalidate()
        waiting.push(provide())
        await reached(2)
        if (answered === 'before') gates[0]?.()
        gates[1]?.()
        equal(await clock.finish(Promise.all(waiting)), [second, second, second])
        if (answered === 'after') gates[0]?.()
        equal(await clock.finish(provide()), second)
        equal(gates.length, 2)
      }))
  }

  test('callers waiting for a retry at invalidate request again immediately, with the new headers', () =>
    inWorld(async ({ clock, serve }) => {
      const token = makeToken()
      const endpoint = serve(status(503, { 'Retry-After': '30' }), grant(token, 7200))
      let user = 'ada'
      const headers = () => ({ 'X-Session': user })
      const provide = createTokenProvider({ url, fetch: endpoint.fetch, headers })
      const waiting = provide()
      for (let turn = 0; turn < 200; turn++) await Promise.resolve()
      user = 'grace'
      provide.invalidate()
      const start = clock.now
      equal(await clock.finish(waiting), token)
      equal(
        endpoint.requests.map(({ init }) => new Headers(init.headers).get('X-Session')),
        ['ada', 'grace'],
      )
      equal(clock.now, start)
    }))

  test('a pending request at invalidate is replaced immediately', () =>
    inWorld(async ({ clock, serve }) => {
      const token = makeToken()
      const endpoint = serve('silence', grant(token, 7200))
      const provide = createTokenProvider({ url, fetch: endpoint.fetch })
      const waiting = provide()
      for (let turn = 0; endpoint.requests.length === 0 && turn < 200; turn++) await Promise.resolve()
      provide.invalidate()
      const start = clock.now
      equal(await clock.finish(waiting), token)
      equal([endpoint.requests.length, clock.now], [2, start])
      equal(endpoint.requests[0]?.init.signal?.aborted, true)
    }))

  test('a pending renewal does not fall back on a token that was invalidated', () =>
    inWorld(async ({ clock, serve }) => {
      const endpoint = serve(grant(makeToken(), 7200), 'silence', grant(makeToken(), 7200), status(503))
      const provide = createTokenProvider({ url, fetch: endpoint.fetch })
      await clock.finish(provide())
      clock.now += 7_150_000
      const renewal = provide()
      provide.invalidate()
      const renewed = provide()
      equal(await clock.finish(renewal), await clock.finish(renewed))
    }))
}
