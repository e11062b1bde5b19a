import type { JSONWebKeySet } from 'jose'
import { type Algorithm, bindAlgorithms } from '../../algorithms.ts'
import type { KeySetCache } from '../../jwks/cache.ts'
import { isKeySetUrl } from '../../jwks/fetch-json.ts'
import { asymmetricAlgorithms, importKeySet } from '../../jwks/key-set.ts'
import { createDiscoveredKeySet, createRemoteKeySet, type RemoteKeySet } from '../../jwks/remote-key-set.ts'
import { pinAlgorithms } from '../../keys/policy.ts'
import type { KeySource } from '../../keys/source.ts'
import { invalidOption } from '../../options.ts'
import type { Dependency } from './caller.ts'

/** Options of {@link createIssuerKeys}. */
export interface IssuerKeysOptions {
  readonly issuer: string
  /** The keys, or their URL. Default: discovered from the issuer. */
  readonly jwks?: JSONWebKeySet | URL | undefined
  readonly algorithms?: Algorithm[] | undefined
  readonly keySetCache?: KeySetCache | undefined
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

/** The keys of an issuer, and the services they are fetched from. */
export interface IssuerKeys {
  readonly source: KeySource
  readonly dependencies: readonly Dependency[]
}

/**
 * Checks that an issuer is an https URL (http for localhost) to which the path of its metadata can be appended.
 *
 * @throws `ERR_OPTION_INVALID`
 */
export function checkIssuer(issuer: unknown): asserts issuer is string {
  const url = typeof issuer === 'string' && URL.canParse(issuer) ? new URL(issuer) : undefined
  if (!url || url.search || url.hash) {
    throw invalidOption(
      'issuer must be a URL: exactly the iss of the tokens, such as https://example.eu.auth0.com/.',
      'issuer',
    )
  }
  if (isKeySetUrl(url)) return
  throw invalidOption(
    'issuer must be https, without user and password; http is only for localhost.',
    'issuer',
  )
}

/** The option `jwks`. @throws `ERR_OPTION_INVALID` unless it is a key set as an object, or a URL */
export function checkJwks(jwks: unknown): void {
  if (jwks === undefined || isUrl(jwks)) return
  // Checked here, because keys are imported later, where an invalid set would look like an outage of the issuer.
  if (!Array.isArray((Object(jwks) as { keys?: unknown }).keys))
    throw invalidOption('jwks must be a JWK set as an object, or its URL as new URL(…).', 'jwks')
}

function isUrl(value: unknown): value is URL {
  return Object.prototype.toString.call(value) === '[object URL]'
}

/**
 * Creates the key source of an issuer.
 *
 * @throws `ERR_OPTION_INVALID` · `ERR_ALGORITHM_UNSUPPORTED` · `ERR_KEY_ALGORITHM_MISMATCH`
 */
export function createIssuerKeys({
  issuer,
  jwks,
  algorithms,
  keySetCache,
  now,
}: IssuerKeysOptions): IssuerKeys {
  const allowed = pinAlgorithms(asymmetricAlgorithms(), undefined, bindAlgorithms(algorithms))
  const remote = (source: RemoteKeySet): IssuerKeys => ({ source, dependencies: [source] })
  const options = { algorithms: allowed, now, cache: keySetCache }
  if (jwks === undefined) return remote(createDiscoveredKeySet(issuer, options))
  if (isUrl(jwks)) return remote(createRemoteKeySet(jwks, options))
  // Copied now, so that later changes by the caller have no effect. Imported on first use, because this is synchronous.
  const given = copyKeySet(jwks)
  let local: KeySource | undefined
  const source: KeySource = {
    algorithms: allowed,
    find: async (algorithm, keyId) => {
      local ??= await importKeySet(given, allowed)
      return local.find(algorithm, keyId)
    },
  }
  return { source, dependencies: [] }
}

function copyKeySet(jwks: unknown): unknown {
  const { keys } = Object(jwks) as { keys?: unknown }
  return { keys: Array.isArray(keys) ? keys.map((key) => (Object(key) === key ? { ...key } : key)) : keys }
}
