import type { JSONWebKeySet } from 'jose'
import type { Authenticator, CredentialAuthenticator, Scope } from '../endpoint/auth/caller.ts'
import {
  makeProblem,
  type Problem,
  type ProblemCode,
  problemResponse,
  requestIdOf,
} from '../endpoint/http/problem.ts'
import { checkRequest, type RequestHandler } from '../endpoint/http/request.ts'
import { createResponse } from '../endpoint/http/response.ts'
import type { Issuer } from '../endpoint/issuer.ts'
import { createOAuthRoutes } from '../endpoint/oauth/oauth-routes.ts'
import {
  bindEndpoint,
  createEndpoint,
  type Endpoint,
  type TokenEndpointOptions,
} from '../endpoint/token-endpoint.ts'
import { readPublishedKeys } from '../jwks/published-keys.ts'
import { bindClock, invalidOption, readOptions } from '../options.ts'
import type { Signer } from '../token/signer.ts'
import { allowOrigin, preflightResponse, SERVICE_HEADERS } from './headers.ts'
import { decideOrigin, isExactOrigin, isFromPage } from './origin.ts'
import { createReadiness, type Readiness, type Way } from './readiness.ts'

/** Options of {@link createTokenService}. */
export interface TokenServiceOptions extends Omit<TokenEndpointOptions, 'kind'> {
  /** Other public keys to publish: the next key before it is used, the previous one afterwards. */
  additionalKeys?: JSONWebKeySet | undefined
  /** Exact origins of pages that may request customer tokens, besides the service's own. Default: none. */
  allowedOrigins?: readonly string[] | undefined
  /** The https URL of the service, the `issuer` in its metadata (RFC 8414). Enables `/oauth/token`. */
  oauthIssuer?: string | undefined
  /** What `/ready` checks. Default: the signer and the key sets of `authenticate`. */
  readiness?: { readonly signer: Way; readonly ways: readonly Way[] } | undefined
}

const OPTIONS = [
  'signer',
  'authenticate',
  'additionalKeys',
  'allowedOrigins',
  'maxExpiresIn',
  'rateLimit',
  'audit',
  'apiUri',
  'oauthIssuer',
  'readiness',
  'now',
] as const

/** Who may call a route: servers and pages of allowed origins, only servers, or anyone. */
type Audience = 'pages' | 'servers' | 'anyone'

interface ServiceRoute {
  readonly audience: Audience
  /** The kind of token to report when a request is rejected for its origin. */
  readonly kind: Scope
  readonly handle: Endpoint
}

/**
 * Creates the token service: one request handler for all routes, on every runtime.
 *
 * | request | response |
 * |---|---|
 * | `GET`, `POST /api/membrane-token` | a customer token |
 * | `POST /api/membrane-admin-token` | an admin token, for services |
 * | `GET /.well-known/jwks.json` | the public keys |
 * | `GET /health`, `/healthz` | 200 |
 * | `GET /ready`, `/readyz` | whether callers can be served |
 * | `POST /oauth/token` | with `oauthIssuer`: token exchange (RFC 8693) and client credentials (RFC 6749) |
 *
 * @returns A handler that rejects only for something that is not a `Request` (`ERR_OPTION_INVALID`)
 * @throws `ERR_OPTION_INVALID` · `ERR_LIFETIME_INVALID` · for `additionalKeys`, the `ERR_KEY_…` of `createVerifier`
 *
 * @example
 *
 * ```ts
 * const handler = createTokenService({
 *   signer: await createSigner({ workspaceKey, secret }),
 *   authenticate: sessionJwt({ issuer: 'https://example.eu.auth0.com/', audience: 'https://api.example.com' }),
 *   allowedOrigins: ['https://app.example.com'],
 * })
 * ```
 */
export function createTokenService(options: TokenServiceOptions): RequestHandler {
  const {
    allowedOrigins = [],
    additionalKeys,
    oauthIssuer,
    readiness,
    ...endpoint
  } = readOptions(options, OPTIONS)
  const parts = bindEndpoint(endpoint)
  const { signer, authenticate } = endpoint
  const keys = publishedKeys(signer, additionalKeys)
  const checkReadiness = createReadiness(
    readiness?.signer ?? signerWay(signer, 'signer'),
    readiness?.ways ?? waysOf(authenticate),
    bindClock(endpoint.now),
  )
  const origins = bindOrigins(allowedOrigins)

  const routes = new Map<string, ServiceRoute>([
    [
      '/api/membrane-token',
      { audience: 'pages', kind: 'customer', handle: createEndpoint('customer', parts) },
    ],
    [
      '/api/membrane-admin-token',
      { audience: 'servers', kind: 'admin', handle: createEndpoint('admin', parts) },
    ],
    ['/.well-known/jwks.json', publicRoute(() => keys)],
    ['/health', publicRoute(() => HEALTHY)],
    ['/healthz', publicRoute(() => HEALTHY)],
  ])
  const ready = publicRoute(async (context) => readinessResponse(await checkReadiness(context)))
  routes.set('/ready', ready).set('/readyz', ready)
  if (oauthIssuer !== undefined) {
    const oauth = createOAuthRoutes({ ...parts, issuerUrl: oauthIssuer, signer })
    routes.set('/oauth/token', { audience: 'servers', kind: 'customer', handle: oauth.token })
    for (const path of oauth.metadataPaths)
      routes.set(
        path,
        publicRoute(() => oauth.metadata),
      )
  }
  return createRouter(routes, origins, parts.issuer)
}

