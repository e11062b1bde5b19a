import { signatureParameters } from '../algorithms.ts'
import { encodeBytes, encoder, encodeText } from '../encoding.ts'
import { MembraneTokenError } from '../errors.ts'
import type { SigningKey } from '../keys/private-key.ts'

/** Maximum characters of a token. Membrane's SDK puts tokens into URLs, and servers reject longer URLs. */
export const TOKEN_SIZE_LIMIT = 8192

/** Creates compact JWS (RFC 7515 section 7.1). The steps are separate, so that the caller awaits only once. */
export interface JwsSigner {
  /** Returns the signing input for a payload, which is JSON text. */
  inputOf(payload: string): string
  sign(input: string): Promise<ArrayBuffer | Uint8Array>
}

/** Encodes the header once for all tokens that a key signs. */
export function createJwsSigner({ key, algorithm }: SigningKey, keyId: string | undefined): JwsSigner {
  const parameters = signatureParameters(algorithm)
  const header = `${encodeText(JSON.stringify({ alg: algorithm, typ: 'JWT', kid: keyId }))}.`
  return {
    inputOf: (payload) => header + encodeText(payload),
    sign:
      typeof key === 'function'
        ? key
        : // Not an async function, which would add a few percent to an HMAC.
          (input) => crypto.subtle.sign(parameters, key, encoder.encode(input)),
  }
}

/** Appends the signature. @throws `ERR_TOKEN_TOO_LARGE` over {@link TOKEN_SIZE_LIMIT} characters */
export function completeJws(input: string, signature: ArrayBuffer | Uint8Array): string {
  const token = `${input}.${encodeBytes(new Uint8Array(signature))}`
  checkTokenSize(token)
  return token
}

/** @throws `ERR_TOKEN_TOO_LARGE` over {@link TOKEN_SIZE_LIMIT} characters */
export function checkTokenSize({ length }: string): void {
  if (length <= TOKEN_SIZE_LIMIT) return
  throw new MembraneTokenError(
    'ERR_TOKEN_TOO_LARGE',
    `The token has ${length} characters, more than ${TOKEN_SIZE_LIMIT}; put less into the customer's fields.`,
  )
}
