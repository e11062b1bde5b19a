/**
 * A cache that shares fetched key sets between processes, such as `caches.default` of Workers. It saves requests to the
 * identity provider but is not required: errors, timeouts and lost entries are ignored.
 */
export interface KeySetCache {
  /**
   * Returns the stored text, or `undefined`.
   *
   * @param url An https URL that identifies the key set. It does not resolve, so that no fetch returns the entry
   */
  get(url: string): Promise<string | undefined>
  /** Stores a text. @param maxAge Seconds for which it may be returned */
  put(url: string, text: string, maxAge: number): Promise<void>
}

/** A cached key set, with the time of its request. */
export interface CachedDocument {
  readonly url: string
  /** Time of the request to the identity provider, in milliseconds since the epoch. */
  readonly fetchedAt: number
  readonly document: unknown
}

// `fetch` may use the same cache: under its real URL, the stored text could be returned as a fresh response.
const cacheUrl = (url: string): string => `https://key-set.invalid/${encodeURIComponent(url)}`

/** Time limit for the cache, in milliseconds. */
const TIMEOUT = 500

/** Reads a cached key set; `undefined` if the cache throws, times out or returns anything else. */
export async function readCache(
  cache: KeySetCache | undefined,
  url: string,
): Promise<CachedDocument | undefined> {
  if (!cache) return undefined
  const text = await withTimeout(async () => cache.get(cacheUrl(url)))
  if (typeof text !== 'string') return undefined
  try {
    const entry = JSON.parse(text) as Partial<CachedDocument> | null
    if (entry?.url === url && Number.isFinite(entry.fetchedAt)) return entry as CachedDocument
  } catch {
    // Not an entry that this module wrote.
  }
  return undefined
}

/** Caches a key set for `maxAge` seconds. Never rejects, and takes at most 500 ms. */
export async function writeCache(
  cache: KeySetCache | undefined,
  entry: CachedDocument,
  maxAge: number,
): Promise<void> {
  if (cache) await withTimeout(async () => cache.put(cacheUrl(entry.url), JSON.stringify(entry), maxAge))
}

function withTimeout<Value>(run: () => Promise<Value>): Promise<Value | undefined> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, TIMEOUT)
    run()
      .catch(() => undefined)
      .then((value) => {
        clearTimeout(timer)
        resolve(value)
      })
  })
}
