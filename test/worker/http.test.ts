import { describe, expect, test } from 'vitest'
import { claimsOf, expectProblem, makeSettings, ORIGIN, type TokenBody, useWorkers } from './harness.ts'

// Bodies, callers, Accept and the errors of the token routes are tested in conformance/endpoint-*.

const { settings, secret, apiKeys } = makeSettings()
const BACKEND = `Bearer ${apiKeys.backend}`
const CONSOLE = `Bearer ${apiKeys.console}`
const CUSTOMER = { id: 'customer-42', name: 'Acme Inc.', fields: { plan: 'trial' } }

const { send } = useWorkers({
  main: { bindings: settings },
  limited: { bindings: { ...settings, TOKEN_EXPIRES_IN: '10m', TOKEN_MAX_EXPIRES_IN: '1h' } },
})

const requestToken = (body: unknown, headers: Record<string, string> = {}) =>
  send('/api/membrane-token', {
    headers: { Authorization: BACKEND, 'Content-Type': 'application/json', ...headers },
    body,
  })

test('a customer token is issued to a service for the customer it names', async () => {
  const response = await requestToken(CUSTOMER)
  expect(response.status).toBe(200)
  expect(response.headers.get('Content-Type')).toBe('application/json')
  expect(response.headers.get('Cache-Control')).toBe('no-store')

  const body = (await response.clone().json()) as TokenBody
  expect(Object.keys(body)).toEqual(['token', 'expiresAt', 'expiresIn'])
  const claims = await claimsOf(response, secret, { algorithms: ['HS512'] })
  expect(claims).toEqual({
    ...CUSTOMER,
    iss: 'workspace-under-test',
    jti: expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
    iat: expect.any(Number),
    exp: claims.iat! + 7200,
  })
  expect(body.expiresIn).toBe(7200)
  expect(body.expiresAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
  expect(Date.parse(body.expiresAt)).toBe(claims.exp! * 1000)
})

test.each([
  ['the default lifetime', undefined, 600],
  ['the requested lifetime', { expiresIn: '20m' }, 1200],
  ['the maximum', { expiresIn: '1d' }, 3600],
])('an admin token expires after %s', async (_, body, seconds) => {
  const response = await send('/api/membrane-admin-token', {
    method: 'POST',
    headers: { Authorization: CONSOLE, ...(body && { 'Content-Type': 'application/json' }) },
    body,
    worker: 'limited',
  })
  const { isAdmin, iat, exp } = await claimsOf(response, secret)
  expect([isAdmin, exp! - iat!]).toEqual([true, seconds])
})

describe('routes', () => {
  const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']

  test.each([
    ['/api/membrane-token', 'GET, POST'],
    ['/api/membrane-admin-token', 'POST'],
    ['/.well-known/jwks.json', 'GET, HEAD'],
    ['/healthz', 'GET, HEAD'],
  ])('%s allows only %s, and a 405 says so', async (path, allow) => {
    const allowed = allow.split(', ')
    for (const method of new Set([...METHODS, ...allowed])) {
      const headers = { Authorization: path.includes('admin') ? CONSOLE : BACKEND }
      const response = await send(path, { method, headers })
      if (allowed.includes(method)) {
        expect(response.status, method).not.toBe(405)
      } else {
        expect(response.headers.get('Allow')).toBe(allow)
        await expectProblem(response, 405, 'ERR_METHOD_NOT_ALLOWED')
      }
    }
  })

  test.each(['/health', '/healthz', '/ready', '/readyz'])('%s returns the status ok', async (path) => {
    const response = await send(path)
    expect([response.status, await response.json()]).toEqual([200, { status: 'ok' }])
    expect(response.headers.get('Cache-Control')).toBe('no-store')
    const head = await send(path, { method: 'HEAD' })
    expect([head.status, await head.text()]).toEqual([200, ''])
  })
})

describe('every response', () => {
  const responses = () =>
    Promise.all([
      requestToken(CUSTOMER),
      requestToken('{'),
      requestToken(CUSTOMER, { Authorization: 'Bearer x' }),
      requestToken(CUSTOMER, { Origin: 'https://evil.test' }),
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
    for (const response of await responses()) expect(response.headers.get(name)).toMatch(pattern)
  })

  test('sets no cookie, names no software and does not redirect', async () => {
    for (const response of await responses()) {
      for (const name of ['Set-Cookie', 'Server', 'X-Powered-By', 'Location', 'Refresh']) {
        expect(response.headers.get(name)).toBeNull()
      }
    }
  })

  test('over http is not a redirect to https', async () => {
    expect(ORIGIN).toMatch(/^http:/)
    expect((await requestToken(CUSTOMER)).status).toBe(200)
  })

  test('has the same request id in header and body', async () => {
    const generated = await requestToken('{')
    expect(await generated.json()).toMatchObject({ requestId: generated.headers.get('X-Request-Id') })
    for (const path of ['/api/membrane-token', '/nowhere', '/healthz']) {
      const requestId = 'from-the-proxy_1'
      const response = await send(path, { method: 'PUT', headers: { 'X-Request-Id': requestId } })
      expect(response.headers.get('X-Request-Id')).toBe(requestId)
      expect(await response.json()).toMatchObject({ requestId })
    }
  })

  test('matches its request when many are concurrent', async () => {
    const ids = Array.from({ length: 50 }, (_, index) => `customer-${index}`)
    const tokens = await Promise.all(ids.map((id) => requestToken({ id })))
    const claims = await Promise.all(tokens.map((response) => claimsOf(response, secret)))
    expect(claims.map(({ id }) => id)).toEqual(ids)
  })
})
