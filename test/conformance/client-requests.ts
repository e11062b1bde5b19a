import { createTokenProvider, type TokenProviderOptions } from '../../src/client.ts'
import { grant, inWorld, makeToken, status, url } from './client-fixture.ts'
import { replaceFor } from './globals.ts'
import { assert, type ConformanceModule, equal, rejects } from './suite.ts'

/** An answer with members that no constructor can set. */
function answerWith(members: Partial<Response>): Response {
  const response = grant(makeToken(), 7200)()
  for (const [member, value] of Object.entries(members)) Object.defineProperty(response, member, { value })
  return response
}

export const clientRequests: ConformanceModule = ({ test }) => {
  for (const [title, options] of [
    ['no options', undefined],
    ['no url', {}],
    ['an empty url', { url: '' }],
    ['a fetch that is none', { url, fetch: 'fetch' }],
    ['headers that are not a function', { url, headers: { Authorization: 'Bearer x' } }],
    ['a negative refreshBefore', { url, refreshBefore: -1 }],
    ['a refreshBefore that is not a number', { url, refreshBefore: Number.NaN }],
    ['a refreshBefore with a unit', { url, refreshBefore: '60s' }],
    ['a url with a password', { url: 'https://ada:secret@app.example/' }],
    ['a url with a user name', { url: new URL('https://ada@app.example/') }],
    ['a relative url with a password', { url: '//ada:secret@app.example/' }],
    ['a url that cannot be parsed', { url: 'https://' }],
    ['an unknown option', { url, refreshbefore: 60 }],
    ['retries, which is not an option', { url, retries: 5 }],
  ] as [string, unknown][]) {
    test(`${title} are rejected`, async () => {
      await rejects(() => createTokenProvider(options as TokenProviderOptions), 'ERR_OPTION_INVALID')
    })
  }

  test('sends GET for JSON, bypassing caches, with the current headers', () =>
    inWorld(async ({ clock, serve }) => {
      let session = 0
      const endpoint = serve(status(503), grant(makeToken(), 7200))
      const provide = createTokenProvider({
        url: new URL(url),
        fetch: endpoint.fetch,
        headers: async () => ({ Authorization: `Bearer session-${++session}`, Accept: 'application/jwt' }),
      })
      await clock.finish(provide())
      for (const [index, { url: asked, init }] of endpoint.requests.entries()) {
        equal(asked, url)
        equal([init.method, init.body, init.credentials], [undefined, undefined, undefined])
        equal(init.cache, 'no-store')
        equal(
          [...new Headers(init.headers)],
          [
            ['accept', 'application/json'],
            ['authorization', `Bearer session-${index + 1}`],
          ],
        )
      }
      equal(endpoint.requests.length, 2)
    }))

  test('calls fetch without this', () =>
    inWorld(async ({ clock, serve }) => {
      const { fetch: send } = serve(grant(makeToken(), 7200))
      const owners: unknown[] = []
      const fetch = function (this: unknown, ...request: Parameters<typeof send>): Promise<Response> {
        owners.push(this)
        return send(...request)
      }
      await clock.finish(createTokenProvider({ url, fetch })())
      await replaceFor(globalThis, 'fetch', fetch, async () => {
        await clock.finish(createTokenProvider({ url })())
      })
      equal(owners, [undefined, undefined])
    }))

  test('uses the current global fetch', () =>
    inWorld(async ({ clock, serve }) => {
      const provide = createTokenProvider({ url })
      const token = makeToken()
      await replaceFor(globalThis, 'fetch', serve(grant(token, 7200)).fetch, async () => {
        equal(await clock.finish(provide()), token)
      })
    }))

  test('headers that throw are retried, and the error they threw is not shown', () =>
    inWorld(async ({ clock, serve }) => {
      const endpoint = serve(grant(makeToken(), 7200))
      let calls = 0
      const headers = (): HeadersInit => {
        calls++
        throw new RangeError('session s3cret', { cause: 's3cret' })
      }
      const provide = createTokenProvider({ url, fetch: endpoint.fetch, headers })
      const error = await rejects(() => clock.finish(provide()), 'ERR_TOKEN_REQUEST_FAILED')
      equal(error.cause, { name: 'RangeError' })
      assert(!`${error.message} ${error.stack}`.includes('s3cret'))
      equal([calls, endpoint.requests.length], [4, 0])
    }))

  test('a parser error that quotes a token is not shown', () =>
    inWorld(async ({ clock, serve }) => {
      const token = makeToken()
      const { fetch } = serve(new SyntaxError(`Unexpected token in "${token}"`))
      const error = await rejects(
        () => clock.finish(createTokenProvider({ url, fetch })()),
        'ERR_TOKEN_REQUEST_FAILED',
      )
      equal(error.cause, { name: 'SyntaxError' })
    }))

  for (const [title, answer] of [
    ['a redirect', () => new Response(null, { status: 302, headers: { Location: 'https://evil.example' } })],
    ['a redirect as browsers show it', () => answerWith({ status: 0, ok: false })],
    ['a redirect that a custom fetch followed', () => answerWith({ redirected: true })],
  ] as const) {
    test(`${title} is not followed`, () =>
      inWorld(async ({ clock, serve }) => {
        const endpoint = serve(answer)
        const provide = createTokenProvider({ url, fetch: endpoint.fetch })
        const error = await rejects(() => clock.finish(provide()), 'ERR_TOKEN_REQUEST_FAILED')
        assert(error.message.includes('a redirect'), error.message)
        equal(
          endpoint.requests.map(({ init }) => init.redirect),
          ['manual'],
        )
      }))
  }

  test('invalid headers are rejected, and not shown', () =>
    inWorld(async ({ clock, serve }) => {
      const endpoint = serve(grant(makeToken(), 7200))
      const headers = (): HeadersInit => ({ Authorization: 'Bearer session\nsession' })
      const provide = createTokenProvider({ url, fetch: endpoint.fetch, headers })
      const error = await rejects(() => clock.finish(provide()), 'ERR_OPTION_INVALID')
      assert(!error.message.includes('session') && error.cause === undefined, error.message)
      equal(endpoint.requests.length, 0)
    }))

  test('a relative url needs a page, or a fetch that knows its base', () =>
    inWorld(async ({ clock, serve }) => {
      const endpoint = serve(grant(makeToken(), 7200))
      const relative = '/api/membrane-token'
      await clock.finish(createTokenProvider({ url: relative, fetch: endpoint.fetch })())
      await replaceFor(globalThis, 'fetch', endpoint.fetch, async () => {
        const provide = createTokenProvider({ url: relative })
        if ('document' in globalThis) await clock.finish(provide())
        else await rejects(() => clock.finish(provide()), 'ERR_OPTION_INVALID')
      })
    }))
}
