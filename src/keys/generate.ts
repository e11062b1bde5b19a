import type { JWK } from 'jose'
import { ALGORITHMS, type Algorithm, checkAlgorithm } from '../algorithms.ts'
import { MembraneTokenError } from '../errors.ts'
import { invalidOption, readOptions } from '../options.ts'
import { identifyJwk, readPublicJwk, writePublicJwk } from './formats/jwk.ts'
import { writePem } from './formats/pem.ts'
import { webCrypto } from './policy.ts'
import { calculateThumbprint } from './thumbprint.ts'

/** A new key pair: the private key for the signer, the public key for Membrane. */
export interface KeyPair {
  algorithm: Algorithm
  /** RFC 7638 thumbprint (SHA-256) of the public key; the same key always gets the same id. */
  keyId: string
  /** PKCS#8 PEM. Keep it in a secret store, and nowhere else. */
  privateKey: string
  /** SPKI PEM, to paste into Membrane's settings. */
  publicKey: string
  /** The public half with `kid`, `alg` and `use`, to publish in a JWK set. */
  publicJwk: JWK
}

/** Options of {@link generateKeyPair}. */
export interface KeyPairOptions {
  /** Bits of the RSA modulus. Default 2048; 2048, 3072 and 4096 work on every runtime. */
  modulusLength?: number | undefined
}

const DEFAULT_MODULUS_LENGTH = 2048
const LONGEST_MODULUS = 8192

/**
 * Generates a key pair for signing, as PEM that `openssl` reads.
 *
 * @param algorithm One of ES*, RS* and PS*. Default ES256: short keys and tokens, fast everywhere
 * @throws `ERR_ALGORITHM_UNSUPPORTED` · `ERR_KEY_WEAK` under 2048 bits · `ERR_OPTION_INVALID` for HS*, which needs a
 *   secret instead, and for an invalid `modulusLength` · `ERR_UNTRUSTED_CONTEXT` in a page not served over https
 *
 * @example Generate a key pair and sign with it
 *
 * ```ts
 * const { keyId, privateKey, publicKey } = await generateKeyPair()
 * const signer = await createSigner({ workspaceKey, privateKey, keyId })
 * ```
 */
export async function generateKeyPair(
  algorithm: Algorithm = 'ES256',
  options: KeyPairOptions = {},
): Promise<KeyPair> {
  checkAlgorithm(algorithm)
  const { modulusLength } = readOptions(options, ['modulusLength'])
  const { kty, name, hash, namedCurve } = ALGORITHMS[algorithm]
  if (kty === 'oct')
    throw invalidOption(
      `${algorithm} signs with a secret; generate a key pair for ES256, RS256 or PS256.`,
      'algorithm',
    )
  if (modulusLength !== undefined) checkModulusLength(modulusLength, kty)
  const { privateKey, publicKey } = await generate(
    namedCurve
      ? { name, namedCurve }
      : {
          name,
          hash,
          modulusLength: modulusLength ?? DEFAULT_MODULUS_LENGTH,
          publicExponent: Uint8Array.of(1, 0, 1),
        },
  )
  const subtle = webCrypto()
  const [pkcs8, spki, jwk] = await Promise.all([
    subtle.exportKey('pkcs8', privateKey),
    subtle.exportKey('spki', publicKey),
    subtle.exportKey('jwk', publicKey),
  ])
  const members = writePublicJwk(readPublicJwk(identifyJwk({ ...jwk })))
  const keyId = await calculateThumbprint(members)
  return {
    algorithm,
    keyId,
    privateKey: writePem('PRIVATE KEY', pkcs8),
    publicKey: writePem('PUBLIC KEY', spki),
    publicJwk: { ...members, kid: keyId, alg: algorithm, use: 'sig' },
  }
}

async function generate(parameters: RsaHashedKeyGenParams | EcKeyGenParams): Promise<CryptoKeyPair> {
  const subtle = webCrypto()
  try {
    return (await subtle.generateKey(parameters, true, ['sign', 'verify'])) as CryptoKeyPair
  } catch (cause) {
    throw new MembraneTokenError(
      'ERR_OPTION_INVALID',
      'This runtime cannot generate this key; 2048, 3072 and 4096 bits work everywhere.',
      { option: 'modulusLength', cause },
    )
  }
}

function checkModulusLength(modulusLength: unknown, kty: 'RSA' | 'EC'): void {
  const invalid = (message: string) => invalidOption(message, 'modulusLength')
  if (kty === 'EC')
    throw invalid('modulusLength is for RSA keys; the curve determines the length of an EC key.')
  if (typeof modulusLength !== 'number' || !Number.isInteger(modulusLength) || modulusLength % 8 !== 0)
    throw invalid(
      'modulusLength must be a number of bits that is divisible by 8, such as 2048, 3072 or 4096.',
    )
  if (modulusLength > LONGEST_MODULUS)
    throw invalid(
      `modulusLength must be at most ${LONGEST_MODULUS} bits; longer keys take minutes to generate.`,
    )
  if (modulusLength < DEFAULT_MODULUS_LENGTH) {
    throw new MembraneTokenError(
      'ERR_KEY_WEAK',
      `modulusLength must be at least ${DEFAULT_MODULUS_LENGTH} bits.`,
      { option: 'modulusLength' },
    )
  }
}
