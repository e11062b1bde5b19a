import type { JWK } from 'jose'
import {
  ALGORITHMS,
  type Algorithm,
  type AlgorithmParameters,
  type Curve,
  type KeyType,
  signatureParameters,
} from '../algorithms.ts'
import { MembraneTokenError } from '../errors.ts'
import { invalidOption } from '../options.ts'
import { invalidKey, mismatchedKey, unsupportedKey, weakKey } from './errors.ts'
import { toHex } from './formats/der.ts'
import { isBytes, recogniseDer } from './material.ts'
import {
  checkRsaExponent,
  checkRsaSize,
  checkRsaStrength,
  DAMAGED,
  decodeMember,
  type EcNumbers,
  type EcPrivateNumbers,
  type Point,
  toFieldLength,
  toPublicMembers,
  USABLE_KEYS,
} from './numbers.ts'
import { readPrivateKey, toPrivateJwk, writePkcs8 } from './private-key.ts'

/** A key ready for use, bound to its one algorithm. */
export interface ImportedKey {
  readonly key: CryptoKey
  readonly algorithm: Algorithm
  /** The public half's own members, where they can be known. */
  readonly publicMembers?: JWK | undefined
}

const DEFAULT_ALGORITHMS: Readonly<Record<'oct' | 'RSA' | Curve, Algorithm>> = {
  oct: 'HS512',
  RSA: 'RS256',
  'P-256': 'ES256',
  'P-384': 'ES384',
  'P-521': 'ES512',
}

/** RFC 7518 section 3.2 asks for as many bytes as the hash has; 32 serve every hash well. Bytes. */
const SECRET_SIZE = 32

/**
 * Web Crypto, where there is one.
 *
 * @throws `ERR_UNTRUSTED_CONTEXT` on pages that are not served securely
 */
export function webCrypto(): SubtleCrypto {
  const subtle = (globalThis.crypto as Crypto | undefined)?.subtle as SubtleCrypto | undefined
  if (subtle) return subtle
  throw new MembraneTokenError(
    'ERR_UNTRUSTED_CONTEXT',
    'There is no Web Crypto: serve the page over https or from localhost.',
  )
}

/** Whether a value is a CryptoKey, of this realm or another. */
export function isCryptoKey(value: unknown): value is CryptoKey {
  return Object.prototype.toString.call(value) === '[object CryptoKey]'
}

/** @throws `ERR_ALGORITHM_UNSUPPORTED` for everything but the twelve, case-sensitively */
export function checkAlgorithm(algorithm: unknown): asserts algorithm is Algorithm {
  if (typeof algorithm === 'string' && Object.hasOwn(ALGORITHMS, algorithm)) return
  throw new MembraneTokenError(
    'ERR_ALGORITHM_UNSUPPORTED',
    `The algorithm must be one of ${Object.keys(ALGORITHMS).join(', ')}.`,
  )
}

/**
 * A caller's list of algorithms, copied.
 *
 * @throws `ERR_OPTION_INVALID` · `ERR_ALGORITHM_UNSUPPORTED`
 */
export function bindAlgorithms(algorithms: unknown): Algorithm[] | undefined {
  if (algorithms === undefined) return undefined
  if (!Array.isArray(algorithms) || algorithms.length === 0) {
    throw invalidOption('algorithms must be a list with at least one algorithm, or left out.')
  }
  algorithms.forEach(checkAlgorithm)
  return [...algorithms]
}

/**
 * Imports a shared secret as an HMAC key that cannot be exported.
 *
 * @param secret Text, which stands for its exact UTF-8 bytes, or the bytes themselves, or a key
 * @throws `ERR_KEY_WEAK` · `ERR_KEY_FORMAT_UNSUPPORTED` · `ERR_KEY_ALGORITHM_MISMATCH` · `ERR_OPTION_INVALID`
 */
export async function importSecret(
  secret: unknown,
  wanted: Algorithm | undefined,
  usage: 'sign' | 'verify',
  allowShort: boolean,
): Promise<ImportedKey> {
  if (isCryptoKey(secret)) {
    const algorithm = checkCryptoKey(secret, 'secret', wanted, usage)
    checkSecretSize(Math.floor((secret.algorithm as HmacKeyAlgorithm).length / 8), allowShort)
    return { key: secret, algorithm }
  }
  const bytes =
    typeof secret === 'string'
      ? new TextEncoder().encode(secret)
      : isBytes(secret)
        ? secret.slice()
        : undefined
  if (!bytes) {
    if (typeof secret === 'object' && secret !== null && 'kty' in secret) throw notASecret()
    throw new MembraneTokenError(
      'ERR_OPTION_INVALID',
      'The secret must be a string, a Uint8Array or a CryptoKey.',
    )
  }
  if (holdsKey(typeof secret === 'string' ? secret : new TextDecoder().decode(bytes)) || isDerKey(bytes))
    throw notASecret()
  checkSecretSize(bytes.length, allowShort)
  const algorithm = chooseAlgorithm('oct', undefined, wanted, undefined)
  const { name, hash } = ALGORITHMS[algorithm]
  return { key: await webCrypto().importKey('raw', bytes, { name, hash }, false, [usage]), algorithm }
}

