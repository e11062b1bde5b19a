import { type Problem, type ProblemCode, type Refusal, refusal } from '../http/problem.ts'

/** Error codes of RFC 6749 section 5.2 and RFC 8693 section 2.2.2, and two for what these leave open. */
export type OAuthError =
  | 'invalid_request'
  | 'invalid_client'
  | 'invalid_scope'
  | 'invalid_target'
  | 'unauthorized_client'
  | 'unsupported_grant_type'
  | 'temporarily_unavailable'
  | 'server_error'

/** A refusal with an error code of its own. */
export function oauthRefusal(error: OAuthError, detail: string): Refusal {
  const code: ProblemCode = error === 'invalid_client' ? 'ERR_CREDENTIALS_INVALID' : 'ERR_BODY_INVALID'
  return Object.assign(refusal(code, detail), { oauthError: error })
}

/** OAuth error codes for the problems of the other routes; `invalid_request` for those not listed. */
const ERRORS: Partial<Record<ProblemCode, OAuthError>> = {
  ERR_CALLER_FORBIDDEN: 'invalid_scope',
  ERR_RATE_LIMITED: 'temporarily_unavailable',
  ERR_JWKS_UNAVAILABLE: 'temporarily_unavailable',
  ERR_KEY_UNAVAILABLE: 'temporarily_unavailable',
  ERR_INTERNAL: 'server_error',
}

/** Statuses that are kept; all other errors are 400 (RFC 6749 section 5.2). */
const STATUSES = [405, 413, 429, 500, 503]

/** An error response of RFC 6749 section 5.2. */
export function oauthErrorResponse(problem: Problem, requestId: string, base: Headers): Response {
  const error = (problem.oauthError as OAuthError | undefined) ?? ERRORS[problem.code] ?? 'invalid_request'
  const isClient = error === 'invalid_client'
  const headers = new Headers(base)
  headers.set('Content-Type', 'application/json')
  headers.set('Pragma', 'no-cache')
  headers.set('X-Request-Id', requestId)
  for (const name of ['Allow', 'Retry-After']) {
    const value = problem.headers[name]
    if (value !== undefined) headers.set(name, value)
  }
  if (isClient) headers.set('WWW-Authenticate', 'Basic realm="membrane-token", charset="UTF-8"')
  const status = isClient ? 401 : STATUSES.includes(problem.status) ? problem.status : 400
  return new Response(JSON.stringify({ error, error_description: describe(problem.detail) }), {
    status,
    headers,
  })
}

// RFC 6749 section 5.2: printable ASCII without quotes and backslashes.
function describe(detail: string): string {
  return detail.replace(/["`’]/g, "'").replace(/[^\x20-\x21\x23-\x5b\x5d-\x7e]/g, '?')
}
