/** The code of a {@link MembraneTokenError}. Codes are stable; messages may change. */
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

/** What is wrong with a setting and how to fix it. Never contains the setting's value. */
export interface SettingFault {
  readonly setting: string
  readonly detail: string
}

/** Further properties of a {@link MembraneTokenError}. */
export interface MembraneTokenErrorOptions {
  /** The invalid option, setting or member. */
  option?: string | undefined
  /** The underlying error, reduced to its name and code because its message may quote key material. */
  cause?: unknown
  /** For `ERR_SETTING_INVALID`: every invalid setting. */
  faults?: readonly SettingFault[] | undefined
}

/**
 * The error that this package throws. Its `code` is the same on every runtime; its message says what is wrong and how
 * to fix it. Neither the message nor the `cause` contains a secret, a private key or a token.
 *
 * @example Handle an invalid key
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
  /** The invalid option, setting or member, if there is one. */
  readonly option?: string
  /** For `ERR_SETTING_INVALID`: every invalid setting. */
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
 * Reduces an error to its name and, if it has one, its code (Node's network errors have theirs in `cause`, such as
 * `ECONNREFUSED`), because its message may quote a key, a header or a token.
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
    // A getter or proxy threw.
    return { name: typeof cause }
  }
}
