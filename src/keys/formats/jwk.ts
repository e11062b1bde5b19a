import type { Curve } from '../../algorithms.ts'
import type { MembraneTokenError } from '../../errors.ts'
import { invalidKey, mismatchedKey, unsupportedKey } from '../errors.ts'
import { CURVES, USABLE_KEYS } from '../numbers.ts'

/** A JWK whose type is settled; its numbers are not read yet. */
export type JwkKey = {
  readonly alg: string | undefined
  readonly members: Readonly<Record<string, unknown>>
} & ({ readonly kty: 'RSA' } | { readonly kty: 'EC'; readonly crv: Curve })

const OTHER_KINDS: ReadonlyMap<unknown, string> = /* @__PURE__ */ new Map([
  ['oct', 'a symmetric key; give its bytes as secret'],
  ['OKP', 'an Ed25519, Ed448 or X25519 key'],
  ['secp256k1', 'a secp256k1 key'],
])

/** The members that must not be published (RFC 7518 sections 6.2.2, 6.3.2 and 6.4.1). */
export const PRIVATE_MEMBERS: readonly string[] = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']

/**
 * Reads what a JWK (RFC 7517 section 4) says of itself, leaving the object as it is.
 *
 * @param operation What the key is wanted for, as `key_ops` spells it
 * @param otherHalf What to say to a key that is the other half
 * @throws `ERR_KEY_INVALID` · `ERR_KEY_FORMAT_UNSUPPORTED` · `ERR_KEY_ALGORITHM_MISMATCH`
 */
export function readJwk(
  jwk: Readonly<Record<string, unknown>>,
  operation: 'sign' | 'verify',
  otherHalf: string,
): JwkKey {
  // A copy, so that neither a getter nor a later change can show two different keys.
  const members = { ...jwk }
  const { kty, crv, alg, use, key_ops: operations } = members
  const other = OTHER_KINDS.get(kty === 'EC' ? crv : kty)
  if (other) throw unsupported(other)
  const curve =
    kty === 'EC' && typeof crv === 'string' && Object.hasOwn(CURVES, crv) ? (crv as Curve) : undefined
  if (kty !== 'RSA' && !curve)
    throw invalidKey("The JWK's kty must be RSA, or EC with a crv of P-256, P-384 or P-521.")
  if (alg !== undefined && typeof alg !== 'string') throw invalidKey("The JWK's alg must be a string.")
  const isPrivate = PRIVATE_MEMBERS.some((name) => members[name] !== undefined)
  if (isPrivate !== (operation === 'sign')) {
    throw unsupportedKey(otherHalf)
  }
  if (use !== undefined && use !== 'sig') throw mismatchedKey('The JWK\'s use must be "sig".')
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes(operation))) {
    throw mismatchedKey(`The JWK's key_ops must include "${operation}".`)
  }
  return curve ? { kty: 'EC', crv: curve, alg, members } : { kty: 'RSA', alg, members }
}

function unsupported(found: string): MembraneTokenError {
  return unsupportedKey(`This JWK is ${found}. ${USABLE_KEYS}`)
}
