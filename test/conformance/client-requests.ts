import { createTokenProvider, type TokenProviderOptions } from '../../src/client.ts'
import { clientTest, grant, makeToken, status, url } from './client-harness.ts'
import { replaceFor } from './globals.ts'
import { assert, type ConformanceModule, equal, rejects } from './suite.ts'

/** A response with members that no constructor can set. */
function responseWith(members: Partial<Response>): Response {
  const response = grant()()
  for (const [member, value] of Object.entries(members)) Object.defineProperty(response, member, { value })
  return response
}

export const clientRequests: ConformanceModule = (suite) => {
  const test = clientTest(suite)

  for (const [title, options] of [
    ['no options', undefined],
    ['no url', {}],
    ['an empty url', { url: '' }],
    ['a fetch that is not a function', { url, fetch: 'fetch' }],
    ['headers that are not a function', { url, headers: { Authorization: 'Bearer x' } }],
    ['a negative refreshBefore', { url, refreshBefore: -1 }],
    ['a refreshBefore that is not a number', { url, refreshBefore: Number.NaN }],
    ['a refreshBefore with a unit', { url, refreshBefore: '60s' }],
    ['a url with a password', { url: 'https://ada:secret@app.example/' }],
    ['a url with a user name', { url: new URL('https://ada@app.example/') }],
    ['a relative url with a password', { url: '//ada:secret@app.example/' }],
    ['a url that cannot be parsed', { url: 'https://' }],
    ['an unknown option', { url, refreshbefore: 60 }],
    ['the unknown option retries', { url, retries: 5 }],
  ] as [string, unknown][]) {
    suite.test(`invalid options: ${title}`, async () => {
      await rejects(() => createTokenProvider(options as TokenProviderOptions), 'ERR_OPTION_INVALID')
    })
  }

  test('sends GET for JSON, bypassing caches, with the current headers', async ({ createClient }) => {
    let session = 0
    const { getToken, requests } = createClient([status(503), grant()], {
      url: new URL(url),
      headers: async () => ({ Authorization: `Bearer session-${++session}`, Accept: 'application/jwt' }),
    })
    await getToken()
    for (const [index, request] of requests.entries()) {
      const { method, body, credentials, cache, headers } = request.init
      equal(request.url, url)
      equal([method, body, credentials], [undefined, undefined, undefined])
      equal(cache, 'no-store')
      equal(Object.fromEntries(new Headers(headers)), {
        accept: 'application/json',
        authorization: `Bearer session-${index + 1}`,
      })
    }
    equal(requests.length, 2)
  })

  test('calls fetch without this', async ({ clock, createClient }) => {
    const client = createClient([grant()])
    const owners: unknown[] = []
    const fetch = function (this: unknown, ...request: Parameters<typeof client.fetch>): Promise<Response> {
      owners.push(this)
      return client.fetch(...request)
    }
    await clock.settle(createTokenProvider({ url, fetch })())
    await replaceFor(globalThis, 'fetch', fetch, async () => {
      await clock.settle(createTokenProvider({ url })())
    })
    equal(owners, [undefined, undefined])
  })

  test('uses the current global fetch', async ({ clock, createClient }) => {
    const provide = createTokenProvider({ url })
    const token = makeToken()
    await replaceFor(globalThis, 'fetch', createClient([grant(token)]).fetch, async () => {
      equal(await clock.settle(provide()), token)
    })
  })

  test('headers that throw are retried, and their error is not shown', async ({ createClient }) => {
    let calls = 0
    const headers = (): HeadersInit => {
      calls++
      throw new RangeError('session s3cret', { cause: 's3cret' })
    }
    const { getToken, requests } = createClient([grant()], { headers })
    const error = await rejects(getToken, 'ERR_TOKEN_REQUEST_FAILED')
    equal(error.cause, { name: 'RangeError' })
    assert(!`${error.message} ${error.stack}`.includes('s3cret'), 'the secret is shown')
    equal([calls, requests.length], [4, 0])
  })

  test('a parser error that quotes a token is not shown', async ({ createClient }) => {
    const { getToken } = createClient([new SyntaxError(`Unexpected token in "${makeToken()}"`)])
    const error = await rejects(getToken, 'ERR_TOKEN_REQUEST_FAILED')
    equal(error.cause, { name: 'SyntaxError' })
  })

  for (const [title, response] of [
    ['a redirect', () => new Response(null, { status: 302, headers: { Location: 'https://evil.example' } })],
    ['a redirect as browsers show it', () => responseWith({ status: 0, ok: false })],
    ['a redirect that a custom fetch followed', () => responseWith({ redirected: true })],
  ] as const) {
    test(`${title} is rejected`, async ({ createClient }) => {
      const { getToken, requests } = createClient([response])
      const error = await rejects(getToken, 'ERR_TOKEN_REQUEST_FAILED')
      assert(error.message.includes('a redirect'), error.message)
      equal([requests.length, requests[0]?.init.redirect], [1, 'manual'])
    })
  }

  test('invalid headers are rejected, and not shown', async ({ createClient }) => {
    const headers = (): HeadersInit => ({ Authorization: 'Bearer session\nsession' })
    const { getToken, requests } = createClient([grant()], { headers })
    const error = await rejects(getToken, 'ERR_OPTION_INVALID')
    assert(!error.message.includes('session') && error.cause === undefined, error.message)
    equal(requests.length, 0)
  })

  test('a relative url needs a page or a custom fetch', async ({ clock, createClient }) => {
    const relative = { url: '/api/membrane-token' }
    const { fetch, getToken } = createClient([grant()], relative)
    await getToken()
    await replaceFor(globalThis, 'fetch', fetch, async () => {
      const provide = createTokenProvider(relative)
      if ('document' in globalThis) await clock.settle(provide())
      else await rejects(() => clock.settle(provide()), 'ERR_OPTION_INVALID')
    })
  })
}
