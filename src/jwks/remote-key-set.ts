import type { Algorithm } from '../algorithms.ts'
import { readContext } from '../context.ts'
import { MembraneTokenError } from '../errors.ts'
import type { KeySource } from '../keys/source.ts'
import { createSharedTask, type Load } from '../shared-task.ts'
import { type KeySetCache, readCache, writeCache } from './cache.ts'
import { fetchDiscoveredKeySet, metadataUrl } from './discovery.ts'
import { checkKeySetUrl, fetchJson, unavailable } from './fetch-json.ts'
import { asymmetricAlgorithms, importPublishedKeySet, type KeySet } from './key-set.ts'

// All in milliseconds.
/** Age from which a set is refreshed in the background. */
const REFRESH_AFTER = 10 * 60_000
/** Age from which a request waits for the refresh, so that withdrawn keys are rejected within 20 minutes. */
const MAX_AGE = 15 * 60_000
/** Age up to which keys are accepted while the identity provider is down. */
const MAX_STALE = 24 * 60 * 60_000
/** Minimum interval between fetches caused by an unknown `kid`. */
const UNKNOWN_KEY_PAUSE = 10_000
/** Pause after a failed fetch while keys are known. */
const FAILURE_PAUSE = 10_000
/** Pause after a failed fetch while no keys are known. */
const FIRST_FAILURE_PAUSE = 1000
/** How long a failed fetch counts as an outage, during which requests do not wait for the next fetch. */
const OUTAGE = 60_000
/** Time limit for reading the cache and fetching the metadata and the key set, including their bodies. */
const TIMEOUT = 5000
/** Tolerated clock difference between processes that share a cache. */
const CLOCK_SKEW = 5000

/** Options of {@link createRemoteKeySet}. */
export interface RemoteKeySetOptions {
  /** The caller's algorithms; default: every asymmetric one. */
  readonly algorithms?: readonly Algorithm[] | undefined
  /** The clock, in milliseconds since the epoch. */
  readonly now: () => number
  readonly cache?: KeySetCache | undefined
}

/** A key set at a URL. */
export interface RemoteKeySet extends KeySource {
  /** The URL, or the issuer whose metadata contains it. */
  readonly name: string
  /**
   * Refreshes the set if it is due; rejects with the error of the last fetch if that fails. Keys may still be known.
   */
  check(context?: object): Promise<void>
  /** Whether known keys are still accepted. */
  isUsable(): boolean
}

/**
 * Creates a source for the JWK set at a URL. Concurrent requests share one fetch. The set is refreshed in the
 * background once it is ten minutes old, refetched when a token names an unknown key, and shared through `cache`, if
 * given. A withdrawn key is rejected within 20 minutes; while the identity provider is down, known keys are accepted
 * for a day.
 *
 * @throws `ERR_OPTION_INVALID` if the URL is not https (`http` is accepted for localhost)
 * @throws (when verifying) `ERR_JWKS_UNAVAILABLE` if there is no set and it cannot be fetched, and the codes of
 *   {@link importPublishedKeySet}
 */
export function createRemoteKeySet(url: URL, options: RemoteKeySetOptions): RemoteKeySet {
  checkKeySetUrl(url)
  const { href } = url
  return createKeySetOf({ name: href, url: href, fetch: (signal) => fetchJson(href, signal) }, options)
}

/**
 * Creates a source for the JWK set of an issuer, found by its metadata.
 *
 * @throws The errors of {@link createRemoteKeySet}
 */
export function createDiscoveredKeySet(issuer: string, options: RemoteKeySetOptions): RemoteKeySet {
  const url = metadataUrl(issuer)
  checkKeySetUrl(new URL(url))
  return createKeySetOf(
    { name: issuer, url, fetch: (signal) => fetchDiscoveredKeySet(issuer, signal) },
    options,
  )
}

interface KnownSet {
  readonly set: KeySet
  /** Time of the request to the identity provider, in milliseconds since the epoch. */
  readonly fetchedAt: number
  /** Number of the request that fetched it; 0 if it comes from the cache. */
  readonly request: number
}

interface KeySetLocation {
  readonly name: string
  /** Cache key of the shared key set. */
  readonly url: string
  fetch(signal: AbortSignal): Promise<unknown>
}

