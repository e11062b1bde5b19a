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

/** Where the keys of an issuer are, and how they may be used. */
export interface IssuerKeysOptions {
  readonly issuer: string
  /** The keys, or their URL. Default: discovered from the issuer. */
  readonly jwks?: JSONWebKeySet | URL | undefined
  readonly algorithms?: Algorithm[] | undefined
  readonly keySetCache?: KeySetCache | undefined
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

/** The keys of an issuer, and what must be reachable to get them. */
export interface IssuerKeys {
  readonly source: KeySource
  readonly dependencies: readonly Dependency[]
}

/** Whether an issuer is a URL to which its metadata can be appended. @throws `ERR_OPTION_INVALID` */
export function checkIssuer(issuer: unknown): asserts issuer is string {
  const url = typeof issuer === 'string' && URL.canParse(issuer) ? new URL(issuer) : undefined
  if (!url || url.search || url.hash) {
    throw invalidOption(
      'issuer must be the URL that the tokens have as iss, such as https://example.eu.auth0.com/.',
      'issuer',
    )
  }
  if (isKeySetUrl(url)) return
  throw invalidOption(
    'issuer must be https, without user and password; http only for this machine.',
    'issuer',
  )
}

/** The option `jwks`. @throws `ERR_OPTION_INVALID` for anything but a key set as an object, or a URL */
export function checkJwks(jwks: unknown): void {
  if (jwks === undefined || isUrl(jwks)) return
  // Keys are imported when a token first needs one, and an empty set would look like an outage of the identity provider.
  if (!Array.isArray((Object(jwks) as { keys?: unknown }).keys))
    throw invalidOption('jwks must be a JWK set as an object, or its URL as new URL(…).', 'jwks')
}

function isUrl(value: unknown): value is URL {
  return Object.prototype.toString.call(value) === '[object URL]'
}

/**
 * The keys of an issuer.
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
  // Copied now, so that later changes by the caller have no effect; imported when first needed.
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
