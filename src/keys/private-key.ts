import type { CryptoKey, JWK } from 'jose'
import { type Algorithm, algorithmsFor, signatureParameters } from '../algorithms.ts'
import { encoder, toHex } from '../encoding.ts'
import { type EcPrivateKey, type EcPublicKey, toFieldLength } from './ec.ts'
import { DAMAGED, incompleteKey, invalidKey, unsupportedKey } from './errors.ts'
import { type PrivateKey, writePkcs8 } from './formats/asn1.ts'
import { identifyJwk, readPrivateJwk, readPublicJwk, writePrivateJwk, writePublicJwk } from './formats/jwk.ts'
import { checkCryptoKey, chooseAlgorithm, isCryptoKey, webCrypto } from './policy.ts'
import { importJwk } from './public-key.ts'
import { readKey } from './read-key.ts'
import type { SignRemotely } from './remote-key.ts'
import { checkRsaPrivateKey, hasCompositePrime, isPortable, RSA_LIMITS, type RsaPrivateKey } from './rsa.ts'
import { isValidSignature } from './source.ts'

/** A key for signing, bound to one algorithm. */
export interface SigningKey {
  /** The key, or a function that signs with a remote key. */
  readonly key: CryptoKey | SignRemotely
  readonly algorithm: Algorithm
  /** The required members of the public half, if it is known. */
  readonly publicJwk?: JWK | undefined
  /** Version of a remote key. */
  readonly version?: string | undefined
}

/**
 * Imports a private key in any supported format as a non-extractable CryptoKey; a CryptoKey is used as it is. If the
 * public half is known, the key signs once and the signature must verify.
 *
 * @throws `ERR_KEY_INVALID` · `ERR_KEY_FORMAT_UNSUPPORTED` · `ERR_KEY_WEAK` · `ERR_KEY_ALGORITHM_MISMATCH` ·
 *   `ERR_UNTRUSTED_CONTEXT`
 */
export async function importPrivateKey(
  input: unknown,
  requested: Algorithm | undefined,
): Promise<SigningKey> {
  if (isCryptoKey(input)) return usePrivateCryptoKey(input, requested)
  const { components, alg } = readKey(input, 'private')
  const { kty } = components
  if (kty === 'RSA') checkRsaPrivateKey(components)
  const supported = algorithmsFor(kty, kty === 'EC' ? components.crv : undefined)
  const algorithm = chooseAlgorithm(supported, alg, requested)
  const complete = await completeKey(components)
  const key = await importJwk(writePrivateJwk(complete), algorithm, complete)
  const publicJwk = writePublicJwk(complete)
  await testKey(key, algorithm, publicJwk, complete)
  return { key, algorithm, publicJwk }
}

type CompleteKey = RsaPrivateKey | (EcPrivateKey & EcPublicKey)

/**
 * Signs once and verifies the signature. Deno rejects an inconsistent EC key only when it signs, Firefox and WebKitGTK
 * never do. An RSA key with a composite prime creates signatures that do not verify.
 */
async function testKey(
  key: CryptoKey,
  algorithm: Algorithm,
  publicJwk: JWK,
  complete: CompleteKey,
): Promise<void> {
  // Deno aborts the process when a key with a composite prime signs.
  const isDeno = String(globalThis.navigator?.userAgent).startsWith('Deno/')
  if (isDeno && complete.kty === 'RSA' && hasCompositePrime(complete)) throw invalidKey(DAMAGED)
  const data = encoder.encode('membrane-token')
  const publicKey = await importJwk({ ...publicJwk }, algorithm, complete)
  let isValid = false
  try {
    const signature = await webCrypto().sign(signatureParameters(algorithm), key, data)
    isValid = await isValidSignature(publicKey, algorithm, new Uint8Array(signature), data)
  } catch (cause) {
    if (complete.kty === 'RSA' && !isPortable(complete)) throw unsupportedKey(RSA_LIMITS, cause)
    throw invalidKey(DAMAGED, cause)
  }
  if (!isValid) throw invalidKey(DAMAGED)
}

/**
 * Adds the public point to an EC key without one. Does not check that a given point is on the curve.
 *
 * @throws `ERR_KEY_INVALID` · `ERR_KEY_FORMAT_UNSUPPORTED`
 */
export async function completeKey(key: PrivateKey): Promise<CompleteKey> {
  if (key.kty === 'RSA') return key
  const { x, y, compressed } = key
  const complete = x && y ? { ...key, x, y } : { ...key, ...(await findPoint(key)) }
  const parity = `0${2 + ((complete.y.at(-1) as number) & 1)}`
  if (compressed && toHex(compressed) !== parity + toHex(complete.x)) throw invalidKey(DAMAGED)
  return complete
}

async function findPoint(key: EcPrivateKey): Promise<EcPublicKey> {
  try {
    return await derivePoint(key)
  } catch (cause) {
    // Firefox derives no points at all, not even for d = 1, which is valid on every curve.
    const { crv } = key
    await derivePoint({ crv, d: toFieldLength(Uint8Array.of(1), crv) }).catch(() => {
      throw incompleteKey('This runtime needs the public point in the key', 'private', cause)
    })
    throw invalidKey(DAMAGED, cause)
  }
}

// Imports the key and exports it with its point, because only the engine multiplies points in constant time. Not
// through jose, because a JWK without the point is not valid.
async function derivePoint(key: Pick<EcPrivateKey, 'crv' | 'd'>): Promise<EcPublicKey> {
  const subtle = webCrypto()
  const parameters = { name: 'ECDSA', namedCurve: key.crv }
  const imported = await subtle.importKey('pkcs8', writePkcs8(key), parameters, true, ['sign'])
  return readPublicJwk(identifyJwk({ ...(await subtle.exportKey('jwk', imported)) })) as EcPublicKey
}

async function usePrivateCryptoKey(key: CryptoKey, requested: Algorithm | undefined): Promise<SigningKey> {
  const algorithm = checkCryptoKey(key, 'private', requested, 'sign')
  if (!key.extractable) return { key, algorithm }
  const components = readPrivateJwk(identifyJwk({ ...(await webCrypto().exportKey('jwk', key)) }))
  if (components.kty === 'RSA') checkRsaPrivateKey(components)
  const complete = await completeKey(components)
  const publicJwk = writePublicJwk(complete)
  await testKey(key, algorithm, publicJwk, complete)
  return { key, algorithm, publicJwk }
}
