import { MembraneTokenError, type MembraneTokenErrorCode } from '../errors.ts'
import { type Countdown, startCountdown } from './countdown.ts'
import type { TokenProviderOptions } from './token-provider.ts'

/** A token and its remaining lifetime. */
export interface ReceivedToken {
  readonly token: string
  readonly left: Countdown
}

/** Why there is no token, and after how many milliseconds to retry; `Infinity` if a retry is pointless. */
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
      // Followed, a redirect would carry the headers to another origin.
      init = { headers: sent, signal, redirect: 'manual' }
      // Workers with an early compatibility date throw where `cache` is present.
      if ('cache' in Request.prototype) init.cache = 'no-store'
      if (!fetch) new Request(url)
    } catch {
      // No cause: the engine's message may quote a header, and with it the session's token.
      return fail('Invalid headers or url.', 'ERR_OPTION_INVALID')
    }
    // Called without a `this`, because a browser's fetch refuses a foreign one.
    const response = await (fetch ?? globalThis.fetch)(url, init)
    return readAnswer(response, parseObject(await response.text()))
  } catch (cause) {
    return fail('The token request failed; check url, headers and CORS.', undefined, 0, cause)
  }
}

function readAnswer(
  { ok, status, headers, redirected }: Response,
  { token, expiresIn, code, detail }: Record<string, unknown>,
): ReceivedToken | Failure {
  let said = `The token endpoint answered ${status}`
  if (status < 400) {
    // Browsers hide a redirect behind status 0; a custom fetch may have followed it.
    if (!ok || redirected || typeof token !== 'string' || !/^[\w-]+(\.[\w-]+){2}$/.test(token)) {
      return fail(`${said}, a redirect or no token; check url and sign-in.`)
    }
    const { iat, exp } = parseObject(token.split('.')[1] as string, true)
    const seconds = typeof expiresIn === 'number' ? expiresIn : (exp as number) - (iat as number)
    return { token, left: startCountdown(seconds * 1000 || 0) }
  }
  // A problem of RFC 9457, without anything that looks like a token.
  if (code && detail) said += ` (${code}: ${detail})`.replace(/eyJ[\w.-]+/g, '...')
  if (status !== 429 && status < 500) {
    return fail(`${said}; check url and sign-in.`, 'ERR_TOKEN_REQUEST_REFUSED')
  }
  // RFC 9110 section 10.2.3. A date is compared with the server's clock, where it is shown.
  const retryAfter = headers.get('Retry-After') as string
  const now = Date.parse(headers.get('Date') as string) || Date.now()
  const wait = Number(retryAfter) * 1000 || Date.parse(retryAfter) - now
  return fail(`${said}; retry later.`, undefined, wait > 0 ? wait : 0)
}

/** The members of a JSON object; none if the text is anything else. */
function parseObject(text: string, isBase64url?: boolean): Record<string, unknown> {
  try {
    // Latin-1 instead of UTF-8, which makes no difference to the dates.
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
