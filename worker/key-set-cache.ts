import type { KeySetCache } from 'membrane-token/service'

/** `caches` on Workers; TypeScript's DOM types lack `default`. */
interface WorkerCaches {
  readonly default?: Pick<Cache, 'match' | 'put'>
}

/**
 * Shares fetched key sets between the isolates of a location. On `workers.dev` and behind Access, the cache has no
 * effect, and without a cache service it throws; callers treat both as an empty cache.
 */
export function createKeySetCache(): KeySetCache | undefined {
  const cache = (globalThis as { caches?: WorkerCaches }).caches?.default
  if (!cache) return undefined
  return {
    get: async (url) => (await cache.match(url))?.text(),
    put: (url, text, maxAge) =>
      cache.put(url, new Response(text, { headers: { 'Cache-Control': `public, max-age=${maxAge}` } })),
  }
}
