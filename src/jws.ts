import { encode as base64url } from 'jose/base64url'
import { ALGORITHMS, type Algorithm } from './algorithms.ts'
import { MembraneTokenError } from './errors.ts'

/** Membrane's SDK puts tokens into URLs, and servers refuse longer ones. Characters. */
export const TOKEN_SIZE_LIMIT = 8192

const encoder: TextEncoder = /* @__PURE__ */ new TextEncoder()

/** Signs one payload, JSON text, as a compact JWS (RFC 7515 section 7.1). */
export type JwsSigner = (payload: string) => Promise<string>

/**
 * Binds a key, its algorithm and the header once.
 *
 * @throws (when signing) `ERR_TOKEN_TOO_LARGE` over {@link TOKEN_SIZE_LIMIT} characters
 */
export function createJwsSigner(key: CryptoKey, algorithm: Algorithm, keyId: string | undefined): JwsSigner {
  const { name, hash, namedCurve, saltLength } = ALGORITHMS[algorithm]
  // The bare name where the key knows the rest: engines read a text faster than an object, workerd by a sixth.
  const parameters = namedCurve ? { name, hash } : saltLength ? { name, saltLength } : name
  const header = `${base64url(JSON.stringify({ alg: algorithm, typ: 'JWT', kid: keyId }))}.`

  // No async function of its own: the caller's waits already, and each costs some percent of an HMAC.
  return (payload) => {
    const signingInput = header + base64url(payload)
    return crypto.subtle.sign(parameters, key, encoder.encode(signingInput)).then((signature) => {
      const token = `${signingInput}.${base64url(new Uint8Array(signature))}`
      checkTokenSize(token)
      return token
    })
  }
}

/** @throws `ERR_TOKEN_TOO_LARGE` over {@link TOKEN_SIZE_LIMIT} characters */
export function checkTokenSize({ length }: string): void {
  if (length <= TOKEN_SIZE_LIMIT) return
  throw new MembraneTokenError(
    'ERR_TOKEN_TOO_LARGE',
    `The token has ${length} characters, over ${TOKEN_SIZE_LIMIT}; put less into the customer's fields.`,
  )
}
