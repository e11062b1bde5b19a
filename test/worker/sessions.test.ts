import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { claimsOf, expectProblem, makeSettings, type TokenBody, useStage } from './harness.ts'
import { inSeconds, makeProvider, type Writing } from './provider-stub.ts'

const AUDIENCE = 'https://api.test'
const idp = makeProvider('https://id.test/')
const { settings, secret } = makeSettings()
const session = {
  ...settings,
  SESSION_ISSUER: idp.issuer,
  SESSION_AUDIENCE: AUDIENCE,
  SESSION_JWKS_URI: 'https://id.test/.well-known/jwks.json',
}
const { SESSION_AUDIENCE: _, ...ofAnyAudience } = session
const { SESSION_JWKS_URI: __, ...discovered } = session
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
  parties: {
    bindings: { ...ofAnyAudience, SESSION_AUTHORIZED_PARTIES: 'https://app.test, https://other.test' },
    outbound,
  },
  both: { bindings: { ...session, SESSION_AUTHORIZED_PARTIES: 'https://app.test' }, outbound },
  audiences: { bindings: { ...session, SESSION_AUDIENCE: `first, ${AUDIENCE}` }, outbound },
  any: { bindings: { ...ofAnyAudience, SESSION_ANY_AUDIENCE: 'true' }, outbound },
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

interface Asking {
  worker?: string
  method?: string
  body?: unknown
  query?: string
  path?: string
}

const as = (token: string, { query = '', path = '/api/membrane-token', body, ...sent }: Asking = {}) =>
  send(`${path}${query}`, {
    headers: {
      Authorization: `Bearer ${token}`,
      ...(body !== undefined && { 'Content-Type': 'application/json' }),
    },
    body,
    ...sent,
  })

const good = (claims = {}, writing: Writing = {}) => idp.sign({ aud: AUDIENCE, ...claims }, writing)

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
      iss: settings.MEMBRANE_WORKSPACE_KEY,
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

const other = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const publicPem = idp.publicKey.export({ type: 'spki', format: 'pem' }).toString()
const { kid: ___, ...bareJwk } = idp.jwk
const itsOwnKey = { jwk: other.publicKey.export({ format: 'jwk' }) }

