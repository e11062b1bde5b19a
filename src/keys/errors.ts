import { MembraneTokenError } from '../errors.ts'

/** Not decodable as the kind of key it claims to be, or not a valid key. */
export function invalidKey(message: string, cause?: unknown): MembraneTokenError {
  return new MembraneTokenError('ERR_KEY_INVALID', message, { cause })
}

/** Recognised, but not usable here. */
export function unsupportedKey(message: string, cause?: unknown): MembraneTokenError {
  return new MembraneTokenError('ERR_KEY_FORMAT_UNSUPPORTED', message, { cause })
}

/** Can be guessed or computed. */
export function weakKey(message: string): MembraneTokenError {
  return new MembraneTokenError('ERR_KEY_WEAK', message)
}

/** Made for another algorithm or use. @param option `algorithm`, where that is what does not fit */
export function mismatchedKey(message: string, option?: string): MembraneTokenError {
  return new MembraneTokenError('ERR_KEY_ALGORITHM_MISMATCH', message, { option })
}

export const DAMAGED = 'The key is damaged: its components are out of range or inconsistent. Export it again.'

/** How every error about an unusable type of key ends. */
export const USABLE_KEYS =
  'Membrane accepts RSA and EC keys (P-256, P-384, P-521); create one with `openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out key.pem`.'

/** Names the option at fault on every error about the key that it holds. */
export async function withOption<T>(option: string, run: () => T | Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    if (!(error instanceof MembraneTokenError) || error.option !== undefined) throw error
    throw new MembraneTokenError(error.code, error.message, { option, cause: error.cause })
  }
}
