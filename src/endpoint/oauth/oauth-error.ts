import { type Problem, type ProblemCode, type Refusal, refusal } from '../http/problem.ts'
import { createResponse } from '../http/response.ts'

/**
 * Error codes of RFC 6749 section 5.2 and RFC 8693 section 2.2.2, which have none for outages and rate limits: the last
 * two are those of RFC 6749 section 4.1.2.1.
 */
export type OAuthError =
  | 'invalid_request'
  | 'invalid_client'
  | 'invalid_scope'
  | 'invalid_target'
  | 'unauthorized_client'
  | 'unsupported_grant_type'
  | 'temporarily_unavailable'
  | 'server_error'

/** Creates a refusal with an OAuth error code. */
export function oauthRefusal(error: OAuthError, detail: string): Refusal {
  const code: ProblemCode = error === 'invalid_client' ? 'ERR_CREDENTIALS_INVALID' : 'ERR_BODY_INVALID'
  return Object.assign(refusal(code, detail), { oauthError: error })
}

/** OAuth error codes of problems; for all others, `invalid_request`. */
const OAUTH_ERRORS: Partial<Record<ProblemCode, OAuthError>> = {
  ERR_CALLER_FORBIDDEN: 'invalid_scope',
  ERR_RATE_LIMITED: 'temporarily_unavailable',
  ERR_JWKS_UNAVAILABLE: 'temporarily_unavailable',
  ERR_KEY_UNAVAILABLE: 'temporarily_unavailable',
  ERR_INTERNAL: 'server_error',
}

/** Statuses that are returned unchanged; other errors are 400 (RFC 6749 section 5.2), or 401 for `invalid_client`. */
const KEPT_STATUSES = [405, 413, 429, 500, 503]

/** An OAuth error response (RFC 6749 section 5.2). */
export function oauthErrorResponse(problem: Problem, requestId: string, base: Headers): Response {
  const error =
    (problem.oauthError as OAuthError | undefined) ?? OAUTH_ERRORS[problem.code] ?? 'invalid_request'
  const isClientError = error === 'invalid_client'
  const { Allow, 'Retry-After': retryAfter } = problem.headers
  const headers = {
    'Content-Type': 'application/json',
    Pragma: 'no-cache',
    'X-Request-Id': requestId,
    ...(Allow !== undefined && { Allow }),
    ...(retryAfter !== undefined && { 'Retry-After': retryAfter }),
    ...(isClientError && { 'WWW-Authenticate': 'Basic realm="membrane-token", charset="UTF-8"' }),
  }
  const status = isClientError ? 401 : KEPT_STATUSES.includes(problem.status) ? problem.status : 400
  const body = { error, error_description: toDescription(problem.detail) }
  return createResponse(JSON.stringify(body), base, headers, status)
}

// RFC 6749 section 5.2: printable ASCII without quotes and backslashes.
function toDescription(detail: string): string {
  return detail.replace(/["`’]/g, "'").replace(/[^\x20-\x21\x23-\x5b\x5d-\x7e]/g, '?')
}
