import { ALGORITHMS, type Algorithm } from '../algorithms.ts'
import { MembraneTokenError } from '../errors.ts'
import { mismatchedKey, recognizedAs, USABLE_KEYS, unsupportedKey } from './errors.ts'
import { checkRsaExponent, checkRsaSize } from './rsa.ts'

/** Rules for where keys may be used, and with which algorithms. */

/**
 * Returns Web Crypto.
 *
 * @throws `ERR_UNTRUSTED_CONTEXT` in a page that is not served over https, which has none
 */
export function webCrypto(): SubtleCrypto {
  const subtle = (globalThis.crypto as Crypto | undefined)?.subtle as SubtleCrypto | undefined
  if (subtle) return subtle
  throw new MembraneTokenError(
    'ERR_UNTRUSTED_CONTEXT',
    'Web Crypto is not available: serve the page over https or from localhost.',
  )
}

/** Whether a value is a CryptoKey, of this realm or another. */
export function isCryptoKey(value: unknown): value is CryptoKey {
  return Object.prototype.toString.call(value) === '[object CryptoKey]'
}

/**
 * Rejects a secret or raw private key in a web page or web worker, where visitors can read it. An imported
 * CryptoKey needs no opt-in.
 *
 * @throws `ERR_UNTRUSTED_CONTEXT`
 */
export function checkContext(material: unknown, option: string, trustedBrowser: boolean | undefined): void {
  if (trustedBrowser === true || isCryptoKey(material) || !isBrowser()) return
  throw new MembraneTokenError(
    'ERR_UNTRUSTED_CONTEXT',
    `Anyone who opens the page can read its ${option}: do this on a server, or pass trustedBrowser: true in an internal tool.`,
    { option },
  )
}

function isBrowser(): boolean {
  if ('document' in globalThis) return true
  // workerd and Deno also have WorkerGlobalScope, but not a browser's user agent.
  const { navigator } = globalThis as { navigator?: { userAgent?: unknown } }
  return 'WorkerGlobalScope' in globalThis && String(navigator?.userAgent).includes('Mozilla/')
}

/**
 * Returns the algorithm of a CryptoKey, after checking its type, usage and strength.
 *
 * @throws `ERR_KEY_FORMAT_UNSUPPORTED` if its type is not `type`, or it is for Ed25519 or X25519
 * @throws `ERR_KEY_ALGORITHM_MISMATCH` if it is for another algorithm or usage
 * @throws `ERR_KEY_WEAK` if its RSA modulus is too short or its exponent is weak
 */
export function checkCryptoKey(
  key: CryptoKey,
  type: CryptoKey['type'],
  requested: Algorithm | undefined,
  usage: 'sign' | 'verify',
): Algorithm {
  if (key.type !== type)
    throw unsupportedKey(`This CryptoKey is a ${key.type} key; a ${type} key is required.`)
  const { name, hash, namedCurve, modulusLength, publicExponent } =
    key.algorithm as Partial<RsaHashedKeyAlgorithm> & Partial<EcKeyAlgorithm>
  if (/^(Ed|X)\d/.test(name ?? '')) throw recognizedAs(`an ${name} key`, USABLE_KEYS)
  const algorithm = (Object.keys(ALGORITHMS) as Algorithm[]).find((candidate) => {
    const parameters = ALGORITHMS[candidate]
    return (
      parameters.name === name &&
      parameters.namedCurve === namedCurve &&
      (!hash || parameters.hash === hash.name)
    )
  })
  if (!algorithm || (requested && requested !== algorithm)) {
    throw mismatchedKey(
      `The CryptoKey is for ${algorithm ?? 'an unsupported algorithm'}${requested ? `, not for ${requested}` : ''}.`,
      algorithm && requested && 'algorithm',
    )
  }
  if (!key.usages.includes(usage)) throw mismatchedKey(`The CryptoKey's usages must include "${usage}".`)
  if (modulusLength !== undefined) checkRsaSize(modulusLength)
  if (publicExponent) checkRsaExponent(publicExponent)
  return algorithm
}

/**
 * Returns the algorithms of a key: those of its type that its JWK's `alg` and the caller allow.
 *
 * @param allowed The caller's algorithms; for a signer, the requested one
 * @param option The option to name in the error if the caller allows none of them
 * @returns At least one; the first is the default
 * @throws `ERR_KEY_ALGORITHM_MISMATCH` if none is left
 */
export function pinAlgorithms(
  supported: readonly Algorithm[],
  alg: string | undefined,
  allowed: readonly Algorithm[] | undefined,
  option?: string,
): Algorithm[] {
  const named = supported.filter((algorithm) => alg === undefined || algorithm === alg)
  const algorithms = named.filter((algorithm) => allowed === undefined || allowed.includes(algorithm))
  if (algorithms.length > 0) return algorithms
  if (named.length > 0)
    throw mismatchedKey(`This key supports ${named.join(', ')}, not ${allowed?.join(', ')}.`, option)
  throw mismatchedKey(
    `The JWK's alg does not match its type or curve, which support ${supported.join(', ')}.`,
  )
}

/** Returns the algorithm to sign with. @throws `ERR_KEY_ALGORITHM_MISMATCH` */
export function chooseAlgorithm(
  supported: readonly Algorithm[],
  alg: string | undefined,
  requested: Algorithm | undefined,
): Algorithm {
  return pinAlgorithms(supported, alg, requested && [requested], 'algorithm')[0] as Algorithm
}
