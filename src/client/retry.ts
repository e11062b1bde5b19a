import { startCountdown } from './countdown.ts'
import { type Failure, fail, type ReceivedToken } from './token-request.ts'

/** All in milliseconds, except the number of retries. */
const REQUEST_TIMEOUT = 10_000
const FIRST_DELAY = 500
/** A `Retry-After` of 30 seconds, and the longest delay of our own. */
const LONGEST_DELAY = 32_000
const RETRIES = 3

/**
 * Sends requests until one is answered, `patience` runs out, or `cancel` aborts.
 *
 * @param patience Milliseconds
 */
export async function requestWithRetries(
  request: (signal: AbortSignal) => Promise<ReceivedToken | Failure>,
  patience: number,
  cancel: AbortSignal,
): Promise<ReceivedToken> {
  const left = startCountdown(patience)
  for (let retry = 0; ; retry++) {
    const attempt = new AbortController()
    cancel.addEventListener('abort', () => attempt.abort())
    // A custom fetch may ignore the signal, so the timeout does not depend on it.
    const timeout = pause(Math.min(REQUEST_TIMEOUT, left()), attempt.signal).then(() =>
      fail('The token request timed out.', 0),
    )
    const answer = await Promise.race([timeout, request(attempt.signal)])
    attempt.abort()
    if ('token' in answer) return answer
    // Full jitter: clients that failed together must not come back together.
    const delay = answer.retryAfter + Math.random() * FIRST_DELAY * 2 ** retry
    if (retry === RETRIES || delay > Math.min(LONGEST_DELAY, left())) throw answer.error
    await pause(delay, cancel)
    if (cancel.aborted) throw answer.error
  }
}

/** Resolves after `delay` milliseconds, or when the signal aborts. */
function pause(delay: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, delay)
    signal.addEventListener('abort', () => {
      clearTimeout(timer)
      resolve()
    })
  })
}
