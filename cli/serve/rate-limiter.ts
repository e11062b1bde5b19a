const WINDOW = 60_000

/** How many keys are counted at most: one network cannot fill the memory with addresses that it makes up. */
const MAX_KEYS = 100_000

/** Counts in this process, in windows of a minute, as the rate-limit binding of Workers does for each location. */
export function createRateLimiter(
  limit: number,
  now: () => number = Date.now,
): { limit(options: { key: string }): Promise<{ success: boolean }> } {
  let counts = new Map<string, number>()
  let windowEnd = 0
  return {
    limit: async ({ key }) => {
      if (now() >= windowEnd || counts.size >= MAX_KEYS) {
        counts = new Map()
        windowEnd = now() + WINDOW
      }
      const count = (counts.get(key) ?? 0) + 1
      counts.set(key, count)
      return { success: count <= limit }
    },
  }
}