function createKeySetOf(
  { name, url, fetch: fetchDocument }: KeySetLocation,
  { algorithms, now, cache }: RemoteKeySetOptions,
): RemoteKeySet {
  const shared = createSharedTask()
  let known: KnownSet | undefined
  let failure: { readonly error: unknown; readonly at: number } | undefined
  let unknownKeyAt = Number.NEGATIVE_INFINITY
  let requests = 0

  const isWithin = (span: number, at: number): boolean => now() - at >= 0 && now() - at < span
  const hasFailedWithin = (span: number): boolean => failure !== undefined && isWithin(span, failure.at)

  /** Milliseconds; infinite without a set. */
  const age = (): number => {
    if (!known) return Number.POSITIVE_INFINITY
    // If the clock was set back, the age of the set is unknown, so it is due for a refresh.
    if (now() < known.fetchedAt) known = { ...known, fetchedAt: now() - MAX_AGE }
    return now() - known.fetchedAt
  }

  const importDocument = async (document: unknown): Promise<KeySet> => {
    const set = await importPublishedKeySet(document, algorithms)
    if (set) return set
    throw unavailable('has no usable key')
  }

  const adoptCached = async (): Promise<void> => {
    const cached = await readCache(cache, url)
    if (!cached || cached.fetchedAt > now() + CLOCK_SKEW) return
    const fetchedAt = Math.min(cached.fetchedAt, now())
    if (fetchedAt <= (known?.fetchedAt ?? now() - MAX_STALE)) return
    const set = await importDocument(cached.document).catch(() => undefined)
    if (set) known = { set, fetchedAt, request: 0 }
  }

  /** @param isEnough Whether a recent set from the cache makes a request to the identity provider unnecessary */
  const loading =
    (context: object | undefined, isEnough: (set: KeySet) => boolean): Load =>
    async () => {
      try {
        const signal = AbortSignal.timeout(TIMEOUT)
        await adoptCached()
        if (known && age() < REFRESH_AFTER && isEnough(known.set)) {
          failure = undefined
          return
        }
        requests++
        const [request, fetchedAt] = [requests, now()]
        const document = await fetchDocument(signal)
        known = { set: await importDocument(document), fetchedAt, request }
        failure = undefined
        const stored = writeCache(cache, { url, fetchedAt, document }, MAX_STALE / 1000)
        readContext(context).waitUntil?.(stored)
      } catch (error) {
        failure = { error, at: now() }
      }
    }
  const refreshing = (context: object | undefined): Load => loading(context, () => true)

  const current = async (context: object | undefined): Promise<KnownSet> => {
    if (known && (age() < MAX_AGE || (age() < MAX_STALE && hasFailedWithin(OUTAGE)))) {
      if (age() >= REFRESH_AFTER && !hasFailedWithin(FAILURE_PAUSE))
        shared.startInBackground(refreshing(context), context)
      return known
    }
    if (age() < MAX_STALE || !hasFailedWithin(FIRST_FAILURE_PAUSE))
      await shared.join(refreshing(context), context)
    if (known && (age() < MAX_AGE || (age() < MAX_STALE && failure))) return known
    throw failure?.error ?? unavailable('could not be fetched')
  }

  /** @throws `unknown` if the last request because of an unknown key was too recent */
  const renew = async (
    unknown: unknown,
    isEnough: (set: KeySet) => boolean,
    context: object | undefined,
  ): Promise<KnownSet> => {
    if (!shared.isPending()) {
      // Without a current set, the key may exist, so report the failed fetch.
      if (hasFailedWithin(FAILURE_PAUSE)) throw failure?.error
      if (isWithin(UNKNOWN_KEY_PAUSE, unknownKeyAt)) throw unknown
      unknownKeyAt = now()
    }
    await shared.join(loading(context, isEnough), context)
    if (known && !hasFailedWithin(FAILURE_PAUSE)) return known
    throw failure?.error ?? unavailable('could not be fetched')
  }

  const find: KeySource['find'] = async (algorithm, keyId, context) => {
    const requestsBefore = requests
    const isEnough = (set: KeySet): boolean => set.has(algorithm, keyId)
    let { set, request } = await current(context)
    for (;;) {
      try {
        return await set.find(algorithm, keyId)
      } catch (error) {
        // Only a response to a later request proves that there is no such key.
        if (!isUnknown(error) || request > requestsBefore) throw error
        ;({ set, request } = await renew(error, isEnough, context))
      }
    }
  }

  return {
    name,
    algorithms: algorithms ?? asymmetricAlgorithms(),
    find: (algorithm, keyId, context) => {
      const ready = age() < REFRESH_AFTER ? known?.set.ready(algorithm, keyId) : undefined
      return ready ?? find(algorithm, keyId, context)
    },
    isUsable: () => age() < MAX_STALE,
    check: async (context) => {
      if (age() < REFRESH_AFTER) return
      if (!hasFailedWithin(FAILURE_PAUSE)) await shared.join(refreshing(context), context)
      if (failure) throw failure.error
      if (age() >= MAX_AGE) throw unavailable('could not be fetched')
    },
  }
}

function isUnknown(error: unknown): boolean {
  return error instanceof MembraneTokenError && error.code === 'ERR_KEY_NOT_FOUND'
}