describe('a token that is rejected with 401 invalid_token', () => {
  test.each<[string, object, Writing, string?]>([
    ['has expired', { exp: inSeconds(-10) }, {}],
    ['has expired within the tolerance, so that no token could be valid', { exp: inSeconds(-2) }, {}],
    ['has no exp', { exp: undefined }, {}],
    ['has a string as exp', { exp: '2030-01-01' }, {}],
    ['has exp in milliseconds', { exp: Date.now() + 3_600_000 }, {}],
    ['is not valid yet', { nbf: inSeconds(3600) }, {}],
    ['has a string as nbf', { nbf: 'tomorrow' }, {}],
    ['has another audience', { aud: 'https://other.test' }, {}],
    ['has an audience that starts with the right one', { aud: `${AUDIENCE}/` }, {}],
    ['has a list of other audiences', { aud: ['a', 'b'] }, {}],
    ['has no audience', { aud: undefined }, {}],
    ['has null as audience', { aud: null }, {}],
    ['has an object as audience', { aud: { [AUDIENCE]: true } }, {}],
    ['has no subject', { sub: undefined }, {}],
    ['has an empty subject', { sub: '' }, {}],
    ['has a number as subject', { sub: 1 }, {}],
    ['is from another issuer', { iss: 'https://evil.test/' }, {}],
    ['has iss without the trailing slash', { iss: 'https://id.test' }, {}],
    ['has iss in upper case', { iss: 'https://ID.test/' }, {}],
    ['has a list of issuers', { iss: [idp.issuer] }, {}],
    ['has no issuer', { iss: undefined }, {}],
    ['is signed by another key', {}, { key: other.privateKey }],
    ['is signed with RSA under the kid of the EC key', {}, { key: rsa.privateKey, algorithm: 'RS256' }],
    ['has alg RS256 but another signature', {}, { header: { alg: 'RS256' } }],
    ['has alg ES384 but another signature', {}, { header: { alg: 'ES384' } }],
    ['has alg es256', {}, { header: { alg: 'es256' } }],
    ['has alg none', {}, { algorithm: 'none' }],
    ['says None', {}, { algorithm: 'none', header: { alg: 'None' } }],
    ['has alg nOnE and a signature', {}, { header: { alg: 'nOnE' } }],
    ['has no alg', {}, { header: { alg: undefined } }],
    ['is HS256 with the public key as secret', {}, { algorithm: 'HS256', key: publicPem }],
    ['is HS256 with the JWK as secret', {}, { algorithm: 'HS256', key: JSON.stringify(bareJwk) }],
    ['is HS256 with an empty secret', {}, { algorithm: 'HS256', key: '' }],
    ['has an unknown kid', {}, { header: { kid: 'key-2' } }],
    ['has a path as kid', {}, { header: { kid: '../../dev/null' } }],
    ['has SQL as kid', {}, { header: { kid: "' OR 1=1 --" } }],
    ['has a number as kid', {}, { header: { kid: 1 } }],
    ['embeds its own key', {}, { key: other.privateKey, header: itsOwnKey }],
    ['points to its own key set', {}, { key: other.privateKey, header: { jku: 'https://evil.test/jwks' } }],
    ['points to its own certificate', {}, { key: other.privateKey, header: { x5u: 'https://evil.test/x' } }],
    ['embeds its own certificate', {}, { key: other.privateKey, header: { x5c: ['MIIB'] } }],
    ['requires an extension (crit)', {}, { header: { crit: ['exp'] } }],
    ['has an unencoded payload (b64: false)', {}, { header: { b64: false, crit: ['b64'] } }],
    ['was issued to another party', { azp: 'https://evil.test' }, {}, 'parties'],
    ['has no azp', { aud: undefined }, {}, 'parties'],
    ['has a list as azp', { azp: ['https://app.test'] }, {}, 'parties'],
    ['has the right azp but another audience', { azp: 'https://app.test', aud: 'x' }, {}, 'both'],
    ['has the right audience but another azp', { azp: 'https://evil.test' }, {}, 'both'],
    ['has expired, with any audience accepted', { exp: inSeconds(-10) }, {}, 'any'],
    ['is from another issuer, with any audience accepted', { iss: 'https://evil.test/' }, {}, 'any'],
  ])('%s', async (_, claims, writing, worker = 'main') => {
    idp.asked.length = 0
    await expectProblem(await as(good(claims, writing), { worker }), 401, 'ERR_CREDENTIALS_INVALID')
    expect(idp.asked.filter((url) => !url.startsWith(idp.issuer))).toEqual([])
  })

  const [header, payload, signature] = good().split('.') as [string, string, string]
  const zeros = Buffer.alloc(64).toString('base64url')

  test.each([
    ['has an empty signature', `${header}.${payload}.`],
    ['has a signature of zeros', `${header}.${payload}.${zeros}`],
    ['has two parts', `${header}.${payload}`],
    ['has four parts', `${header}.${payload}.${signature}.${signature}`],
    ['has five parts, as if encrypted', `${header}..${payload}.${signature}.${signature}`],
    ['has padding', `${header}.${payload}.${signature}==`],
    [
      'has a modified payload',
      `${header}.${Buffer.from('{"sub":"victim"}').toString('base64url')}.${signature}`,
    ],
    ['has a payload that is not JSON', `${header}.${Buffer.from('x').toString('base64url')}.${signature}`],
    ['has a header that is null', `${Buffer.from('null').toString('base64url')}.${payload}.${signature}`],
    ['has 9000 characters', `${header}.${'A'.repeat(9000)}.${signature}`],
  ])('%s', async (_, token) => {
    for (const worker of ['main', 'alone']) {
      await expectProblem(await as(token, { worker }), 401, 'ERR_CREDENTIALS_INVALID')
    }
  })
})

describe('a Membrane token', () => {
  test('is not a session, even if issued here', async () => {
    for (const claims of [{ iss: settings.MEMBRANE_WORKSPACE_KEY }, {}]) {
      const token = good({ id: 'user-1', ...claims }, { algorithm: 'HS256', key: secret })
      await expectProblem(await as(token), 401, 'ERR_CREDENTIALS_INVALID')
    }
    const { token } = (await (await as(good())).json()) as TokenBody
    await expectProblem(await as(token), 401, 'ERR_CREDENTIALS_INVALID')
  })
})

describe('a token that is accepted', () => {
  test.each<[string, object, Writing, string?]>([
    ['has the audience among others', { aud: ['x', AUDIENCE] }, {}],
    ['has the second of two audiences', {}, {}, 'audiences'],
    ['has no kid, and the set has one key', {}, { header: { kid: undefined } }],
    ['has nbf within the tolerance of 5 seconds', { nbf: inSeconds(3) }, {}],
    ['was issued to one of two parties', { azp: 'https://other.test', aud: undefined }, {}, 'parties'],
    ['has the right azp and the right audience', { azp: 'https://app.test' }, {}, 'both'],
    ['has any audience, where that is configured', { aud: 'anything' }, {}, 'any'],
    ['has no audience, where that is configured', { aud: undefined }, {}, 'any'],
  ])('%s', async (_, claims, writing, worker = 'main') => {
    expect(await claimsOf(await as(good(claims, writing), { worker }), secret)).toMatchObject({
      id: 'user-1',
    })
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
