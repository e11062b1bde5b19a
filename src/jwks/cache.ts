/**
 * A place outside this process where fetched key sets are shared, such as `caches.default` of Workers. It is a gain and
 * never a need: a cache that fails or forgets is as if it were absent.
 */
export interface KeySetCache {
  /** The stored text, or `undefined`. @param url https URL of the key set */
  get(url: string): Promise<string | undefined>
  /** Stores a text. @param maxAge Seconds for which it may be served */
  put(url: string, text: string, maxAge: number): Promise<void>
}
