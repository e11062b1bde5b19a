import { MembraneTokenError } from '../errors.ts'
import type { Countdown } from './countdown.ts'
import { requestWithRetries } from './retry.ts'
import { requestToken } from './token-request.ts'

// Not HeadersInit, which is not a global type on every runtime.
type RequestHeaders = NonNullable<RequestInit['headers']>

/** Options of {@link createTokenProvider}. */
export interface TokenProviderOptions {
  /**
   * URL of your token endpoint, without user name and password. In a page it may be relative. Redirects are not
   * followed, because they could send `headers` to another origin.
   */
  url: string | URL
  /**
   * Sends the request. Default: the global `fetch`, which sends cookies to the page's own origin only. For another
   * origin: `(input, init) => fetch(input, { ...init, credentials: 'include' })`.
   */
  fetch?: typeof fetch | undefined
  /** Returns the headers for each request: `() => ({ Authorization: … })`. */
  headers?: (() => RequestHeaders | Promise<RequestHeaders>) | undefined
  /**
   * Seconds before a token expires at which to request the next one; at most half its lifetime. Default 60. Use at
   * least 10: in the last 10 seconds, Membrane's SDK requests another token and would get the same one.
   */
  refreshBefore?: number | undefined
}

/** A function that resolves to a bare JWT, as Membrane's SDK expects of `fetchToken`. */
export type TokenProvider = (() => Promise<string>) & {
  /**
   * Drops the token, for example after a sign-out or when Membrane rejected it. No caller, including those
   * already waiting, gets a token requested earlier: they wait for a new request.
   *
   * A `MembraneClient` keeps the token it already has: create a new client when the user signs out.
   */
  invalidate(): void
}

/**
 * Creates the function that Membrane's SDK calls to get a token from your token endpoint.
 *
 * - All waiting callers share one request (GET).
 * - A token is reused until `refreshBefore` seconds before it expires. Its lifetime counts from receipt: `expiresIn` of
 *   the response or, without it, `exp` minus `iat`; without both, the token is not reused. The device's clock may be
 *   wrong, and the device may sleep for longer than the token's lifetime.
 * - After 429, 5xx, a network error or 10 seconds without a response, it retries up to three times, each after a random
 *   delay of at most 0.5, 1 and 2 seconds on top of `Retry-After`. It gives up at once if that delay exceeds 32
 *   seconds, and on every other response.
 * - While a token is valid, its renewal may take 5 seconds or half its remaining lifetime. If that fails, callers get
 *   the valid token, and the next renewal waits for a quarter of its remaining lifetime.
 *
 * Create one for each signed-in user and keep it with the SDK's client. On a server, never share one between users, or
 * between requests in a Worker, where one request cannot await another's fetch.
 *
 * @returns A function that rejects with {@link MembraneTokenError}:
 *   `ERR_TOKEN_REQUEST_REFUSED`: the endpoint rejected the request (401: sign in again; 403 and other 4xx);
 *   `ERR_TOKEN_REQUEST_FAILED`: it is unreachable, fails, redirects, or returns no token;
 *   `ERR_OPTION_INVALID`: `url` or what `headers` returned cannot be used
 * @throws `ERR_OPTION_INVALID`
 *
 * @example In a page, with Membrane's SDK
 *
 * ```ts
 * const membrane = new MembraneClient({ fetchToken: createTokenProvider({ url: '/api/membrane-token' }) })
 * ```
 */
export function createTokenProvider(options: TokenProviderOptions): TokenProvider {
  const read = readOptions(options ?? {})
  let cancel = new AbortController()
  let getToken = createTokenCache(read, cancel.signal)

  const provide = async (): Promise<string> => {
    const current = getToken
    const token = current()
    await token.catch(() => {})
    return current === getToken ? token : provide()
  }

  provide.invalidate = (): void => {
    cancel.abort()
    cancel = new AbortController()
    getToken = createTokenCache(read, cancel.signal)
  }
  return provide
}

/** Requests, caches and renews the token until {@link TokenProvider.invalidate}. */
function createTokenCache(
  options: TokenProviderOptions & { refreshBefore: number },
  cancel: AbortSignal,
): () => Promise<string> {
  let token = ''
  let left: Countdown = () => 0
  /** Remaining lifetime, in milliseconds, at which the token is renewed. */
  let renewAt = 0
  let pending: Promise<string> | undefined

  const renew = async (): Promise<string> => {
    const patience = left() > 0 ? Math.min(5000, left() / 2) : Infinity
    try {
      ;({ token, left } = await requestWithRetries(
        (signal) => requestToken(options, signal),
        patience,
        cancel,
      ))
      renewAt = Math.min(options.refreshBefore * 1000, left() / 2)
    } catch (error) {
      if (left() <= 0) throw error
      renewAt = left() * 0.75
    } finally {
      pending = undefined
    }
    return token
  }

  return async () => {
    if (left() <= renewAt) pending ??= renew()
    return pending ?? token
  }
}

// Not the readOptions of the other modules: its suggestions for misspelled names would take a quarter of this bundle.
function readOptions({
  url,
  fetch,
  headers,
  refreshBefore = 60,
  ...unknown
}: TokenProviderOptions): TokenProviderOptions & { refreshBefore: number } {
  const [option] = Object.keys(unknown).concat(
    isPlainUrl(url) ? [] : 'url',
    isFunction(fetch) ? [] : 'fetch',
    isFunction(headers) ? [] : 'headers',
    typeof refreshBefore === 'number' && refreshBefore >= 0 ? [] : 'refreshBefore',
  )
  if (option === undefined) return { url, fetch, headers, refreshBefore }
  throw new MembraneTokenError(
    'ERR_OPTION_INVALID',
    `Invalid option ${option.slice(0, 40)}; options: url, fetch, headers, refreshBefore.`,
    { option },
  )
}

function isFunction(option: unknown): boolean {
  return option === undefined || typeof option === 'function'
}

function isPlainUrl(url: string | URL): boolean {
  try {
    const { username, password } = new URL(url, 'http://page')
    return Boolean(url) && !username && !password
  } catch {
    return false
  }
}
