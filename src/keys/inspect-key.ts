import type { JWK } from 'jose'
import { importJWK } from 'jose/key/import'
import { type Algorithm, algorithmsFor } from '../algorithms.ts'
import { MembraneTokenError, type MembraneTokenErrorCode } from '../errors.ts'
import { invalidKey } from './errors.ts'
import type { PrivateKey, PublicKey } from './formats/asn1.ts'
import { checkJwkUse, identifyJwk, readPublicJwk, writePublicJwk } from './formats/jwk.ts'
import { writePem } from './formats/pem.ts'
import { checkPoint } from './points.ts'
import { checkCryptoKey, isCryptoKey, pinAlgorithms, webCrypto } from './policy.ts'
import { completeKey, importPrivateKey } from './private-key.ts'
import { checkPublicKey } from './public-key.ts'
import { findKey } from './read-key.ts'
import { bitLength } from './rsa.ts'
import { calculateThumbprint } from './thumbprint.ts'

/** Result of {@link inspectKey}. It never contains private components. */
export interface KeyInspection {
  /** Such as `"PKCS#8 PEM"`, `"JWK"` or `"CryptoKey"`; `"unknown"` if it was not recognized. */
  format: string
  half: 'private' | 'public' | 'unknown'
  type?: 'RSA' | 'EC'
  curve?: string
  /** Bits of the RSA modulus, or of the curve's field. */
  bits?: number
  /** The algorithms that the key supports; empty if it has a problem. */
  algorithms: Algorithm[]
  /** RFC 7638 thumbprint (SHA-256) of the public half. */
  keyId?: string
  /** The public half with its required members, and `kid`. */
  publicJwk?: JWK
  /** The public half as SPKI PEM. */
  publicKey?: string
  /** Why the key cannot be used, with the fix; empty for a usable key. */
  problems: KeyProblem[]
}

export interface KeyProblem {
  /** The code of the error that `createSigner` or `createVerifier` throws for this key. */
  code: MembraneTokenErrorCode
  message: string
}

/**
 * Describes a key in any format: its type, strength, algorithms, thumbprint and public half. It does not throw for an
 * invalid key; `problems` says what is wrong.
 *
 * @param key PEM text, DER bytes, a JWK (object or text) or a CryptoKey; private or public
 *
 * @example Show the public half of a private key
 *
 * ```ts
 * const { keyId, publicKey, problems } = await inspectKey(privateKey)
 * ```
 */
export async function inspectKey(key: unknown): Promise<KeyInspection> {
  const inspection: KeyInspection = { format: 'unknown', half: 'unknown', algorithms: [], problems: [] }
  const report = (error: unknown): void => {
    const { code, message } =
      error instanceof MembraneTokenError ? error : invalidKey('The key could not be read.')
    if (!inspection.problems.some((problem) => problem.code === code && problem.message === message))
      inspection.problems.push({ code, message })
  }
  try {
    const publicKey = await (isCryptoKey(key)
      ? describeCryptoKey(key, inspection)
      : describe(key, inspection))
    if (publicKey) await describePublicHalf(publicKey, inspection, report)
    if (inspection.half === 'private') await importPrivateKey(key, undefined)
  } catch (error) {
    report(error)
  }
  if (inspection.problems.length > 0) inspection.algorithms = []
  return inspection
}

/** Fills in the properties of a key. @returns The components of its public half */
async function describe(key: unknown, inspection: KeyInspection): Promise<PublicKey> {
  const found = findKey(key)
  inspection.format = found.encoding ? `${found.name} ${found.encoding}` : found.name
  inspection.half = found.half
  const components = found.read()
  describeComponents(components, inspection)
  if (found.jwk) {
    checkJwkUse(found.jwk)
    inspection.algorithms = pinAlgorithms(inspection.algorithms, found.jwk.alg, undefined)
  }
  if (!('d' in components)) return components
  const complete = await completeKey(components)
  if (complete.kty === 'EC') checkPoint(complete)
  return complete
}

function describeComponents(components: PrivateKey | PublicKey, inspection: KeyInspection): void {
  const { kty } = components
  inspection.type = kty
  if (kty === 'RSA') {
    inspection.bits = bitLength(components.n)
    inspection.algorithms = algorithmsFor('RSA')
    return
  }
  inspection.curve = components.crv
  inspection.bits = Number(components.crv.slice(2))
  inspection.algorithms = algorithmsFor('EC', components.crv)
}

async function describeCryptoKey(key: CryptoKey, inspection: KeyInspection): Promise<PublicKey | undefined> {
  inspection.format = 'CryptoKey'
  if (key.type === 'secret') throw invalidKey('This CryptoKey is a secret, not half of a key pair.')
  inspection.half = key.type
  const { modulusLength, namedCurve } = key.algorithm as Partial<RsaHashedKeyAlgorithm & EcKeyAlgorithm>
  if (modulusLength !== undefined) Object.assign(inspection, { type: 'RSA', bits: modulusLength })
  if (namedCurve !== undefined)
    Object.assign(inspection, { type: 'EC', curve: namedCurve, bits: Number(namedCurve.slice(2)) })
  const algorithm = checkCryptoKey(key, key.type, undefined, key.type === 'private' ? 'sign' : 'verify')
  const jwk = key.extractable && identifyJwk({ ...(await webCrypto().exportKey('jwk', key)) })
  const components = jwk ? readPublicJwk(jwk) : undefined
  if (components) describeComponents(components, inspection)
  inspection.algorithms = [algorithm]
  return components
}

async function describePublicHalf(
  components: PublicKey,
  inspection: KeyInspection,
  report: (error: unknown) => void,
): Promise<void> {
  const members = writePublicJwk(components)
  inspection.keyId = await calculateThumbprint(members)
  inspection.publicJwk = { ...members, kid: inspection.keyId }
  try {
    checkPublicKey(components)
  } catch (error) {
    report(error)
  }
  try {
    const [algorithm] = algorithmsFor(components.kty, components.kty === 'EC' ? components.crv : undefined)
    const key = (await importJWK(members, algorithm, { extractable: true })) as CryptoKey
    inspection.publicKey = writePem('PUBLIC KEY', await webCrypto().exportKey('spki', key))
  } catch (cause) {
    if (inspection.problems.length === 0) report(invalidKey('This runtime does not support the key.', cause))
  }
}
