import { ALGORITHMS, type Algorithm } from '../algorithms.ts'
import { MembraneTokenError } from '../errors.ts'
import { invalidKey, unsupportedKey } from '../keys/errors.ts'
import { PRIVATE_MEMBERS } from '../keys/formats/jwk.ts'
import { webCrypto } from '../keys/policy.ts'
import { checkPublicKey, importPublicKey, readVerificationKey } from '../keys/public-key.ts'
import type { KeySource, VerificationKey } from '../keys/source.ts'

/** The algorithms of published keys: all but the symmetric ones. */
export function asymmetricAlgorithms(): Algorithm[] {
  return (Object.keys(ALGORITHMS) as Algorithm[]).filter((algorithm) => ALGORITHMS[algorithm].kty !== 'oct')
}

/**
 * Maximum number of keys to try for one token. OpenID Connect Core section 10.1 requires a `kid` if a set has several
 * keys, so a set of hundreds must not cost hundreds of verifications.
 */
const MAX_CANDIDATES = 16

type Jwk = Readonly<Record<string, unknown>>

/** A key of a set. `outcome` is present once it was imported: the key, or the error. */
interface SetMember {
  readonly jwk: Jwk
  outcome?: { readonly key: VerificationKey } | { readonly error: unknown }
}

/** A key set in memory. */
export interface KeySet extends KeySource {
  /** Whether it may contain a key for a token with this algorithm and `kid`. */
  has(algorithm: Algorithm, keyId: string | undefined): boolean
  /** The keys that `find` would return, if all are imported and support the algorithm; otherwise `undefined`. */
  ready(algorithm: Algorithm, keyId: string | undefined): readonly VerificationKey[] | undefined
}

/**
 * Reads a JWK set (RFC 7517 section 5). Keys are imported on first use. A key that cannot be used, such as one for
 * encryption, is ignored unless a token names it; then its own error is thrown.
 *
 * @param allowed The caller's algorithms; default: every asymmetric one
 * @throws `ERR_KEY_INVALID` if it is not a set, or two keys share a `kid`
 * @throws `ERR_KEY_FORMAT_UNSUPPORTED` if it holds a private or a symmetric key
 */
export async function importKeySet(set: unknown, allowed: readonly Algorithm[] | undefined): Promise<KeySet> {
  const members = readKeySet(set)
  const keyIds = members.flatMap(({ jwk }) => (jwk.kid === undefined ? [] : [jwk.kid]))
  if (new Set(keyIds).size < keyIds.length)
    throw invalidKey('Two keys of the JWK set have the same kid; each needs its own.')
  // Thrown here, because it is not an error of a single key.
  webCrypto()
  return createKeySet(members, allowed)
}

/**
 * Reads a published JWK set, in which keys may share a `kid`, as RFC 7517 section 4.5 allows.
 *
 * @returns `undefined` if no key is usable
 * @throws `ERR_KEY_INVALID` if it is not a set
 * @throws `ERR_KEY_FORMAT_UNSUPPORTED` if it holds a private or a symmetric key
 */
export async function importPublishedKeySet(
  set: unknown,
  allowed: readonly Algorithm[] | undefined,
): Promise<KeySet | undefined> {
  const members = readKeySet(set)
  for (const member of members) {
    if ('key' in (await importMember(member, allowed))) return createKeySet(members, allowed)
  }
  return undefined
}

function readKeySet(set: unknown): SetMember[] {
  const keys: unknown =
    typeof set === 'object' && set !== null
      ? ((set as { keys?: unknown }).keys ?? readCertificates(set))
      : undefined
  if (!Array.isArray(keys)) throw invalidKey('A JWK set is an object with a list of keys: { "keys": [ … ] }.')
  return Array.from(keys, (key: unknown) => {
    if (typeof key !== 'object' || key === null) throw invalidKey('Every key of a JWK set must be an object.')
    const jwk = copyJwk(key as Jwk)
    if (jwk.kty === 'oct' || PRIVATE_MEMBERS.some((name) => jwk[name] !== undefined)) {
      throw unsupportedKey(
        'The JWK set holds a private or symmetric key, so everyone who reads it can sign; publish public keys only, and replace that key.',
      )
    }
    return { jwk }
  })
}

