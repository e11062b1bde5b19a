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

/** Not the cache that all Workers of one place share, and with it the keys. */
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
  'has too large a set': ({ pathname }) =>
    pathname.endsWith('jwks.json')
      ? Response.json({ keys: [], x: 'x'.repeat(70_000) })
      : idp.pages[pathname]!(),
  'has a secret in its set': ({ pathname }) =>
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
    ['keys that are discovered', { worker: 'discovered' }],
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

  test('gets it bare as well', async () => {
    const headers = { Authorization: `Bearer ${good()}`, Accept: 'application/jwt' }
    const response = await send('/api/membrane-token', { headers })
    expect([response.status, response.headers.get('Content-Type')]).toEqual([200, 'application/jwt'])
  })

  test.each<[string, object, number, Asking]>([
    ['the default', {}, 7200, {}],
    ['the requested lifetime', {}, 1800, { body: { expiresIn: '30m' } }],
    ['the limit', {}, 86_400, { body: { expiresIn: '9w' } }],
    ['a lower limit', {}, 1200, { body: { expiresIn: '9w' }, worker: 'short' }],
    ['its own end', { exp: inSeconds(600) }, 600, {}],
    ['its own end, whatever is requested', { exp: inSeconds(600) }, 600, { body: { expiresIn: '1h' } }],
    ['a requested lifetime before its own end', { exp: inSeconds(600) }, 60, { body: { expiresIn: '1m' } }],
  ])('gets a token that ends with %s', async (_, claims, seconds, asking) => {
    const token = good({ exp: inSeconds(90_000), ...claims })
    const response = await as(token, asking)
    const { expiresIn } = (await response.clone().json()) as TokenBody
    const { iat, exp } = await claimsOf(response, secret)
    expect(exp! - iat!).toBe(expiresIn)
    expect(exp!).toBeLessThanOrEqual(JSON.parse(atob(token.split('.')[1]!)).exp)
    // While these tests run, a session's end comes nearer.
    expect(expiresIn).toBeLessThanOrEqual(seconds)
    expect(expiresIn).toBeGreaterThan(seconds - 60)
  })

  const MEMBERS = ['id', 'name', 'fields', 'isAdmin']

  test.each(MEMBERS)('that sends %s gets 403, wherever it stands and whatever it says', async (member) => {
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
    ['a body that is no JSON', { body: 'expiresIn=60' }, 400, 'ERR_BODY_INVALID'],
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
  test('is found by a dotted path, a URL, and in fields under the last part', async () => {
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

  test('needs no name and no fields', async () => {
    const claims = await claimsOf(await as(good({ org: { id: 'org-1' } }), { worker: 'mapped' }), secret)
    expect(Object.keys(claims)).toEqual(['id', 'iat', 'exp', 'iss', 'jti'])
  })

  test('is read from a claim whose whole name has the dot', async () => {
    const claims = { 'org.id': 'org-9', org: {} }
    expect(await claimsOf(await as(good(claims), { worker: 'mapped' }), secret)).toMatchObject({
      id: 'org-9',
    })
  })

  test('that is a whole number becomes decimal text', async () => {
    const claims = { org: { id: 42 } }
    expect(await claimsOf(await as(good(claims), { worker: 'mapped' }), secret)).toMatchObject({ id: '42' })
  })

  test.each<[string, object]>([
    ['is missing', {}],
    ['is missing in its object', { org: {} }],
    ['is empty', { org: { id: '' } }],
    ['is a fraction', { org: { id: 4.2 } }],
    ['is a placeholder', { org: { id: 'undefined' } }],
    ['is both a claim and a path', { 'org.id': 'org-9', org: { id: 'org-1' } }],
    ['is a list', { org: { id: ['org-1'] } }],
    ['stands in a string', { org: 'org-1' }],
    ['stands in null', { org: null }],
    ['would have to be inherited', { org: [] }],
  ])('that %s gets 403, by name of the claim', async (_, claims) => {
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

describe('a token that is refused with 401 invalid_token', () => {
  test.each<[string, object, Writing, string?]>([
    ['has ended', { exp: inSeconds(-10) }, {}],
    ['has ended within the tolerance, so that no token could live', { exp: inSeconds(-2) }, {}],
    ['has no end', { exp: undefined }, {}],
    ['ends at a time in words', { exp: '2030-01-01' }, {}],
    ['ends at a time in milliseconds', { exp: Date.now() + 3_600_000 }, {}],
    ['is not valid yet', { nbf: inSeconds(3600) }, {}],
    ['is not valid at a time in words', { nbf: 'tomorrow' }, {}],
    ['has another audience', { aud: 'https://other.test' }, {}],
    ['has an audience that only begins alike', { aud: `${AUDIENCE}/` }, {}],
    ['has a list of other audiences', { aud: ['a', 'b'] }, {}],
    ['has no audience', { aud: undefined }, {}],
    ['has null as audience', { aud: null }, {}],
    ['has an object as audience', { aud: { [AUDIENCE]: true } }, {}],
    ['has no subject', { sub: undefined }, {}],
    ['has an empty subject', { sub: '' }, {}],
    ['has a number as subject', { sub: 1 }, {}],
    ['is of another issuer', { iss: 'https://evil.test/' }, {}],
    ['is of an issuer without the slash', { iss: 'https://id.test' }, {}],
    ['is of an issuer in capitals', { iss: 'https://ID.test/' }, {}],
    ['has a list of issuers', { iss: [idp.issuer] }, {}],
    ['has no issuer', { iss: undefined }, {}],
    ['is signed by another key', {}, { key: other.privateKey }],
    ['is signed with RSA under the name of the EC key', {}, { key: rsa.privateKey, algorithm: 'RS256' }],
    ['says RS256 and is not', {}, { header: { alg: 'RS256' } }],
    ['says ES384 and is not', {}, { header: { alg: 'ES384' } }],
    ['says es256', {}, { header: { alg: 'es256' } }],
    ['says none', {}, { algorithm: 'none' }],
    ['says None', {}, { algorithm: 'none', header: { alg: 'None' } }],
    ['says nOnE, with a signature', {}, { header: { alg: 'nOnE' } }],
    ['says nothing of its algorithm', {}, { header: { alg: undefined } }],
    ['is HS256 with the public key as secret', {}, { algorithm: 'HS256', key: publicPem }],
    ['is HS256 with the JWK as secret', {}, { algorithm: 'HS256', key: JSON.stringify(bareJwk) }],
    ['is HS256 with an empty secret', {}, { algorithm: 'HS256', key: '' }],
    ['names an unknown key', {}, { header: { kid: 'key-2' } }],
    ['names a path as its key', {}, { header: { kid: '../../dev/null' } }],
    ['names SQL as its key', {}, { header: { kid: "' OR 1=1 --" } }],
    ['names its key by a number', {}, { header: { kid: 1 } }],
    ['brings its own key', {}, { key: other.privateKey, header: itsOwnKey }],
    ['points to its own key set', {}, { key: other.privateKey, header: { jku: 'https://evil.test/jwks' } }],
    ['points to its own certificate', {}, { key: other.privateKey, header: { x5u: 'https://evil.test/x' } }],
    ['brings its own certificate', {}, { key: other.privateKey, header: { x5c: ['MIIB'] } }],
    ['demands an extension', {}, { header: { crit: ['exp'] } }],
    ['is not encoded', {}, { header: { b64: false, crit: ['b64'] } }],
    ['was given to another party', { azp: 'https://evil.test' }, {}, 'parties'],
    ['was given to nobody', { aud: undefined }, {}, 'parties'],
    ['was given to a list', { azp: ['https://app.test'] }, {}, 'parties'],
    ['was given to the right party for another audience', { azp: 'https://app.test', aud: 'x' }, {}, 'both'],
    ['was given to another party for the right audience', { azp: 'https://evil.test' }, {}, 'both'],
    ['has ended, for any audience', { exp: inSeconds(-10) }, {}, 'any'],
    ['is of another issuer, for any audience', { iss: 'https://evil.test/' }, {}, 'any'],
  ])('%s', async (_, claims, writing, worker = 'main') => {
    idp.asked.length = 0
    await expectProblem(await as(good(claims, writing), { worker }), 401, 'ERR_CREDENTIALS_INVALID')
    expect(idp.asked.filter((url) => !url.startsWith(idp.issuer))).toEqual([])
  })

  const [header, payload, signature] = good().split('.') as [string, string, string]
  const zeros = Buffer.alloc(64).toString('base64url')

  test.each([
    ['has lost its signature', `${header}.${payload}.`],
    ['has a signature of zeros', `${header}.${payload}.${zeros}`],
    ['has two parts', `${header}.${payload}`],
    ['has four parts', `${header}.${payload}.${signature}.${signature}`],
    ['has five parts, as if encrypted', `${header}..${payload}.${signature}.${signature}`],
    ['has padding', `${header}.${payload}.${signature}==`],
    [
      'has another payload',
      `${header}.${Buffer.from('{"sub":"victim"}').toString('base64url')}.${signature}`,
    ],
    ['has a payload that is no JSON', `${header}.${Buffer.from('x').toString('base64url')}.${signature}`],
    ['has a header that is null', `${Buffer.from('null').toString('base64url')}.${payload}.${signature}`],
    ['is of 9000 characters', `${header}.${'A'.repeat(9000)}.${signature}`],
  ])('%s', async (_, token) => {
    for (const worker of ['main', 'alone']) {
      await expectProblem(await as(token, { worker }), 401, 'ERR_CREDENTIALS_INVALID')
    }
  })
})

describe('a token of Membrane', () => {
  test('is no session, though it was made here', async () => {
    for (const claims of [{ iss: settings.MEMBRANE_WORKSPACE_KEY }, {}]) {
      const token = good({ id: 'user-1', ...claims }, { algorithm: 'HS256', key: secret })
      await expectProblem(await as(token), 401, 'ERR_CREDENTIALS_INVALID')
    }
    const { token } = (await (await as(good())).json()) as TokenBody
    await expectProblem(await as(token), 401, 'ERR_CREDENTIALS_INVALID')
  })
})

describe('a token that is taken', () => {
  test.each<[string, object, Writing, string?]>([
    ['has the audience among others', { aud: ['x', AUDIENCE] }, {}],
    ['has the second of two audiences', {}, {}, 'audiences'],
    ['names no key, of which there is only one', {}, { header: { kid: undefined } }],
    ['begins within the tolerance of 5 seconds', { nbf: inSeconds(3) }, {}],
    ['was given to one of two parties', { azp: 'https://other.test', aud: undefined }, {}, 'parties'],
    ['was given to the right party for the right audience', { azp: 'https://app.test' }, {}, 'both'],
    ['is for whatever audience, where that is asked for', { aud: 'anything' }, {}, 'any'],
    ['is for no audience, where that is asked for', { aud: undefined }, {}, 'any'],
  ])('%s', async (_, claims, writing, worker = 'main') => {
    expect(await claimsOf(await as(good(claims, writing), { worker }), secret)).toMatchObject({
      id: 'user-1',
    })
  })
})

describe('a provider', () => {
  test.each(Object.keys(BROKEN))('that %s makes a 503 with Retry-After', async (worker) => {
    const response = await as(good(), { worker })
    await expectProblem(response, 503, 'ERR_JWKS_UNAVAILABLE')
    expect((await send('/healthz', { worker })).status).toBe(200)
  })

  test('is not asked again for every token', async () => {
    await as(good())
    idp.asked.length = 0
    await Promise.all(Array.from({ length: 10 }, () => as(good())))
    expect(idp.asked).toEqual([])
  })
})
