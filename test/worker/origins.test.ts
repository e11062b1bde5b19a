import { describe, expect, test } from 'vitest'
import { claimsOf, expectProblem, makeSettings, ORIGIN, useStage } from './harness.ts'

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

const { send } = useStage({
  main: { bindings: { ...settings, ALLOWED_ORIGINS: LISTED.join(', ') } },
  closed: { bindings: settings },
})

interface Asking {
  path?: string
  worker?: string
  method?: string
  headers?: Record<string, string>
  body?: object
}

const from = (
  Origin: string | string[] | undefined,
  { path = '/api/membrane-token', headers = {}, ...sent }: Asking = {},
) => {
  const key = path.includes('admin') ? apiKeys.console : apiKeys.backend
  return send(path, {
    method: 'POST',
    headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json', Origin, ...headers },
    body: { id: 'customer-42' },
    ...sent,
  })
}

const preflight = (origin: string, asking: Asking = {}) =>
  from(origin, {
    method: 'OPTIONS',
    headers: {
      'Access-Control-Request-Method': 'POST',
      'Access-Control-Request-Headers': 'authorization, content-type',
    },
    ...asking,
  })

const CORS_HEADERS = [
  'Access-Control-Allow-Origin',
  'Access-Control-Allow-Methods',
  'Access-Control-Allow-Headers',
  'Access-Control-Allow-Credentials',
  'Access-Control-Allow-Private-Network',
]

function expectNoPermission(response: Response): void {
  expect(CORS_HEADERS.filter((name) => response.headers.has(name))).toEqual([])
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
    const response = await from(origin)
    expectNoPermission(response)
    await expectProblem(response, 403, 'ERR_ORIGIN_FORBIDDEN')
  })

  test.each(NOT_ALLOWED)('%s: its preflight is rejected', async (_, origin) => {
    const response = await preflight(origin)
    expectNoPermission(response)
    await expectProblem(response, 403, 'ERR_ORIGIN_FORBIDDEN')
  })

  test('is not echoed', async () => {
    expect(await (await from('https://evil.test')).text()).not.toContain('evil.test')
  })

  test('is rejected beside an allowed origin', async () => {
    for (const origins of [
      [APP, 'https://evil.test'],
      ['https://evil.test', APP],
      [APP, APP],
    ]) {
      const response = await from(origins)
      expectNoPermission(response)
      await expectProblem(response, 403, 'ERR_ORIGIN_FORBIDDEN')
    }
  })

  test('is not affected by Referer, Host or X-Forwarded headers', async () => {
    const headers = {
      Referer: APP,
      'X-Forwarded-Host': 'evil.test',
      'X-Forwarded-Proto': 'https',
      Forwarded: 'host=evil.test',
    }
    await expectProblem(await from('https://evil.test', { headers }), 403, 'ERR_ORIGIN_FORBIDDEN')
  })

  test.each(['GET', 'POST', 'PUT', 'HEAD', 'DELETE'])('is rejected for %s', async (method) => {
    const response = await from('https://evil.test', { method })
    expectNoPermission(response)
    expect(response.status).toBe(403)
  })
})

// These carry no Origin, but Access would still add its assertion.
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
  ])('is told from what is asked by itself: %s', async (site, mode) => {
    const headers = { 'Sec-Fetch-Site': site, 'Sec-Fetch-Mode': mode }
    expect((await from(undefined, { headers })).status).toBe(200)
  })
})

describe('an origin on the list', () => {
  test.each(LISTED)('%s gets its token and can read it', async (origin) => {
    const response = await from(origin)
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
    const refusals: [Parameters<typeof send>[1], number, string][] = [
      [{ headers: { Origin: APP } }, 401, 'ERR_CREDENTIALS_MISSING'],
      [{ headers: { Origin: APP, Authorization: 'Bearer x' } }, 401, 'ERR_CREDENTIALS_INVALID'],
      [{ headers: { Origin: APP }, method: 'PUT' }, 405, 'ERR_METHOD_NOT_ALLOWED'],
    ]
    for (const [sent, status, code] of refusals) {
      const response = await send('/api/membrane-token', sent)
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
  test.each([...LISTED, ORIGIN, 'null', 'https://evil.test'])(
    'is not available to browsers: %s',
    async (origin) => {
      for (const response of [
        await from(origin, { path: '/api/membrane-admin-token' }),
        await preflight(origin, { path: '/api/membrane-admin-token' }),
      ]) {
        expectNoPermission(response)
        await expectProblem(response, 403, 'ERR_ORIGIN_FORBIDDEN')
      }
    },
  )

  test('is available to servers', async () => {
    const response = await from(undefined, { path: '/api/membrane-admin-token', body: {} })
    expectNoPermission(response)
    expect(await claimsOf(response, secret)).toMatchObject({ isAdmin: true })
  })
})

describe('without ALLOWED_ORIGINS', () => {
  // Behind a proxy that ends TLS, the URL says http and the page https; the host is the same.
  test.each([ORIGIN, ORIGIN.replace('http:', 'https:')])('its own origin %s gets a token', async (origin) => {
    for (const worker of ['closed', 'main']) {
      const response = await from(origin, { worker })
      expectNoPermission(response)
      expect(await claimsOf(response, secret)).toMatchObject({ id: 'customer-42' })
    }
  })

  test('Sec-Fetch-Site takes precedence over Origin and Host', async () => {
    const ask = (site: string, origin: string) =>
      from(origin, { worker: 'closed', headers: { 'Sec-Fetch-Site': site } })
    expect((await ask('same-origin', 'https://public-name.test')).status).toBe(200)
    for (const site of ['same-site', 'cross-site', 'none']) {
      await expectProblem(await ask(site, ORIGIN), 403, 'ERR_ORIGIN_FORBIDDEN')
    }
  })

  test('every other origin is rejected', async () => {
    for (const origin of [...LISTED, ...NOT_ALLOWED.map(([, origin]) => origin)]) {
      for (const response of [
        await from(origin, { worker: 'closed' }),
        await preflight(origin, { worker: 'closed' }),
      ]) {
        expectNoPermission(response)
        await expectProblem(response, 403, 'ERR_ORIGIN_FORBIDDEN')
      }
    }
  })
})

describe('public routes', () => {
  test.each(['/healthz', '/.well-known/jwks.json'])(
    '%s is read from anywhere, but by no page',
    async (path) => {
      const response = await send(path, { headers: { Origin: 'https://evil.test' } })
      expect(response.status).toBe(200)
      expectNoPermission(response)
    },
  )
})
