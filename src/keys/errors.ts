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

/** Something other than the required key. @param fix How to get that key from it */
export function recognisedAs(what: string, fix: string): MembraneTokenError {
  return unsupportedKey(`This is ${what}; ${fix}.`)
}

/** The fix for a type of key that no algorithm uses. */
export const USABLE_KEYS =
  'Membrane accepts RSA and EC keys (P-256, P-384, P-521): create one with `openssl ecparam -name prime256v1 -genkey -noout -out key.pem`'

/** The fix for a key that is encrypted, in PKCS#8 or as OpenSSL did before it. */
export const DECRYPT = 'decrypt it with `openssl pkey -in key.pem -out decrypted.pem`'

/** An EC key without its point or the name of its curve. */
export function incompleteKey(what: string, half: 'private' | 'public', cause?: unknown): MembraneTokenError {
  const input = half === 'public' ? '-pubin -in' : '-in'
  return unsupportedKey(
    `${what}; write it in full with \`openssl ec ${input} key.pem -param_enc named_curve -conv_form uncompressed -out complete.pem\`.`,
    cause,
  )
}

/** Names the option at fault on every error about the key that it holds. */
export async function withOption<T>(option: string, run: () => T | Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    if (!(error instanceof MembraneTokenError) || error.option !== undefined) throw error
    throw new MembraneTokenError(error.code, error.message, { option, cause: error.cause })
  }
}
