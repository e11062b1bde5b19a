import type { JwtPayload } from 'jsonwebtoken'
import { describe, expect, test } from 'vitest'
import { claimsOf, expectProblem, makeSettings, ORIGIN, type TokenBody, useStage } from './harness.ts'

const { settings, secret, apiKeys } = makeSettings()
const BACKEND = `Bearer ${apiKeys.backend}`
const CONSOLE = `Bearer ${apiKeys.console}`
const CUSTOMER = { id: 'customer-42', name: 'Acme Inc.', fields: { plan: 'trial' } }

const { send } = useStage({
  main: { bindings: settings },
  limited: { bindings: { ...settings, TOKEN_EXPIRES_IN: '10m', TOKEN_MAX_EXPIRES_IN: '1h' } },
})

const ask = (body: unknown, headers: Record<string, string> = {}) =>
  send('/api/membrane-token', {
    headers: { Authorization: BACKEND, 'Content-Type': 'application/json', ...headers },
    body,
  })

const askAsAdmin = (body?: object, headers: Record<string, string> = {}, worker = 'main') =>
  send('/api/membrane-admin-token', {
    method: 'POST',
    headers: { Authorization: CONSOLE, ...(body && { 'Content-Type': 'application/json' }), ...headers },
    body,
    worker,
  })

const lifetimeOf = ({ iat, exp }: JwtPayload) => exp! - iat!

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

describe('a customer token', () => {
  test('is issued to a service for the customer it names', async () => {
    const response = await ask(CUSTOMER)
    expect(response.status).toBe(200)
    expect(response.headers.get('Content-Type')).toBe('application/json')
    expect(response.headers.get('Cache-Control')).toBe('no-store')
    expect(response.headers.get('X-Content-Type-Options')).toBe('nosniff')
    expect(response.headers.get('X-Request-Id')).toMatch(/^[0-9a-f-]{36}$/)

    const body = (await response.clone().json()) as TokenBody
    expect(Object.keys(body)).toEqual(['token', 'expiresAt', 'expiresIn'])
    const claims = await claimsOf(response, secret, { algorithms: ['HS512'] })
    expect(claims).toEqual({
      ...CUSTOMER,
      iss: 'workspace-under-test',
      jti: expect.stringMatching(UUID),
      iat: expect.any(Number),
      exp: claims.iat! + 7200,
    })
    expect(body.expiresIn).toBe(7200)
    expect(body.expiresAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
    expect(Date.parse(body.expiresAt)).toBe(claims.exp! * 1000)
  })

  test.each<[string, Record<string, string>]>([
    ['the next key', { Authorization: `Bearer ${apiKeys.backendNext}` }],
    ['a lower-case scheme', { Authorization: `bearer ${apiKeys.backend}` }],
    ['an upper-case scheme and two spaces', { Authorization: `BEARER  ${apiKeys.backend}` }],
  ])('is issued with %s', async (_, headers) => {
    expect(await claimsOf(await ask(CUSTOMER, headers), secret)).toMatchObject(CUSTOMER)
  })

  test('contains exactly the values of the body, in any script', async () => {
    const customer = { id: 'клиент-42', name: '株式会社 🦊', fields: { 'ключ"': ['\u0000', 1.5, null] } }
    const claims = await claimsOf(await ask(customer), secret)
    expect(claims).toMatchObject({ ...customer, iss: 'workspace-under-test' })
    expect(claims).not.toHaveProperty('isAdmin')
  })
})

describe('an admin token', () => {
  test.each<[string, object | undefined]>([
    ['no body', undefined],
    ['an empty object', {}],
  ])('is given to a service with %s, without a trace of a customer', async (_, body) => {
    const response = await askAsAdmin(body)
    expect(response.headers.get('Cache-Control')).toBe('no-store')
    expect(await claimsOf(response, secret)).toEqual({
      iss: 'workspace-under-test',
      isAdmin: true,
      jti: expect.stringMatching(UUID),
      iat: expect.any(Number),
      exp: expect.any(Number),
    })
  })

  test.each([
    ['the default lifetime', undefined, 600],
    ['the requested lifetime', { expiresIn: '20m' }, 1200],
    ['the limit', { expiresIn: '1d' }, 3600],
  ])('ends after %s', async (_, body, seconds) => {
    expect(lifetimeOf(await claimsOf(await askAsAdmin(body, {}, 'limited'), secret))).toBe(seconds)
  })
})

// Every form of Accept is tried in conformance/endpoint-requests.ts.
test('Accept chooses between the bare token and JSON', async () => {
  const bare = await ask(CUSTOMER, { Accept: 'application/json;q=0.5, application/jwt' })
  expect([bare.status, bare.headers.get('Content-Type')]).toEqual([200, 'application/jwt'])
  expect(bare.headers.get('Cache-Control')).toBe('no-store')
  expect(await bare.text()).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/)
  const json = await ask(CUSTOMER, { Accept: '*/*' })
  expect(json.headers.get('Content-Type')).toBe('application/json')
  expect(await claimsOf(json, secret)).toMatchObject(CUSTOMER)
})

