import type { JSONWebKeySet } from 'jose'
import {
  type Authenticator,
  type Caller,
  createTokenEndpoint,
  type SessionJwtOptions,
  sessionJwt,
  type TokenEndpointOptions,
} from '../../src/endpoint.ts'
import type { Algorithm } from '../../src/index.ts'
import type { Bytes } from './der.ts'
import { utf8 } from './encoding.ts'
import { replaceFor } from './globals.ts'
import { type KeyServer, withKeyServer } from './key-server.ts'
import { privateJwk } from './keys.ts'
import { published } from './remote-key-set-harness.ts'
import { assert, equal, type Library, rejects } from './suite.ts'
import { type Forgery, forge, now } from './token-fixtures.ts'
import { createTestSigner, customer, decode, secret, verifies } from './tokens.ts'

/** Shared by the tests of `membrane-token/endpoint`: callers, requests, responses, and an identity provider. */

export const backend: Extract<Caller, { kind: 'service' }> = {
  kind: 'service',
  name: 'backend',
  scopes: ['customer', 'admin'],
}
export const visitor: Extract<Caller, { kind: 'customer' }> = {
  kind: 'customer',
  customer,
  subject: 'user-7',
}

export interface TestRequest {
  /** Default: POST with a body, GET without. */
  method?: string
  /** A string or bytes are sent unchanged, everything else as JSON. */
  body?: unknown
  /** The `Content-Type` of the body; `null` for none. */
  type?: string | null
  headers?: Record<string, string>
  /** The query, with its question mark. */
  search?: string
}

export function makeRequest({ method, body, type, headers, search = '' }: TestRequest = {}): Request {
  const content =
    body === undefined ? null : body instanceof Uint8Array ? (body as Bytes) : utf8(toText(body))
  const contentType = content && type !== null ? { 'Content-Type': type ?? 'application/json' } : {}
  return new Request(`https://app.example/api/membrane-token${search}`, {
    method: method ?? (content ? 'POST' : 'GET'),
    headers: { ...contentType, ...headers },
    body: content,
  })
}

function toText(body: unknown): string {
  return typeof body === 'string' ? body : JSON.stringify(body)
}

export function bearer(credentials: string): Request {
  return makeRequest({ headers: { Authorization: `Bearer ${credentials}` } })
}

/** A response whose body has been read. */
export interface TestResponse {
  status: number
  headers: Headers
  text: string
}

export type Handler = (request: Request) => Promise<Response>

export async function send(handler: Handler, request: Request | TestRequest = {}): Promise<TestResponse> {
  const response = await handler(request instanceof Request ? request : makeRequest(request))
  return { status: response.status, headers: response.headers, text: await response.text() }
}

/** An endpoint with a stopped clock, and a fixed caller or an authenticator. */
export async function createTestEndpoint(
  lib: Library,
  caller: Caller | null | Authenticator,
  options: Partial<TokenEndpointOptions> = {},
): Promise<Handler> {
  const signer = await createTestSigner(lib, { secret })
  const authenticate = typeof caller === 'function' ? caller : async () => caller
  return createTokenEndpoint({ signer, authenticate, ...options })
}

export const statuses: Readonly<Record<string, [number, string]>> = {
  ERR_BODY_INVALID: [400, 'Bad Request'],
  ERR_QUERY_INVALID: [400, 'Bad Request'],
  ERR_CLAIM_INVALID: [400, 'Bad Request'],
  ERR_LIFETIME_INVALID: [400, 'Bad Request'],
  ERR_TOKEN_TOO_LARGE: [400, 'Bad Request'],
  ERR_CREDENTIALS_AMBIGUOUS: [400, 'Bad Request'],
  ERR_CREDENTIALS_MISSING: [401, 'Unauthorized'],
  ERR_CREDENTIALS_INVALID: [401, 'Unauthorized'],
  ERR_CALLER_FORBIDDEN: [403, 'Forbidden'],
  ERR_METHOD_NOT_ALLOWED: [405, 'Method Not Allowed'],
  ERR_BODY_TOO_LARGE: [413, 'Content Too Large'],
  ERR_CONTENT_TYPE_UNSUPPORTED: [415, 'Unsupported Media Type'],
  ERR_RATE_LIMITED: [429, 'Too Many Requests'],
  ERR_INTERNAL: [500, 'Internal Server Error'],
  ERR_JWKS_UNAVAILABLE: [503, 'Service Unavailable'],
}

/** RFC 6750 section 3. */
const challenges: Readonly<Record<string, string>> = {
  ERR_CREDENTIALS_MISSING: 'Bearer',
  ERR_CREDENTIALS_INVALID: 'Bearer error="invalid_token"',
  ERR_CREDENTIALS_AMBIGUOUS: 'Bearer error="invalid_request"',
}

export function expectHeaders({ headers }: TestResponse, type: string): void {
  equal(headers.get('Content-Type'), type)
  equal(headers.get('Cache-Control'), 'no-store')
  equal(headers.get('X-Content-Type-Options'), 'nosniff')
}

