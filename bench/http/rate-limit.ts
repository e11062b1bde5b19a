// A rate-limit binding for bare workerd, which has none: counters in memory, similar to Cloudflare's. The limit is so high
// that every request is counted and none is rejected.
const LIMIT = 1_000_000_000
const PERIOD = 60_000

export function createRateLimiter() {
  const counts = new Map<string, number>()
  let period = 0
  return {
    limit: async ({ key }: { key: string }): Promise<{ success: boolean }> => {
      const current = Math.floor(Date.now() / PERIOD)
      if (current !== period) counts.clear()
      period = current
      const count = (counts.get(key) ?? 0) + 1
      counts.set(key, count)
      return { success: count <= LIMIT }
    },
  }
}
