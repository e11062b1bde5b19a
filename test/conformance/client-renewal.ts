import { clientTest, grant, json, makeToken, type ScriptedResponse, status } from './client-harness.ts'
import { assert, type ConformanceModule, equal, rejects } from './suite.ts'

/** Milliseconds after which a token of two hours is renewed. */
const NEARLY_EXPIRED = 7_150_000

/** Lets pending promises continue until the condition holds. */
async function turnsUntil(condition: () => boolean): Promise<void> {
  for (let turn = 0; !condition() && turn < 200; turn++) await Promise.resolve()
}

export const clientRenewal: ConformanceModule = (suite) => {
  const test = clientTest(suite)

  test('callers in the last minute wait for one new token', async ({ clock, createClient }) => {
    const second = makeToken()
    const { getToken, getTokens, requests } = createClient([grant(), grant(second)])
    await getToken()
    clock.now += NEARLY_EXPIRED
    equal(await getTokens(2), [second, second])
    equal(requests.length, 2)
  })

  test('a failed renewal is retried', async ({ clock, createClient }) => {
    const second = makeToken()
    const responses = [grant(), status(503), new TypeError('offline'), grant(second)]
    const { getToken, requests } = createClient(responses)
    await getToken()
    clock.now += NEARLY_EXPIRED
    equal(await getToken(), second)
    equal(requests.length, 4)
  })

  for (const [title, failure, attempts, code] of [
    ['is down', status(503), 4, 'ERR_TOKEN_REQUEST_FAILED'],
    ['is unreachable', new TypeError('offline'), 4, 'ERR_TOKEN_REQUEST_FAILED'],
    ['is busy for a minute', status(429, { 'Retry-After': '60' }), 1, 'ERR_TOKEN_REQUEST_FAILED'],
    ['rejects the caller', status(401), 1, 'ERR_TOKEN_REQUEST_REFUSED'],
    ['returns no token', json({}), 1, 'ERR_TOKEN_REQUEST_FAILED'],
    ['does not respond', 'silence', 1, 'ERR_TOKEN_REQUEST_FAILED'],
  ] as const) {
    test(`a valid token is returned while the endpoint ${title}`, async ({ clock, createClient }) => {
      const [first, second] = [makeToken(), makeToken()]
      const failures = Array<ScriptedResponse>(attempts).fill(failure)
      const responses = [grant(first), ...failures, grant(second)]
      const { getToken, getTokens, requests } = createClient(responses)
      await getToken()
      clock.now += NEARLY_EXPIRED
      const start = clock.now
      equal(await getTokens(2), [first, first])
      assert(clock.now - start <= 5000, 'callers with a valid token wait too long')
      equal(requests.length, 1 + attempts)
      equal(await getToken(), first, 'right after a failure')
      equal(requests.length, 1 + attempts, 'the next renewal must wait')
      clock.now += 13_000
      equal(await getToken(), second, 'later')
    })

    test(`an expired token is not returned while the endpoint ${title}`, async ({ clock, createClient }) => {
      const { getToken } = createClient([grant(), failure])
      await getToken()
      clock.now += 7_200_000
      await rejects(getToken, code)
    })
  }

  test('after invalidate the next call fetches', async ({ createClient }) => {
    const second = makeToken()
    const { provide, getToken, requests } = createClient([grant(), grant(second)])
    const { invalidate } = provide
    await getToken()
    invalidate()
    equal(requests.length, 1)
    equal([await getToken(), await getToken()], [second, second])
    equal(requests.length, 2)
  })

  for (const arrives of ['before the new one', 'after the new one', 'never']) {
    test(`callers waiting at invalidate get the token of a new request; the old response arrives ${arrives}`, async (harness) => {
      const second = makeToken()
      const { fetch: send } = harness.createClient([grant(), grant(second)])
      const gates: (() => void)[] = []
      const fetch: typeof send = async (...request) => {
        const response = await send(...request)
        await new Promise<void>((open) => gates.push(open))
        return response
      }
      const { provide, getToken } = harness.createClient([], { fetch })
      const reached = async (count: number): Promise<void> => {
        await turnsUntil(() => gates.length === count)
        equal(gates.length, count, 'requests')
      }
      const waiting = [provide(), provide()]
      await reached(1)
      provide.invalidate()
      waiting.push(provide())
      await reached(2)
      if (arrives.startsWith('before')) gates[0]?.()
      gates[1]?.()
      equal(await harness.clock.settle(Promise.all(waiting)), [second, second, second])
      if (arrives.startsWith('after')) gates[0]?.()
      equal(await getToken(), second)
      equal(gates.length, 2)
    })
  }

  test('callers waiting for a retry at invalidate request again immediately, with the new headers', async (harness) => {
    const { clock, createClient } = harness
    const token = makeToken()
    let user = 'ada'
    const headers = () => ({ 'X-Session': user })
    const responses = [status(503, { 'Retry-After': '30' }), grant(token)]
    const { provide, requests } = createClient(responses, { headers })
    const waiting = provide()
    await turnsUntil(() => false)
    user = 'grace'
    provide.invalidate()
    const start = clock.now
    equal(await clock.settle(waiting), token)
    const users = requests.map(({ init }) => new Headers(init.headers).get('X-Session'))
    equal([users, clock.now], [['ada', 'grace'], start])
  })

  test('a pending request at invalidate is replaced immediately', async ({ clock, createClient }) => {
    const token = makeToken()
    const { provide, requests } = createClient(['silence', grant(token)])
    const waiting = provide()
    await turnsUntil(() => requests.length > 0)
    provide.invalidate()
    const start = clock.now
    equal(await clock.settle(waiting), token)
    equal([requests.length, clock.now], [2, start])
    equal(requests[0]?.init.signal?.aborted, true)
  })

  test('a pending renewal does not fall back to an invalidated token', async ({ clock, createClient }) => {
    const { provide, getToken } = createClient([grant(), 'silence', grant(), status(503)])
    await getToken()
    clock.now += NEARLY_EXPIRED
    const renewal = provide()
    provide.invalidate()
    const renewed = provide()
    equal(await clock.settle(renewal), await clock.settle(renewed))
  })
}
