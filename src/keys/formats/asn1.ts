import type { Curve } from '../../algorithms.ts'
import type { MembraneTokenError } from '../../errors.ts'
import { unsupportedKey } from '../errors.ts'
import { CURVES, type RsaNumbers, USABLE_KEYS } from '../numbers.ts'
import { contentOf, type DerElement, oidOf, readElement, readElements, TAG, unsignedOf } from './der.ts'

/** The object identifiers of the key types that can be used (RFC 3279, RFC 5480), as hexadecimal. */
export const KEY_OID = { RSA: '2a864886f70d010101', EC: '2a8648ce3d0201' } as const

/** Key types and curves that tools make and no algorithm here uses. */
const UNSUPPORTED_OIDS: Readonly<Record<string, string>> = {
  '2a864886f70d01010a': 'an RSA key restricted to PSS',
  '2b6570': 'an Ed25519 key',
  '2b8104000a': 'a secp256k1 key',
}

/** What an AlgorithmIdentifier says of a key: RSA, or a curve. */
export type KeyAlgorithm = { readonly kty: 'RSA' } | { readonly kty: 'EC'; readonly crv: Curve }

export const membersOf = (element: DerElement | undefined): DerElement[] =>
  readElements(contentOf(element, TAG.SEQUENCE))

export const sequenceOf = (der: Uint8Array): DerElement[] => membersOf(readElement(der))

/**
 * Reads an AlgorithmIdentifier (RFC 5280 section 4.1.1.2).
 *
 * @throws `ERR_KEY_FORMAT_UNSUPPORTED` for key types and curves that no algorithm uses
 */
export function readKeyAlgorithm(element: DerElement | undefined): KeyAlgorithm {
  const [identifier, parameters] = membersOf(element)
  const oid = oidOf(identifier)
  if (oid === KEY_OID.RSA) return { kty: 'RSA' }
  if (oid === KEY_OID.EC) return { kty: 'EC', crv: readCurve(parameters) }
  throw foreign(oid, 'neither an RSA nor an EC key')
}

/** Reads ECParameters (RFC 5480 section 2.1.1). @throws `ERR_KEY_FORMAT_UNSUPPORTED` */
export function readCurve(element: DerElement | undefined): Curve {
  if (element?.tag === TAG.SEQUENCE) {
    throw unsupportedKey(
      'This is an EC key with explicit parameters; name its curve with `openssl ec -param_enc named_curve`.',
    )
  }
  const oid = oidOf(element)
  for (const crv of Object.keys(CURVES) as Curve[]) if (CURVES[crv].oid === oid) return crv
  throw foreign(oid, 'an EC key on another curve')
}

/** Reads an RSAPublicKey (RFC 8017 appendix A.1.1). */
export function readRsaPublicKey(der: Uint8Array): RsaNumbers {
  const [n, e] = sequenceOf(der)
  return { kty: 'RSA', n: unsignedOf(n), e: unsignedOf(e) }
}

function foreign(oid: string, otherwise: string): MembraneTokenError {
  return unsupportedKey(`This is ${UNSUPPORTED_OIDS[oid] ?? otherwise}. ${USABLE_KEYS}`)
}
