import type { JWK } from 'jose'
import { importJWK } from 'jose/key/import'
import { type Algorithm, algorithmsFor } from '../algorithms.ts'
import { DAMAGED, invalidKey, unsupportedKey } from './errors.ts'
import type { PublicKey } from './formats/asn1.ts'
import { identifyJwk, readPublicJwk, writePublicJwk } from './formats/jwk.ts'
import { checkPoint } from './points.ts'
import { checkCryptoKey, isCryptoKey, pinAlgorithms, webCrypto } from './policy.ts'
import { readKey } from './read-key.ts'
import { checkRsaPublicKey, isPortable, RSA_LIMITS } from './rsa.ts'
import type { VerificationKey } from './source.ts'

/** Checks the components of a public key. */
export type KeyCheck = (key: PublicKey) => void

/** A public key, with its JWK where it can be known. */
export interface ImportedPublicKey extends VerificationKey {
  /** The required members alone (RFC 7638 section 3.2). */
  readonly publicJwk?: JWK | undefined
}

/**
 * Imports a public key in any form: SPKI, PKCS#1 or an X.509 certificate as PEM or DER, a JWK, a CryptoKey. Of a
 * certificate only the key is used; its dates and issuer are not checked.
 *
 * @param allowed The caller's algorithms; default: those that fit the key
 * @param check {@link checkPublicKey}, or less where the key is tried at once
 * @throws `ERR_KEY_INVALID` · `ERR_KEY_FORMAT_UNSUPPORTED` · `ERR_KEY_WEAK` · `ERR_KEY_ALGORITHM_MISMATCH`
 */
export async function importPublicKey(
  input: unknown,
  allowed: readonly Algorithm[] | undefined,
  check: KeyCheck,
): Promise<ImportedPublicKey> {
  const key = isCryptoKey(input)
    ? await usePublicCryptoKey(input, allowed, check)
    : readVerificationKey(input, allowed, check)
  // The first import shows whether the engine supports the key at all.
  await key.keyFor(key.algorithms[0] as Algorithm)
  return key
}

/**
 * Reads and checks a public key, and leaves its import to the first signature: for sets, of whose keys few are used.
 *
 * @throws `ERR_KEY_INVALID` · `ERR_KEY_FORMAT_UNSUPPORTED` · `ERR_KEY_WEAK` · `ERR_KEY_ALGORITHM_MISMATCH`
 */
export function readVerificationKey(
  input: unknown,
  allowed: readonly Algorithm[] | undefined,
  check: KeyCheck,
): ImportedPublicKey {
  const { components, alg } = readKey(input, 'public')
  check(components)
  const { kty } = components
  const fitting = algorithmsFor(kty, kty === 'EC' ? components.crv : undefined)
  return {
    algorithms: pinAlgorithms(fitting, alg, allowed),
    keyFor: importOnce(components),
    publicJwk: writePublicJwk(components),
  }
}

/** @throws `ERR_KEY_INVALID` · `ERR_KEY_WEAK` · `ERR_KEY_FORMAT_UNSUPPORTED` */
export function checkPublicKey(key: PublicKey): void {
  if (key.kty === 'RSA') checkRsaPublicKey(key)
  else checkPoint(key)
}

async function usePublicCryptoKey(
  key: CryptoKey,
  allowed: readonly Algorithm[] | undefined,
  check: KeyCheck,
): Promise<ImportedPublicKey> {
  const algorithm = checkCryptoKey(key, 'public', undefined, 'verify')
  const used: ImportedPublicKey = {
    algorithms: pinAlgorithms([algorithm], undefined, allowed),
    keyFor: () => key,
  }
  if (!key.extractable) return used
  const components = readPublicJwk(identifyJwk({ ...(await webCrypto().exportKey('jwk', key)) }))
  check(components)
  return { ...used, publicJwk: writePublicJwk(components) }
}

function importOnce(components: PublicKey): VerificationKey['keyFor'] {
  const keys = new Map<Algorithm, CryptoKey>()
  const importFor = async (algorithm: Algorithm): Promise<CryptoKey> => {
    const key = await importJwk(writePublicJwk(components), algorithm, components)
    keys.set(algorithm, key)
    return key
  }
  return (algorithm) => keys.get(algorithm) ?? importFor(algorithm)
}

/**
 * Hands a key whose components were checked to Web Crypto, through `jose`, as one that cannot be exported.
 *
 * @param jwk Our own object, since `jose` may freeze it
 * @throws `ERR_KEY_INVALID` · `ERR_KEY_FORMAT_UNSUPPORTED` · `ERR_UNTRUSTED_CONTEXT`
 */
export async function importJwk(
  jwk: JWK,
  algorithm: Algorithm,
  components: { readonly kty: 'EC' } | (PublicKey & { readonly kty: 'RSA' }),
): Promise<CryptoKey> {
  webCrypto()
  try {
    return (await importJWK(jwk, algorithm, { extractable: false })) as CryptoKey
  } catch (cause) {
    throw components.kty === 'EC' || isPortable(components)
      ? invalidKey(DAMAGED, cause)
      : unsupportedKey(RSA_LIMITS, cause)
  }
}
