import { readFile } from 'node:fs/promises'
import { decodeJwt, exportJWK, generateKeyPair, SignJWT } from 'jose'
import * as oauth from 'oauth4webapi'
import { beforeAll, expect, test } from 'vitest'
import { type AuditEvent, oneOf, sessionJwt } from '../../src/endpoint.ts'
import { limitBy } from '../../src/service.ts'
import { authenticate, get, keys, ORIGIN, service } from './harness.ts'
import { REQUIREMENTS } from './oauth-requirements.ts'

const IDP = 'https://id.test/'
const TYPE = 'urn:ietf:params:oauth:token-type:'
const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'

const pair = await generateKeyPair('ES256')
const sessions = sessionJwt({
  issuer: IDP,
  audience: 'api',
  jwks: { keys: [{ ...(await exportJWK(pair.publicKey)), kid: 'a', alg: 'ES256' }] },
})
const session = await new SignJWT({ sub: 'user-7' })
  .setProtectedHeader({ alg: 'ES256', kid: 'a' })
  .setIssuer(IDP)
  .setAudience('api')
  .setIssuedAt()
  .setExpirationTime('1h')
  .sign(pair.privateKey)

const events: AuditEvent[] = []
const handler = service({
  authenticate: oneOf(authenticate, sessions),
  oauthIssuer: ORIGIN,
  audit: (event) => void events.push(event),
})
/** Makes the client send its requests to the service. */
const client = { [oauth.customFetch]: (url: string, init: object) => handler(new Request(url, init)) }

let server: oauth.AuthorizationServer
beforeAll(async () => {
  const response = await oauth.discoveryRequest(new URL(ORIGIN), { ...client, algorithm: 'oauth2' } as never)
  server = await oauth.processDiscoveryResponse(new URL(ORIGIN), response)
})

const post = (form: Record<string, string> | string, headers: Record<string, string> = {}) =>
  handler(
    new Request(`${ORIGIN}/oauth/token`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/x-www-form-urlencoded', ...headers },
      body: new URLSearchParams(form).toString(),
    }),
  )
const basic = (name: string, key: string) => ({ Authorization: `Basic ${btoa(`${name}:${key}`)}` })
const machine = { grant_type: 'client_credentials', scope: 'admin' }
const inBody = { client_id: 'console', client_secret: keys.console }
const exchange = { grant_type: EXCHANGE, subject_token: session, subject_token_type: `${TYPE}jwt` }

test('metadata discovery', () => {
  expect(server).toMatchObject({
    issuer: ORIGIN,
    token_endpoint: `${ORIGIN}/oauth/token`,
    jwks_uri: `${ORIGIN}/.well-known/jwks.json`,
    grant_types_supported: ['client_credentials', EXCHANGE],
  })
})

test.each([
  ['Basic', oauth.ClientSecretBasic(keys.console)],
  ['the body', oauth.ClientSecretPost(keys.console)],
])('client credentials with %s', async (_, authentication) => {
  const as = { client_id: 'console' }
  const response = await oauth.clientCredentialsGrantRequest(
    server,
    as,
    authentication,
    new URLSearchParams({ scope: 'admin' }),
    client as never,
  )
  const { access_token, token_type, expires_in, scope } = await oauth.processClientCredentialsResponse(
    server,
    as,
    response,
  )
  expect([token_type, expires_in, scope]).toEqual(['bearer', 7200, 'admin'])
  const { jti, isAdmin } = decodeJwt(access_token)
  expect(isAdmin).toBe(true)
  expect(events.at(-1)).toMatchObject({
    outcome: 'issued',
    callerName: 'console',
    tokenKind: 'admin',
    jwtId: jti,
  })
})

test('token exchange of a session', async () => {
  const as = { client_id: 'anything', token_endpoint_auth_method: 'none' }
  const form = new URLSearchParams({ subject_token: session, subject_token_type: `${TYPE}id_token` })
  form.append('audience', 'workspace')
  form.append('audience', ORIGIN)
  const response = await oauth.genericTokenEndpointRequest(
    server,
    as,
    oauth.None(),
    EXCHANGE,
    form,
    client as never,
  )
  const result = await oauth.processGenericTokenEndpointResponse(server, as, response)
  expect(result).toMatchObject({ issued_token_type: `${TYPE}access_token`, scope: 'customer' })
  expect(decodeJwt(result.access_token)).toMatchObject({ id: 'user-7', iss: 'workspace' })
})

test.each(['jwt', 'access_token'])('the requested token type is echoed: %s', async (type) => {
  const response = await post({ ...exchange, requested_token_type: TYPE + type })
  expect(await response.json()).toMatchObject({ issued_token_type: TYPE + type })
})

