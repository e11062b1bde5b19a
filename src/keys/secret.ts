import { ALGORITHMS, type Algorithm, algorithmsFor } from '../algorithms.ts'
import { encoder, isBytes } from '../encoding.ts'
import type { MembraneTokenError } from '../errors.ts'
import { invalidOption } from '../options.ts'
import { invalidKey, unsupportedKey, weakKey, withOption } from './errors.ts'
import { recognizeDer } from './formats/asn1.ts'
import { SYMMETRIC_JWK } from './formats/jwk.ts'
import { BEGIN } from './formats/pem.ts'
import {
  checkContext,
  checkCryptoKey,
  chooseAlgorithm,
  isCryptoKey,
  pinAlgorithms,
  webCrypto,
} from './policy.ts'
import type { SigningKey } from './private-key.ts'
import { SIZE_LIMIT } from './read-key.ts'
import { type KeySource, singleKey, type VerificationKey } from './source.ts'

/** Minimum bytes. RFC 7518 section 3.2 requires the length of the hash; 32 bytes are secure with every hash. */
const SECRET_SIZE = 32

/**
 * Imports a secret as a non-extractable HMAC key; a CryptoKey is used as it is.
 *
 * @param secret A string, used as its exact UTF-8 bytes; bytes; or an HMAC CryptoKey
 * @throws `ERR_KEY_WEAK` · `ERR_KEY_FORMAT_UNSUPPORTED` · `ERR_KEY_ALGORITHM_MISMATCH` · `ERR_KEY_INVALID` ·
 *   `ERR_OPTION_INVALID` · `ERR_UNTRUSTED_CONTEXT`
 */
export async function importSecret(
  secret: unknown,
  requested: Algorithm | undefined,
  usage: 'sign' | 'verify',
  allowShort: boolean,
): Promise<SigningKey & { readonly key: CryptoKey }> {
  if (isCryptoKey(secret)) {
    const algorithm = checkCryptoKey(secret, 'secret', requested, usage)
    checkSecretSize(Math.floor((secret.algorithm as HmacKeyAlgorithm).length / 8), allowShort)
    return { key: secret, algorithm }
  }
  const bytes = readSecret(secret)
  checkSecretSize(bytes.length, allowShort)
  const algorithm = chooseAlgorithm(algorithmsFor('oct'), undefined, requested ?? 'HS512')
  const { name, hash } = ALGORITHMS[algorithm]
  return { key: await webCrypto().importKey('raw', bytes, { name, hash }, false, [usage]), algorithm }
}

/** A verifier's options for its secret. */
interface SecretOptions {
  readonly secret?: unknown
  readonly allowShortSecret?: boolean | undefined
  readonly trustedBrowser?: boolean | undefined
}

/**
 * Imports the option `secret` for verifying.
 *
 * @throws The errors of {@link importSecret}
 */
export async function importSecretSource(
  { secret, allowShortSecret, trustedBrowser }: SecretOptions,
  allowed: readonly Algorithm[] | undefined,
): Promise<KeySource> {
  checkContext(secret, 'secret', trustedBrowser)
  return withOption('secret', async () =>
    singleKey(await importVerificationSecret(secret, allowed, allowShortSecret === true)),
  )
}

async function importVerificationSecret(
  secret: unknown,
  allowed: readonly Algorithm[] | undefined,
  allowShort: boolean,
): Promise<VerificationKey> {
  const supported = isCryptoKey(secret)
    ? [checkCryptoKey(secret, 'secret', undefined, 'verify')]
    : algorithmsFor('oct')
  const algorithms = pinAlgorithms(supported, undefined, allowed)
  // Web Crypto binds an HMAC key to its hash, so each algorithm needs its own; importing them is cheap.
  const keys = await Promise.all(
    algorithms.map((algorithm) => importSecret(secret, algorithm, 'verify', allowShort)),
  )
  const byAlgorithm = new Map(keys.map(({ algorithm, key }) => [algorithm, key]))
  return { algorithms, keyFor: (algorithm) => byAlgorithm.get(algorithm) as CryptoKey }
}

function readSecret(secret: unknown): Uint8Array<ArrayBuffer> {
  if (typeof secret === 'string') return checkSecret(encoder.encode(secret), secret)
  if (isBytes(secret)) return checkSecret(secret.slice(), undefined)
  if (typeof secret === 'object' && secret !== null && 'kty' in secret) throw notASecret(secret.kty)
  throw invalidOption('The secret must be a string, a Uint8Array or a CryptoKey.', 'secret')
}

function checkSecret(bytes: Uint8Array<ArrayBuffer>, given: string | undefined): Uint8Array<ArrayBuffer> {
  if (bytes.length > SIZE_LIMIT) throw invalidKey('The secret is larger than 64 KiB.')
  const text = given ?? new TextDecoder().decode(bytes)
  const start = text.trimStart()
  if (start.includes(BEGIN) || start.startsWith(BASE64_OF_BEGIN) || isDer(bytes)) throw notASecret(undefined)
  if (start.startsWith('{')) checkJson(start)
  return bytes
}

// If a public key were accepted as a secret, everyone who has that key could sign (RFC 8725 section 2.1).
function checkJson(text: string): void {
  let value: { kty?: unknown }
  try {
    value = JSON.parse(text)
  } catch {
    return
  }
  if (['kty', 'keys', 'private_key'].some((member) => member in value)) throw notASecret(value.kty)
}

const BASE64_OF_BEGIN = 'LS0tLS1CRUdJTi'

function isDer(bytes: Uint8Array): boolean {
  try {
    return recognizeDer(bytes).format !== undefined
  } catch {
    return false
  }
}

function notASecret(kty: unknown): MembraneTokenError {
  return unsupportedKey(
    kty === 'oct'
      ? SYMMETRIC_JWK
      : 'This is a key, not a secret: pass it as privateKey (MEMBRANE_PRIVATE_KEY) or publicKey.',
  )
}

function checkSecretSize(size: number, allowShort: boolean): void {
  if (size >= SECRET_SIZE || (size > 0 && allowShort)) return
  throw weakKey(
    size === 0
      ? 'The secret is empty; check that the environment variable is set.'
      : `The secret has ${size} bytes, fewer than ${SECRET_SIZE}; if it really is the workspace secret, pass allowShortSecret: true.`,
  )
}
