import type { JWK } from 'jose'
import { encodeBytes, encoder } from '../encoding.ts'
import { webCrypto } from './policy.ts'

/**
 * Calculates the RFC 7638 thumbprint (SHA-256) of a public RSA or EC key. The function of `jose` supports more key
 * types and formats, and adds 0.7 kB gzipped.
 *
 * @param publicJwk A JWK with at least the required members
 * @throws `ERR_UNTRUSTED_CONTEXT`
 */
export async function calculateThumbprint(publicJwk: JWK): Promise<string> {
  // The required members, in lexicographic order (section 3.3).
  const members = JSON.stringify(publicJwk, ['crv', 'e', 'kty', 'n', 'x', 'y'])
  return encodeBytes(new Uint8Array(await webCrypto().digest('SHA-256', encoder.encode(members))))
}
