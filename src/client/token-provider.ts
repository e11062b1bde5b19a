import { MembraneTokenError, type MembraneTokenErrorCode } from '../errors.ts'

// Not HeadersInit, which is no global type everywhere.
type RequestHeaders = NonNullable<RequestInit['headers']>

/** What {@link createTokenProvider} takes: where the tokens are, and how to ask for them. */
export interface TokenProviderOptions {
  /** Address of your token endpoint. It may be relative in a page, which is then its base. */
  url: string | URL
  /**
   * Sends the request. Default: the global `fetch` of the moment, which sends cookies to the page's own origin
   * only. For another origin: `(input, init) => fetch(input, { ...init, credentials: 'include' })`.
   */
  fetch?: typeof fetch | undefined
  /** Headers of every request, asked for anew each time: `() => ({ Authorization: … })`. */
  headers?: (() => RequestHeaders | Promise<RequestHeaders>) | undefined
  /**
   * Seconds before a token's end from which on a new one is fetched; half its lifetime where that is less.
   * Default 60. Not under 10, where Membrane's SDK asks for another token and would get the same again.
   */
  refreshBefore?: number | undefined
}

/** Resolves to a bare JWT: what Membrane's SDK takes as `fetchToken`. */
export type TokenProvider = (() => Promise<string>) & {
  /**
   * Forgets the token, as after a sign-out, or when Membrane refused it: the next call fetches. Calls that wait
   * already get what they asked for, and it is not kept.
   */
  invalidate(): void
}

// All times are in milliseconds.

/** A token, what is left of its life, and the rest at which it is to be renewed. */
interface Grant {
  readonly token: string
  readonly left: Countdown
  renewAt: number
}

/** Why there is no token, and how long not to ask again; `Infinity` where that is of no use. */
interface Failure {
  readonly error: MembraneTokenError
  readonly retryAfter: number
}

/** What is known until {@link TokenProvider.invalidate}. */
interface Memory {
  grant: Grant
  pending?: Promise<string> | undefined
}

type Countdown = () => number

const NO_GRANT: Grant = { token: '', left: () => 0, renewAt: 0 }

/**
 * Makes the function that Membrane's SDK calls for a token, on top of your token endpoint.
 *
 * - However many callers wait, there is one request (GET).
 * - A token is given out again until `refreshBefore` seconds before its end. Its life is counted from its receipt,
 *   by the answer's `expiresIn` or, where that is missing, the distance from `iat` to `exp`; where both are
 *   missing, it is not kept. What the device's clock says does not matter, only how far it moves: a device may
 *   sleep for longer than a token lives.
 * - Where no token comes after 10 seconds, after 429, 5xx or a network error, it asks up to three times more, each
 *   time after a random wait of at most 0.5, 1 and 2 seconds, on top of what `Retry-After` demands. A demand of
 *   more than 30 seconds, and every other answer, end it at once.
 * - While a token lives, its renewal may take 5 seconds, or half its remaining life; if that fails, for whatever
 *   reason, the living token is given out, and renewing waits for a quarter of the life that is left.
 *
 * Make one for each signed-in user and keep it, beside the SDK's client. On a server never share one between
 * users, nor between the requests of a Worker, which cannot wait for each other's fetch.
 *
 * @returns A function that rejects with {@link MembraneTokenError}:
 *   `ERR_TOKEN_REQUEST_REFUSED`: the endpoint says no (401: sign in again; 403 and other 4xx);
 *   `ERR_TOKEN_REQUEST_FAILED`: it cannot be reached, fails, or answers something else than a token;
 *   `ERR_OPTION_INVALID`: `url` or what `headers` returns cannot be used
 * @throws `ERR_OPTION_INVALID`
 *
 * @example In a page, with Membrane's SDK
 *
 * ```ts
 * const membrane = new MembraneClient({ fetchToken: createTokenProvider({ url: '/api/membrane-token' }) })
 * ```
 */
export function createTokenProvider(options: TokenProviderOptions): TokenProvider {
  const { url, fetch, headers, refreshBefore = 60 } = options ?? {}
  if (
    !url ||
    ![fetch, headers].every((option) => typeof (option ?? fail) === 'function') ||
    !(Number.isFinite(refreshBefore) && refreshBefore >= 0)
  ) {
    throw new MembraneTokenError(
      'ERR_OPTION_INVALID',
      'url must be given, fetch and headers be functions, refreshBefore seconds.',
    )
  }
  let memory: Memory = { grant: NO_GRANT }

  const ask = async (signal: AbortSignal): Promise<Grant | Failure> => {
    try {
      const given = await headers?.()
      let init: RequestInit
      try {
        const sent = new Headers(given)
        sent.set('Accept', 'application/json')
        // Workers of an early compatibility date know no cache, and throw when it is named.
        init = { headers: sent, signal, ...('cache' in Request.prototype && { cache: 'no-store' }) }
        if (!fetch) new Request(url)
      } catch {
        // No cause: the engine's message may quote a header, and with it the session's token.
        return fail('headers must be valid, and url absolute off a page.', Infinity, 'ERR_OPTION_INVALID')
      }
      // Called without a `this`, because a browser's fetch refuses a foreign one.
      const response = await (fetch ?? globalThis.fetch)(url, init)
      return readAnswer(response, parseObject(await response.text()), refreshBefore * 1000)
    } catch (cause) {
      return fail('The token request failed; check the cause, url and CORS.', 0, undefined, { cause })
    }
  }

  const renew = async (mine: Memory): Promise<string> => {
    const life = mine.grant.left()
    try {
      mine.grant = await askUntilAnswered(ask, life > 0 ? Math.min(5000, life / 2) : Infinity)
    } catch (error) {
      const left = mine.grant.left()
      if (left <= 0) throw error
      mine.grant.renewAt = left * 0.75
    } finally {
      mine.pending = undefined
    }
    return mine.grant.token
  }

  return Object.assign(
    async () => {
      const { grant } = memory
      if (grant.left() <= grant.renewAt) memory.pending ??= renew(memory)
      return memory.pending ?? grant.token
    },
    {
      invalidate() {
        // A renewal under way must neither fall back on the old token nor be remembered.
        memory.grant = NO_GRANT
        memory = { grant: NO_GRANT }
      },
    },
  )
}

