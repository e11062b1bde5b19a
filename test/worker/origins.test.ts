import { describe, expect, test } from 'vitest'
import { claimsOf, expectProblem, makeSettings, ORIGIN, useWorkers } from './harness.ts'

const APP = 'https://app.example.com'
const { settings, secret, apiKeys } = makeSettings()
const LISTED = [
  APP,
  'https://app.example.com:8443',
  'http://localhost:3000',
  'https://xn--bcher-kva.example',
  'capacitor://localhost',
  'chrome-extension://ponmlkjihgfedcba',
]

const { send } = useWorkers({
  main: { bindings: { ...settings, ALLOWED_ORIGINS: LISTED.join(', ') } },
  closed: { bindings: settings },
})

interface RequestOptions {
  path?: string
  worker?: string
  method?: string
  headers?: Record<string, string>
  body?: object
}

const sendFrom = (
  Origin: string | string[] | undefined,
  { path = '/api/membrane-token', headers = {}, ...options }: RequestOptions = {},
) => {
  const key = path.includes('admin') ? apiKeys.console : apiKeys.backend
  return send(path, {
    method: 'POST',
    headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json', Origin, ...headers },
    body: { id: 'customer-42' },
    ...options,
  })
}

const preflight = (origin: string, options: RequestOptions = {}) =>
  sendFrom(origin, {
    method: 'OPTIONS',
    headers: {
      'Access-Control-Request-Method': 'POST',
      'Access-Control-Request-Headers': 'authorization, content-type',
    },
    ...options,
  })

const CORS_HEADERS = [
  'Access-Control-Allow-Origin',
  'Access-Control-Allow-Methods',
  'Access-Control-Allow-Headers',
  'Access-Control-Allow-Credentials',
  'Access-Control-Allow-Private-Network',
]

function expectNoCorsHeaders(response: Response): void {
  expect(CORS_HEADERS.filter((name) => response.headers.has(name))).toEqual([])
}

async function expectRejected(...responses: Promise<Response>[]): Promise<void> {
  for (const response of await Promise.all(responses)) {
    expectNoCorsHeaders(response)
    await expectProblem(response, 403, 'ERR_ORIGIN_FORBIDDEN')
  }
}

const NOT_ALLOWED: [what: string, origin: string][] = [
  ['null', 'null'],
  ['a star', '*'],
  ['another host', 'https://evil.test'],
  ['one that ends with an allowed origin', 'https://evilapp.example.com'],
  ['a subdomain', 'https://x.app.example.com'],
  ['the parent domain', 'https://example.com'],
  ['one that starts with an allowed origin', 'https://app.example.com.evil.test'],
  ['an allowed origin as userinfo', 'https://app.example.com@evil.test'],
  ['one with a dot replaced', 'https://appxexample.com'],
  ['an upper-case host', 'https://APP.example.com'],
  ['an upper-case scheme', 'HTTPS://app.example.com'],
  ['http', 'http://app.example.com'],
  ['another port', 'https://app.example.com:8444'],
  ['an explicit default port', 'https://app.example.com:443'],
  ['another port of localhost', 'http://localhost:3001'],
  ['localhost as an IP address', 'http://127.0.0.1:3000'],
  ['a trailing dot', 'https://app.example.com.'],
  ['a trailing slash', 'https://app.example.com/'],
  ['a path', 'https://app.example.com/x'],
  ['a query', 'https://app.example.com?x'],
  ['a Capacitor app on another host', 'capacitor://localhost.evil.test'],
  ['two origins', `${APP} https://evil.test`],
  ['two origins with a comma', `${APP},https://evil.test`],
  ['the whole list', LISTED.join(', ')],
  ['a Unicode host name', 'https://b\u00fccher.example'],
  ['the Worker’s own, with a port', `${ORIGIN}:80`],
  ['the Worker’s own, in upper case', ORIGIN.toUpperCase()],
  ['a file', 'file://'],
  ['an extension', 'chrome-extension://abcdefghijklmnop'],
]

describe('an origin that is not on the list', () => {
  test.each(NOT_ALLOWED)('%s: gets no token and no CORS headers', async (_, origin) => {
    await expectRejected(sendFrom(origin), preflight(origin))
  })

  test('is not echoed', async () => {
    expect(await (await sendFrom('https://evil.test')).text()).not.toContain('evil.test')
  })

  test('is rejected together with an allowed origin', async () => {
    const pairs = [
      [APP, 'https://evil.test'],
      ['https://evil.test', APP],
      [APP, APP],
    ]
    await expectRejected(...pairs.map((origins) => sendFrom(origins)))
  })

  test('is not affected by Referer, Host or X-Forwarded headers', async () => {
    const headers = {
      Referer: APP,
      'X-Forwarded-Host': 'evil.test',
      'X-Forwarded-Proto': 'https',
      Forwarded: 'host=evil.test',
    }
    await expectRejected(sendFrom('https://evil.test', { headers }))
  })

  test.each(['GET', 'POST', 'PUT', 'HEAD', 'DELETE'])('is rejected for %s', async (method) => {
    const response = await sendFrom('https://evil.test', { method })
    expectNoCorsHeaders(response)
    expect(response.status).toBe(403)
  })
})

