import type { JWK } from 'jose'
import { encodeBytes, encoder } from '../encoding.ts'
import { webCrypto } from './policy.ts'

/**
 * The RFC 7638 thumbprint (SHA-256) of a public key. Not that of `jose`, which is 0.7 kB larger, gzipped, since it
 * accepts every type and form of key.
 *
 * @param publicJwk With the required members of RSA and EC keys
 */
export async function calculateThumbprint(publicJwk: JWK): Promise<string> {
  // The required members, in lexicographic order (section 3.3).
  const members = JSON.stringify(publicJwk, ['crv', 'e', 'kty', 'n', 'x', 'y'])
  return encodeBytes(new Uint8Array(await webCrypto().digest('SHA-256', encoder.encode(members))))
}
