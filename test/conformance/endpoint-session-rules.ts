import { type SessionJwtOptions, sessionJwt } from '../../src/endpoint.ts'
import {
  audience,
  bearer,
  createTestEndpoint,
  issuer,
  keySet,
  loosely,
  refuses,
  send,
  sessionToken,
} from './endpoint-harness.ts'
import type { ConformanceModule } from './suite.ts'
import { assert, equal, rejects } from './suite.ts'
import type { Forgery } from './token-fixtures.ts'
import { now } from './token-fixtures.ts'

type Options = Partial<SessionJwtOptions>

async function authenticate(token: string, options: Options = {}) {
  const session = sessionJwt({
    issuer,
    audience,
    jwks: (await keySet()) as never,
    now: () => now,
    ...options,
  })
  const caller = await session(bearer(token))
  assert(caller?.kind === 'customer', 'not a customer')
  return caller.customer
}

const typed = (typ: unknown): Forgery => ({ header: { kid: 'a', typ } })
const noAudience: Options = { audience: undefined }

/** Genuine tokens of the right issuer and audience that are not sessions. */
export const endpointNoSessions: ConformanceModule = ({ test }) => {
  const rejected: [string, object, Options?, Forgery?][] = [
    ['a logout token', { events: { 'http://schemas.openid.net/event/backchannel-logout': {} } }],
    ['a logout token, by its type', {}, {}, typed('logout+jwt')],
    ['a security event', { events: {} }, {}, typed('secevent+jwt')],
    ['events that are empty', { events: {} }],
    ['a DPoP proof', {}, {}, typed('dpop+jwt')],
    ['a token that DPoP binds to a key', { cnf: { jkt: '0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I' } }],
    [
      'a token that a client certificate binds',
      { cnf: { 'x5t#S256': 'bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2' } },
    ],
    ['an unknown type', {}, {}, typed('session')],
    ['an empty type', {}, {}, typed('')],
    ['a type of which JWT is the beginning', {}, {}, typed('JWT+x')],
    ['JWT where at+jwt is required', {}, { type: 'at+jwt' }],
    ['at+jwt where JWT is required', {}, { type: 'JWT' }, typed('at+jwt')],
    ['client credentials of Auth0', { gty: 'client-credentials', sub: 'abc@clients' }],
    ['client credentials in a list', { gty: ['password', 'client-credentials'] }],
    ['an application of Entra ID', { idtyp: 'app' }],
    ['the client as subject, by azp', { sub: 'app', azp: 'app' }],
    ['the client as subject, by client_id', { sub: 'app', client_id: 'app' }],
    ['the client as subject, by cid', { sub: 'app', cid: 'app' }],
    ['a service account of Keycloak', { azp: 'app', preferred_username: 'service-account-app' }],
    ['parties alone, and an audience', { azp: 'app' }, { ...noAudience, authorizedParties: ['app'] }],
    [
      'parties alone, and an empty list of audiences',
      { aud: [], azp: 'app' },
      { ...noAudience, authorizedParties: ['app'] },
    ],
    [
      'any audience, and another party',
      { azp: 'other' },
      { ...noAudience, anyAudience: true, authorizedParties: ['app'] },
    ],
  ]
  for (const [title, claims, options, forgery] of rejected) {
    test(`rejected: ${title}`, async () => {
      const token = await sessionToken(claims, forgery)
      await refuses(() => authenticate(token, options), 'ERR_CREDENTIALS_INVALID')
    })
  }

  const accepted: [string, object, Options?, Forgery?][] = [
    ['an access token', { client_id: 'app' }, {}, typed('at+jwt')],
    ['an access token, its type in full', {}, {}, typed('application/AT+JWT')],
    ['JWT, its type in full', {}, {}, typed('application/jwt')],
    ['another type that was asked for', {}, { type: 'session+jwt' }, typed('session+jwt')],
    ['a user of Auth0', { gty: 'password', azp: 'app' }],
    ['a user of Entra ID', { idtyp: 'user' }],
    [
      'a user of Keycloak whose name is like a service account',
      { azp: 'app', preferred_username: 'service-account-x' },
    ],
    ['events and cnf that are null', { events: null, cnf: null }],
    [
      'parties alone, and no audience',
      { aud: undefined, azp: 'app' },
      { ...noAudience, authorizedParties: ['app'] },
    ],
    [
      'parties and any audience',
      { azp: 'app' },
      { ...noAudience, anyAudience: true, authorizedParties: ['app'] },
    ],
  ]
  for (const [title, claims, options, forgery] of accepted) {
    test(`accepted: ${title}`, async () => {
      equal(await authenticate(await sessionToken(claims, forgery), options), { id: 'user-7' })
    })
  }
}

