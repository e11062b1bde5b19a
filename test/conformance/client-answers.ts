import { createTokenProvider } from '../../src/client.ts'
import { inWorld, json, makeToken, problem, url } from './client-fixture.ts'
import { assert, type ConformanceModule, equal, rejects } from './suite.ts'

export const clientAnswers: ConformanceModule = ({ test }) => {
  const iat = Date.UTC(2026) / 1000
  for (const [title, claims, extra, reused] of [
    ['only a token with iat and exp', { iat, exp: iat + 3600 }, {}, 3540],
    ['a lifetime that is not a number', { iat, exp: iat + 3600 }, { expiresIn: '2h' }, 3540],
    ['another lifetime than the token', { iat, exp: iat + 3600 }, { expiresIn: 1800 }, 1740],
  ] as const) {
    test(`an answer with ${title}`, () =>
      inWorld(async ({ clock, serve }) => {
        const endpoint = serve(json({ token: makeToken(claims), ...extra }))
        const provide = createTokenProvider({ url, fetch: endpoint.fetch })
        await clock.finish(provide())
        clock.now += reused * 1000 - 1
        await clock.finish(provide())
        equal(endpoint.requests.length, 1)
        clock.now += 1
        await clock.finish(provide())
        equal(endpoint.requests.length, 2)
      }))
  }

  for (const [title, token, extra] of [
    ['without dates', makeToken(), {}],
    ['without exp', makeToken({ iat }), {}],
    ['without iat', makeToken({ exp: iat }), {}],
    ['that ends before it begins', makeToken({ iat, exp: iat - 60 }), {}],
    ['that cannot be decoded', 'e30.A.c2ln', {}],
    ['that lives for no time', makeToken({ iat, exp: iat + 60 }), { expiresIn: 0 }],
    ['that lived once', makeToken({ iat, exp: iat + 60 }), { expiresIn: -60 }],
  ] as const) {
    test(`a token ${title} is returned to waiting callers, and not cached`, () =>
      inWorld(async ({ clock, serve }) => {
        const endpoint = serve(json({ token, ...extra }))
        const provide = createTokenProvider({ url, fetch: endpoint.fetch })
        equal(await clock.finish(Promise.all([provide(), provide()])), [token, token])
        equal(endpoint.requests.length, 1)
        await clock.finish(provide())
        equal(endpoint.requests.length, 2)
      }))
  }

  const bodies: [string, () => Response][] = [
    ['a page', () => new Response('<!doctype html><p>Sign in</p>')],
    ['nothing', () => new Response(null, { status: 204 })],
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
  for (const [title, answer] of bodies) {
    test(`an answer with ${title} is rejected`, () =>
      inWorld(async ({ clock, serve }) => {
        const endpoint = serve(answer)
        const provide = createTokenProvider({ url, fetch: endpoint.fetch })
        const error = await rejects(() => clock.finish(provide()), 'ERR_TOKEN_REQUEST_FAILED')
        assert(error.message.includes('no token'), error.message)
        equal(endpoint.requests.length, 1)
      }))
  }

  test('an error carries the problem’s detail', () =>
    inWorld(async ({ clock, serve }) => {
      for (const code of [403, 503]) {
        const endpoint = serve(problem(code, 'This session may have no token.'))
        const provide = createTokenProvider({ url, fetch: endpoint.fetch })
        const error = await rejects(
          () => clock.finish(provide()),
          code === 403 ? 'ERR_TOKEN_REQUEST_REFUSED' : 'ERR_TOKEN_REQUEST_FAILED',
        )
        const said = `answered ${code} (ERR_CALLER_FORBIDDEN: This session may have no token.)`
        assert(error.message.includes(said), error.message)
      }
    }))

  test('an error never shows a token', () =>
    inWorld(async ({ clock, serve }) => {
      const token = makeToken()
      for (const answer of [
        problem(403, `The token ${token} is bad`),
        json({ token: `Bearer ${token}` }),
        json({ accessToken: token }),
        () => new Response(token, { status: 500 }),
      ]) {
        const { fetch } = serve(answer)
        const error = await clock
          .finish(createTokenProvider({ url, fetch })())
          .catch((thrown: unknown) => thrown)
        assert(error instanceof Error, 'it was no error')
        for (const part of token.split('.')) {
          assert(!`${error.message} ${error.stack} ${error.cause}`.includes(part), error.message)
        }
      }
    }))
}
