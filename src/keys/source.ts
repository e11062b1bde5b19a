import type { CryptoKey } from 'jose'
import { type Algorithm, signatureParameters } from '../algorithms.ts'

/** A key for verifying, and the algorithms it is pinned to. */
export interface VerificationKey {
  readonly algorithms: readonly Algorithm[]
  /** The CryptoKey for one of the algorithms; imported once for each. */
  keyFor(algorithm: Algorithm): CryptoKey | Promise<CryptoKey>
}

/** A source of keys: a single key, a key set, or a key set at a URL. */
export interface KeySource {
  /**
   * Finds the keys that may have signed a token; at least one.
   *
   * @param context The runtime's request context; its `waitUntil` keeps fetches alive
   * @throws `ERR_KEY_NOT_FOUND` · `ERR_JWKS_UNAVAILABLE` · the codes for invalid keys
   */
  find(
    algorithm: Algorithm,
    keyId: string | undefined,
    context?: object,
  ): readonly VerificationKey[] | Promise<readonly VerificationKey[]>
  /** Every algorithm that the source supports. */
  readonly algorithms: readonly Algorithm[]
}

export function singleKey(key: VerificationKey): KeySource {
  const keys = [key]
  return { algorithms: key.algorithms, find: () => keys }
}

/** Whether a signature is valid. Never rejects, although some engines do for signatures of the wrong length. */
export function isValidSignature(
  key: CryptoKey,
  algorithm: Algorithm,
  signature: Uint8Array,
  data: Uint8Array<ArrayBuffer>,
): boolean | Promise<boolean> {
  // Node accepts a PSS signature without its leading zero, which RFC 8017 section 8.1.2 forbids.
  const { modulusLength } = key.algorithm as Partial<RsaHashedKeyAlgorithm>
  if (modulusLength !== undefined && signature.length !== Math.ceil(modulusLength / 8)) return false
  return crypto.subtle
    .verify(signatureParameters(algorithm), key, signature as Uint8Array<ArrayBuffer>, data)
    .catch(() => false)
}
