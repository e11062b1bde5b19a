import { clientTest, grant, json, makeToken, status } from './client-harness.ts'
import { type ConformanceModule, equal } from './suite.ts'

export const clientReuse: ConformanceModule = (suite) => {
  const test = clientTest(suite)

  test('thirty concurrent callers make one request and get one token', async ({ createClient }) => {
    const token = makeToken()
    const { getTokens, requests } = createClient([grant(token)])
    equal(await getTokens(30), Array(30).fill(token))
    equal(requests.length, 1)
  })

  test('concurrent callers fail with the same error, and the next call sends a new request', async (harness) => {
    const token = makeToken()
    const { provide, getToken, requests } = harness.createClient([status(401), grant(token)])
    const results = await harness.clock.settle(Promise.allSettled([provide(), provide(), provide()]))
    const reasons = new Set(results.map((result) => result.status === 'rejected' && result.reason))
    equal([reasons.size, requests.length], [1, 1])
    equal(await getToken(), token)
  })

  for (const [title, expiresIn, refreshBefore, reused] of [
    ['until a minute before it expires', 7200, undefined, 7140],
    ['until refreshBefore seconds before it expires', 7200, 600, 6600],
    ['until it expires if refreshBefore is 0', 7200, 0, 7200],
    ['for half its lifetime if that is short', 20, undefined, 10],
  ] as const) {
    test(`a token is reused ${title}`, async ({ createClient }) => {
      const second = makeToken()
      const responses = [grant(makeToken(), expiresIn), grant(second, expiresIn)]
      equal(await createClient(responses, { refreshBefore }).expectReuse(reused), second)
    })
  }

  for (const [title, ahead] of [
    ['in 1970', 0],
    ['in 2099', Date.UTC(2099)],
    ['before 1970', -Date.UTC(2026)],
  ] as const) {
    test(`a device whose clock is ${title} reuses tokens as usual`, async ({ clock, createClient }) => {
      clock.ahead = ahead
      const iat = Date.UTC(2026) / 1000
      const token = makeToken({ iat, exp: iat + 7200 })
      for (const response of [grant(token), json({ token })]) await createClient([response]).expectReuse(7140)
    })
  }

  test('setting the clock back does not make a token live longer', async ({ clock, createClient }) => {
    const { getToken, requests } = createClient([grant()])
    await getToken()
    clock.ahead -= 86_400_000
    clock.now += 3_600_000
    await getToken()
    equal(requests.length, 1)
    clock.now += 3_600_000
    await getToken()
    equal(requests.length, 2)
  })

  test('a device that slept, with its monotonic clock stopped, fetches when it wakes', async (harness) => {
    const [first, second] = [makeToken(), makeToken()]
    const { getToken, requests } = harness.createClient([grant(first), grant(second)])
    await getToken()
    harness.clock.ahead += 8 * 3_600_000
    equal([await getToken(), await getToken()], [second, second])
    equal(requests.length, 2)
  })
}
