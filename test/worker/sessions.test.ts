import { describe, expect, test } from 'vitest'
import { claimsOf, expectProblem, type TokenBody, useStage } from './harness.ts'
import { inSeconds } from './provider-stub.ts'
import { type Asking, askWith, makeSessions } from './session-settings.ts'

const { idp, settings: session, secret, sign: good } = makeSessions()
const { SESSION_JWKS_URI: _, ...discovered } = session
const alone = { ...session, API_KEYS: '' }

/** Keeps Workers from sharing the cache, and with it the keys. */
const ALONE = { cacheAPI: false }

/** Providers with wrong metadata or keys, found by discovery. */
const BROKEN: Record<string, (url: URL) => Response | Promise<Response>> = {
  'names another issuer': () =>
    Response.json({ issuer: 'https://id.test', jwks_uri: 'https://id.test/jwks' }),
  'names no key set': () => Response.json({ issuer: idp.issuer }),
  'names a key set that is not https': () =>
    Response.json({ issuer: idp.issuer, jwks_uri: 'http://id.test/.well-known/jwks.json' }),
  'answers 500': () => Response.json({}, { status: 500 }),
  'answers HTML': () => new Response('<!doctype html>', { headers: { 'Content-Type': 'text/html' } }),
  'answers null': () => Response.json(null),
  redirects: () => new Response(null, { status: 302, headers: { Location: 'https://evil.test/' } }),
  'publishes a key set that is too large': ({ pathname }) =>
    pathname.endsWith('jwks.json')
      ? Response.json({ keys: [], x: 'x'.repeat(70_000) })
      : idp.pages[pathname]!(),
  'publishes a secret in its key set': ({ pathname }) =>
    pathname.endsWith('jwks.json')
      ? Response.json({ keys: [{ kty: 'oct', k: 'c2VjcmV0', kid: 'key-1' }] })
      : idp.pages[pathname]!(),
}

const { outbound } = idp
const { send } = useStage({
  main: { bindings: session, outbound },
  discovered: { bindings: discovered, outbound },
  alone: { bindings: alone, outbound },
  short: { bindings: { ...session, TOKEN_EXPIRES_IN: '10m', TOKEN_MAX_EXPIRES_IN: '20m' }, outbound },
  mapped: {
    bindings: {
      ...session,
      SESSION_CUSTOMER_ID_CLAIM: 'org.id',
      SESSION_CUSTOMER_NAME_CLAIM: 'https://app.test/org_name',
      SESSION_FIELD_CLAIMS: 'plan, org.size, https://app.test/region',
    },
    outbound,
  },
  ...Object.fromEntries(
    Object.entries(BROKEN).map(([what, answer]) => [
      what,
      { bindings: discovered, outbound: answer, options: ALONE },
    ]),
  ),
})

const as = askWith(send)