// These requests have no Origin header, but Access would still add its assertion.
describe('a cross-site subresource or navigation', () => {
  test.each([
    ['an image', 'cross-site', 'no-cors'],
    ['a script of the same site', 'same-site', 'no-cors'],
    ['a page', 'cross-site', 'navigate'],
    ['a frame of the same site', 'same-site', 'navigate'],
  ])('%s: gets no token', async (_, site, mode) => {
    const fetched = { 'Sec-Fetch-Site': site, 'Sec-Fetch-Mode': mode }
    const headers = { Authorization: `Bearer ${apiKeys.backend}`, ...fetched }
    await expectProblem(await send('/api/membrane-token', { headers }), 403, 'ERR_ORIGIN_FORBIDDEN')
  })

  test.each([
    ['none', 'navigate'],
    ['same-origin', 'cors'],
  ])('is not a request with Sec-Fetch-Site: %s', async (site, mode) => {
    const headers = { 'Sec-Fetch-Site': site, 'Sec-Fetch-Mode': mode }
    expect((await sendFrom(undefined, { headers })).status).toBe(200)
  })
})

describe('an origin on the list', () => {
  test.each(LISTED)('%s gets its token and can read it', async (origin) => {
    const response = await sendFrom(origin)
    expect(response.headers.get('Access-Control-Allow-Origin')).toBe(origin)
    expect(response.headers.get('Vary')).toMatch(/\borigin\b/i)
    expect(response.headers.get('Access-Control-Allow-Credentials')).toBeNull()
    expect(response.headers.get('Access-Control-Expose-Headers')?.split(',').sort()).toEqual([
      'Date',
      'Retry-After',
      'WWW-Authenticate',
      'X-Request-Id',
    ])
    expect(await claimsOf(response, secret)).toMatchObject({ id: 'customer-42' })
  })

  test.each(LISTED)('%s gets the allowed methods and headers in the preflight', async (origin) => {
    const response = await preflight(origin)
    expect([response.status, await response.text()]).toEqual([204, ''])
    const { headers } = response
    expect(headers.get('Access-Control-Allow-Origin')).toBe(origin)
    expect(headers.get('Access-Control-Allow-Methods')?.split(',')).toEqual(['GET', 'POST'])
    expect(headers.get('Access-Control-Allow-Headers')?.split(',').sort()).toEqual([
      'Authorization',
      'Content-Type',
      'X-Request-Id',
    ])
    expect(headers.get('Access-Control-Max-Age')).toBe('600')
    expect(headers.get('Access-Control-Allow-Credentials')).toBeNull()
    expect(headers.get('Vary')).toMatch(/\borigin\b/i)
    expect(headers.get('X-Request-Id')).toMatch(/^[0-9a-f-]{36}$/)
  })

  test('can read why it was rejected', async () => {
    const rejected: [Parameters<typeof send>[1], number, string][] = [
      [{ headers: { Origin: APP } }, 401, 'ERR_CREDENTIALS_MISSING'],
      [{ headers: { Origin: APP, Authorization: 'Bearer x' } }, 401, 'ERR_CREDENTIALS_INVALID'],
      [{ headers: { Origin: APP }, method: 'PUT' }, 405, 'ERR_METHOD_NOT_ALLOWED'],
    ]
    for (const [options, status, code] of rejected) {
      const response = await send('/api/membrane-token', options)
      expect(response.headers.get('Access-Control-Allow-Origin')).toBe(APP)
      expect(response.headers.get('Vary')).toMatch(/\borigin\b/i)
      await expectProblem(response, status, code)
    }
  })

  test('needs a header that forms and images cannot send', async () => {
    const response = await send('/api/membrane-token', {
      headers: { Origin: APP, 'Content-Type': 'text/plain', Cookie: `session=${apiKeys.backend}` },
      body: '{"id":"customer-42"}',
    })
    await expectProblem(response, 401, 'ERR_CREDENTIALS_MISSING')
  })
})

describe('the admin route', () => {
  const path = '/api/membrane-admin-token'

  test.each([...LISTED, ORIGIN, 'null', 'https://evil.test'])(
    'is not available to browsers: %s',
    async (origin) => {
      await expectRejected(sendFrom(origin, { path }), preflight(origin, { path }))
    },
  )

  test('is available to servers', async () => {
    const response = await sendFrom(undefined, { path, body: {} })
    expectNoCorsHeaders(response)
    expect(await claimsOf(response, secret)).toMatchObject({ isAdmin: true })
  })
})

describe('without ALLOWED_ORIGINS', () => {
  const worker = 'closed'

  // Behind a proxy that terminates TLS, the URL has http, the page https, and both the same host.
  test.each([ORIGIN, ORIGIN.replace('http:', 'https:')])('its own origin %s gets a token', async (origin) => {
    for (const worker of ['closed', 'main']) {
      const response = await sendFrom(origin, { worker })
      expectNoCorsHeaders(response)
      expect(await claimsOf(response, secret)).toMatchObject({ id: 'customer-42' })
    }
  })

  test('Sec-Fetch-Site takes precedence over Origin and Host', async () => {
    const sendFromSite = (site: string, origin: string) =>
      sendFrom(origin, { worker, headers: { 'Sec-Fetch-Site': site } })
    expect((await sendFromSite('same-origin', 'https://public-name.test')).status).toBe(200)
    for (const site of ['same-site', 'cross-site', 'none']) {
      await expectRejected(sendFromSite(site, ORIGIN))
    }
  })

  test.each([...LISTED, ...NOT_ALLOWED.map(([, origin]) => origin)])('%s is rejected', async (origin) => {
    await expectRejected(sendFrom(origin, { worker }), preflight(origin, { worker }))
  })
})

describe('public routes', () => {
  test.each(['/healthz', '/.well-known/jwks.json'])('%s has no CORS headers', async (path) => {
    const response = await send(path, { headers: { Origin: 'https://evil.test' } })
    expect(response.status).toBe(200)
    expectNoCorsHeaders(response)
  })
})
