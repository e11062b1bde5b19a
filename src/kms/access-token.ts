import { createSharedTask } from '../shared-task.ts'
import { type Credentials, withinTimeLimit } from './call.ts'

/** Part of its life after which a credential is refreshed in the background. */
const REFRESH_AFTER = 0.75
/** Milliseconds before its end when a credential is no longer used. */
const MARGIN = 10_000
/** Milliseconds in which a new credential is not replaced, even if it is rejected. */
const MIN_AGE = 30_000

/** What a provider issued. */
export interface Issued<Value> {
  readonly value: Value
  /** Seconds it is good for. */
  readonly expiresIn: number
}

/**
 * Keeps a temporary credential until shortly before it expires, or until it is rejected, unless it is new. Callers share
 * one request, which survives the cancellation of any of them.
 *
 * @param load Asks for one; gets the last one, for services that renew
 */
export function createTemporary<Value>(
  service: string,
  load: (signal: AbortSignal, last: Value | undefined) => Promise<Issued<Value>>,
  now: () => number = Date.now,
): Credentials<Value> {
  const task = createSharedTask()
  let kept: { value: Value; receivedAt: number; refreshAt: number; endsAt: number } | undefined
  let failure: unknown

  const refresh = async (): Promise<void> => {
    try {
      const { value, expiresIn } = await withinTimeLimit(service, (signal) => load(signal, kept?.value))
      const receivedAt = now()
      const life = expiresIn * 1000
      kept = {
        value,
        receivedAt,
        refreshAt: receivedAt + life * REFRESH_AFTER,
        endsAt: receivedAt + life - Math.min(MARGIN, life / 10),
      }
      failure = undefined
    } catch (error) {
      failure = error
    }
  }
  // A clock that went back makes a credential due.
  const current = () => {
    const time = now()
    return kept && time >= kept.receivedAt && time < kept.endsAt ? kept : undefined
  }

  return {
    async get() {
      const good = current()
      if (good) {
        if (now() >= good.refreshAt) task.startInBackground(refresh, undefined)
        return good.value
      }
      await task.join(refresh, undefined)
      const fresh = current()
      if (fresh) return fresh.value
      throw failure
    },
    reject(rejected) {
      // Of several callers whose credential was rejected, the first drops it for all.
      if (kept?.value !== rejected) return true
      if (now() - kept.receivedAt < MIN_AGE) return false
      kept = undefined
      return true
    },
  }
}