export const endpointRequiredScopes: ConformanceModule = ({ test }, lib) => {
  const requiredScopes = ['membrane:token']
  const granted: [string, object, string[]?][] = [
    ['scope', { scope: 'openid membrane:token profile' }],
    ['scope as a list', { scope: ['openid', 'membrane:token'] }],
    ['scp as text', { scp: 'openid membrane:token' }],
    ['scp as a list', { scp: ['membrane:token'] }],
    ['permissions', { permissions: ['read', 'membrane:token'] }],
    ['two of them, each elsewhere', { scope: 'a', scp: ['b'], permissions: ['c'] }, ['a', 'b', 'c']],
  ]
  for (const [title, claims, required = requiredScopes] of granted) {
    test(`granted: ${title}`, async () => {
      const token = await sessionToken(claims)
      equal(await authenticate(token, { requiredScopes: required }), { id: 'user-7' })
    })
  }

  const missing: [string, object][] = [
    ['none', {}],
    ['others', { scope: 'openid profile', scp: ['a'], permissions: ['b'] }],
    ['a scope of which it is the beginning', { scope: 'membrane:token:x' }],
    ['a scope of which it is the end', { scope: 'x:membrane:token' }],
    ['other case', { scope: 'Membrane:Token' }],
    ['commas', { scope: 'openid,membrane:token' }],
    ['permissions as text', { permissions: 'membrane:token' }],
    ['an object', { scope: { 'membrane:token': true }, scp: { 0: 'membrane:token' } }],
    ['a list in a list', { scp: [['membrane:token']] }],
    ['null', { scope: null, scp: null, permissions: null }],
  ]
  for (const [title, claims] of missing) {
    test(`403: ${title}`, async () => {
      const token = await sessionToken(claims)
      await refuses(() => authenticate(token, { requiredScopes }), 'ERR_CALLER_FORBIDDEN')
    })
  }

  test('the challenge of RFC 6750 names the scopes', async () => {
    const session = sessionJwt({
      issuer,
      audience,
      jwks: (await keySet()) as never,
      now: () => now,
      requiredScopes: ['a', 'b'],
    })
    const answer = await send(
      await createTestEndpoint(lib, session),
      bearer(await sessionToken({ scope: 'a' })),
    )
    equal(answer.status, 403)
    equal(answer.headers.get('WWW-Authenticate'), 'Bearer error="insufficient_scope", scope="a b"')
    assert(JSON.parse(answer.text).detail.includes(': b.'), answer.text)
  })

  for (const scopes of ['membrane:token', [], [''], ['a b'], ['a"'], ['a\\'], ['ä'], [5], null]) {
    test(`invalid options: ${JSON.stringify(scopes)}`, async () => {
      const options = { issuer, audience, requiredScopes: scopes }
      const error = await rejects(loosely(sessionJwt, options), 'ERR_OPTION_INVALID')
      equal(Reflect.get(error, 'option'), 'requiredScopes')
    })
  }
}

