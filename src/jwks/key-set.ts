import { ALGORITHMS, type Algorithm } from '../algorithms.ts'
import { MembraneTokenError } from '../errors.ts'
import type { KeySource } from '../jws/verify.ts'
import { invalidKey, unsupportedKey } from '../keys/errors.ts'
import { PRIVATE_MEMBERS } from '../keys/formats/jwk.ts'
import { webCrypto } from '../keys/import.ts'
import { importPublicKey, type VerificationKey } from '../keys/public-key.ts'

/** The algorithms a published key can serve: all but the symmetric ones. */
export function asymmetricAlgorithms(): Algorithm[] {
  return (Object.keys(ALGORITHMS) as Algorithm[]).filter((algorithm) => ALGORITHMS[algorithm].kty !== 'oct')
}

/** One key of a set: usable, or the reason why it is not. */
interface SetMember {
  readonly keyId: unknown
  readonly key: VerificationKey | undefined
  readonly error: unknown
}

/** A source that knows all its keys. */
export interface KeySet extends KeySource {
  /** Whether no key of it can be used here. */
  readonly isEmpty: boolean
}

/**
 * Reads a JWK set (RFC 7517 section 5). A key that cannot be used here, such as one for encryption, is passed over
 * until a token names it; then its own error says why.
 *
 * @param allowed The caller's algorithms; default: every asymmetric one
 * @throws `ERR_KEY_INVALID` if it is no set, or two keys share a `kid`
 * @throws `ERR_KEY_FORMAT_UNSUPPORTED` if it holds a private or a symmetric key
 */
export async function importKeySet(set: unknown, allowed: readonly Algorithm[] | undefined): Promise<KeySet> {
  const keys = readKeySet(set)
  // Not the fault of any key.
  webCrypto()
  const members = await Promise.all(keys.map((jwk) => importMember(jwk, allowed)))
  return {
    isEmpty: !members.some(({ key }) => key),
    algorithms: allowed ?? asymmetricAlgorithms(),
    find: (algorithm, keyId) => choose(members, algorithm, keyId),
  }
}

function readKeySet(set: unknown): Readonly<Record<string, unknown>>[] {
  const keys: unknown = typeof set === 'object' && set !== null ? (set as { keys?: unknown }).keys : undefined
  if (!Array.isArray(keys)) throw invalidKey('A JWK set is an object with a list of keys: { "keys": [ … ] }.')
  const keyIds = new Set<unknown>()
  // Copied at once, so that the caller's later changes do not reach a key that is being imported.
  return Array.from(keys, (key: unknown) => {
    if (typeof key !== 'object' || key === null) throw invalidKey('Every key of a JWK set must be an object.')
    const jwk: Record<string, unknown> = { ...key }
    if (jwk.kty === 'oct' || PRIVATE_MEMBERS.some((name) => jwk[name] !== undefined)) {
      throw unsupportedKey(
        'The JWK set holds a private or symmetric key, and whoever reads it could sign; publish public keys only, and change that key.',
      )
    }
    if (jwk.kid !== undefined && keyIds.has(jwk.kid))
      throw invalidKey('Two keys of the JWK set have the same kid; each needs its own.')
    keyIds.add(jwk.kid)
    return jwk
  })
}

async function importMember(
  jwk: Readonly<Record<string, unknown>>,
  allowed: readonly Algorithm[] | undefined,
): Promise<SetMember> {
  try {
    return { keyId: jwk.kid, key: await importPublicKey(jwk, allowed), error: undefined }
  } catch (error) {
    return { keyId: jwk.kid, key: undefined, error }
  }
}

function choose(
  members: readonly SetMember[],
  algorithm: Algorithm,
  keyId: string | undefined,
): VerificationKey[] {
  // With a kid, a wrong alg is the token's fault; without one, the key that fits is looked for.
  if (keyId !== undefined) {
    const named = members.find((member) => member.keyId === keyId)
    if (!named)
      throw notFound("The token's key (kid) is not in the set; was it retired too early, or never published?")
    if (!named.key) throw named.error
    return [named.key]
  }
  const fitting = members.flatMap(({ key }) => (key?.algorithms.includes(algorithm) ? key : []))
  if (fitting.length > 0) return fitting
  throw notFound(`The token names no key (kid), and no key of the set serves ${algorithm}.`)
}

function notFound(message: string): MembraneTokenError {
  return new MembraneTokenError('ERR_KEY_NOT_FOUND', message)
}
