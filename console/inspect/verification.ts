import { createVerifier, MembraneTokenError, type VerifiedToken, type VerifierOptions } from 'membrane-token'

/** The key to verify a token with. */
export type KeyMaterial =
  | { kind: 'secret'; secret: string }
  | { kind: 'publicKey'; publicKey: NonNullable<VerifierOptions['publicKey']> }
  | { kind: 'jwks'; text: string }

export type Verification =
  | { isVerified: true; token: VerifiedToken }
  | { isVerified: false; code: string; message: string }

/** Verifies a token, and returns errors as values. */
export async function verifyToken(
  token: string,
  workspaceKey: string,
  material: KeyMaterial,
): Promise<Verification> {
  try {
    const options = { workspaceKey, trustedBrowser: true, ...readMaterial(material) }
    const verifier = await createVerifier(options)
    return { isVerified: true, token: await verifier.verify(token) }
  } catch (error) {
    return { isVerified: false, ...describeError(error) }
  }
}

function readMaterial(material: KeyMaterial) {
  switch (material.kind) {
    case 'secret':
      // A workspace may have a short secret, which is not a problem of the token.
      return { secret: material.secret, allowShortSecret: true }
    case 'publicKey':
      return { publicKey: material.publicKey }
    case 'jwks':
      return { jwks: JSON.parse(material.text) as NonNullable<VerifierOptions['jwks']> }
  }
}

/** Returns the code and the message of an error, for display. */
export function describeError(error: unknown): { code: string; message: string } {
  if (error instanceof MembraneTokenError) return { code: error.code, message: error.message }
  if (error instanceof SyntaxError) return { code: 'NOT_JSON', message: 'This is not valid JSON.' }
  return { code: 'UNEXPECTED', message: String(error) }
}
