/** Every code a {@link MembraneTokenError} can carry. Codes are stable; messages may improve. */
export type MembraneTokenErrorCode =
  | 'ERR_OPTION_INVALID'
  | 'ERR_ALGORITHM_UNSUPPORTED'
  | 'ERR_KEY_INVALID'
  | 'ERR_KEY_FORMAT_UNSUPPORTED'
  | 'ERR_KEY_WEAK'
  | 'ERR_KEY_ALGORITHM_MISMATCH'
  | 'ERR_CLAIM_INVALID'
  | 'ERR_LIFETIME_INVALID'
  | 'ERR_TOKEN_TOO_LARGE'
  | 'ERR_TOKEN_MALFORMED'
  | 'ERR_TOKEN_ALGORITHM_NOT_ALLOWED'
  | 'ERR_TOKEN_SIGNATURE_INVALID'
  | 'ERR_TOKEN_EXPIRED'
  | 'ERR_TOKEN_NOT_YET_VALID'
  | 'ERR_TOKEN_WORKSPACE_MISMATCH'
  | 'ERR_TOKEN_CLAIM_INVALID'
  | 'ERR_KEY_NOT_FOUND'
  | 'ERR_JWKS_UNAVAILABLE'
  | 'ERR_UNTRUSTED_CONTEXT'
  | 'ERR_TOKEN_REQUEST_FAILED'
  | 'ERR_TOKEN_REQUEST_REFUSED'

/**
 * The one error of this module. Its `code` is the same on every runtime, its message says what was wrong
 * and how to mend it. Neither the message nor the `cause` holds a secret, a private key or a token.
 *
 * @example Tell a bad key from a bad option
 *
 * ```ts
 * try {
 *   await createSigner({ workspaceKey, privateKey })
 * } catch (error) {
 *   if (error instanceof MembraneTokenError && error.code === 'ERR_KEY_INVALID') console.error(error.message)
 * }
 * ```
 */
export class MembraneTokenError extends Error {
  readonly code: MembraneTokenErrorCode

  constructor(code: MembraneTokenErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'MembraneTokenError'
    this.code = code
  }
}
