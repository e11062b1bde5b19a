import { createTokenProvider, type TokenProviderOptions } from '../../src/client.ts'
import { replaceFor } from './globals.ts'
import { grant, inWorld, makeToken, status, url } from './provider-scene.ts'
import { assert, type ConformanceModule, equal, rejects } from './suite.ts'

export const providerRequests: ConformanceModule = ({ test }) => {
  for (const [title, options] of [
    ['no options', undefined],
    ['no url', {}],
    ['an empty url', { url: '' }],
    ['a fetch that is none', { url, fetch: 'fetch' }],
    ['headers that are no function', { url, headers: { Authorization: 'Bearer x' } }],
    ['a negative refreshBefore', { url, refreshBefore: -1 }],
    ['a refreshBefore that is no number', { url, refreshBefore: Number.NaN }],
    ['a refreshBefore with a unit', { url, refreshBefore: '60s' }],
  ] as [string, unknown][]) {
    test(`${title} are refused`, async () => {
      await rejects(() => createTokenProvider(options as TokenProviderOptions), 'ERR_OPTION_INVALID')
    })
  }

  test('asks by GET, for JSON, past every cache, with the headers of the moment', () =>
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

  test('calls fetch without a this', () =>
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

  test('uses the global fetch of the moment', () =>
    inWorld(async ({ clock, serve }) => {
      const provide = createTokenProvider({ url })
      const token = makeToken()
      await replaceFor(globalThis, 'fetch', serve(grant(token, 7200)).fetch, async () => {
        equal(await clock.finish(provide()), token)
      })
    }))

  test('headers that fail are asked for again, and then named as the cause', () =>
    inWorld(async ({ clock, serve }) => {
      const endpoint = serve(grant(makeToken(), 7200))
      const cause = new Error('no session')
      let calls = 0
      const headers = (): HeadersInit => {
        calls++
        throw cause
      }
      const provide = createTokenProvider({ url, fetch: endpoint.fetch, headers })
      const error = await rejects(() => clock.finish(provide()), 'ERR_TOKEN_REQUEST_FAILED')
      assert(error.cause === cause)
      equal([calls, endpoint.requests.length], [4, 0])
    }))

  test('headers that nobody can send are refused, and not shown', () =>
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
