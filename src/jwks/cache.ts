/**
 * A place outside this process where fetched key sets are shared, such as `caches.default` of Workers. It saves
 * requests to the identity provider and is never required: a cache that fails, hangs or forgets is treated as absent.
 */
export interface KeySetCache {
  /**
   * The stored text, or `undefined`.
   *
   * @param url An https URL that identifies the key set but does not resolve, so that it never answers for the real one
   */
  get(url: string): Promise<string | undefined>
  /** Stores a text. @param maxAge Seconds for which it may be served */
  put(url: string, text: string, maxAge: number): Promise<void>
}

/** A shared key set, with the time at which it was fetched. */
export interface CachedDocument {
  readonly url: string
  /** When it was requested from the identity provider, in milliseconds since the epoch. */
  readonly fetchedAt: number
  readonly document: unknown
}

// `fetch` may use the same cache: under its real URL, the stored text could be returned as a fresh response.
const cacheUrl = (url: string): string => `https://key-set.invalid/${encodeURIComponent(url)}`

/** Time limit for the cache, in milliseconds. */
const TIME_OUT = 500

/** Reads a shared key set. A cache that throws, hangs, or returns something else counts as empty. */
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
    // Not written by this module.
  }
  return undefined
}

/** Shares a key set for `maxAge` seconds. Never rejects, and never takes long. */
export async function writeCache(
  cache: KeySetCache | undefined,
  entry: CachedDocument,
  maxAge: number,
): Promise<void> {
  if (cache) await withTimeout(async () => cache.put(cacheUrl(entry.url), JSON.stringify(entry), maxAge))
}

function withTimeout<Value>(run: () => Promise<Value>): Promise<Value | undefined> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, TIME_OUT)
    run()
      .catch(() => undefined)
      .then((value) => {
        clearTimeout(timer)
        resolve(value)
      })
  })
}
