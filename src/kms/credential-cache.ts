import { createSharedTask } from '../shared-task.ts'
import { type Credentials, withinTimeLimit } from './call.ts'

/** Fraction of its lifetime after which a credential is refreshed in the background. */
const REFRESH_AFTER = 0.75
/** Milliseconds before its expiry from which a credential is no longer used. */
const EXPIRY_MARGIN = 10_000
/** Milliseconds for which a new credential is kept even if it is rejected. */
const MIN_AGE = 30_000

/** A credential and its lifetime. */
export interface IssuedCredential<Value> {
  readonly value: Value
  /** Lifetime in seconds. */
  readonly expiresIn: number
}

/**
 * Caches a temporary credential until shortly before it expires, or until it is rejected, unless it is new. Concurrent
 * callers share one request, which survives the cancellation of any of them.
 *
 * @param load Requests a credential; receives the previous one, for services that renew
 */
export function cacheCredential<Value>(
  service: string,
  load: (signal: AbortSignal, last: Value | undefined) => Promise<IssuedCredential<Value>>,
  now: () => number = Date.now,
): Credentials<Value> {
  const task = createSharedTask()
  let cached: { value: Value; receivedAt: number; refreshAt: number; expiresAt: number } | undefined
  let failure: unknown

  const refresh = async (): Promise<void> => {
    try {
      const { value, expiresIn } = await withinTimeLimit(service, (signal) => load(signal, cached?.value))
      const receivedAt = now()
      const lifetime = expiresIn * 1000
      cached = {
        value,
        receivedAt,
        refreshAt: receivedAt + lifetime * REFRESH_AFTER,
        expiresAt: receivedAt + lifetime - Math.min(EXPIRY_MARGIN, lifetime / 10),
      }
      failure = undefined
    } catch (error) {
      failure = error
    }
  }
  // If the clock was set back, the remaining lifetime is unknown, so a new credential is requested.
  const current = () => {
    const time = now()
    return cached && time >= cached.receivedAt && time < cached.expiresAt ? cached : undefined
  }

  return {
    async get() {
      const valid = current()
      if (valid) {
        if (now() >= valid.refreshAt) task.startInBackground(refresh, undefined)
        return valid.value
      }
      await task.join(refresh, undefined)
      const fresh = current()
      if (fresh) return fresh.value
      throw failure
    },
    reject(rejected) {
      // Another caller has already dropped it.
      if (cached?.value !== rejected) return true
      if (now() - cached.receivedAt < MIN_AGE) return false
      cached = undefined
      return true
    },
  }
}
