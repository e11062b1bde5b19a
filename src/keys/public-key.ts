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

/** A public key, with its JWK if it is known. */
export interface ImportedPublicKey extends VerificationKey {
  /** Only the required members (RFC 7638 section 3.2). */
  readonly publicJwk?: JWK | undefined
}

/**
 * Imports a public key: SPKI, PKCS#1 or an X.509 certificate as PEM or DER, a JWK, or a CryptoKey. Only the key of a
 * certificate is used; its dates and issuer are not checked.
 *
 * @param allowed The caller's algorithms; default: all that the key supports
 * @param check {@link checkPublicKey}, or a cheaper check if a signature is verified immediately
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
  // Importing it for one algorithm shows whether the engine supports the key.
  await key.keyFor(key.algorithms[0] as Algorithm)
  return key
}

/**
 * Reads and checks a public key. It is imported on first use, once for each algorithm.
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
  const supported = algorithmsFor(kty, kty === 'EC' ? components.crv : undefined)
  return {
    algorithms: pinAlgorithms(supported, alg, allowed),
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
 * Imports a key whose components were checked, through `jose`, as a non-extractable CryptoKey.
 *
 * @param jwk Not an object of the caller, because `jose` may freeze it
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
