import type { CryptoKey } from 'jose'
import { type Algorithm, signatureParameters } from '../algorithms.ts'

/** A key that verifies, and the algorithms it is pinned to. */
export interface VerificationKey {
  readonly algorithms: readonly Algorithm[]
  /** The key as the engine takes it for one of its algorithms; imported once for each. */
  keyFor(algorithm: Algorithm): CryptoKey | Promise<CryptoKey>
}

/** Where keys come from: one key, a key set, or the set behind a URL. */
export interface KeySource {
  /**
   * The keys that may have signed; at least one.
   *
   * @param context What the runtime passes besides the request; a fetch is handed to its `waitUntil`
   * @throws `ERR_KEY_NOT_FOUND` and the codes of the keys
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

/** Whether a signature is valid. Never rejects: some engines throw at signatures of a wrong length. */
export function isSignature(
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
