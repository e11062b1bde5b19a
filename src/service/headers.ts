import { ENDPOINT_HEADERS } from '../endpoint/http/problem.ts'

/**
 * The headers of every answer of the service, copied by the engine for each: those that matter for an API that answers
 * JSON, and no others. `Strict-Transport-Security` is for whoever owns the whole host, such as the Worker.
 */
export const SERVICE_HEADERS: Readonly<Record<string, string>> = {
  ...ENDPOINT_HEADERS,
  'Content-Security-Policy': "default-src 'none'; base-uri 'none'; frame-ancestors 'none'",
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
}

/** What a page of an allowed origin may read (Fetch standard, section 3.3.3). */
const EXPOSED = 'X-Request-Id,Retry-After,Date,WWW-Authenticate'

/** Lets a page of another origin read an answer. */
export function allowOrigin(headers: Headers, origin: string): Headers {
  headers.set('Access-Control-Allow-Origin', origin)
  headers.set('Access-Control-Expose-Headers', EXPOSED)
  if (!/\borigin\b/i.test(headers.get('Vary') ?? '')) headers.append('Vary', 'Origin')
  return headers
}

/** The answer to a preflight request of an allowed origin. */
export function preflightResponse(origin: string, requestId: string, base: Headers): Response {
  const headers = new Headers(base)
  headers.set('Access-Control-Allow-Origin', origin)
  headers.set('Access-Control-Allow-Methods', 'GET,POST')
  headers.set('Access-Control-Allow-Headers', 'Authorization,Content-Type,X-Request-Id')
  headers.set('Access-Control-Max-Age', '600')
  headers.append('Vary', 'Origin')
  headers.set('X-Request-Id', requestId)
  return new Response(null, { status: 204, headers })
}
