import type { SessionJwtOptions } from '../../src/endpoint.ts'
import { toBase64url, utf8 } from './encoding.ts'
import {
  audience,
  bearer,
  createSession,
  issuer,
  makeRequest,
  refuses,
  sessionToken,
} from './endpoint-harness.ts'
import * as shapes from './key-shapes.ts'
import { privateJwk, publicJwk } from './keys.ts'
import { published } from './remote-key-set-harness.ts'
import { assert, type ConformanceModule, equal } from './suite.ts'
import { encodePart, type Forgery, now } from './token-fixtures.ts'

type Options = Partial<SessionJwtOptions>

const seconds = now / 1000

async function authenticateWith(token: string, options: Options = {}) {
  return (await createSession(options))(bearer(token))
}

async function authenticateHeader(authorization: string) {
  return (await createSession())(makeRequest({ headers: { Authorization: authorization } }))
}

const anyAudience: Options = { audience: undefined, anyAudience: true }
const onlyParties: Options = { audience: undefined, authorizedParties: ['app'] }
const typed = (typ: unknown): Forgery => ({ header: { kid: 'a', typ } })

export const endpointSession: ConformanceModule = ({ test }) => {
  const good: [string, object, Options?, Forgery?][] = [
    ['the audience', {}],
    ['the audience in a list', { aud: [audience] }],
    ['the audience among others', { aud: ['https://id.example/userinfo', audience] }],
    ['one of several audiences', {}, { audience: ['other', audience] }],
    [
      'an authorized party',
      { aud: undefined, azp: 'app' },
      { ...onlyParties, authorizedParties: ['web', 'app'] },
    ],
    ['audience and party', { azp: 'app' }, { authorizedParties: ['app'] }],
    ['any audience', { aud: 'other' }, anyAudience],
    ['any audience, and a token without one', { aud: undefined }, anyAudience],
    ['no type', {}, {}, typed(undefined)],
    ['the type', {}, { type: 'at+jwt' }, typed('at+jwt')],
    ['the type in full', {}, { type: 'at+jwt' }, typed('application/at+jwt')],
    ['the type in capitals', {}, { type: 'application/at+jwt' }, typed('AT+JWT')],
    ['no kid', {}, {}, { header: {} }],
    ['the algorithm', {}, { algorithms: ['ES256', 'RS256'] }],
    ['expired four seconds ago', { exp: seconds - 4 }],
    ['expired a minute ago, within the tolerance', { exp: seconds - 59 }, { clockTolerance: 60 }],
    ['valid in five seconds', { nbf: seconds + 5 }],
    ['fractions of a second', { exp: seconds + 60.5 }],
    ['an access token', { client_id: 'app' }, {}, typed('at+jwt')],
    ['an access token with its full type', {}, {}, typed('application/AT+JWT')],
    ['JWT with its full type', {}, {}, typed('application/jwt')],
    ['another type, if it is required', {}, { type: 'session+jwt' }, typed('session+jwt')],
    ['a user of Auth0', { gty: 'password', azp: 'app' }],
    ['a user of Entra ID', { idtyp: 'user' }],
    [
      'a user of Keycloak with the name of a service account',
      { azp: 'app', preferred_username: 'service-account-x' },
    ],
    ['events and cnf of null', { events: null, cnf: null }],
    ['only authorized parties, and no audience', { aud: undefined, azp: 'app' }, onlyParties],
    ['authorized parties and any audience', { azp: 'app' }, { ...anyAudience, authorizedParties: ['app'] }],
  ]
  for (const [title, claims, options, forgery] of good) {
    test(`accepted: ${title}`, async () => {
      const caller = await authenticateWith(await sessionToken(claims, forgery), options)
      const expiresAt = new Date(((claims as { exp?: number }).exp ?? seconds + 3600) * 1000)
      const expected = { kind: 'customer', method: 'session', customer: { id: 'user-7' }, subject: 'user-7' }
      equal({ ...caller }, { ...expected, expiresAt })
    })
  }

  test('accepted: RS256 and PS256', async () => {
    const key = await privateJwk('RSA')
    const jwks = { keys: [await published('P-256', 'a'), await published('RSA', 'b')] }
    for (const algorithm of ['RS256', 'PS256'] as const) {
      const token = await sessionToken({}, { algorithm, key, header: { kid: 'b' } })
      assert(await authenticateWith(token, { jwks: jwks as never }))
    }
  })

  const bad: [string, object, Options?, Forgery?][] = [
    ['another audience', { aud: 'https://other.example' }],
    ['no audience', { aud: undefined }],
    ['an audience with ours as its prefix', { aud: `${audience}/v2` }],
    ['an audience in capitals', { aud: audience.toUpperCase() }],
    ['a list of other audiences', { aud: ['https://other.example', `${audience}/`] }],
    ['an empty list of audiences', { aud: [] }],
    ['a list in a list', { aud: [[audience]] }],
    ['an audience that is an object', { aud: { [audience]: true } }],
    ['an audience of null', { aud: null }],
    ['another party', { azp: 'other' }, onlyParties],
    ['no party', {}, { authorizedParties: ['app'] }],
    ['a list of parties', { azp: ['app'] }, { authorizedParties: ['app'] }],
    ['the party, but not the audience', { aud: 'other', azp: 'app' }, { authorizedParties: ['app'] }],
    ['client_id instead of azp', { client_id: 'app' }, { authorizedParties: ['app'] }],
    ['another type', {}, { type: 'at+jwt' }],
    ['no type', {}, { type: 'at+jwt' }, typed(undefined)],
    ['a type that is a list', {}, { type: 'at+jwt' }, typed(['at+jwt', ''])],
    ['a type that is an object', {}, {}, typed({ toString: 1 })],
    ['another algorithm', {}, { algorithms: ['RS256'] }],
    ['expired', { exp: seconds - 5 }],
    ['expired just now, without tolerance', { exp: seconds }, { clockTolerance: 0 }],
    ['not valid yet', { nbf: seconds + 6 }],
    ['nbf as a string', { nbf: 'tomorrow' }],
    ['no expiry', { exp: undefined }],
    ['an expiry of null', { exp: null }],
    ['an expiry as a string', { exp: String(seconds + 60) }],
    ['an expiry in milliseconds', { exp: now + 60_000 }],
    ['no subject', { sub: undefined }],
    ['an empty subject', { sub: '' }],
    ['a subject that is a number', { sub: 7 }],
    ['another kid', {}, {}, { header: { kid: 'b' } }],
    ['a kid from Object.prototype', {}, {}, { header: { kid: '__proto__' } }],
    ['SQL as kid', {}, {}, { header: { kid: "' OR 1=1 --" } }],
    ['a path as kid', {}, {}, { header: { kid: '../../dev/null' } }],
    ['a kid that is a number', {}, {}, { header: { kid: 1 } }],
    ['crit', {}, {}, { header: { kid: 'a', crit: ['exp'] } }],
    ['an unencoded payload', {}, {}, { header: { kid: 'a', b64: false, crit: ['b64'] } }],
    [
      'a key in the header',
      {},
      {},
      { header: { kid: 'b', jku: 'https://evil.example', jwk: { kty: 'EC' } } },
    ],
    ['more than 8 KiB', { a: 'x'.repeat(9000) }],

    // Genuine tokens of this issuer that are not sessions.
    ['a logout token', { events: { 'http://schemas.openid.net/event/backchannel-logout': {} } }],
    ['a logout token, by type', {}, {}, typed('logout+jwt')],
    ['a security event', { events: {} }, {}, typed('secevent+jwt')],
    ['empty events', { events: {} }],
    ['a DPoP proof', {}, {}, typed('dpop+jwt')],
    ['a token bound to a DPoP key', { cnf: { jkt: '0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I' } }],
    [
      'a token bound to a client certificate',
      { cnf: { 'x5t#S256': 'bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2' } },
    ],
    ['an unknown type', {}, {}, typed('session')],
    ['an empty type', {}, {}, typed('')],
    ['a type with JWT as its prefix', {}, {}, typed('JWT+x')],
    ['JWT where at+jwt is required', {}, { type: 'at+jwt' }],
    ['at+jwt where JWT is required', {}, { type: 'JWT' }, typed('at+jwt')],
    ['client credentials of Auth0', { gty: 'client-credentials', sub: 'abc@clients' }],
    ['client credentials in a list', { gty: ['password', 'client-credentials'] }],
    ['an application of Entra ID', { idtyp: 'app' }],
    ['the client as subject, by azp', { sub: 'app', azp: 'app' }],
    ['the client as subject, by client_id', { sub: 'app', client_id: 'app' }],
    ['the client as subject, by cid', { sub: 'app', cid: 'app' }],
    ['a service account of Keycloak', { azp: 'app', preferred_username: 'service-account-app' }],
    ['only authorized parties, and an audience', { azp: 'app' }, onlyParties],
    ['only authorized parties, and an empty list of audiences', { aud: [], azp: 'app' }, onlyParties],
    ['any audience, and another party', { azp: 'other' }, { ...anyAudience, authorizedParties: ['app'] }],
  ]
  for (const [title, claims, options, forgery] of bad) {
    test(`rejected: ${title}`, async () => {
      const token = await sessionToken(claims, forgery)
      const { message } = await refuses(() => authenticateWith(token, options), 'ERR_CREDENTIALS_INVALID')
      assert(!message.includes(token.slice(-20)), 'the message quotes the token')
    })
  }

  test('rejected: the key of another issuer', async () => {
    const key = await privateJwk('other P-256')
    for (const header of [{ kid: 'a' }, {}, { kid: 'a', jwk: await publicJwk('other P-256') }]) {
      const token = await sessionToken({}, { key, header })
      await refuses(() => authenticateWith(token), 'ERR_CREDENTIALS_INVALID')
    }
    const rsa = await sessionToken({}, { algorithm: 'RS256', key: await privateJwk('RSA') })
    await refuses(() => authenticateWith(rsa), 'ERR_CREDENTIALS_INVALID')
  })

  test('rejected: a signature that is truncated, modified or from another token', async () => {
    const [header, payload, signature] = (await sessionToken()).split('.') as [string, string, string]
    const [, other] = (await sessionToken({ sub: 'admin' })).split('.')
    for (const token of [
      `${header}.${payload}.`,
      `${header}.${payload}.${'A'.repeat(86)}`,
      `${header}.${other}.${signature}`,
      `${header}.${payload}.${signature.slice(0, -4)}`,
      `${header}.${payload}.${signature.replace(/^./, (first) => (first === 'A' ? 'B' : 'A'))}`,
    ]) {
      await refuses(() => authenticateWith(token), 'ERR_CREDENTIALS_INVALID')
    }
  })

  const algorithms = ['none', 'None', 'nOnE', 'es256', 'ES384', 'RS256', 'HS256', 'EdDSA', 'ES256K', '']
  for (const alg of [...algorithms, null, undefined]) {
    test(`rejected: alg ${alg}`, async () => {
      const genuine = await sessionToken({}, { header: { kid: 'a', alg } })
      for (const token of [genuine, `${genuine.split('.').slice(0, 2).join('.')}.`]) {
        await refuses(() => authenticateWith(token), 'ERR_CREDENTIALS_INVALID')
      }
    })
  }

  test('rejected: the public key as secret, in every form', async () => {
    for (const name of ['P-256', 'RSA'] as const) {
      const jwk = await publicJwk(name)
      const jwks = { keys: [{ ...jwk, kid: 'a' }] } as never
      const bytes = shapes.spki(jwk)
      const pem = shapes.publicPem(jwk)
      for (const key of [
        pem,
        pem.trim(),
        bytes,
        JSON.stringify(jwk),
        JSON.stringify(jwks),
        jwk.n ?? jwk.x ?? '',
      ]) {
        for (const algorithm of ['HS256', 'HS384', 'HS512'] as const) {
          const token = await sessionToken({}, { algorithm, key })
          await refuses(() => authenticateWith(token, { jwks }), 'ERR_CREDENTIALS_INVALID')
        }
      }
    }
  })
}

