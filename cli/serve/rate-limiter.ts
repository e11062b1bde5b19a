/** Milliseconds. */
const WINDOW = 60_000

/** Maximum number of counted keys, so that many addresses cannot fill the memory. */
const MAX_KEYS = 100_000

/**
 * Counts in this process in windows of a minute, as the rate limiting binding of Workers does for each location.
 *
 * @param limit Requests per key and minute
 */
export function createRateLimiter(
  limit: number,
  now: () => number = Date.now,
): { limit(options: { key: string }): Promise<{ success: boolean }> } {
  let counts = new Map<string, number>()
  let windowStart = Number.NEGATIVE_INFINITY
  return {
    limit: async ({ key }) => {
      const age = now() - windowStart
      // If the clock is set back, a new window starts, because the old one could last for days.
      if (age < 0 || age >= WINDOW || counts.size >= MAX_KEYS) {
        counts = new Map()
        windowStart = now()
      }
      const count = (counts.get(key) ?? 0) + 1
      counts.set(key, count)
      return { success: count <= limit }
    },
  }
}
