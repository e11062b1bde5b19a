import type { JWK } from 'jose'
import { decode, encode } from 'jose/base64url'
import type { Curve } from '../../algorithms.ts'
import { trimZeros } from '../../encoding.ts'
import { CURVES, type EcPrivateKey, type EcPublicKey, toFieldLength } from '../ec.ts'
import { invalidKey, mismatchedKey, recognizedAs, USABLE_KEYS, unsupportedKey } from '../errors.ts'
import { RSA_COMPONENTS, type RsaPrivateKey } from '../rsa.ts'
import { type Half, multiPrime, type PrivateKey, type PublicKey, toRsaPrivateKey } from './asn1.ts'

/** A JWK of a known type, whose components are not read yet. */
export type IdentifiedJwk = {
  readonly half: Half
  readonly alg: string | undefined
  readonly members: Readonly<Record<string, unknown>>
} & ({ readonly kty: 'RSA' } | { readonly kty: 'EC'; readonly crv: Curve })

export const SYMMETRIC_JWK =
  'This JWK is a symmetric key (kty oct): decode its k from base64url and pass the bytes as secret.'

/** The members that must not be published (RFC 7518 sections 6.2.2, 6.3.2 and 6.4.1). */
export const PRIVATE_MEMBERS: readonly string[] = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']

/**
 * Reads the type of a JWK (RFC 7517 section 4), without changing the object.
 *
 * @throws `ERR_KEY_INVALID` · `ERR_KEY_FORMAT_UNSUPPORTED`
 */
export function identifyJwk(jwk: Readonly<Record<string, unknown>>): IdentifiedJwk {
  // A copy, so that getters and later changes cannot substitute another key.
  const members = { ...jwk }
  const { kty, crv, alg } = members
  if (kty === 'oct') throw unsupportedKey(SYMMETRIC_JWK)
  if (kty === 'OKP' || (kty === 'EC' && crv === 'secp256k1'))
    throw recognizedAs(
      kty === 'OKP' ? 'an Ed25519, Ed448, X25519 or X448 key' : 'a secp256k1 key',
      USABLE_KEYS,
    )
  const curve =
    kty === 'EC' && typeof crv === 'string' && Object.hasOwn(CURVES, crv) ? (crv as Curve) : undefined
  if (kty !== 'RSA' && !curve)
    throw invalidKey("The JWK's kty must be RSA, or EC with a crv of P-256, P-384 or P-521.")
  if (alg !== undefined && typeof alg !== 'string') throw invalidKey("The JWK's alg must be a string.")
  const half = PRIVATE_MEMBERS.some((name) => members[name] !== undefined) ? 'private' : 'public'
  return curve ? { kty: 'EC', crv: curve, half, alg, members } : { kty: 'RSA', half, alg, members }
}

/** @throws `ERR_KEY_ALGORITHM_MISMATCH` if `use` or `key_ops` forbid the operation */
export function checkJwkUse({ half, members }: IdentifiedJwk): void {
  const { use, key_ops: operations } = members
  const operation = half === 'private' ? 'sign' : 'verify'
  if (use !== undefined && use !== 'sig') throw mismatchedKey('The JWK\'s use must be "sig".')
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes(operation)))
    throw mismatchedKey(`The JWK's key_ops must include "${operation}".`)
}

/** Maximum characters of a member; a modulus of 16384 bits has 2731. */
const LONGEST_MEMBER = 4096

/** Decodes a base64url member of a JWK. @throws `ERR_KEY_INVALID` */
function decodeMember({ members }: IdentifiedJwk, name: string): Uint8Array {
  const member = members[name]
  if (typeof member === 'string' && member.length <= LONGEST_MEMBER && /^[\w-]+$/.test(member)) {
    try {
      return decode(member)
    } catch {
      // No cause, because engines may quote the text.
    }
  }
  throw invalidKey(`The JWK's ${name} must be base64url without padding.`)
}

/**
 * Reads the public components (RFC 7518 sections 6.2.1 and 6.3.1) of a public or private JWK.
 *
 * @throws `ERR_KEY_INVALID`
 */
export function readPublicJwk(jwk: IdentifiedJwk): PublicKey {
  const read = (name: string): Uint8Array => decodeMember(jwk, name)
  if (jwk.kty === 'RSA') return { kty: 'RSA', n: trimZeros(read('n')), e: trimZeros(read('e')) }
  const { crv } = jwk
  return { kty: 'EC', crv, x: toFieldLength(read('x'), crv), y: toFieldLength(read('y'), crv) }
}

/**
 * Reads all components (RFC 7518 sections 6.2.2 and 6.3.2).
 *
 * @throws `ERR_KEY_INVALID` · `ERR_KEY_FORMAT_UNSUPPORTED`
 */
export function readPrivateJwk(jwk: IdentifiedJwk): PrivateKey {
  const { members } = jwk
  if (members.oth !== undefined) throw multiPrime()
  if (jwk.kty === 'EC')
    return {
      ...(readPublicJwk(jwk) as EcPublicKey),
      d: toFieldLength(decodeMember(jwk, 'd'), jwk.crv),
    }
  if (members.p === undefined && members.q === undefined)
    throw unsupportedKey(
      'This JWK has no p, q, dp, dq and qi, which Web Crypto requires; export it with them.',
    )
  return toRsaPrivateKey((name) => trimZeros(decodeMember(jwk, name)))
}

/** Writes the public half as a JWK with only the required members. */
export function writePublicJwk(key: PublicKey): JWK {
  return key.kty === 'RSA'
    ? { kty: 'RSA', n: encode(key.n), e: encode(key.e) }
    : { kty: 'EC', crv: key.crv, x: encode(key.x), y: encode(key.y) }
}

export function writePrivateJwk(key: RsaPrivateKey | (EcPrivateKey & EcPublicKey)): JWK {
  if (key.kty === 'EC') return { ...writePublicJwk(key), d: encode(key.d) }
  return { kty: 'RSA', ...Object.fromEntries(RSA_COMPONENTS.map((name) => [name, encode(key[name])])) }
}
