import * as shapes from './key-shapes.ts'
import { type Curve, privateJwk } from './keys.ts'
import type { Library } from './suite.ts'
import { rejects } from './suite.ts'
import { createTestSigner } from './tokens.ts'

/** What a runtime cannot do: found out by calling it directly, and then our code must report it with our own error. */

/**
 * Where a runtime does not compute the public point of an EC key without one, as in Firefox, such a key must be
 * rejected.
 *
 * @returns whether that was so
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
