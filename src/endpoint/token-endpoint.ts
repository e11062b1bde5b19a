import { bindClock, checkHttpUrl, invalidOption, readOptions } from '../options.ts'
import type { SignedToken, Signer } from '../token/signer.ts'
import type { AuditHook } from './audit.ts'
import type { Authenticator, Caller, Scope } from './auth/caller.ts'
import { prefersBareToken } from './http/accept.ts'
import { readBearer } from './http/bearer.ts'
import { readJsonObject } from './http/body.ts'
import { ENDPOINT_HEADERS, problemResponse, refusal, requestIdOf } from './http/problem.ts'
import { checkRequest, type RequestHandler } from './http/request.ts'
import { createResponse } from './http/response.ts'
import { createIssuer, type Issuer, type RateLimitHook, type Route, readMaxExpiresIn } from './issuer.ts'

/** Options of {@link createTokenEndpoint}. */
export interface TokenEndpointOptions {
  /** Signs the tokens. */
  signer: Signer
  /** Authenticates requests. Without it, no token is issued. */
  authenticate: Authenticator
  /** Which kind of token this endpoint issues. Default `"customer"`. */
  kind?: Scope | undefined
  /** Maximum token lifetime: seconds, or a string such as the default `"24h"`. */
  maxExpiresIn?: number | string | undefined
  /** Limits requests by caller, and failed attempts. Default: no limit. */
  rateLimit?: RateLimitHook | undefined
  /** Called for every decision. If it fails, no token is issued. Default: none. */
  audit?: AuditHook | undefined
  /** URL of a self-hosted Membrane API, returned in responses as `apiUri`. */
  apiUri?: string | undefined
  /** The clock, in milliseconds since the epoch. Default `Date.now`. */
  now?: (() => number) | undefined
}

const OPTIONS = [
  'signer',
  'authenticate',
  'kind',
  'maxExpiresIn',
  'rateLimit',
  'audit',
  'apiUri',
  'now',
] as const

const METHODS: Readonly<Record<Scope, readonly string[]>> = {
  customer: ['GET', 'POST'],
  admin: ['POST'],
}

/**
 * Creates a route handler that issues Membrane tokens to authenticated callers. It uses the Fetch API, so it works with
 * Next.js, Hono, Workers, `Deno.serve` and `Bun.serve`.
 *
 * A customer session gets that customer's token, by GET or by POST with `{"expiresIn"?}`; a service posts
 * `{"id", "name"?, "fields"?, "expiresIn"?}`, or `{"expiresIn"?}` for an admin token. The response is
 * `{"token", "expiresAt", "expiresIn"}`, with `expiresAt` as an RFC 3339 time and `expiresIn` in seconds, and
 * `"apiUri"` if one is set; or, with `Accept: application/jwt`, the bare token (RFC 7519 section 10.3.1). Errors
 * are problem details (RFC 9457) with a {@link ProblemCode}; a 401 has a challenge (RFC 6750 section 3).
 *
 * A requested lifetime longer than `maxExpiresIn` or the rest of the session is reduced, not rejected. Each token has a
 * unique `jti`, which the audit event includes. The request id is taken from `X-Request-Id` or generated.
 *
 * @returns A handler that rejects only for something that is not a `Request` (`ERR_OPTION_INVALID`)
 * @throws `ERR_OPTION_INVALID` or `ERR_LIFETIME_INVALID` for bad options
 *
 * @example
 *
 * ```ts
 * const signer = await createSigner({ workspaceKey, secret })
 * const authenticate = apiKeys({ keys: [{ name: 'backend', sha256: digest, scopes: ['customer'] }] })
 *
 * export const POST = createTokenEndpoint({ signer, authenticate })
 * ```
 */
export function createTokenEndpoint(options: TokenEndpointOptions): RequestHandler {
  const { kind = 'customer', ...rest } = readOptions(options, OPTIONS)
  if (!Object.hasOwn(METHODS, kind)) throw invalidOption('kind must be "customer" or "admin".', 'kind')
  const endpoint = createEndpoint(kind, bindEndpoint(rest))
  const base = new Headers(ENDPOINT_HEADERS)
  return async (request, context) => {
    checkRequest(request)
    return endpoint(request, context, requestIdOf(request), base)
  }
}

/** What the routes of a service share. */
export interface EndpointParts {
  readonly issuer: Issuer
  readonly authenticate: Authenticator
  readonly apiUri: string | undefined
}