describe('a session', () => {
  test.each<[string, Asking]>([
    ['GET', {}],
    ['POST without a body', { method: 'POST' }],
    ['POST with an empty object', { body: {} }],
    ['discovered keys', { worker: 'discovered' }],
    ['no other callers', { worker: 'alone' }],
  ])('gets the token of its customer, and nothing more: %s', async (_, asking) => {
    const response = await as(good({ name: 'Ada', plan: 'trial', isAdmin: true, fields: { a: 1 } }), asking)
    expect(response.headers.get('Cache-Control')).toBe('no-store')
    expect(await claimsOf(response, secret, { algorithms: ['HS512'] })).toEqual({
      id: 'user-1',
      name: 'Ada',
      jti: expect.any(String),
      iss: session.MEMBRANE_WORKSPACE_KEY,
      iat: expect.any(Number),
      exp: expect.any(Number),
    })
  })

  test('can get a bare token', async () => {
    const headers = { Authorization: `Bearer ${good()}`, Accept: 'application/jwt' }
    const response = await send('/api/membrane-token', { headers })
    expect([response.status, response.headers.get('Content-Type')]).toEqual([200, 'application/jwt'])
  })

  test.each<[string, object, number, Asking]>([
    ['the default', {}, 7200, {}],
    ['the requested lifetime', {}, 1800, { body: { expiresIn: '30m' } }],
    ['the limit', {}, 86_400, { body: { expiresIn: '9w' } }],
    ['a lower limit', {}, 1200, { body: { expiresIn: '9w' }, worker: 'short' }],
    ['the end of the session', { exp: inSeconds(600) }, 600, {}],
    [
      'the end of the session, regardless of the request',
      { exp: inSeconds(600) },
      600,
      { body: { expiresIn: '1h' } },
    ],
    [
      'a requested lifetime shorter than the session',
      { exp: inSeconds(600) },
      60,
      { body: { expiresIn: '1m' } },
    ],
  ])('gets a token that ends with %s', async (_, claims, seconds, asking) => {
    const token = good({ exp: inSeconds(90_000), ...claims })
    const response = await as(token, asking)
    const { expiresIn } = (await response.clone().json()) as TokenBody
    const { iat, exp } = await claimsOf(response, secret)
    expect(exp! - iat!).toBe(expiresIn)
    expect(exp!).toBeLessThanOrEqual(JSON.parse(atob(token.split('.')[1]!)).exp)
    // The session's remaining time shrinks while the tests run.
    expect(expiresIn).toBeLessThanOrEqual(seconds)
    expect(expiresIn).toBeGreaterThan(seconds - 60)
  })

  const MEMBERS = ['id', 'name', 'fields', 'isAdmin']

  test.each(MEMBERS)('that sends %s gets 403, in any place and with any value', async (member) => {
    for (const value of ['user-1', 'user-2', '', null, true, {}]) {
      const detail = await expectProblem(
        await as(good(), { body: { [member]: value } }),
        403,
        'ERR_CALLER_FORBIDDEN',
      )
      expect(detail).toContain(`"${member}"`)
    }
    for (const query of [
      `?${member}=user-1`,
      `?${member}`,
      `?a=b&${member}=&c`,
      `?%${member.charCodeAt(0).toString(16)}${member.slice(1)}=x`,
    ]) {
      await expectProblem(await as(good(), { query }), 403, 'ERR_CALLER_FORBIDDEN')
      await expectProblem(await as(good(), { query, body: {} }), 403, 'ERR_CALLER_FORBIDDEN')
    }
  })

  test.each<[string, Asking, number, string]>([
    ['a lifetime without a unit', { body: { expiresIn: '60' } }, 400, 'ERR_LIFETIME_INVALID'],
    ['a body that is not JSON', { body: 'expiresIn=60' }, 400, 'ERR_BODY_INVALID'],
    ['a body that is too large', { body: ' '.repeat(16_385) }, 413, 'ERR_BODY_TOO_LARGE'],
    ['the admin route', { path: '/api/membrane-admin-token', method: 'POST' }, 403, 'ERR_CALLER_FORBIDDEN'],
  ])('with %s gets an error', async (_, asking, status, code) => {
    await expectProblem(
      await as(good({ isAdmin: true, scope: 'admin', scopes: ['admin'] }), asking),
      status,
      code,
    )
  })
})

describe('a customer in the claims', () => {
  test('is read from a dotted path or a URL, and fields take the last part of their path', async () => {
    const claims = {
      org: { id: 'org-1', size: 5 },
      'https://app.test/org_name': 'Org One',
      plan: { tier: 'gold' },
      'https://app.test/region': 'eu',
      name: 'Ada',
    }
    expect(await claimsOf(await as(good(claims), { worker: 'mapped' }), secret)).toMatchObject({
      id: 'org-1',
      name: 'Org One',
      fields: { plan: { tier: 'gold' }, size: 5, region: 'eu' },
    })
  })

  test('needs neither name nor fields', async () => {
    const claims = await claimsOf(await as(good({ org: { id: 'org-1' } }), { worker: 'mapped' }), secret)
    expect(Object.keys(claims)).toEqual(['id', 'iat', 'exp', 'iss', 'jti'])
  })

  test('is read from a claim with a dot in its name', async () => {
    const claims = { 'org.id': 'org-9', org: {} }
    expect(await claimsOf(await as(good(claims), { worker: 'mapped' }), secret)).toMatchObject({
      id: 'org-9',
    })
  })

  test('that is an integer becomes a decimal string', async () => {
    const claims = { org: { id: 42 } }
    expect(await claimsOf(await as(good(claims), { worker: 'mapped' }), secret)).toMatchObject({ id: '42' })
  })

  test.each<[string, object]>([
    ['is missing', {}],
    ['is missing from its object', { org: {} }],
    ['is empty', { org: { id: '' } }],
    ['is a fraction', { org: { id: 4.2 } }],
    ['is a placeholder', { org: { id: 'undefined' } }],
    ['is both a claim and a path', { 'org.id': 'org-9', org: { id: 'org-1' } }],
    ['is a list', { org: { id: ['org-1'] } }],
    ['is inside a string', { org: 'org-1' }],
    ['is inside null', { org: null }],
    ['would be an inherited member', { org: [] }],
  ])('that %s gets 403 naming the claim', async (_, claims) => {
    const detail = await expectProblem(
      await as(good(claims), { worker: 'mapped' }),
      403,
      'ERR_CALLER_FORBIDDEN',
    )
    expect(detail).toContain('org.id')
  })
})

describe('an identity provider', () => {
  test.each(Object.keys(BROKEN))('that %s causes a 503 with Retry-After', async (worker) => {
    const response = await as(good(), { worker })
    await expectProblem(response, 503, 'ERR_JWKS_UNAVAILABLE')
    expect((await send('/healthz', { worker })).status).toBe(200)
  })

  test('is not queried for every token', async () => {
    await as(good())
    idp.asked.length = 0
    await Promise.all(Array.from({ length: 10 }, () => as(good())))
    expect(idp.asked).toEqual([])
  })
})
