import { MembraneTokenError } from '../../errors.ts'
import { createResponse } from './response.ts'

/** The code of a problem response. */
export type ProblemCode =
  | 'ERR_BODY_INVALID'
  | 'ERR_QUERY_INVALID'
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
  | 'ERR_KEY_UNAVAILABLE'
  | 'ERR_SETTING_INVALID'
  | 'ERR_NOT_READY'

interface ProblemKind {
  readonly status: keyof typeof TITLES
  readonly headers?: Readonly<Record<string, string>>
}

// RFC 9457 section 4.2.1: with the type about:blank, the title is the status phrase.
const TITLES = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
} as const

const PROBLEMS: Readonly<Record<ProblemCode, ProblemKind>> = {
  ERR_BODY_INVALID: { status: 400 },
  ERR_QUERY_INVALID: { status: 400 },
  ERR_CLAIM_INVALID: { status: 400 },
  ERR_LIFETIME_INVALID: { status: 400 },
  ERR_TOKEN_TOO_LARGE: { status: 400 },
  ERR_CREDENTIALS_MISSING: { status: 401, headers: { 'WWW-Authenticate': 'Bearer' } },
  ERR_CREDENTIALS_INVALID: { status: 401, headers: { 'WWW-Authenticate': 'Bearer error="invalid_token"' } },
  // RFC 6750 section 3.1: sending credentials twice, or in two ways, is an invalid request.
  ERR_CREDENTIALS_AMBIGUOUS: {
    status: 400,
    headers: { 'WWW-Authenticate': 'Bearer error="invalid_request"' },
  },
  ERR_CALLER_FORBIDDEN: { status: 403 },
  ERR_ORIGIN_FORBIDDEN: { status: 403 },
  ERR_NOT_FOUND: { status: 404 },
  ERR_METHOD_NOT_ALLOWED: { status: 405 },
  ERR_BODY_TOO_LARGE: { status: 413 },
  ERR_CONTENT_TYPE_UNSUPPORTED: { status: 415 },
  ERR_RATE_LIMITED: { status: 429, headers: { 'Retry-After': '60' } },
  ERR_INTERNAL: { status: 500 },
  ERR_JWKS_UNAVAILABLE: { status: 503, headers: { 'Retry-After': '10' } },
  ERR_KEY_UNAVAILABLE: { status: 503, headers: { 'Retry-After': '10' } },
  ERR_NOT_READY: { status: 503, headers: { 'Retry-After': '10' } },
  ERR_SETTING_INVALID: { status: 503 },
}

/** Headers of every response, including errors. */
export const ENDPOINT_HEADERS: Readonly<Record<string, string>> = {
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
}

/** An error that is returned as a problem response. Created by {@link refusal}. */
export interface Refusal extends Error {
  readonly name: 'Refusal'
  readonly code: ProblemCode
  readonly headers: Readonly<Record<string, string>>
  /** Error code at `/oauth/token` (RFC 6749 section 5.2), if it is not the one that `code` maps to. */
  readonly oauthError?: string
}

/**
 * Creates the error that your own {@link Authenticator} or hook throws to reject a request.
 *
 * @param code Determines the HTTP status
 * @param detail What is wrong and how to fix it; returned to the caller, so it must not contain secrets
 * @param headers Headers to add to the response, such as `Allow`
 *
 * @example Reject a revoked session
 *
 * ```ts
 * if (session.revoked) throw refusal('ERR_CREDENTIALS_INVALID', 'This session was revoked; sign in again.')
 * ```
 */
export function refusal(
  code: ProblemCode,
  detail: string,
  headers: Readonly<Record<string, string>> = {},
): Refusal {
  return Object.assign(new Error(detail), { name: 'Refusal' as const, code, headers })
}

/** What went wrong, with the HTTP status and headers of its response. */
export interface Problem {
  readonly code: ProblemCode
  readonly detail: string
  readonly status: keyof typeof TITLES
  readonly headers: Readonly<Record<string, string>>
  readonly oauthError?: string | undefined
  /** Only for the audit log: the name of an unexpected error, or what a key management service reported. */
  readonly error?: string
}

const INTERNAL_DETAIL = 'Something went wrong on the server.'
const KEY_DETAIL = 'The signing key is unreachable at the moment; try again shortly.'

/** Codes of errors in the request; their message is returned to the caller. */
const CALLER_CODES: readonly string[] = [
  'ERR_CLAIM_INVALID',
  'ERR_LIFETIME_INVALID',
  'ERR_TOKEN_TOO_LARGE',
] satisfies ProblemCode[]

/**
 * The problem of a thrown error. Refusals and errors in the request keep their message, an unavailable key is a 503,
 * and everything else is a 500 without details.
 */
export function problemOf(error: unknown): Problem {
  if (isRefusal(error)) {
    const { code, message, headers, oauthError } = error
    return { ...makeProblem(code, message, headers), ...(oauthError !== undefined && { oauthError }) }
  }
  if (error instanceof MembraneTokenError) {
    if (CALLER_CODES.includes(error.code)) return makeProblem(error.code as ProblemCode, error.message)
    if (error.code === 'ERR_KEY_UNAVAILABLE') {
      return { ...makeProblem('ERR_KEY_UNAVAILABLE', KEY_DETAIL), error: error.message }
    }
  }
  // Only the name, because the message of an unexpected error may quote a key or a token.
  return {
    ...makeProblem('ERR_INTERNAL', INTERNAL_DETAIL),
    error: error instanceof Error ? error.name : typeof error,
  }
}

export function makeProblem(
  code: ProblemCode,
  detail: string,
  headers: Readonly<Record<string, string>> = {},
): Problem {
  const { status, headers: ownHeaders } = PROBLEMS[code]
  return { code, detail, status, headers: { ...ownHeaders, ...headers } }
}

/**
 * A problem details response (RFC 9457), with the extension members `code`, `requestId` and `error`.
 *
 * @param base Headers of every response
 */
export function problemResponse(problem: Problem, requestId: string, base: Headers): Response {
  const { code, detail, status } = problem
  const title = TITLES[status]
  const body = { type: 'about:blank', title, status, detail, code, requestId, error: title }
  const headers = {
    'Content-Type': 'application/problem+json',
    'X-Request-Id': requestId,
    ...problem.headers,
  }
  return createResponse(JSON.stringify(body), base, headers, status)
}

/** The caller's `X-Request-Id` if it is safe to return, otherwise a new UUID. */
export function requestIdOf(request: Request): string {
  const given = request.headers.get('X-Request-Id')
  return given !== null && /^[\w=-]{1,255}$/.test(given) ? given : crypto.randomUUID()
}

export function isRefusal(error: unknown): error is Refusal {
  return error instanceof Error && error.name === 'Refusal' && 'code' in error && isProblemCode(error.code)
}

function isProblemCode(code: unknown): code is ProblemCode {
  return typeof code === 'string' && Object.hasOwn(PROBLEMS, code)
}
