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
  | 'ERR_KEY_UNAVAILABLE'
  | 'ERR_SETTING_INVALID'

/** What is wrong with one setting, and how to fix it. Never holds the setting's value. */
export interface SettingFault {
  readonly setting: string
  readonly detail: string
}

/** What {@link MembraneTokenError} takes beside its code and message. */
export interface MembraneTokenErrorOptions {
  /** The option, setting or member at fault. */
  option?: string | undefined
  /** What the engine or `fetch` reported; reduced to its name and code, since its message may quote key material. */
  cause?: unknown
  /** For `ERR_SETTING_INVALID`: every setting at fault. */
  faults?: readonly SettingFault[] | undefined
}

/**
 * The only error that this package throws. Its `code` is the same on every runtime; its message says what was wrong
 * and how to fix it. Neither the message nor the `cause` ever holds a secret, a private key or a token.
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
  /** The option, setting or member at fault, where one is. */
  readonly option?: string
  /** For `ERR_SETTING_INVALID`: every setting at fault. */
  readonly faults?: readonly SettingFault[]

  constructor(code: MembraneTokenErrorCode, message: string, options: MembraneTokenErrorOptions = {}) {
    const { option, cause, faults } = options
    super(message, cause === undefined ? undefined : { cause: describeCause(cause) })
    this.name = 'MembraneTokenError'
    this.code = code
    if (option !== undefined) this.option = option
    if (faults !== undefined) this.faults = faults
  }
}

/**
 * Reduces an error whose message may quote a key, a header or a token to its name, and its code where it has one, as
 * Node's network errors do (`ECONNREFUSED`, in their `cause`).
 */
function describeCause(cause: unknown): unknown {
  try {
    if (cause instanceof MembraneTokenError) return cause
    const { name, code, cause: inner } = Object(cause) as { name?: unknown; code?: unknown; cause?: unknown }
    const known = code ?? (Object(inner) as { code?: unknown }).code
    return {
      name: typeof name === 'string' ? name : typeof cause,
      ...((typeof known === 'string' || typeof known === 'number') && { code: known }),
    }
  } catch {
    // A getter or a proxy that throws.
    return { name: typeof cause }
  }
}
