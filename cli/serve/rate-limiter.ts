const WINDOW = 60_000

/** How many keys are counted at most: one network cannot fill the memory with addresses that it makes up. */
const MAX_KEYS = 100_000

/** Counts in this process, in windows of a minute, as the rate-limit binding of Workers does for each location. */
export function createRateLimiter(
  limit: number,
  now: () => number = Date.now,
): { limit(options: { key: string }): Promise<{ success: boolean }> } {
  let counts = new Map<string, number>()
  let windowStart = Number.NEGATIVE_INFINITY
  return {
    limit: async ({ key }) => {
      const age = now() - windowStart
      // A clock that went back starts a new window, which could otherwise last for days.
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