export const endpointCustomerIds: ConformanceModule = ({ test }) => {
  const customerId = 'tenant'
  const good: [string, unknown, string][] = [
    ['a GUID in braces', '{6F9619FF-8B86-D011-B42D-00C04FC964FF}', '{6F9619FF-8B86-D011-B42D-00C04FC964FF}'],
    ['a name like a sample', 'your-company-42', 'your-company-42'],
    ['an e-mail address', 'ada@example.com', 'ada@example.com'],
    ['spaces and slashes inside', 'a b/c', 'a b/c'],
    ['Null as a name', 'Null', 'Null'],
    ['zero', 0, '0'],
    ['a negative number', -7, '-7'],
    ['the largest exact number', Number.MAX_SAFE_INTEGER, '9007199254740991'],
  ]
  for (const [title, tenant, id] of good) {
    test(`accepted: ${title}`, async () => {
      equal(await authenticate(await sessionToken({ tenant }), { customerId }), { id })
    })
  }

  const bad: [string, unknown][] = [
    ['a space', ' '],
    ['a no-break space', '\u00a0'],
    ['a line break inside', 'a\nb'],
    ['a zero byte', 'a\0'],
    ['undefined as text', 'undefined'],
    ['null as text', 'null'],
    ['NaN as text', 'NaN'],
    ['an object as text', '[object Object]'],
    ['a placeholder in braces', '{CUSTOMER_ID}'],
    ['a placeholder in angle brackets', '<CUSTOMER_ID>'],
    ['a template of Handlebars', '{{org.id}}'],
    ['a template of JavaScript', '$' + '{org.id}'],
    ['a fraction', 1.5],
    ['a number beyond the safe integers', 2 ** 53],
    ['true', true],
  ]
  for (const [title, tenant] of bad) {
    test(`403, naming the claim: ${title}`, async () => {
      const token = await sessionToken({ tenant })
      const error = await refuses(() => authenticate(token, { customerId }), 'ERR_CALLER_FORBIDDEN')
      assert(error.message.includes('the claim tenant'), error.message)
    })
  }

  test('an ambiguous path is rejected wherever it is mapped', async () => {
    const token = await sessionToken({ 'a.b': 'one', a: { b: 'two' } })
    for (const mapping of [{ customerId: 'a.b' }, { customerName: 'a.b' }, { fields: ['a.b'] }]) {
      const error = await refuses(() => authenticate(token, mapping), 'ERR_CALLER_FORBIDDEN')
      assert(error.message.includes('a.b'), error.message)
    }
  })

  test('a path that leads nowhere does not make a dotted name ambiguous', async () => {
    const token = await sessionToken({ 'a.b': 'one', a: { c: 'two' } })
    equal(await authenticate(token, { customerId: 'a.b' }), { id: 'one' })
  })

  test('a prefix keeps the customers of two issuers apart', async () => {
    const options = { customerId, customerIdPrefix: 'eu:' }
    equal(await authenticate(await sessionToken({ tenant: 7 }), options), { id: 'eu:7' })
    for (const tenant of ['', ' ', undefined]) {
      const token = await sessionToken({ tenant })
      await refuses(() => authenticate(token, options), 'ERR_CALLER_FORBIDDEN')
    }
  })

  test('email as customer id must be verified', async () => {
    const email = 'ada@example.com'
    for (const email_verified of [undefined, false, 'true', 1, null]) {
      const token = await sessionToken({ email, email_verified })
      const error = await refuses(() => authenticate(token, { customerId: 'email' }), 'ERR_CALLER_FORBIDDEN')
      assert(error.message.includes('email_verified'), error.message)
      equal(await authenticate(token, { customerId: 'email', trustEmail: true }), { id: email })
      equal(await authenticate(token, { customerName: 'email' }), { id: 'user-7', name: email })
    }
    const token = await sessionToken({ email, email_verified: true })
    equal(await authenticate(token, { customerId: 'email' }), { id: email })
  })

  for (const [title, options, option] of [
    ['a prefix that is a number', { customerIdPrefix: 5 }, 'customerIdPrefix'],
    ['a prefix with a control character', { customerIdPrefix: 'a\n' }, 'customerIdPrefix'],
    ['trustEmail as text', { trustEmail: 'false' }, 'trustEmail'],
    ['an option that does not exist', { audiences: audience }, 'audiences'],
    ['a claim as a number', { customerId: 5 }, 'customerId'],
  ] as const) {
    test(`invalid options: ${title}`, async () => {
      const error = await rejects(loosely(sessionJwt, { issuer, audience, ...options }), 'ERR_OPTION_INVALID')
      equal(Reflect.get(error, 'option'), option)
    })
  }
}