describe('an error', () => {
  const json = { 'Content-Type': 'application/json' }
  const body = JSON.stringify(CUSTOMER)

  test.each<[number, string, string, Parameters<typeof send>[1]]>([
    [400, 'ERR_BODY_INVALID', '/api/membrane-token', { body: '{' }],
    [400, 'ERR_BODY_INVALID', '/api/membrane-token', { body: '{}' }],
    [400, 'ERR_CLAIM_INVALID', '/api/membrane-token', { body: { id: '' } }],
    [400, 'ERR_LIFETIME_INVALID', '/api/membrane-token', { body: { id: 'c', expiresIn: '2' } }],
    [400, 'ERR_TOKEN_TOO_LARGE', '/api/membrane-token', { body: { id: 'x'.repeat(9000) } }],
    [401, 'ERR_CREDENTIALS_MISSING', '/api/membrane-token', { body, headers: { Authorization: undefined } }],
    [401, 'ERR_CREDENTIALS_INVALID', '/api/membrane-token', { body, headers: { Authorization: 'Bearer x' } }],
    [403, 'ERR_CALLER_FORBIDDEN', '/api/membrane-token', { body, headers: { Authorization: CONSOLE } }],
    [403, 'ERR_CALLER_FORBIDDEN', '/api/membrane-admin-token', { body }],
    [403, 'ERR_ORIGIN_FORBIDDEN', '/api/membrane-token', { body, headers: { Origin: 'https://evil.test' } }],
    [404, 'ERR_NOT_FOUND', '/', {}],
    [405, 'ERR_METHOD_NOT_ALLOWED', '/api/membrane-token', { method: 'PUT', body }],
    [413, 'ERR_BODY_TOO_LARGE', '/api/membrane-token', { body: ' '.repeat(16_385) }],
    [
      415,
      'ERR_CONTENT_TYPE_UNSUPPORTED',
      '/api/membrane-token',
      { body, headers: { 'Content-Type': 'x/y' } },
    ],
  ])('%i %s is a problem with its headers', async (status, code, path, sent) => {
    const headers = { Authorization: BACKEND, ...json, ...sent?.headers }
    await expectProblem(await send(path, { ...sent, headers }), status, code)
  })

  test('415 names the accepted type and does not quote the request', async () => {
    const response = await ask(CUSTOMER, { 'Content-Type': 'text/quoted-marker' })
    expect(response.headers.get('Accept')).toBe('application/json')
    expect(await response.text()).not.toContain('marker')
  })

  test('401 and 403 take precedence over body errors', async () => {
    await expectProblem(await ask('{', { Authorization: 'Basic eDp5' }), 401, 'ERR_CREDENTIALS_MISSING')
    await expectProblem(await ask('{', { Authorization: CONSOLE }), 403, 'ERR_CALLER_FORBIDDEN')
  })
})