/** Asks until an answer counts, or `patience` is at its end. */
async function askUntilAnswered(
  ask: (signal: AbortSignal) => Promise<Grant | Failure>,
  patience: number,
): Promise<Grant> {
  const requestLimit = 10_000
  const firstDelay = 500
  const longestDelay = 32_000 // A Retry-After of 30 seconds, and the longest of our own.
  const retries = 3
  const left = startCountdown(patience)
  for (let retry = 0; ; retry++) {
    const abort = new AbortController()
    let timer: ReturnType<typeof setTimeout> | undefined
    // AbortSignal.timeout would leave its timer behind, and a fetch of the caller's own may not heed the signal.
    const timeout = new Promise<Failure>((resolve) => {
      timer = setTimeout(
        () => {
          resolve(fail('The token request timed out.', 0))
          abort.abort()
        },
        Math.min(requestLimit, left()),
      )
    })
    const answer = await Promise.race([timeout, ask(abort.signal)])
    clearTimeout(timer)
    if ('token' in answer) return answer
    // Full jitter: clients that failed together must not come back together.
    const delay = answer.retryAfter + Math.random() * firstDelay * 2 ** retry
    if (retry === retries || delay > Math.min(longestDelay, left())) throw answer.error
    await new Promise((resolve) => setTimeout(resolve, delay))
  }
}

function readAnswer(
  { ok, status, headers }: Response,
  { token, expiresIn, code, detail }: Record<string, unknown>,
  refreshBefore: number,
): Grant | Failure {
  let said = `The token endpoint answered ${status}`
  if (ok) {
    if (typeof token !== 'string' || !/^[\w-]+(\.[\w-]+){2}$/.test(token)) {
      return fail(`${said} without {"token": "<JWT>"}; check url and sign-in.`, Infinity)
    }
    const { iat, exp } = parseObject(token.split('.')[1] as string, true)
    const seconds = typeof expiresIn === 'number' ? expiresIn : (exp as number) - (iat as number)
    const lifetime = seconds * 1000 || 0
    return { token, left: startCountdown(lifetime), renewAt: Math.min(refreshBefore, lifetime / 2) }
  }
  // A problem of RFC 9457, or near enough; without anything that looks like a token.
  if (code && detail) said += ` (${code}: ${detail})`.replace(/eyJ[\w.-]+/g, '...')
  if (status !== 429 && status < 500) {
    const mend = status === 401 ? 'sign in again' : 'check url and permissions'
    return fail(`${said}; ${mend}.`, Infinity, 'ERR_TOKEN_REQUEST_REFUSED')
  }
  // RFC 9110 section 10.2.3. A date is held against the server's clock, where it shows that.
  const retryAfter = headers.get('Retry-After') as string
  const now = Date.parse(headers.get('Date') as string) || Date.now()
  const wait = Number(retryAfter) * 1000 || Date.parse(retryAfter) - now
  return fail(`${said}; try again later.`, Math.max(0, wait) || 0)
}

/** The members of a JSON object; none where the text is something else. */
function parseObject(text: string, isBase64url?: boolean): Record<string, unknown> {
  try {
    // Latin-1 instead of UTF-8, which does not matter to the dates.
    return Object(JSON.parse(isBase64url ? atob(text.replace(/-/g, '+').replace(/_/g, '/')) : text))
  } catch {
    return {}
  }
}

/**
 * Counts down from now on, and believes the faster of two clocks: the steady one stands still while most devices
 * sleep; the wall clock may be set, which then costs one request too many.
 */
function startCountdown(duration: number): Countdown {
  const [steady, wall] = [performance.now(), Date.now()]
  return () => duration - Math.max(performance.now() - steady, Date.now() - wall)
}

function fail(
  message: string,
  retryAfter: number,
  code: MembraneTokenErrorCode = 'ERR_TOKEN_REQUEST_FAILED',
  options?: ErrorOptions,
): Failure {
  return { error: new MembraneTokenError(code, message, options), retryAfter }
}
