import type { CryptoKey, JWK } from 'jose'
import type { Algorithm } from '../algorithms.ts'

/**
 * A private key that never leaves its key management service: the public half in any form, and a function that signs.
 * It sees bytes and never decides claims.
 */
export interface RemoteKey {
  /** The public half: SPKI, PKCS#1 or X.509 as PEM or DER, a JWK, or a CryptoKey. */
  publicKey: string | Uint8Array | JWK | CryptoKey
  /** Version of the key at its service, named in the audit. */
  version?: string | undefined
  /**
   * Signs bytes.
   *
   * @param data The signing input (RFC 7515 section 5.1), not hashed
   * @returns The signature; for ECDSA either r and s side by side (RFC 7518 section 3.4) or as DER
   */
  sign(data: Uint8Array, algorithm: Algorithm): Promise<Uint8Array>
}
