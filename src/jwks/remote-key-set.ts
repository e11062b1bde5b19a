import type { Algorithm } from '../algorithms.ts'
import { MembraneTokenError } from '../errors.ts'
import type { KeySource } from '../jws/verify.ts'
import { asymmetricAlgorithms, importKeySet } from './key-set.ts'

/** Milliseconds after which a set is fetched anew. */
const MAX_AGE = 600_000
/** Milliseconds for which known keys stay good while no fetch succeeds. */
const MAX_STALE = 86_400_000
/** Milliseconds between two fetches that an unknown `kid` sets off. */
const COOL_DOWN = 30_000
/** Milliseconds of rest after a fetch that failed, while keys are known, and while none are. */
const FAILURE_REST = 10_000
const FIRST_FAILURE_REST = 1000
/** Fetches at once, where each request makes its own. */
const FETCHES_AT_ONCE = 32
/** Milliseconds for one fetch, its body included. */
const TIME_OUT = 5000
/** Bytes of a set. */
const SIZE_LIMIT = 65_536

/**
 * The JWK set behind a URL: cached, fetched anew when it is old or a token names a key that is not in it, and kept
 * for a bounded time while it cannot be had. Redirects are not followed.
 *
 * @throws `ERR_OPTION_INVALID` if the URL is not https (`http` is taken for localhost)
 * @throws (when verifying) `ERR_JWKS_UNAVAILABLE` if there is no set and none can be had, and the codes of
 *   {@link importKeySet}
 */
export function createRemoteKeySet(
  url: URL,
  allowed: readonly Algorithm[] | undefined,
  now: () => number,
): KeySource {
  checkKeySetUrl(url)
  const { href } = url
  return createCachedKeySet(() => fetchJson(href), allowed, now)
}

/** The same for a set that is had in another way, such as through its issuer's metadata. */
export function createCachedKeySet(
  load: () => Promise<unknown>,
  allowed: readonly Algorithm[] | undefined,
  now: () => number,
): KeySource {
  let known: { readonly set: KeySource; readonly at: number } | undefined
  let restUntil = Number.NEGATIVE_INFINITY
  let coolUntil = Number.NEGATIVE_INFINITY
  let pending: Promise<KeySource> | undefined

  let failure: unknown
  let fetching = 0

  const fetchSet = async (): Promise<KeySource> => {
    const at = now()
    fetching++
    try {
      const set = await importKeySet(await load(), allowed)
      // What cannot be right must not take the place of keys that are.
      if (set.isEmpty) throw unavailable('holds no key that can be used')
      known = { set, at }
      failure = undefined
      return set
    } catch (error) {
      failure = error
      restUntil = now() + (known ? FAILURE_REST : FIRST_FAILURE_REST)
      throw error
    } finally {
      fetching--
    }
  }

  // Workers may not wait for a promise of another request, which ends with it; there, each request fetches for itself.
  const refresh = (): Promise<KeySource> => {
    if (globalThis.navigator?.userAgent === 'Cloudflare-Workers') {
      return fetching < FETCHES_AT_ONCE
        ? fetchSet()
        : Promise.reject(unavailable('is asked for too often at once'))
    }
    pending ??= fetchSet().finally(() => {
      pending = undefined
    })
    return pending
  }

  const current = async (): Promise<KeySource> => {
    const isResting = now() < restUntil
    if (!known) {
      if (isResting) throw failure
      return refresh()
    }
    const { set, at } = known
    const isGood = now() - at < MAX_STALE
    if (now() - at < MAX_AGE || (isGood && isResting)) return set
    // The others go on with what is known, while this one waits.
    if (isGood) restUntil = now() + FAILURE_REST
    return refresh().catch((error) => {
      if (isGood) return set
      throw error
    })
  }

  const renewed = async (unknown: unknown): Promise<KeySource> => {
    // While the set cannot be had, nobody can say that the key does not exist.
    if (failure !== undefined && now() < restUntil) throw failure
    if (now() < coolUntil) throw unknown
    const set = await refresh()
    // Not before: whatever comes meanwhile with the same new key must not be refused.
    coolUntil = now() + COOL_DOWN
    return set
  }

  return {
    algorithms: allowed ?? asymmetricAlgorithms(),
    find: async (algorithm, keyId) => {
      const before = known
      const set = await current()
      try {
        return await set.find(algorithm, keyId)
      } catch (error) {
        const isUnknown = error instanceof MembraneTokenError && error.code === 'ERR_KEY_NOT_FOUND'
        const isNew = known !== before
        if (!isUnknown || isNew) throw error
        return (await renewed(error)).find(algorithm, keyId)
      }
    },
  }
}

/** Whether nobody on the way to a URL could put keys of their own. */
export function isKeySetUrl({ protocol, hostname, username, password }: URL): boolean {
  const isLocal = /^(localhost|.+\.localhost|127(\.\d+){3}|\[::1\])$/.test(hostname)
  return (protocol === 'https:' || (protocol === 'http:' && isLocal)) && !username && !password
}

/** @throws `ERR_OPTION_INVALID` */
export function checkKeySetUrl(url: URL): void {
  if (isKeySetUrl(url)) return
  throw new MembraneTokenError(
    'ERR_OPTION_INVALID',
    'The URL of a JWK set must be https, without user and password.',
  )
}

/**
 * Fetches JSON within the bounds that keys are worth.
 *
 * @throws `ERR_JWKS_UNAVAILABLE`
 */
export async function fetchJson(href: string): Promise<unknown> {
  const text = await fetchText(href).catch((error) => {
    throw error instanceof MembraneTokenError ? error : unavailable('could not be fetched in time', error)
  })
  try {
    return JSON.parse(text)
  } catch {
    // No cause: engines quote what they could not parse, and nobody knows what it is.
    throw unavailable('is not JSON')
  }
}

async function fetchText(href: string): Promise<string> {
  const response = await fetch(href, {
    headers: { accept: 'application/jwk-set+json, application/json' },
    redirect: 'manual',
    signal: AbortSignal.timeout(TIME_OUT),
  })
  if (response.status === 200) return readText(response)
  await response.body?.cancel()
  throw unavailable(`was answered with status ${response.status}`)
}

async function readText(response: Response): Promise<string> {
  const decoder = new TextDecoder()
  let size = 0
  let text = ''
  const reader = (response.body as ReadableStream<Uint8Array>).getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return text + decoder.decode()
    size += value.byteLength
    if (size > SIZE_LIMIT) {
      await reader.cancel()
      throw unavailable(`is larger than ${SIZE_LIMIT} bytes`)
    }
    text += decoder.decode(value, { stream: true })
  }
}

function unavailable(what: string, cause?: unknown): MembraneTokenError {
  return new MembraneTokenError(
    'ERR_JWKS_UNAVAILABLE',
    `The JWK set ${what}; is its URL right, and does it answer from here without a redirect?`,
    { cause },
  )
}