test.each<[string, Record<string, string>, string, number?]>([
  [
    'an unknown client',
    { ...machine, client_id: 'nobody', client_secret: keys.console },
    'invalid_client',
    401,
  ],
  ['a wrong secret', { ...machine, client_id: 'console', client_secret: 'x' }, 'invalid_client', 401],
  ['no client', machine, 'invalid_client', 401],
  ['a client assertion', { ...machine, client_assertion: 'x' }, 'invalid_client', 401],
  ['a scope it lacks', { ...machine, client_id: 'backend', client_secret: keys.backend }, 'invalid_scope'],
  ['an unknown scope', { ...machine, ...inBody, scope: 'all' }, 'invalid_scope'],
  ['no scope', { grant_type: 'client_credentials', ...inBody }, 'invalid_scope'],
  ['another grant', { grant_type: 'password' }, 'unsupported_grant_type'],
  ['no grant', {}, 'invalid_request'],
  ['an actor token', { ...exchange, actor_token: session }, 'invalid_request'],
  ['a foreign audience', { ...exchange, audience: 'other' }, 'invalid_target'],
  ['a foreign resource', { ...exchange, resource: 'https://other.test/' }, 'invalid_target'],
  ['an API key as subject token', { ...exchange, subject_token: keys.console }, 'invalid_request'],
  ['a SAML assertion', { ...exchange, subject_token_type: `${TYPE}saml2` }, 'invalid_request'],
  [
    'a refresh token requested',
    { ...exchange, requested_token_type: `${TYPE}refresh_token` },
    'invalid_request',
  ],
  ['a tampered subject token', { ...exchange, subject_token: `${session}x` }, 'invalid_request'],
  ['a customer in the form', { ...exchange, id: 'victim' }, 'invalid_request'],
  ['a client secret in an exchange', { ...exchange, ...inBody }, 'invalid_request'],
  ['a session that requests an admin token', { ...exchange, scope: 'admin' }, 'invalid_scope'],
])('a request that is rejected: %s', async (_, form, error, status = 400) => {
  const response = await post(form)
  const body = (await response.json()) as Record<string, string>
  expect([response.status, body.error]).toEqual([status, error])
  expect(Object.keys(body)).toEqual(['error', 'error_description'])
  expect(body.error_description).toMatch(/^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/)
  expect(response.headers.get('WWW-Authenticate')?.startsWith('Basic ') ?? false).toBe(status === 401)
  for (const hidden of [keys.console, session]) expect(JSON.stringify(body)).not.toContain(hidden)
  expect(events.at(-1)).toMatchObject({ outcome: 'refused' })
})

test('Basic and client_secret together are rejected', async () => {
  const response = await post({ ...machine, ...inBody }, basic('console', keys.console))
  const { error, error_description } = await response.json()
  expect([response.status, error]).toEqual([400, 'invalid_request'])
  // The apostrophe is a typographic one elsewhere, but descriptions are ASCII.
  expect(error_description).toContain("client's")
})

test('quotes in a description become apostrophes', async () => {
  const { error_description } = await (await post({ ...exchange, id: 'c' })).json()
  expect(error_description).toMatch(/^'id' is not a parameter here/)
})

test.each<[string, () => Promise<Response>, number]>([
  ['GET', () => handler(get('/oauth/token')), 405],
  ['JSON', () => post(machine, { 'Content-Type': 'application/json' }), 400],
  ['a parameter twice', () => post('grant_type=client_credentials&scope=admin&scope=admin'), 400],
  ['a body over 16 KiB', () => post({ ...machine, x: 'x'.repeat(17_000) }), 413],
])('a request that is malformed: %s', async (_, send, status) => {
  const response = await send()
  expect([response.status, ((await response.json()) as { error: string }).error]).toEqual([
    status,
    'invalid_request',
  ])
})

test('responses of the token endpoint are not cacheable', async () => {
  for (const form of [{ ...machine, ...inBody }, machine]) {
    const { headers } = await post(form)
    expect([headers.get('Cache-Control'), headers.get('Pragma')]).toEqual(['no-store', 'no-cache'])
  }
})

test.each([{ Origin: 'https://app.test' }, { Origin: ORIGIN }, { 'Sec-Fetch-Site': 'same-origin' }])(
  'pages are rejected: %o',
  async (headers) => {
    const response = await post({ ...machine, ...inBody }, headers)
    expect([response.status, response.headers.get('Access-Control-Allow-Origin')]).toEqual([403, null])
  },
)

test('the rate limit applies', async () => {
  const limited = service({
    authenticate: oneOf(authenticate, sessions),
    oauthIssuer: ORIGIN,
    rateLimit: limitBy({ limit: async () => ({ success: false }) }),
  })
  const body = new URLSearchParams({ ...machine, ...inBody })
  const response = await limited(new Request(`${ORIGIN}/oauth/token`, { method: 'POST', body }))
  expect([response.status, response.headers.has('Retry-After')]).toEqual([429, true])
})

test('without oauthIssuer the route does not exist', async () => {
  for (const path of ['/oauth/token', '/.well-known/oauth-authorization-server']) {
    expect((await service()(get(path))).status).toBe(404)
  }
})

test('docs/oauth.md lists the requirements, and each names a test in this file', async () => {
  const docs = await readFile(new URL('../../docs/oauth.md', import.meta.url), 'utf8')
  const source = await readFile(new URL('oauth.test.ts', import.meta.url), 'utf8')
  expect(docs.match(/^\| RFC .*$/gm)).toEqual(
    REQUIREMENTS.map(([section, requirement]) => `| ${section} | ${requirement} |`),
  )
  for (const [, , name] of REQUIREMENTS) expect(source).toContain(`'${name}'`)
})
