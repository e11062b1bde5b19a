import { ENDPOINT_HEADERS } from '../endpoint/http/problem.ts'
import { createResponse } from '../endpoint/http/response.ts'

/**
 * Headers of every response: the security headers that matter for a JSON API. `Strict-Transport-Security` is not one of
 * them, because it applies to the whole host; the Worker and `serve` set it.
 */
export const SERVICE_HEADERS: Readonly<Record<string, string>> = {
  ...ENDPOINT_HEADERS,
  'Content-Security-Policy': "default-src 'none'; base-uri 'none'; frame-ancestors 'none'",
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
}

/** Response headers that pages of an allowed origin may read, besides the CORS-safelisted ones. */
const EXPOSED_HEADERS = 'X-Request-Id,Retry-After,Date,WWW-Authenticate'

/** Adds the headers that let pages of an origin read the response. */
export function allowOrigin(headers: Headers, origin: string): Headers {
  headers.set('Access-Control-Allow-Origin', origin)
  headers.set('Access-Control-Expose-Headers', EXPOSED_HEADERS)
  if (!/\borigin\b/i.test(headers.get('Vary') ?? '')) headers.append('Vary', 'Origin')
  return headers
}

/** The response to a preflight request of an allowed origin. */
export function preflightResponse(origin: string, requestId: string, base: Headers): Response {
  const headers = {
    'Access-Control-Allow-Origin': origin,
    'Access-Control-Allow-Methods': 'GET,POST',
    'Access-Control-Allow-Headers': 'Authorization,Content-Type,X-Request-Id',
    'Access-Control-Max-Age': '600',
    Vary: 'Origin',
    'X-Request-Id': requestId,
  }
  return createResponse(null, base, headers, 204)
}
