import { clientTest, json, makeToken, problem } from './client-harness.ts'
import { assertSilent, failureOf } from './secrecy.ts'
import { assert, type ConformanceModule, equal, rejects } from './suite.ts'

export const clientResponses: ConformanceModule = (suite) => {
  const test = clientTest(suite)
  const iat = Date.UTC(2026) / 1000

  for (const [title, extra, reused] of [
    ['iat and exp, without expiresIn', {}, 3540],
    ['iat and exp, if expiresIn is not a number', { expiresIn: '2h' }, 3540],
    ['expiresIn, if it differs from the token', { expiresIn: 1800 }, 1740],
  ] as const) {
    test(`the lifetime comes from ${title}`, async ({ createClient }) => {
      const token = makeToken({ iat, exp: iat + 3600 })
      await createClient([json({ token, ...extra })]).expectReuse(reused)
    })
  }

  for (const [title, token, extra] of [
    ['without dates', makeToken(), {}],
    ['without exp', makeToken({ iat }), {}],
    ['without iat', makeToken({ exp: iat }), {}],
    ['whose exp is before its iat', makeToken({ iat, exp: iat - 60 }), {}],
    ['that cannot be decoded', 'e30.A.c2ln', {}],
    ['with an expiresIn of 0', makeToken({ iat, exp: iat + 60 }), { expiresIn: 0 }],
    ['with a negative expiresIn', makeToken({ iat, exp: iat + 60 }), { expiresIn: -60 }],
  ] as const) {
    test(`a token ${title} is returned to waiting callers, and not cached`, async ({ createClient }) => {
      const { getToken, getTokens, requests } = createClient([json({ token, ...extra })])
      equal([await getTokens(2), requests.length], [[token, token], 1])
      await getToken()
      equal(requests.length, 2)
    })
  }

  const bodies: [string, () => Response][] = [
    ['a page', () => new Response('<!doctype html><p>Sign in</p>')],
    ['no body', () => new Response(null, { status: 204 })],
    ['a bare token', () => new Response(makeToken())],
    ['null', json(null)],
    ['a list', json([makeToken()])],
    ['no token', json({ accessToken: makeToken() })],
    ['a token that is not a string', json({ token: [makeToken()] })],
    ['a token of two parts', json({ token: 'e30.e30' })],
    ['a token of five parts', json({ token: 'e30.e30.e30.e30.e30' })],
    ['a token without a signature', json({ token: 'e30.e30.' })],
    ['a token with a line break', json({ token: `${makeToken()}\n` })],
    ['a token with its scheme', json({ token: `Bearer ${makeToken()}` })],
  ]
  for (const [title, response] of bodies) {
    test(`a response with ${title} is rejected`, async ({ createClient }) => {
      const { getToken, requests } = createClient([response])
      const error = await rejects(getToken, 'ERR_TOKEN_REQUEST_FAILED')
      assert(error.message.includes('no token'), error.message)
      equal(requests.length, 1)
    })
  }

  test('an error includes the detail of the problem', async ({ createClient }) => {
    for (const [code, expected] of [
      [403, 'ERR_TOKEN_REQUEST_REFUSED'],
      [503, 'ERR_TOKEN_REQUEST_FAILED'],
    ] as const) {
      const { getToken } = createClient([problem(code, 'This session may have no token.')])
      const { message } = await rejects(getToken, expected)
      const detail = `returned ${code} (ERR_CALLER_FORBIDDEN: This session may have no token.)`
      assert(message.includes(detail), message)
    }
  })

  test('an error never shows a token', async ({ createClient }) => {
    const token = makeToken()
    for (const response of [
      problem(403, `The token ${token} is bad`),
      json({ token: `Bearer ${token}` }),
      json({ accessToken: token }),
      () => new Response(token, { status: 500 }),
    ]) {
      const { getToken } = createClient([response])
      assertSilent(await failureOf(getToken), token.split('.'))
    }
  })
}
