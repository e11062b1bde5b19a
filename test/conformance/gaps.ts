import * as shapes from './key-shapes.ts'
import { type Curve, privateJwk } from './keys.ts'
import type { Library } from './suite.ts'
import { rejects } from './suite.ts'
import { createTestSigner } from './tokens.ts'

/** Features that a runtime lacks, detected by calling it directly. Our code must then reject with its own error. */

/**
 * Firefox cannot import an EC key without its public point. Checks that such a key is then rejected.
 *
 * @returns Whether this runtime has that gap
 */
export async function refusesWithoutPoint(
  lib: Library,
  curve: Curve,
  privateKey: string | Uint8Array,
): Promise<boolean> {
  const der = shapes.pkcs8(await privateJwk(curve), { publicKey: 'none' })
  try {
    const parameters = { name: 'ECDSA', namedCurve: curve }
    await crypto.subtle.exportKey(
      'jwk',
      await crypto.subtle.importKey('pkcs8', der, parameters, true, ['sign']),
    )
    return false
  } catch {
    await rejects(() => createTestSigner(lib, { privateKey }), 'ERR_KEY_FORMAT_UNSUPPORTED')
    return true
  }
}
