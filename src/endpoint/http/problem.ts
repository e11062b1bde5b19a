import { MembraneTokenError } from '../../errors.ts'

/** Every code a problem response can carry; those of the module keep their name. */
export type ProblemCode =
  | 'ERR_BODY_INVALID'
  | 'ERR_CLAIM_INVALID'
  | 'ERR_LIFETIME_INVALID'
  | 'ERR_TOKEN_TOO_LARGE'
  | 'ERR_CREDENTIALS_MISSING'
  | 'ERR_CREDENTIALS_INVALID'
  | 'ERR_CREDENTIALS_AMBIGUOUS'
  | 'ERR_CALLER_FORBIDDEN'
  | 'ERR_ORIGIN_FORBIDDEN'
  | 'ERR_NOT_FOUND'
  | 'ERR_METHOD_NOT_ALLOWED'
  | 'ERR_BODY_TOO_LARGE'
  | 'ERR_CONTENT_TYPE_UNSUPPORTED'
  | 'ERR_RATE_LIMITED'
  | 'ERR_INTERNAL'
  | 'ERR_JWKS_UNAVAILABLE'
  | 'ERR_SETTING_INVALID'

interface ProblemKind {
  readonly status: number
  readonly title: string
  readonly headers?: Readonly<Record<string, string>>
}

// The type is about:blank, for which RFC 9457 section 4.2.1 wants the status phrase as title: code tells more.
const PROBLEMS: Readonly<Record<ProblemCode, ProblemKind>> = {
  ERR_BODY_INVALID: { status: 400, title: 'Bad Request' },
  ERR_CLAIM_INVALID: { status: 400, title: 'Bad Request' },
  ERR_LIFETIME_INVALID: { status: 400, title: 'Bad Request' },
  ERR_TOKEN_TOO_LARGE: { status: 400, title: 'Bad Request' },
  ERR_CREDENTIALS_MISSING: { status: 401, title: 'Unauthorized', headers: { 'WWW-Authenticate': 'Bearer' } },
  ERR_CREDENTIALS_INVALID: {
    status: 401,
    title: 'Unauthorized',
    headers: { 'WWW-Authenticate': 'Bearer error="invalid_token"' },
  },
  // RFC 6750 section 3.1: credentials that come twice, or in two ways, are a bad request.
  ERR_CREDENTIALS_AMBIGUOUS: {
    status: 400,
    title: 'Bad Request',
    headers: { 'WWW-Authenticate': 'Bearer error="invalid_request"' },
  },
  ERR_CALLER_FORBIDDEN: { status: 403, title: 'Forbidden' },
  ERR_ORIGIN_FORBIDDEN: { status: 403, title: 'Forbidden' },
  ERR_NOT_FOUND: { status: 404, title: 'Not Found' },
  ERR_METHOD_NOT_ALLOWED: { status: 405, title: 'Method Not Allowed' },
  ERR_BODY_TOO_LARGE: { status: 413, title: 'Content Too Large' },
  ERR_CONTENT_TYPE_UNSUPPORTED: { status: 415, title: 'Unsupported Media Type' },
  ERR_RATE_LIMITED: { status: 429, title: 'Too Many Requests', headers: { 'Retry-After': '60' } },
  ERR_INTERNAL: { status: 500, title: 'Internal Server Error' },
  ERR_JWKS_UNAVAILABLE: { status: 503, title: 'Service Unavailable', headers: { 'Retry-After': '10' } },
  ERR_SETTING_INVALID: { status: 503, title: 'Service Unavailable' },
}

/** Headers of every response that is about a token, whether it holds one or not. */
export const CLOSED_HEADERS: Readonly<Record<string, string>> = {
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
}

/** Thrown instead of giving a token; becomes a problem response. Made by {@link refusal}. */
export interface Refusal extends Error {
  readonly name: 'Refusal'
  readonly code: ProblemCode
  readonly headers: Readonly<Record<string, string>>
}

/**
 * Makes what an {@link Authenticator} of your own throws to refuse a request.
 *
 * @param code Decides the HTTP status
 * @param detail What was wrong and how to mend it; the caller reads it, so it must hold nothing secret
 * @param headers Headers that go with it, such as `Allow`
 *
 * @example Refuse a session that was revoked
 *
 * ```ts
 * if (session.revoked) throw refusal('ERR_CREDENTIALS_INVALID', 'This session was ended; sign in again.')
 * ```
 */
export function refusal(
  code: ProblemCode,
  detail: string,
  headers: Readonly<Record<string, string>> = {},
): Refusal {
  return Object.assign(new Error(detail), { name: 'Refusal' as const, code, headers })
}

/**
 * A problem details response (RFC 9457), with `code`, `requestId`, and `error` beside the standard members.
 */
export function problemResponse(
  code: ProblemCode,
  detail: string,
  requestId: string,
  headers: Readonly<Record<string, string>> = {},
): Response {
  const { status, title, headers: ownHeaders } = PROBLEMS[code]
  const body = { type: 'about:blank', title, status, detail, code, requestId, error: title }
  return new Response(JSON.stringify(body), {
    status,
    headers: { 'Content-Type': 'application/problem+json', ...CLOSED_HEADERS, ...ownHeaders, ...headers },
  })
}

/** What was thrown, as a problem: refusals and the caller's own mistakes as they are, all else as a bare 500. */
export function problemOf(error: unknown): Pick<Refusal, 'code' | 'message' | 'headers'> {
  if (isRefusal(error)) return error
  if (error instanceof MembraneTokenError && isProblemCode(error.code)) {
    return { code: error.code, message: error.message, headers: {} }
  }
  return { code: 'ERR_INTERNAL', message: 'Something went wrong on the server.', headers: {} }
}

const requestIds: WeakMap<Request, string> = /* @__PURE__ */ new WeakMap()

/** Gives a request the id under which it is known already, such as to the framework around the endpoint. */
export function setRequestId(request: Request, requestId: string): void {
  requestIds.set(request, requestId)
}

/** The id a request was given, or the caller's `X-Request-Id` if it is harmless to repeat, else a fresh one. */
export function requestIdOf(request: Request): string {
  const given = requestIds.get(request) ?? request.headers.get('X-Request-Id') ?? ''
  return /^[\w=-]{1,255}$/.test(given) ? given : crypto.randomUUID()
}

export function isRefusal(error: unknown): error is Refusal {
  return error instanceof Error && error.name === 'Refusal' && 'code' in error && isProblemCode(error.code)
}

function isProblemCode(code: unknown): code is ProblemCode {
  return typeof code === 'string' && Object.hasOwn(PROBLEMS, code)
}
