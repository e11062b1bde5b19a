import { MembraneTokenError } from '../errors.ts'

/** What keys are refused by, in whatever form they come. */

/** Not decodable as what it claims to be, or its numbers are no valid key. */
export function invalidKey(message: string, cause?: unknown): MembraneTokenError {
  return new MembraneTokenError('ERR_KEY_INVALID', message, { cause })
}

/** Recognised, and not usable here. */
export function unsupportedKey(message: string, cause?: unknown): MembraneTokenError {
  return new MembraneTokenError('ERR_KEY_FORMAT_UNSUPPORTED', message, { cause })
}

/** Could be guessed or computed. */
export function weakKey(message: string): MembraneTokenError {
  return new MembraneTokenError('ERR_KEY_WEAK', message)
}

/** Made for another algorithm or use. */
export function mismatchedKey(message: string): MembraneTokenError {
  return new MembraneTokenError('ERR_KEY_ALGORITHM_MISMATCH', message)
}
