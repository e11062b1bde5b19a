import { startCountdown } from './countdown.ts'
import { type Failure, fail, type ReceivedToken } from './token-request.ts'

/**
 * Requests a token, with up to three retries within `patience`, until `cancel` aborts.
 *
 * @param patience Milliseconds
 * @throws The error of the last request
 */
export async function requestWithRetries(
  request: (signal: AbortSignal) => Promise<ReceivedToken | Failure>,
  patience: number,
  cancel: AbortSignal,
): Promise<ReceivedToken> {
  // Milliseconds. In here, because bundlers inline local constants.
  const timeout = 10_000
  const firstDelay = 500
  // A `Retry-After` of 30 seconds, plus the longest random delay.
  const longestDelay = 32_000
  const left = startCountdown(patience)
  for (let retry = 0; ; retry++) {
    const attempt = new AbortController()
    cancel.addEventListener('abort', () => attempt.abort())
    // A custom fetch may ignore the signal, so the timeout does not depend on it.
    const result =
      (await Promise.race([request(attempt.signal), pause(Math.min(timeout, left()), attempt.signal)])) ??
      fail('The token request timed out.', undefined, 0)
    attempt.abort()
    if ('token' in result) return result
    // Full jitter, so that clients that failed together do not retry together.
    const delay = result.retryAfter + Math.random() * firstDelay * 2 ** retry
    if (retry === 3 || delay > Math.min(longestDelay, left())) throw result.error
    await pause(delay, cancel)
  }
}

/** Resolves after `delay` milliseconds; rejects if the signal aborts earlier, or has aborted before. */
function pause(delay: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted()
    const timer = setTimeout(resolve, delay)
    signal.addEventListener('abort', () => {
      clearTimeout(timer)
      reject()
    })
  })
}