describe('routes', () => {
  test.each([
    ['PUT', '/api/membrane-token', ['GET', 'POST']],
    ['DELETE', '/api/membrane-token', ['GET', 'POST']],
    ['PATCH', '/api/membrane-token', ['GET', 'POST']],
    ['OPTIONS', '/api/membrane-token', ['GET', 'POST']],
    ['GET', '/api/membrane-admin-token', ['POST']],
    ['PUT', '/api/membrane-admin-token', ['POST']],
    ['POST', '/.well-known/jwks.json', ['GET', 'HEAD']],
    ['POST', '/healthz', ['GET', 'HEAD']],
    ['DELETE', '/healthz', ['GET', 'HEAD']],
  ])('%s %s gets 405 and the allowed methods', async (method, path, allow) => {
    const response = await send(path, { method, headers: { Authorization: BACKEND } })
    const allowed = response.headers.get('Allow')?.split(', ') ?? []
    expect(allowed).toEqual(expect.arrayContaining(allow))
    expect(allowed).not.toContain(method)
    await expectProblem(response, 405, 'ERR_METHOD_NOT_ALLOWED')
  })

  test.each(['/api/membrane-token', '/api/membrane-admin-token', '/healthz', '/.well-known/jwks.json'])(
    '%s does not list a method that it rejects',
    async (path) => {
      const headers = { Authorization: path.includes('admin') ? CONSOLE : BACKEND }
      const allow = (await send(path, { method: 'DELETE', headers })).headers.get('Allow') ?? ''
      expect(allow).not.toBe('')
      for (const method of allow.split(', ')) {
        expect([method, (await send(path, { method, headers })).status]).not.toEqual([method, 405])
      }
    },
  )

  test.each([
    '/',
    '/api',
    '/api/',
    '/api/membrane-token/',
    '/api/membrane-tokens',
    '/api/membrane-token/customer-42',
    '/.dev.vars',
    '/.env',
    '/favicon.ico',
    '/.well-known/jwks',
    '/.well-known/openid-configuration',
    '/healthz/',
    '/oauth/token',
    '/.well-known/oauth-authorization-server',
  ])('%s gets 404', async (path) => {
    const headers = { Authorization: BACKEND, 'Content-Type': 'application/json' }
    await expectProblem(await send(path, { headers, body: CUSTOMER }), 404, 'ERR_NOT_FOUND')
    await expectProblem(await send(path), 404, 'ERR_NOT_FOUND')
  })

  test.each(['/health', '/healthz', '/ready', '/readyz'])('%s says ok', async (path) => {
    const response = await send(path)
    expect([response.status, await response.json()]).toEqual([200, { status: 'ok' }])
    expect(response.headers.get('Cache-Control')).toBe('no-store')
    const head = await send(path, { method: 'HEAD' })
    expect([head.status, await head.text()]).toEqual([200, ''])
  })

  test('the key set for a secret is empty and public', async () => {
    const response = await send('/.well-known/jwks.json')
    expect(await response.json()).toEqual({ keys: [] })
    expect(response.headers.get('Cache-Control')).toBe('public, max-age=300')
  })
})

describe('every response', () => {
  const answers = () =>
    Promise.all([
      ask(CUSTOMER),
      ask('{'),
      ask(CUSTOMER, { Authorization: 'Bearer x' }),
      ask(CUSTOMER, { Origin: 'https://evil.test' }),
      send('/nowhere'),
      send('/healthz'),
      send('/api/membrane-token', { method: 'PUT' }),
      send('/.well-known/jwks.json'),
    ])

  test.each<[string, string, RegExp]>([
    ['HSTS for a year, without subdomains', 'Strict-Transport-Security', /^max-age=31536000$/],
    ['nosniff', 'X-Content-Type-Options', /^nosniff$/],
    ['no frames', 'X-Frame-Options', /^DENY$/],
    ['no referrer', 'Referrer-Policy', /^no-referrer$/],
    [
      'a content security policy that allows nothing',
      'Content-Security-Policy',
      /^default-src 'none'; base-uri 'none'; frame-ancestors 'none'$/,
    ],
    ['no cross-origin embedding', 'Cross-Origin-Resource-Policy', /^same-origin$/],
    ['a request id', 'X-Request-Id', /^[0-9a-f-]{36}$/],
    ['a caching rule', 'Cache-Control', /^(no-store|public, max-age=300)$/],
    ['a JSON type', 'Content-Type', /^application\/(json|problem\+json|jwk-set\+json)$/],
  ])('has %s', async (_, name, pattern) => {
    for (const response of await answers()) expect(response.headers.get(name)).toMatch(pattern)
  })

  test('sets no cookie, names no software and does not redirect', async () => {
    for (const response of await answers()) {
      for (const name of ['Set-Cookie', 'Server', 'X-Powered-By', 'Location', 'Refresh']) {
        expect(response.headers.get(name)).toBeNull()
      }
    }
  })

  test('over http is not a redirect to https', async () => {
    expect(ORIGIN).toMatch(/^http:/)
    expect((await ask(CUSTOMER)).status).toBe(200)
  })

  test('has the same request id in header and body', async () => {
    const fresh = await ask('{')
    expect(((await fresh.json()) as { requestId: string }).requestId).toBe(fresh.headers.get('X-Request-Id'))
    for (const path of ['/api/membrane-token', '/nowhere', '/healthz']) {
      const given = await send(path, { method: 'PUT', headers: { 'X-Request-Id': 'from-the-proxy_1' } })
      expect(given.headers.get('X-Request-Id')).toBe('from-the-proxy_1')
      expect(((await given.json()) as { requestId: string }).requestId).toBe('from-the-proxy_1')
    }
  })

  test('matches its request when many are concurrent', async () => {
    const ids = Array.from({ length: 50 }, (_, index) => `customer-${index}`)
    const responses = await Promise.all(ids.map((id) => ask({ id })))
    const claims = await Promise.all(responses.map((response) => claimsOf(response, secret)))
    expect(claims.map(({ id }) => id)).toEqual(ids)
  })
})