/** Google also publishes its keys as an object with a certificate for each `kid`. */
function readCertificates(set: object): Jwk[] | undefined {
  const entries: [string, unknown][] = Object.entries(set)
  const areCertificates = entries.every(
    ([, value]) => typeof value === 'string' && value.includes('-----BEGIN CERTIFICATE-----'),
  )
  if (entries.length === 0 || !areCertificates) return undefined
  return entries.map(([kid, pem]) => ({
    ...readVerificationKey(pem, undefined, checkPublicKey).publicJwk,
    kid,
  }))
}

// A copy, because keys are imported later and must not change until then.
function copyJwk(jwk: Jwk): Jwk {
  const { key_ops: operations } = jwk
  return Array.isArray(operations) ? { ...jwk, key_ops: [...operations] } : { ...jwk }
}

function createKeySet(members: readonly SetMember[], allowed: readonly Algorithm[] | undefined): KeySet {
  const select = (algorithm: Algorithm, keyId: string | undefined): SetMember[] =>
    // With a kid, a different alg is an error of the token; without one, all keys for the algorithm are tried.
    members.filter(({ jwk }) => (keyId === undefined ? isFor(jwk, algorithm) : jwk.kid === keyId))

  return {
    algorithms: allowed ?? asymmetricAlgorithms(),
    has: (algorithm, keyId) => select(algorithm, keyId).length > 0,
    ready: (algorithm, keyId) => {
      const keys = select(algorithm, keyId).map(({ outcome }) =>
        outcome && 'key' in outcome && outcome.key.algorithms.includes(algorithm) ? outcome.key : undefined,
      )
      return keys.length > 0 && keys.length <= MAX_CANDIDATES && keys.every((key) => key !== undefined)
        ? keys
        : undefined
    },
    find: async (algorithm, keyId) => {
      const candidates = select(algorithm, keyId)
      checkCandidates(candidates, algorithm, keyId)
      for (const member of candidates) await importMember(member, allowed)
      return usableKeys(candidates, algorithm, keyId)
    },
  }
}

async function importMember(
  member: SetMember,
  allowed: readonly Algorithm[] | undefined,
): Promise<NonNullable<SetMember['outcome']>> {
  member.outcome ??= await importPublicKey(member.jwk, allowed, checkPublicKey).then(
    (key) => ({ key }),
    (error: unknown) => ({ error }),
  )
  return member.outcome
}

/** @throws `ERR_KEY_NOT_FOUND` if there are none, or too many to try */
function checkCandidates(
  candidates: readonly SetMember[],
  algorithm: Algorithm,
  keyId: string | undefined,
): void {
  if (candidates.length > MAX_CANDIDATES) {
    throw notFound(
      `The token could be signed by ${candidates.length} keys of the set; it must name one with a unique kid.`,
    )
  }
  if (candidates.length > 0) return
  throw keyId === undefined
    ? noneSupports(algorithm)
    : notFound("The token's key (kid) is not in the set; it was retired too early, or never published.")
}

function isFor({ kty, crv, alg }: Jwk, algorithm: Algorithm): boolean {
  const parameters = ALGORITHMS[algorithm]
  return (
    kty === parameters.kty &&
    (kty !== 'EC' || crv === parameters.namedCurve) &&
    [undefined, algorithm].includes(alg as Algorithm)
  )
}

function usableKeys(
  candidates: readonly SetMember[],
  algorithm: Algorithm,
  keyId: string | undefined,
): VerificationKey[] {
  const keys = candidates.flatMap(({ outcome }) => (outcome && 'key' in outcome ? outcome.key : []))
  const matching = keys.filter((key) => key.algorithms.includes(algorithm))
  if (matching.length > 0) return matching
  if (keyId === undefined) throw noneSupports(algorithm)
  if (keys.length > 0) return keys
  const [first] = candidates.flatMap(({ outcome }) => (outcome && 'error' in outcome ? [outcome.error] : []))
  throw first
}

function noneSupports(algorithm: Algorithm): MembraneTokenError {
  return notFound(`The token names no key (kid), and no key in the set supports ${algorithm}.`)
}

function notFound(message: string): MembraneTokenError {
  return new MembraneTokenError('ERR_KEY_NOT_FOUND', message)
}
