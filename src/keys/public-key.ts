import type { CryptoKey } from 'jose'
import { ALGORITHMS, type Algorithm } from '../algorithms.ts'
import { invalidKey, mismatchedKey, unsupportedKey } from './errors.ts'
import { membersOf, readKeyAlgorithm, readRsaPublicKey, sequenceOf } from './formats/asn1.ts'
import { bitsOf, TAG, trimZeros } from './formats/der.ts'
import { readJwk } from './formats/jwk.ts'
import {
  checkCryptoKey,
  checkRsaCryptoKey,
  fittingAlgorithms,
  importParameters,
  isCryptoKey,
  RSA_LIMITS,
  webCrypto,
} from './import.ts'
import { type KeyReaders, readBlocks, readKeyMaterial } from './material.ts'
import {
  checkPoint,
  checkRsaOrigin,
  checkRsaStrength,
  DAMAGED,
  decodeMember,
  type PublicNumbers,
  readPoint,
  toFieldLength,
  toPublicMembers,
} from './numbers.ts'

/** A key that verifies, and the algorithms it is pinned to. */
export interface VerificationKey {
  readonly algorithms: readonly Algorithm[]
  /** The key as the engine takes it for one of its algorithms; imported once for each. */
  keyFor(algorithm: Algorithm): CryptoKey | Promise<CryptoKey>
}

const READERS: KeyReaders<PublicNumbers> = {
  'PUBLIC KEY': (der) => readSpki(sequenceOf(der)),
  'RSA PUBLIC KEY': readRsaPublicKey,
  CERTIFICATE: readCertificate,
}

/**
 * Imports a public key in any form people hold one: SPKI, PKCS#1 or an X.509 certificate as PEM or DER, a JWK,
 * a CryptoKey. Of a certificate only the key is taken; its dates and issuer are not looked at.
 *
 * @param allowed The caller's algorithms; default: those that fit the key
 * @throws `ERR_KEY_INVALID` · `ERR_KEY_FORMAT_UNSUPPORTED` · `ERR_KEY_WEAK` · `ERR_KEY_ALGORITHM_MISMATCH`
 */
export async function importPublicKey(
  input: unknown,
  allowed: readonly Algorithm[] | undefined,
): Promise<VerificationKey> {
  if (isCryptoKey(input)) return usePublicCryptoKey(input, allowed)
  const material = readKeyMaterial(input)
  const { numbers, alg } =
    'jwk' in material
      ? readPublicJwk(material.jwk)
      : {
          numbers: readBlocks(material.blocks, READERS, 'the public key: `openssl pkey -in key.pem -pubout`'),
        }
  if (numbers.kty === 'RSA') {
    checkRsaStrength(numbers)
    checkRsaOrigin(numbers)
  }
  const fitting = fittingAlgorithms(numbers.kty, numbers.kty === 'EC' ? numbers.crv : undefined)
  const algorithms = pinAlgorithms(fitting, alg, allowed)
  const keyFor = importOnce(numbers)
  // The first import shows whether the engine takes the key at all.
  await keyFor(algorithms[0] as Algorithm)
  return { algorithms, keyFor }
}

/**
 * The algorithms of a key: what its type serves, less what its JWK's `alg` and the caller leave out.
 *
 * @throws `ERR_KEY_ALGORITHM_MISMATCH` if nothing is left
 */
export function pinAlgorithms(
  fitting: readonly Algorithm[],
  alg: string | undefined,
  allowed: readonly Algorithm[] | undefined,
): Algorithm[] {
  const named = fitting.filter((algorithm) => alg === undefined || algorithm === alg)
  const algorithms = named.filter((algorithm) => allowed === undefined || allowed.includes(algorithm))
  if (algorithms.length > 0) return algorithms
  throw mismatchedKey(
    named.length > 0
      ? `This key serves ${named.join(', ')}, none of which algorithms allows.`
      : `The JWK's alg fits neither its type nor its curve, which serve ${fitting.join(', ')}.`,
  )
}

async function usePublicCryptoKey(
  key: CryptoKey,
  allowed: readonly Algorithm[] | undefined,
): Promise<VerificationKey> {
  const algorithm = checkCryptoKey(key, 'public', undefined, 'verify')
  if (key.extractable && ALGORITHMS[algorithm].kty === 'RSA') {
    const jwk = { ...(await webCrypto().exportKey('jwk', key)) }
    checkRsaStrength({ n: decodeMember(jwk, 'n'), e: decodeMember(jwk, 'e') })
  } else {
    checkRsaCryptoKey(key)
  }
  return { algorithms: pinAlgorithms([algorithm], undefined, allowed), keyFor: () => key }
}

function importOnce(numbers: PublicNumbers): VerificationKey['keyFor'] {
  const keys = new Map<Algorithm, CryptoKey>()
  const importFor = async (algorithm: Algorithm): Promise<CryptoKey> => {
    const subtle = webCrypto()
    try {
      if (numbers.kty === 'EC') checkPoint(numbers)
      const parameters = importParameters(ALGORITHMS[algorithm])
      const key = await subtle.importKey('jwk', toPublicMembers(numbers), parameters, false, ['verify'])
      keys.set(algorithm, key)
      return key
    } catch (cause) {
      throw numbers.kty === 'EC' ? invalidKey(DAMAGED, cause) : unsupportedKey(RSA_LIMITS, cause)
    }
  }
  return (algorithm) => keys.get(algorithm) ?? importFor(algorithm)
}

/** SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7). */
function readSpki([identifier, key]: ReturnType<typeof membersOf>): PublicNumbers {
  const algorithm = readKeyAlgorithm(identifier)
  const bits = bitsOf(key)
  if (algorithm.kty === 'RSA') return readRsaPublicKey(bits)
  const point = readPoint(bits, algorithm.crv)
  if ('x' in point) return { ...algorithm, ...point }
  throw unsupportedKey(
    "The key's point is compressed; write it in full with `openssl ec -pubin -in key.pem -out complete.pem -conv_form uncompressed`.",
  )
}

/** The key of a Certificate (RFC 5280 section 4.1). */
function readCertificate(der: Uint8Array): PublicNumbers {
  const fields = membersOf(sequenceOf(der)[0])
  // The version is left out of certificates of version 1.
  const key = fields[fields[0]?.tag === TAG.CONTEXT_0 ? 6 : 5]
  return readSpki(membersOf(key))
}

/** A public JWK (RFC 7518 sections 6.2.1 and 6.3.1). */
export function readPublicJwk(input: Readonly<Record<string, unknown>>): {
  numbers: PublicNumbers
  alg: string | undefined
} {
  const jwk = readJwk(
    input,
    'verify',
    'This JWK is a private key; needed here is its public half, without d.',
  )
  const { members, alg } = jwk
  const number = (name: string): Uint8Array => decodeMember(members, name)
  if (jwk.kty === 'RSA')
    return { numbers: { kty: 'RSA', n: trimZeros(number('n')), e: trimZeros(number('e')) }, alg }
  const { crv } = jwk
  return {
    numbers: { kty: 'EC', crv, x: toFieldLength(number('x'), crv), y: toFieldLength(number('y'), crv) },
    alg,
  }
}
