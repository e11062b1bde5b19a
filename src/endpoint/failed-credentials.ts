/** Maximum number of remembered credentials; the oldest are dropped. */
const LIMIT = 1000
/** Milliseconds, as long as the period of the rate limit. */
const PERIOD = 60_000

/**
 * Remembers credentials that failed while their network was over its rate limit, so that they are rejected without
 * being verified again. Only digests are stored.
 */
export interface FailedCredentials {
  /** Whether none are remembered. Then no digest needs to be computed. */
  isEmpty(): boolean
  has(credentials: string): Promise<boolean>
  add(credentials: string): Promise<void>
}

export function createFailedCredentials(now: () => number): FailedCredentials {
  const failed = new Map<string, number>()
  return {
    isEmpty: () => failed.size === 0,
    has: async (credentials) => {
      const digest = await digestOf(credentials)
      const at = failed.get(digest)
      if (at === undefined) return false
      const age = now() - at
      if (age >= 0 && age < PERIOD) return true
      failed.delete(digest)
      return false
    },
    add: async (credentials) => {
      const digest = await digestOf(credentials)
      failed.delete(digest)
      if (failed.size >= LIMIT) failed.delete(failed.keys().next().value as string)
      failed.set(digest, now())
    },
  }
}

async function digestOf(text: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))
  return String.fromCharCode(...new Uint8Array(digest))
}