export const endpointSessionHeader: ConformanceModule = ({ test }) => {
  const part = (value: unknown) => toBase64url(utf8(JSON.stringify(value)))
  const others: [string, () => Promise<string> | string][] = [
    ['another issuer', () => sessionToken({ iss: 'https://other.example/' })],
    ['the issuer without its slash', () => sessionToken({ iss: issuer.slice(0, -1) })],
    ['the issuer in capitals', () => sessionToken({ iss: issuer.toUpperCase() })],
    ['a list of issuers', () => sessionToken({ iss: [issuer] })],
    ['no issuer', () => sessionToken({ iss: undefined })],
    ['claims that are not an object', () => `${encodePart({ alg: 'ES256' })}.${part('text')}.AAAA`],
    ['claims that are null', () => `${encodePart({ alg: 'ES256' })}.${part(null)}.AAAA`],
    ['claims that are not JSON', () => `${encodePart({ alg: 'ES256' })}.${toBase64url(utf8('{'))}.AAAA`],
    ['an opaque token', () => 'sk_live_0123456789abcdef'],
    ['two parts', () => 'e30.e30'],
    ['four parts', async () => `${await sessionToken()}.AAAA`],
    ['padding after the signature', async () => `${await sessionToken()}==`],
    ['an encrypted token', () => 'e30.e30.e30.e30.e30'],
  ]
  for (const [title, make] of others) {
    test(`returns null: ${title}`, async () => equal(await authenticateWith(await make()), null))
  }

  const headers: [string, (token: string) => string][] = [
    ['Basic', (token) => `Basic ${token}`],
    ['DPoP', (token) => `DPoP ${token}`],
    ['no scheme', (token) => token],
    ['another scheme', (token) => `BearerToken ${token}`],
  ]
  for (const [title, make] of headers) {
    test(`returns null: ${title}`, async () =>
      equal(await authenticateHeader(make(await sessionToken())), null))
  }

  test('returns null: no credentials, and tokens in other places', async () => {
    const [authenticate, token] = [await createSession(), await sessionToken()]
    const elsewhere = { Cookie: `__session=${token}`, 'Cf-Access-Jwt-Assertion': token, 'X-Token': token }
    equal(await authenticate(makeRequest()), null)
    equal(await authenticate(makeRequest({ search: `?access_token=${token}`, headers: elsewhere })), null)
  })

  for (const scheme of ['Bearer ', 'bearer ', 'BEARER ', 'Bearer   ']) {
    test(`accepted: "${scheme}"`, async () => {
      equal((await authenticateHeader(scheme + (await sessionToken())))?.kind, 'customer')
    })
  }

  for (const [title, make, code] of [
    ['no token', () => 'Bearer', 'ERR_CREDENTIALS_INVALID'],
    ['a token and a word', (token: string) => `Bearer ${token} x`, 'ERR_CREDENTIALS_INVALID'],
    ['padding inside', () => 'Bearer e30=.e30=.e30=', 'ERR_CREDENTIALS_INVALID'],
    ['quotes', (token: string) => `Bearer "${token}"`, 'ERR_CREDENTIALS_INVALID'],
    ['a token twice', (token: string) => `Bearer ${token}, Bearer ${token}`, 'ERR_CREDENTIALS_AMBIGUOUS'],
    ['a token and a key', (token: string) => `Bearer ${token},Basic YTpi`, 'ERR_CREDENTIALS_AMBIGUOUS'],
    ['a broken header', () => 'Bearer AAAA.e30.AAAA', 'ERR_CREDENTIALS_INVALID'],
    ['a header of null', () => `Bearer ${part(null)}.e30.AAAA`, 'ERR_CREDENTIALS_INVALID'],
  ] as const) {
    test(`rejected: ${title}`, async () => {
      const authorization = make(await sessionToken())
      await refuses(() => authenticateHeader(authorization), code)
    })
  }
}
