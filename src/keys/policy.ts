import { ALGORITHMS, type Algorithm } from '../algorithms.ts'
import { MembraneTokenError } from '../errors.ts'
import { mismatchedKey, recognisedAs, USABLE_KEYS, unsupportedKey } from './errors.ts'
import { checkRsaExponent, checkRsaSize } from './rsa.ts'

/** Which keys may be used where, and with which algorithms. */

/**
 * Web Crypto.
 *
 * @throws `ERR_UNTRUSTED_CONTEXT` on pages that are not served securely, which have none
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
 * Rejects a secret or raw private key in a web page or a browser's worker, where its visitors can read it. An imported
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
  // workerd and Deno have WorkerGlobalScope too, but a user agent of their own.
  const { navigator } = globalThis as { navigator?: { userAgent?: unknown } }
  return 'WorkerGlobalScope' in globalThis && String(navigator?.userAgent).includes('Mozilla/')
}

/**
 * The algorithm of a CryptoKey, which it carries itself.
 *
 * @throws `ERR_KEY_FORMAT_UNSUPPORTED` if it is the other half, or of an unsupported type
 * @throws `ERR_KEY_ALGORITHM_MISMATCH` if it is for another algorithm, or not for this usage
 * @throws `ERR_KEY_WEAK` if the engine reports too short a modulus or a bad exponent
 */
export function checkCryptoKey(
  key: CryptoKey,
  type: CryptoKey['type'],
  wanted: Algorithm | undefined,
  usage: 'sign' | 'verify',
): Algorithm {
  if (key.type !== type)
    throw unsupportedKey(`This CryptoKey is a ${key.type} key; a ${type} key is required.`)
  const { name, hash, namedCurve, modulusLength, publicExponent } =
    key.algorithm as Partial<RsaHashedKeyAlgorithm> & Partial<EcKeyAlgorithm>
  if (/^(Ed|X)\d/.test(name ?? '')) throw recognisedAs(`an ${name} key`, USABLE_KEYS)
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
      algorithm && wanted && 'algorithm',
    )
  }
  if (!key.usages.includes(usage)) throw mismatchedKey(`The CryptoKey's usages must include "${usage}".`)
  if (modulusLength !== undefined) checkRsaSize(modulusLength)
  if (publicExponent) checkRsaExponent(publicExponent)
  return algorithm
}

/**
 * The algorithms of a key: those of its type, without what its JWK's `alg` and the caller exclude.
 *
 * @param allowed Those of the caller; for a signer, the requested one
 * @param option What to name as the option at fault where the caller excludes all
 * @returns at least one; the first is the default
 * @throws `ERR_KEY_ALGORITHM_MISMATCH` if none is left
 */
export function pinAlgorithms(
  fitting: readonly Algorithm[],
  alg: string | undefined,
  allowed: readonly Algorithm[] | undefined,
  option?: string,
): Algorithm[] {
  const named = fitting.filter((algorithm) => alg === undefined || algorithm === alg)
  const algorithms = named.filter((algorithm) => allowed === undefined || allowed.includes(algorithm))
  if (algorithms.length > 0) return algorithms
  if (named.length > 0)
    throw mismatchedKey(`This key supports ${named.join(', ')}, not ${allowed?.join(', ')}.`, option)
  throw mismatchedKey(`The JWK's alg does not fit its type or curve, which support ${fitting.join(', ')}.`)
}

/** The one algorithm to sign with. @throws `ERR_KEY_ALGORITHM_MISMATCH` */
export function chooseAlgorithm(
  fitting: readonly Algorithm[],
  alg: string | undefined,
  wanted: Algorithm | undefined,
): Algorithm {
  return pinAlgorithms(fitting, alg, wanted && [wanted], 'algorithm')[0] as Algorithm
}