function createRouter(
  routes: ReadonlyMap<string, ServiceRoute>,
  origins: ReadonlySet<string>,
  issuer: Issuer,
): RequestHandler {
  const base = new Headers(SERVICE_HEADERS)
  // Created once for each origin, because setting headers on every response is slow.
  const pageBases = new Map([...origins].map((origin) => [origin, allowOrigin(new Headers(base), origin)]))

  const rejectOrigin = async (
    { audience, kind }: ServiceRoute,
    request: Request,
    context: object | undefined,
    requestId: string,
  ): Promise<Response> => {
    const detail =
      audience === 'servers'
        ? 'This route is not available to browsers.'
        : 'Origin not allowed. Add it to the allowed origins (ALLOWED_ORIGINS) if its pages may request tokens.'
    const problem = makeProblem('ERR_ORIGIN_FORBIDDEN', detail)
    await issuer.createRecord(request, context, requestId).refused(null, kind, problem)
    return problemResponse(problem, requestId, base)
  }

  return async (request, context) => {
    checkRequest(request)
    const requestId = requestIdOf(request)
    const route = routes.get(pathOf(request.url))
    if (!route) return problemResponse(NOT_FOUND, requestId, base)
    if (route.audience === 'anyone') return route.handle(request, context, requestId, base)
    if (route.audience === 'servers') {
      if (isFromPage(request)) return rejectOrigin(route, request, context, requestId)
      return route.handle(request, context, requestId, base)
    }
    const origin = decideOrigin(request, origins)
    if (origin === 'forbidden') return rejectOrigin(route, request, context, requestId)
    if (origin === 'own') return route.handle(request, context, requestId, base)
    if (request.method === 'OPTIONS') return preflightResponse(origin.allowed, requestId, base)
    const response = await route.handle(request, context, requestId, pageBases.get(origin.allowed) ?? base)
    // The headers of an error may have replaced some of them.
    if (!response.ok) allowOrigin(response.headers, origin.allowed)
    return response
  }
}

const NOT_FOUND: Problem = /* @__PURE__ */ makeProblem('ERR_NOT_FOUND', 'There is no route at this path.')

/** The path of an absolute URL. Faster than `new URL`. */
export function pathOf(url: string): string {
  const start = url.indexOf('/', url.indexOf('//') + 2)
  if (start === -1) return '/'
  const end = url.slice(start).search(/[?#]/)
  return end === -1 ? url.slice(start) : url.slice(start, start + end)
}

/** The response of a public route. */
export interface PublicResponse {
  readonly status?: number
  readonly type: string
  readonly cacheControl?: string
  readonly body: string
}

/** A public route, for GET and HEAD. */
function publicRoute(
  respond: (context: object | undefined) => PublicResponse | Problem | Promise<PublicResponse | Problem>,
): ServiceRoute {
  return {
    audience: 'anyone',
    kind: 'customer',
    handle: async ({ method }, context, requestId, base) => {
      if (method !== 'GET' && method !== 'HEAD') {
        const problem = makeProblem('ERR_METHOD_NOT_ALLOWED', 'Use GET.', { Allow: 'GET, HEAD' })
        return problemResponse(problem, requestId, base)
      }
      const result = await respond(context)
      const response =
        'code' in result ? problemResponse(result, requestId, base) : publicResponse(result, requestId, base)
      return method === 'HEAD' ? new Response(null, response) : response
    },
  }
}

export function publicResponse(
  { status = 200, type, cacheControl, body }: PublicResponse,
  requestId: string,
  base: Headers,
): Response {
  const headers = {
    'Content-Type': type,
    'X-Request-Id': requestId,
    ...(cacheControl && { 'Cache-Control': cacheControl }),
  }
  return createResponse(body, base, headers, status)
}

export const HEALTHY: PublicResponse = { type: 'application/json', body: '{"status":"ok"}' }

function readinessResponse({ isReady, degraded }: Readiness): PublicResponse | Problem {
  if (!isReady) {
    const code: ProblemCode = 'ERR_NOT_READY'
    return makeProblem(code, `No caller can be served. Unreachable: ${degraded.join(', ')}.`)
  }
  const body = { status: 'ok', ...(degraded.length > 0 && { degraded }) }
  return { type: 'application/json', body: JSON.stringify(body) }
}

/** Checks a signer by signing, because a remote key may be unreachable. */
export function signerWay(signer: Signer, name: string): Way {
  return {
    name,
    check: async () => {
      await signer.signAdminToken({ expiresIn: 1 })
    },
  }
}

/** The checks of an authenticator, separate for each part of `oneOf`. */
export function waysOf(authenticate: Authenticator & Partial<CredentialAuthenticator>): Way[] {
  const { parts, dependencies = [] } = authenticate
  if (parts) return parts.flatMap(waysOf)
  if (dependencies.length === 0) return [{ name: 'authenticate' }]
  return dependencies.map(({ name, check, isUsable }) => ({ name, check, isUsable }))
}

function publishedKeys(signer: Signer, additionalKeys: JSONWebKeySet | undefined): PublicResponse {
  const keys = readPublishedKeys([
    ...(signer.publicJwk ? [signer.publicJwk] : []),
    ...(additionalKeys === undefined ? [] : readPublishedKeys(additionalKeys?.keys)),
  ])
  return {
    type: 'application/jwk-set+json',
    cacheControl: 'public, max-age=300',
    body: JSON.stringify({ keys }),
  }
}

function bindOrigins(origins: unknown): ReadonlySet<string> {
  if (
    Array.isArray(origins) &&
    origins.every((origin) => typeof origin === 'string' && isExactOrigin(origin))
  ) {
    return new Set(origins)
  }
  throw invalidOption(
    'allowedOrigins must be a list of exact origins, such as https://app.example.com, without a path or a trailing slash.',
    'allowedOrigins',
  )
}
