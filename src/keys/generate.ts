import type { JWK } from 'jose'
import { calculateJwkThumbprint } from 'jose/jwk/thumbprint'
import { ALGORITHMS, type Algorithm } from '../algorithms.ts'
import { MembraneTokenError } from '../errors.ts'
import { checkObject, invalidOption } from '../options.ts'
import { checkAlgorithm, importParameters, webCrypto } from './import.ts'

/** A new key pair: the private half for the signer, the public one for Membrane. */
export interface KeyPair {
  algorithm: Algorithm
  /** RFC 7638 thumbprint (SHA-256) of the public key; the same key always gets the same id. */
  keyId: string
  /** PKCS#8 PEM. Keep it where secrets are kept, and nowhere else. */
  privateKey: string
  /** SPKI PEM, to be pasted into Membrane's settings. */
  publicKey: string
  /** The public half with `kid`, `alg` and `use`, to be published in a JWK set. */
  publicJwk: JWK
}

/** Wishes for a key pair. */
export interface KeyPairOptions {
  /** Bits of an RSA modulus: 2048 (default), 3072 or 4096 work on every runtime. */
  modulusLength?: number | undefined
}

const DEFAULT_MODULUS_LENGTH = 2048
const LONGEST_MODULUS = 8192

/**
 * Makes a key pair for signing, as PEM that `openssl` reads.
 *
 * @param algorithm One of ES*, RS* and PS*. Default ES256: short keys and tokens, fast everywhere
 * @throws `ERR_ALGORITHM_UNSUPPORTED` · `ERR_KEY_WEAK` under 2048 bits · `ERR_OPTION_INVALID` for HS*, which needs a
 *   secret and no pair, and for lengths that make no RSA key · `ERR_UNTRUSTED_CONTEXT`
 *
 * @example Make a pair and sign with it
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
  checkObject(options)
  const parameters = ALGORITHMS[algorithm]
  if (parameters.kty === 'oct')
    throw invalidOption(`${algorithm} signs with a secret; make a pair for ES256, RS256 or PS256.`)
  const { modulusLength } = options
  if (modulusLength !== undefined) checkModulusLength(modulusLength, parameters.kty)
  const { privateKey, publicKey } = await generate({
    ...importParameters(parameters),
    ...(parameters.kty === 'RSA' && {
      modulusLength: modulusLength ?? DEFAULT_MODULUS_LENGTH,
      publicExponent: Uint8Array.of(1, 0, 1),
    }),
  })
  const subtle = webCrypto()
  const [pkcs8, spki, { kty, crv, x, y, n, e }] = await Promise.all([
    subtle.exportKey('pkcs8', privateKey),
    subtle.exportKey('spki', publicKey),
    subtle.exportKey('jwk', publicKey) as Promise<JWK>,
  ])
  const members = (kty === 'EC' ? { kty, crv, x, y } : { kty, n, e }) as JWK
  const keyId = await calculateJwkThumbprint(members)
  return {
    algorithm,
    keyId,
    privateKey: writePem('PRIVATE KEY', pkcs8),
    publicKey: writePem('PUBLIC KEY', spki),
    publicJwk: { ...members, kid: keyId, alg: algorithm, use: 'sig' },
  }
}

async function generate(parameters: RsaHashedImportParams | EcKeyImportParams): Promise<CryptoKeyPair> {
  try {
    return (await webCrypto().generateKey(parameters as EcKeyGenParams, true, [
      'sign',
      'verify',
    ])) as CryptoKeyPair
  } catch (cause) {
    if (cause instanceof MembraneTokenError) throw cause
    throw new MembraneTokenError(
      'ERR_OPTION_INVALID',
      'This runtime makes no such key; 2048, 3072 and 4096 bits work everywhere.',
      {
        cause,
      },
    )
  }
}

function checkModulusLength(modulusLength: unknown, kty: 'RSA' | 'EC'): void {
  if (kty === 'EC')
    throw invalidOption('modulusLength is for RSA keys; the length of an EC key is that of its curve.')
  if (typeof modulusLength !== 'number' || !Number.isInteger(modulusLength) || modulusLength % 8 !== 0) {
    throw invalidOption(
      'modulusLength must be a number of bits that is divisible by 8, such as 2048, 3072 or 4096.',
    )
  }
  if (modulusLength > LONGEST_MODULUS) {
    throw invalidOption(
      `modulusLength must be at most ${LONGEST_MODULUS} bits; longer keys take minutes to make.`,
    )
  }
  if (modulusLength < DEFAULT_MODULUS_LENGTH) {
    throw new MembraneTokenError(
      'ERR_KEY_WEAK',
      `modulusLength must be at least ${DEFAULT_MODULUS_LENGTH} bits.`,
    )
  }
}

function writePem(label: string, der: ArrayBuffer): string {
  const lines = btoa(String.fromCharCode(...new Uint8Array(der))).match(/.{1,64}/g) ?? []
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n')
}
