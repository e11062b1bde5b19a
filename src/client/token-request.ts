import { MembraneTokenError, type MembraneTokenErrorCode } from '../errors.ts'
import { type Countdown, startCountdown } from './countdown.ts'
import type { TokenProviderOptions } from './token-provider.ts'

/** A token and its remaining lifetime. */
export interface ReceivedToken {
  readonly token: string
  readonly left: Countdown
}

/** A failed request, and the milliseconds to wait before a retry; `Infinity` if a retry is pointless. */
export interface Failure {
  readonly error: MembraneTokenError
  readonly retryAfter: number
}

/** Sends one request to the token endpoint. Never rejects. */
export async function requestToken(
  { url, fetch, headers }: TokenProviderOptions,
  signal: AbortSignal,
): Promise<ReceivedToken | Failure> {
  try {
    const given = await headers?.()
    let init: RequestInit
    try {
      const sent = new Headers(given)
      sent.set('Accept', 'application/json')
      // A followed redirect could send the headers to another origin.
      init = { headers: sent, signal, redirect: 'manual' }
      // Workers with an early compatibility date throw if `cache` is present.
      if ('cache' in Request.prototype) init.cache = 'no-store'
      if (!fetch) new Request(url)
    } catch {
      // No cause, because the engine's message may quote a header, such as the session's token.
      return fail('Invalid headers or url.', 'ERR_OPTION_INVALID')
    }
    // Called without `this`, because a browser's fetch throws for any other than the global object.
    const response = await (fetch ?? globalThis.fetch)(url, init)
    return readResponse(response, parseObject(await response.text()))
  } catch (cause) {
    return fail('The token request failed; check url, headers and CORS.', undefined, 0, cause)
  }
}

function readResponse(
  { ok, status, headers, redirected }: Response,
  { token, expiresIn, code, detail }: Record<string, unknown>,
): ReceivedToken | Failure {
  let message = `The token endpoint returned ${status}`
  if (status < 400) {
    // Browsers hide a redirect behind status 0; a custom fetch may have followed it.
    if (!ok || redirected || typeof token !== 'string' || !/^[\w-]+(\.[\w-]+){2}$/.test(token)) {
      return fail(`${message}, a redirect or no token; check url and sign-in.`)
    }
    const { iat, exp } = parseObject(token.split('.')[1] as string, true)
    const seconds = typeof expiresIn === 'number' ? expiresIn : (exp as number) - (iat as number)
    return { token, left: startCountdown(seconds * 1000 || 0) }
  }
  // Problem details (RFC 9457), without anything that looks like a token.
  if (code && detail) message += ` (${code}: ${detail})`.replace(/eyJ[\w.-]+/g, '...')
  if (status !== 429 && status < 500) {
    return fail(`${message}; check url and sign-in.`, 'ERR_TOKEN_REQUEST_REFUSED')
  }
  // RFC 9110 section 10.2.3. A date is compared with the server's clock, if the response exposes it.
  const retryAfter = headers.get('Retry-After') as string
  const now = Date.parse(headers.get('Date') as string) || Date.now()
  const wait = Number(retryAfter) * 1000 || Date.parse(retryAfter) - now
  return fail(`${message}; retry later.`, undefined, wait > 0 ? wait : 0)
}

/** Parses a JSON object; an empty object for anything else. */
function parseObject(text: string, isBase64url?: boolean): Record<string, unknown> {
  try {
    // Not decoded as UTF-8, which makes no difference to the dates.
    return Object(JSON.parse(isBase64url ? atob(text.replace(/-/g, '+').replace(/_/g, '/')) : text))
  } catch {
    return {}
  }
}

export function fail(
  message: string,
  code: MembraneTokenErrorCode = 'ERR_TOKEN_REQUEST_FAILED',
  retryAfter: number = Infinity,
  cause?: unknown,
): Failure {
  return { error: new MembraneTokenError(code, message, { cause }), retryAfter }
}