// With a public key as secret, everybody who holds that key could sign (RFC 8725 section 2.1).
function holdsKey(text: string): boolean {
  const start = text.trimStart()
  if (start.includes('-----BEGIN ') || start.startsWith(BASE64_OF_BEGIN)) return true
  if (!start.startsWith('{')) return false
  try {
    const value = JSON.parse(start)
    return 'kty' in value || 'keys' in value
  } catch {
    return false
  }
}

const BASE64_OF_BEGIN = 'LS0tLS1CRUdJTi'

function isDerKey(bytes: Uint8Array): boolean {
  try {
    return recogniseDer(bytes) !== undefined
  } catch {
    return false
  }
}

function notASecret(): MembraneTokenError {
  return unsupportedKey('This is a key, not a secret; give it as privateKey, or publicKey to verify.')
}

function checkSecretSize(size: number, allowShort: boolean): void {
  if (size >= SECRET_SIZE || (size > 0 && allowShort)) return
  throw weakKey(
    size === 0
      ? 'The secret is empty; is the variable that should hold it set?'
      : `The secret has ${size} bytes, under ${SECRET_SIZE}; if it really is the workspace's, pass allowShortSecret: true.`,
  )
}

/**
 * Imports a private key, in any form, as one that cannot be exported.
 *
 * @throws every `ERR_KEY_…` of the signer
 */
export async function importPrivateKey(input: unknown, wanted: Algorithm | undefined): Promise<ImportedKey> {
  if (isCryptoKey(input)) return usePrivateCryptoKey(input, wanted)
  const { numbers, alg } = readPrivateKey(input)
  const algorithm = chooseAlgorithm(numbers.kty, numbers.kty === 'EC' ? numbers.crv : undefined, wanted, alg)
  const subtle = webCrypto()
  const parameters = importParameters(ALGORITHMS[algorithm])
  const complete = numbers.kty === 'RSA' ? numbers : await completePoint(numbers)
  const publicMembers = toPublicMembers(complete)
  try {
    const key = await subtle.importKey('jwk', toPrivateJwk(complete), parameters, false, ['sign'])
    // The numbers of an RSA key have been checked; of an EC key that is the engine's business. Deno says only when the
    // key is used that its numbers do not belong together; Firefox and WebKitGTK never do, and sign what nobody can verify.
    if (numbers.kty === 'EC') {
      const ecdsa = signatureParameters(algorithm)
      const publicKey = await subtle.importKey('jwk', publicMembers, parameters, false, ['verify'])
      const data = new Uint8Array(1)
      if (!(await subtle.verify(ecdsa, publicKey, await subtle.sign(ecdsa, key, data), data)))
        throw invalidKey(DAMAGED)
    }
    return { key, algorithm, publicMembers }
  } catch (cause) {
    throw numbers.kty === 'RSA' ? unsupportedKey(RSA_LIMITS, cause) : invalidKey(DAMAGED, cause)
  }
}

/** What to say when an engine refuses an RSA key whose numbers are right. */
export const RSA_LIMITS = 'This runtime refuses the RSA key; 2048 to 4096 bits work everywhere.'

/** The parameters that `importKey` takes for an algorithm. */
export function importParameters({
  name,
  hash,
  namedCurve,
}: AlgorithmParameters): RsaHashedImportParams | EcKeyImportParams {
  return namedCurve ? { name, namedCurve } : { name, hash }
}

async function completePoint(numbers: EcPrivateNumbers): Promise<EcPrivateNumbers & EcNumbers> {
  const { crv, d, x, y, compressed } = numbers
  if (x && y) return { ...numbers, x, y }
  try {
    const point = await derivePoint(crv, d)
    if (!compressed || toHex(compressed) === `0${2 + ((point.y.at(-1) as number) & 1)}${toHex(point.x)}`)
      return { ...numbers, ...point }
  } catch (cause) {
    // Firefox derives no points at all: not even that of the number one, which is a key on every curve.
    await derivePoint(crv, toFieldLength(Uint8Array.of(1), crv)).catch(() => {
      throw unsupportedKey(
        'This runtime needs the public point in the key; add it with `openssl ec -conv_form uncompressed`.',
        cause,
      )
    })
  }
  throw invalidKey(DAMAGED)
}

