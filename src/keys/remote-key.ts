import type { CryptoKey, JWK } from 'jose'
import type { Algorithm } from '../algorithms.ts'
import { encoder, isBytes } from '../encoding.ts'
import { MembraneTokenError } from '../errors.ts'
import { invalidOption } from '../options.ts'
import { CURVES, toFieldLength } from './ec.ts'
import { invalidKey, withOption } from './errors.ts'
import { readSequence, unsignedOf } from './formats/der.ts'
import { chooseAlgorithm } from './policy.ts'
import type { SigningKey } from './private-key.ts'
import { importPublicKey, type KeyCheck } from './public-key.ts'
import { checkRsaPublicKey } from './rsa.ts'
import { isValidSignature } from './source.ts'

/**
 * A private key that stays in a key management service: its public half in any format, and a function that signs bytes.
 * `createSigner` checks that the key supports the algorithm, and verifies one trial signature and every later signature
 * with the public half.
 *
 * An error from `sign` becomes `ERR_KEY_UNAVAILABLE` without its message, unless it is a `MembraneTokenError`, which is
 * rethrown. A trial signature that does not verify is `ERR_KEY_INVALID`, a later one `ERR_KEY_UNAVAILABLE`, because the
 * key may have been rotated.
 *
 * @example Sign with your own key management service
 *
 * ```ts
 * const privateKey: RemoteKey = { publicKey, sign: (data, algorithm) => myService.sign(data, algorithm) }
 * const signer = await createSigner({ workspaceKey, privateKey, keyId: 'thumbprint' })
 * ```
 */
export interface RemoteKey {
  /** The public key: SPKI, PKCS#1 or X.509 as PEM or DER, a JWK, or a CryptoKey. */
  publicKey: string | Uint8Array | JWK | CryptoKey
  /** Version of the key in its key management service, for the audit log. */
  version?: string | undefined
  /**
   * Signs bytes.
   *
   * @param data The signing input (RFC 7515 section 5.1), not hashed
   * @returns The signature; for ECDSA either r and s concatenated (RFC 7518 section 3.4) or DER
   */
  sign(data: Uint8Array, algorithm: Algorithm): Promise<Uint8Array>
}

/** Signs text with a remote key and verifies the signature. */
export type SignRemotely = (input: string) => Promise<Uint8Array>

export function isRemoteKey(value: unknown): value is RemoteKey {
  return typeof value === 'object' && value !== null && 'sign' in value && typeof value.sign === 'function'
}

/**
 * Imports a remote key: checks its public half, and verifies a trial signature and every later one.
 *
 * @throws `ERR_KEY_INVALID` if the trial signature does not verify: `publicKey` belongs to another key
 * @throws `ERR_KEY_UNAVAILABLE` if signing fails, or a later signature does not verify, for example after a rotation
 * @throws `ERR_KEY_FORMAT_UNSUPPORTED` · `ERR_KEY_WEAK` · `ERR_KEY_ALGORITHM_MISMATCH` for the public half
 */
export async function importRemoteKey(
  remote: RemoteKey,
  requested: Algorithm | undefined,
): Promise<SigningKey> {
  const { publicKey, version } = remote
  if (version !== undefined && typeof version !== 'string')
    throw invalidOption("The remote key's version must be a string.", 'privateKey')
  const signBytes = remote.sign.bind(remote)
  const imported = await withOption('publicKey', () => importPublicKey(publicKey, undefined, checkStrength))
  const algorithm = chooseAlgorithm(imported.algorithms, undefined, requested)
  const verificationKey = await imported.keyFor(algorithm)

  const signVerified = async (input: string): Promise<Uint8Array | undefined> => {
    const signature = await callRemote(() => signBytes(encoder.encode(input), algorithm))
    // Encoded again, because `sign` may have changed the bytes.
    const data = encoder.encode(input)
    for (const candidate of possibleSignatures(signature, verificationKey)) {
      if (await isValidSignature(verificationKey, algorithm, candidate, data)) return candidate
    }
    return undefined
  }
  const key: SignRemotely = async (input) => {
    const signature = await signVerified(input)
    if (signature) return signature
    throw unavailable(
      'returned a signature that its public key does not verify; if the key was rotated, create the signer again.',
    )
  }
  if (!(await signVerified('membrane-token'))) {
    throw invalidKey(
      'The signature of the remote key does not verify with its publicKey; pass the public half of the same key.',
    )
  }
  return { key, algorithm, publicJwk: imported.publicJwk, version }
}

// The trial signature reveals a point that is not on its curve.
const checkStrength: KeyCheck = (key) => {
  if (key.kty === 'RSA') checkRsaPublicKey(key)
}

async function callRemote(sign: () => unknown): Promise<Uint8Array> {
  let signature: unknown
  try {
    signature = await sign()
  } catch (cause) {
    if (cause instanceof MembraneTokenError) throw cause
    throw unavailable('could not sign.', cause)
  }
  if (isBytes(signature)) return signature.slice()
  throw unavailable('must return its signature as a Uint8Array.')
}

function unavailable(what: string, cause?: unknown): MembraneTokenError {
  return new MembraneTokenError('ERR_KEY_UNAVAILABLE', `The remote key ${what}`, { cause })
}

/** Returns the possible signatures: for ECDSA, r‖s if the length is right, and r and s from DER. */
function possibleSignatures(signature: Uint8Array, { algorithm }: CryptoKey): Uint8Array[] {
  const { namedCurve } = algorithm as Partial<EcKeyAlgorithm>
  if (namedCurve === undefined) return [signature]
  const crv = namedCurve as keyof typeof CURVES
  const raw = signature.length === 2 * CURVES[crv].size ? [signature] : []
  try {
    const [r, s] = readSequence(signature).map((element) => toFieldLength(unsignedOf(element), crv))
    return r && s ? [...raw, Uint8Array.of(...r, ...s)] : raw
  } catch {
    return raw
  }
}