/** Validates the options. @throws `ERR_OPTION_INVALID` · `ERR_LIFETIME_INVALID` */
export function bindEndpoint(options: Omit<TokenEndpointOptions, 'kind'>): EndpointParts {
  const { signer, authenticate, rateLimit, audit, apiUri } = options
  if (typeof signer?.signCustomerToken !== 'function')
    throw invalidOption('signer must be the result of await createSigner(…).', 'signer')
  if (typeof authenticate !== 'function') {
    throw invalidOption(
      'authenticate must be an authenticator function, such as apiKeys({ keys }).',
      'authenticate',
    )
  }
  if (audit !== undefined && typeof audit !== 'function')
    throw invalidOption('audit must be a function.', 'audit')
  if (rateLimit !== undefined && typeof rateLimit !== 'function')
    throw invalidOption('rateLimit must be a function.', 'rateLimit')
  if (apiUri !== undefined) checkHttpUrl(apiUri, 'apiUri')
  const now = bindClock(options.now)
  const maxExpiresIn = readMaxExpiresIn(options.maxExpiresIn)
  return { issuer: createIssuer({ signer, maxExpiresIn, rateLimit, audit, now }), authenticate, apiUri }
}

/** A route handler that gets the request id, and the headers of every response. */
export type Endpoint = (
  request: Request,
  context: object | undefined,
  requestId: string,
  base: Headers,
) => Promise<Response>

export function createEndpoint(kind: Scope, { issuer, authenticate, apiUri }: EndpointParts): Endpoint {
  const route = createRoute(kind, authenticate)
  const tail = apiUri === undefined ? '}' : `,"apiUri":${JSON.stringify(apiUri)}}`
  return async (request, context, requestId, base) => {
    const issued = await issuer.issue(route, request, context, requestId)
    return issued.problem
      ? problemResponse(issued.problem, requestId, base)
      : tokenResponse(issued.signed, request, requestId, base, tail)
  }
}

function createRoute(kind: Scope, authenticate: Authenticator): Route {
  const methods = METHODS[kind]
  const allow = methods.join(', ')
  return {
    kind,
    identify: async (request, context, withRateLimit) => {
      if (!methods.includes(request.method)) {
        throw refusal('ERR_METHOD_NOT_ALLOWED', `Use ${methods.join(' or ')}.`, { Allow: allow })
      }
      await withRateLimit(
        () => credentialsOf(request),
        () => identify(authenticate, request, context),
      )
      return {
        kind,
        query: request.url.includes('?') ? new URL(request.url).searchParams : undefined,
        readTokenRequest: () => readJsonObject(request),
      }
    },
  }
}

/** All credentials of a request, as one string. */
function credentialsOf({ headers }: Request): string | undefined {
  const authorization = headers.get('Authorization')
  const assertion = headers.get('Cf-Access-Jwt-Assertion')
  return authorization === null && assertion === null ? undefined : `${authorization}\n${assertion}`
}

async function identify(
  authenticate: Authenticator,
  request: Request,
  context: object | undefined,
): Promise<Caller | null> {
  const caller = await authenticate(request, context)
  if (caller !== null) return caller
  if (readBearer(request) === undefined) {
    throw refusal('ERR_CREDENTIALS_MISSING', 'Send your credentials as: Authorization: Bearer <credentials>.')
  }
  throw refusal(
    'ERR_CREDENTIALS_INVALID',
    'Unrecognized credentials: the iss of a session must equal the issuer (SESSION_ISSUER) exactly, including a final slash.',
  )
}

function tokenResponse(
  { token, issuedAt, expiresAt }: SignedToken,
  request: Request,
  requestId: string,
  base: Headers,
  tail: string,
): Response {
  if (prefersBareToken(request.headers.get('Accept'))) {
    return createResponse(token, base, { 'Content-Type': 'application/jwt', 'X-Request-Id': requestId })
  }
  const expiresIn = (expiresAt.getTime() - issuedAt.getTime()) / 1000
  // Faster than JSON.stringify: none of these values needs escaping.
  const body = `{"token":"${token}","expiresAt":"${expiresAt.toISOString().slice(0, 19)}Z","expiresIn":${expiresIn}${tail}`
  return createResponse(body, base, { 'Content-Type': 'application/json', 'X-Request-Id': requestId })
}