// Multiplying points is the engine's business, so the key goes through it once to come back with its point.
async function derivePoint(crv: Curve, d: Uint8Array): Promise<Point> {
  const subtle = webCrypto()
  const parameters = { name: 'ECDSA', namedCurve: crv }
  const key = await subtle.importKey('pkcs8', writePkcs8(crv, d), parameters, true, ['sign'])
  const jwk = { ...(await subtle.exportKey('jwk', key)) }
  return { x: decodeMember(jwk, 'x'), y: decodeMember(jwk, 'y') }
}

async function usePrivateCryptoKey(key: CryptoKey, wanted: Algorithm | undefined): Promise<ImportedKey> {
  const algorithm = checkCryptoKey(key, 'private', wanted, 'sign')
  if (!key.extractable) {
    checkRsaCryptoKey(key)
    return { key, algorithm }
  }
  const jwk = { ...(await webCrypto().exportKey('jwk', key)) }
  const { kty, crv, x, y, n, e } = jwk as Record<string, string>
  if (kty === 'RSA') checkRsaStrength({ n: decodeMember(jwk, 'n'), e: decodeMember(jwk, 'e') })
  return { key, algorithm, publicMembers: (kty === 'RSA' ? { kty, n, e } : { kty, crv, x, y }) as JWK }
}

/** The strength of an RSA key that does not show its numbers, as the engine tells it. @throws `ERR_KEY_WEAK` */
export function checkRsaCryptoKey(key: CryptoKey): void {
  const { modulusLength, publicExponent } = key.algorithm as RsaHashedKeyAlgorithm
  if (modulusLength === undefined) return
  checkRsaSize(modulusLength)
  checkRsaExponent(publicExponent)
}

/**
 * The algorithm of a CryptoKey, which it carries itself.
 *
 * @throws `ERR_KEY_FORMAT_UNSUPPORTED` if it is the other half, or of a kind no algorithm uses
 * @throws `ERR_KEY_ALGORITHM_MISMATCH` if it is for another algorithm, or not for this usage
 */
export function checkCryptoKey(
  key: CryptoKey,
  type: CryptoKey['type'],
  wanted: Algorithm | undefined,
  usage: 'sign' | 'verify',
): Algorithm {
  if (key.type !== type)
    throw unsupportedKey(`This CryptoKey is a ${key.type} key; needed here is a ${type} one.`)
  const { name, hash, namedCurve } = key.algorithm as {
    name: string
    hash?: { name: string }
    namedCurve?: string
  }
  if (/^(Ed|X)\d/.test(name)) throw unsupportedKey(`This CryptoKey is an ${name} key. ${USABLE_KEYS}`)
  const algorithm = (Object.keys(ALGORITHMS) as Algorithm[]).find((candidate) => {
    const parameters = ALGORITHMS[candidate]
    return (
      parameters.name === name &&
      parameters.namedCurve === namedCurve &&
      (!hash || parameters.hash === hash.name)
    )
  })
  if (!algorithm || (wanted && wanted !== algorithm)) {
    throw mismatchedKey(
      `The CryptoKey is for ${algorithm ?? 'none of the twelve algorithms'}${wanted ? `, not for ${wanted}` : ''}.`,
    )
  }
  if (!key.usages.includes(usage)) throw mismatchedKey(`The CryptoKey has no usage "${usage}".`)
  return algorithm
}

/**
 * Settles the algorithm: the wanted one, else the one a JWK names, else the default of the key's type.
 *
 * @throws `ERR_KEY_ALGORITHM_MISMATCH` if key, JWK and wish do not go together
 */
export function chooseAlgorithm(
  kty: KeyType,
  crv: Curve | undefined,
  wanted: Algorithm | undefined,
  alg: string | undefined,
): Algorithm {
  const algorithm = wanted ?? alg ?? DEFAULT_ALGORITHMS[crv ?? (kty as 'oct' | 'RSA')]
  if (alg !== undefined && alg !== algorithm)
    throw mismatchedKey(`The JWK's alg is not the wanted ${algorithm}.`)
  const fitting = fittingAlgorithms(kty, crv)
  if (fitting.includes(algorithm as Algorithm)) return algorithm as Algorithm
  throw mismatchedKey(`This key serves ${fitting.join(', ')}, not ${wanted ?? "the JWK's alg"}.`)
}

/** The algorithms a key of this type, on this curve, can serve. */
export function fittingAlgorithms(kty: KeyType, crv: Curve | undefined): Algorithm[] {
  return (Object.keys(ALGORITHMS) as Algorithm[]).filter(
    (name) => ALGORITHMS[name].kty === kty && ALGORITHMS[name].namedCurve === crv,
  )
}