/** Checks all of a problem response (RFC 9457), and returns its detail. */
export function expectProblem(response: TestResponse, code: string): string {
  const [status, title] = statuses[code] ?? []
  const { detail, requestId, ...members } = parse(response.text)
  equal({ status: response.status, ...members }, { type: 'about:blank', title, status, code, error: title })
  assert(typeof detail === 'string' && detail !== '', 'no detail')
  assert(typeof requestId === 'string' && requestId !== '', 'no request id')
  expectHeaders(response, 'application/problem+json')
  equal(response.headers.get('WWW-Authenticate'), challenges[code] ?? null)
  assert(!/eyJ[\w-]+\.eyJ/.test(response.text), 'a token in a problem')
  return detail
}

export interface Grant {
  token: string
  jwtId: string
  /** All claims except `jti`. */
  claims: Record<string, unknown>
  expiresAt: unknown
  expiresIn: unknown
}

/** Checks a successful response completely, including the signature. */
export async function expectGrant(response: TestResponse): Promise<Grant> {
  equal(response.status, 200, response.text)
  expectHeaders(response, 'application/json')
  const body = parse(response.text)
  equal(Object.keys(body), ['token', 'expiresAt', 'expiresIn'])
  const { token, expiresAt, expiresIn } = body
  assert(typeof token === 'string' && (await verifies(token, 'HS512', secret)), 'the token is not genuine')
  const { jti, ...claims } = decode(token).claims
  assert(/^[0-9a-f-]{36}$/.test(String(jti)), 'jti is not a UUID')
  equal(expiresAt, `${new Date((claims.exp as number) * 1000).toISOString().slice(0, 19)}Z`)
  equal(expiresIn, (claims.exp as number) - (claims.iat as number))
  return { token, jwtId: String(jti), claims, expiresAt, expiresIn }
}

export function parse(text: string): Record<string, unknown> {
  return JSON.parse(text) as Record<string, unknown>
}

/** Asserts that a function throws a `refusal()` with this code. */
export function refuses(run: () => unknown, code: string): Promise<Error> {
  return rejects(run, code, 'Refusal')
}

/** Runs with `Date.now` stopped at a time. */
export async function atTime(
  milliseconds: number,
  run: (wait: (seconds: number) => void) => Promise<void>,
): Promise<void> {
  let time = milliseconds
  await replaceFor(
    Date,
    'now',
    () => time,
    async (replaced) => {
      assert(replaced, 'the clock cannot be replaced in this runtime')
      await run((seconds) => {
        time += seconds * 1000
      })
    },
  )
}

/** Captures the output of `console.error`. */
export async function inSilence(run: (lines: string[]) => Promise<void>): Promise<void> {
  const lines: string[] = []
  await replaceFor(
    console,
    'error',
    (...values: unknown[]) => void lines.push(values.map(String).join(' ')),
    async (replaced) => {
      assert(replaced, 'console.error cannot be replaced in this runtime')
      await run(lines)
    },
  )
}

export const issuer = 'https://id.example/'
export const audience = 'https://api.example'

/** A valid session token of an identity provider, with claims or header overridden; or with exactly this payload. */
export async function sessionToken(claims: object | string = {}, forgery: Forgery = {}): Promise<string> {
  const algorithm: Algorithm = forgery.algorithm ?? 'ES256'
  const key = forgery.key ?? (await privateJwk('P-256'))
  const session = { id: undefined, iss: issuer, aud: audience, sub: 'user-7', exp: now / 1000 + 3600 }
  const payload = typeof claims === 'string' ? claims : { ...session, ...claims }
  return forge(payload, { header: { kid: 'a' }, ...forgery, algorithm, key })
}

export async function keySet(): Promise<JSONWebKeySet> {
  return { keys: [(await published('P-256', 'a')) as JSONWebKeySet['keys'][number]] }
}

/** An authenticator of the sessions of that provider, with a stopped clock. */
export async function createSession(options: Partial<SessionJwtOptions> = {}) {
  return sessionJwt({ issuer, audience, jwks: await keySet(), now: () => now, ...options })
}

/** Verifies a session token. @returns its customer */
export async function verifyCustomer(token: string, options?: Partial<SessionJwtOptions>) {
  const caller = await (await createSession(options))(bearer(token))
  assert(caller?.kind === 'customer', 'not a customer')
  return caller.customer
}

type Routes = Record<string, () => Response | Promise<Response>>

/** Replaces `fetch`. Any other URL is 404. */
export async function withProvider(routes: Routes, run: (server: KeyServer) => Promise<void>): Promise<void> {
  const notFound = () => new Response('Not found', { status: 404 })
  await withKeyServer(notFound, async (server) => {
    server.respond = () => (routes[server.requests.at(-1)?.url ?? ''] ?? notFound)()
    await run(server)
  })
}

export async function sha256(text: string): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', utf8(text)))
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** Asserts that options are rejected because of the first member of `wrong`, and that the error names it. */
export async function rejectsOption(
  make: (options: never) => unknown,
  valid: object,
  wrong: object,
  code = 'ERR_OPTION_INVALID',
): Promise<void> {
  const error = await rejects(loosely(make, { ...valid, ...wrong }), code)
  equal(Reflect.get(error, 'option'), Object.keys(wrong)[0])
}

/** Passes options without type checks, as JavaScript callers do. */
export function loosely<Result>(make: (options: never) => Result, options: unknown): () => Result {
  return () => make(options as never)
}
