import { MembraneTokenError } from '../errors.ts'

/** The key cannot be decoded, or is not valid. */
export function invalidKey(message: string, cause?: unknown): MembraneTokenError {
  return new MembraneTokenError('ERR_KEY_INVALID', message, { cause })
}

/** The key is recognized, but not supported. */
export function unsupportedKey(message: string, cause?: unknown): MembraneTokenError {
  return new MembraneTokenError('ERR_KEY_FORMAT_UNSUPPORTED', message, { cause })
}

/** The key can be guessed or computed. */
export function weakKey(message: string): MembraneTokenError {
  return new MembraneTokenError('ERR_KEY_WEAK', message)
}

/** The key is for another algorithm or use. @param option `algorithm`, if that option does not match the key */
export function mismatchedKey(message: string, option?: string): MembraneTokenError {
  return new MembraneTokenError('ERR_KEY_ALGORITHM_MISMATCH', message, { option })
}

export const DAMAGED = 'The key is damaged: its components are out of range or inconsistent. Export it again.'

/** The input is something other than the required key. @param fix How to get the required key */
export function recognizedAs(what: string, fix: string): MembraneTokenError {
  return unsupportedKey(`This is ${what}; ${fix}.`)
}

/** The fix for an unsupported type of key. */
export const USABLE_KEYS =
  'Membrane accepts RSA and EC keys (P-256, P-384, P-521): create one with `openssl ecparam -name prime256v1 -genkey -noout -out key.pem`'

/** The fix for an encrypted key, in PKCS#8 or OpenSSL's older format. */
export const DECRYPT = 'decrypt it with `openssl pkey -in key.pem -out decrypted.pem`'

/** An EC key lacks its point or the name of its curve. */
export function incompleteKey(what: string, half: 'private' | 'public', cause?: unknown): MembraneTokenError {
  const input = half === 'public' ? '-pubin -in' : '-in'
  return unsupportedKey(
    `${what}; write it in full with \`openssl ec ${input} key.pem -param_enc named_curve -conv_form uncompressed -out complete.pem\`.`,
    cause,
  )
}

/** Adds the name of the option to errors about its value. */
export async function withOption<T>(option: string, run: () => T | Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    if (!(error instanceof MembraneTokenError) || error.option !== undefined) throw error
    throw new MembraneTokenError(error.code, error.message, { option, cause: error.cause })
  }
}
