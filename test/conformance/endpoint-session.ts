import { type SessionJwtOptions, sessionJwt } from '../../src/endpoint.ts'
import { toBase64url, utf8 } from './encoding.ts'
import {
  audience,
  bearer,
  createSession,
  issuer,
  keySet,
  loosely,
  makeRequest,
  refuses,
  sessionToken,
} from './endpoint-harness.ts'
import * as shapes from './key-shapes.ts'
import { privateJwk, publicJwk } from './keys.ts'
import { published } from './remote-key-set-harness.ts'
import type { ConformanceModule } from './suite.ts'
import { assert, equal, rejects } from './suite.ts'
import { encodePart, type Forgery, now } from './token-fixtures.ts'

type Options = Partial<SessionJwtOptions>

const seconds = now / 1000

async function authenticateWith(token: string, options: Options = {}) {
  return (await createSession(options))(bearer(token))
}

async function authenticateHeader(authorization: string) {
  return (await createSession())(makeRequest({ headers: { Authorization: authorization } }))
}

const noAudience: Options = { audience: undefined }

export const endpointSession: ConformanceModule = ({ test }) => {
  const good: [string, object, Options, Forgery?][] = [
    ['the audience', {}, {}],
    ['the audience in a list', { aud: [audience] }, {}],
    ['the audience among others', { aud: ['https://id.example/userinfo', audience] }, {}],
    ['one of several audiences', {}, { audience: ['other', audience] }],
    [
      'an authorized party',
      { aud: undefined, azp: 'app' },
      { ...noAudience, authorizedParties: ['web', 'app'] },
    ],
    ['audience and party', { azp: 'app' }, { authorizedParties: ['app'] }],
    ['any audience', { aud: 'other' }, { ...noAudience, anyAudience: true }],
    ['any audience, and a token without one', { aud: undefined }, { ...noAudience, anyAudience: true }],
    ['no type', {}, {}, { header: { kid: 'a', typ: undefined } }],
    ['the type', {}, { type: 'at+jwt' }, { header: { kid: 'a', typ: 'at+jwt' } }],
    ['the type in full', {}, { type: 'at+jwt' }, { header: { kid: 'a', typ: 'application/at+jwt' } }],
    ['the type in capitals', {}, { type: 'application/at+jwt' }, { header: { kid: 'a', typ: 'AT+JWT' } }],
    ['no kid', {}, {}, { header: {} }],
    ['the algorithm', {}, { algorithms: ['ES256', 'RS256'] }],
    ['expired four seconds ago', { exp: seconds - 4 }, {}],
    ['expired a minute ago, within the tolerance', { exp: seconds - 59 }, { clockTolerance: 60 }],
    ['valid in five seconds', { nbf: seconds + 5 }, {}],
    ['fractions of a second', { exp: seconds + 60.5 }, {}],
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

  const bad: [string, object, Options, Forgery?][] = [
    ['another audience', { aud: 'https://other.example' }, {}],
    ['no audience', { aud: undefined }, {}],
    ['an audience with ours as its prefix', { aud: `${audience}/v2` }, {}],
    ['an audience in capitals', { aud: audience.toUpperCase() }, {}],
    ['a list of other audiences', { aud: ['https://other.example', `${audience}/`] }, {}],
    ['an empty list of audiences', { aud: [] }, {}],
    ['a list in a list', { aud: [[audience]] }, {}],
    ['an audience that is an object', { aud: { [audience]: true } }, {}],
    ['an audience of null', { aud: null }, {}],
    ['another party', { azp: 'other' }, { ...noAudience, authorizedParties: ['app'] }],
    ['no party', {}, { authorizedParties: ['app'] }],
    ['a list of parties', { azp: ['app'] }, { authorizedParties: ['app'] }],
    ['the party, but not the audience', { aud: 'other', azp: 'app' }, { authorizedParties: ['app'] }],
    ['client_id instead of azp', { client_id: 'app' }, { authorizedParties: ['app'] }],
    ['another type', {}, { type: 'at+jwt' }],
    ['no type', {}, { type: 'at+jwt' }, { header: { kid: 'a', typ: undefined } }],
    ['a type that is a list', {}, { type: 'at+jwt' }, { header: { kid: 'a', typ: ['at+jwt', ''] } }],
    ['a type that is an object', {}, {}, { header: { kid: 'a', typ: { toString: 1 } } }],
    ['another algorithm', {}, { algorithms: ['RS256'] }],
    ['expired', { exp: seconds - 5 }, {}],
    ['expired just now, without tolerance', { exp: seconds }, { clockTolerance: 0 }],
    ['not valid yet', { nbf: seconds + 6 }, {}],
    ['nbf as a string', { nbf: 'tomorrow' }, {}],
    ['no expiry', { exp: undefined }, {}],
    ['an expiry of null', { exp: null }, {}],
    ['an expiry as a string', { exp: String(seconds + 60) }, {}],
    ['an expiry in milliseconds', { exp: now + 60_000 }, {}],
    ['no subject', { sub: undefined }, {}],
    ['an empty subject', { sub: '' }, {}],
    ['a subject that is a number', { sub: 7 }, {}],
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
    ['more than 8 KiB', { a: 'x'.repeat(9000) }, {}],
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

export const endpointSessionOptions: ConformanceModule = ({ test }) => {
  const wrong: [string, unknown, string?][] = [
    ['nothing', undefined],
    ['null', null],
    ['a string', issuer],
    ['no issuer', { issuer: undefined }],
    ['an issuer that is not a URL', { issuer: 'id.example' }],
    ['an issuer that is a URL object', { issuer: new URL(issuer) }],
    ['an issuer over http', { issuer: 'http://id.example/' }],
    ['an issuer over ftp', { issuer: 'ftp://id.example/' }],
    ['a javascript: URL', { issuer: 'javascript:alert(1)' }],
    ['a host that only begins with localhost', { issuer: 'http://localhost.example/' }],
    ['an issuer with a query', { issuer: `${issuer}?a=1` }],
    ['an issuer with a fragment', { issuer: `${issuer}#a` }],
    ['an issuer with a password', { issuer: 'https://a:b@id.example/' }],
    ['no audience', { audience: undefined }],
    ['no audience, and anyAudience: false', { audience: undefined, anyAudience: false }],
    ['no audience, and anyAudience: "true"', { audience: undefined, anyAudience: 'true' }],
    ['no audience, and anyAudience: 1', { audience: undefined, anyAudience: 1 }],
    ['an empty audience', { audience: '' }],
    ['an empty list of audiences', { audience: [] }],
    ['a list with an empty audience', { audience: [audience, ''] }],
    ['an audience of null', { audience: null }],
    ['an audience that is a number', { audience: 5 }],
    ['an empty list of audiences, and anyAudience', { audience: [], anyAudience: true }],
    ['an empty list of parties', { authorizedParties: [] }],
    ['parties as a string', { authorizedParties: 'app' }],
    ['an empty party', { authorizedParties: [''] }],
    ['a negative tolerance', { clockTolerance: -1 }],
    ['a tolerance as a string', { clockTolerance: '5' }],
    ['an infinite tolerance', { clockTolerance: Number.POSITIVE_INFINITY }],
    ['a number as clock', { now: 5 }],
    ['a key set over http', { jwks: new URL('http://id.example/jwks') }],
    ['a key set with a password', { jwks: new URL('https://a:b@id.example/jwks') }],
    ['a number as key set', { jwks: 5 }],
    ['null as key set', { jwks: null }],
    ['a key set that is a promise', { jwks: Promise.resolve({ keys: [] }) }],
    ['a key as key set', { jwks: { kty: 'EC' } }],
    ['an empty list of algorithms', { algorithms: [] }],
    ['the algorithm none', { algorithms: ['none'] }, 'ERR_ALGORITHM_UNSUPPORTED'],
    ['EdDSA', { algorithms: ['EdDSA'] }, 'ERR_ALGORITHM_UNSUPPORTED'],
    ['an algorithm for secrets', { algorithms: ['HS256'] }, 'ERR_KEY_ALGORITHM_MISMATCH'],
    ['an empty claim name', { customerId: '' }],
    ['a number as claim name', { customerId: 5 }],
    ['null as claim name', { customerName: null }],
    ['fields as a string', { fields: 'plan' }],
    ['an empty field', { fields: ['plan', ''] }],
    ['two fields with the same name', { fields: ['plan', 'app.plan'] }],
    ['two fields with the same name, one of them a URL', { fields: ['o.plan', 'https://app.example/plan'] }],
  ]
  for (const [title, options, code = 'ERR_OPTION_INVALID'] of wrong) {
    test(`invalid options: ${title}`, async () => {
      const isObject = typeof options === 'object' && options !== null
      await rejects(loosely(sessionJwt, isObject ? { issuer, audience, ...options } : options), code)
    })
  }

  const loopback = ['http://localhost:3000', 'http://127.0.0.1:3000/', 'http://[::1]:3000']
  for (const local of [...loopback, 'http://id.localhost']) {
    test(`accepted: ${local}`, () => {
      sessionJwt({ issuer: local, audience, jwks: new URL(`${local.replace(/\/$/, '')}/jwks`) })
    })
  }

  test('each option is read once', async () => {
    const reads: Record<string, number> = {}
    const given = {
      issuer,
      audience,
      jwks: await keySet(),
      customerId: 'sub',
      fields: ['plan'],
      now: () => now,
    }
    const options = new Proxy(given, {
      get: (target, name) => {
        reads[String(name)] = (reads[String(name)] ?? 0) + 1
        return Reflect.get(target, name)
      },
    })
    const authenticate = sessionJwt(options)
    assert(await authenticate(bearer(await sessionToken())))
    equal(
      Object.entries(reads).filter(([, count]) => count !== 1),
      [],
    )
  })

  test('later changes to the options have no effect', async () => {
    const audiences = [audience]
    const options = { issuer, audience: audiences, jwks: await keySet(), now: () => now }
    const authenticate = sessionJwt(options)
    audiences[0] = 'other'
    options.issuer = 'https://other.example/'
    Object.assign(options.jwks.keys[0] as object, await publicJwk('other P-256'))
    options.jwks.keys.push({ kty: 'oct', k: 'AAAA' })
    assert(await authenticate(bearer(await sessionToken())))
  })
}
