import { encode as base64url } from 'jose/base64url'
import type { Curve } from '../algorithms.ts'
import type { MembraneTokenError } from '../errors.ts'
import { invalidKey, unsupportedKey } from './errors.ts'
import { KEY_OID, readCurve, readKeyAlgorithm, sequenceOf } from './formats/asn1.ts'
import {
  bitsOf,
  contentOf,
  type DerElement,
  fromHex,
  readElement,
  TAG,
  toHex,
  trimZeros,
  unsignedOf,
} from './formats/der.ts'
import { readJwk } from './formats/jwk.ts'
import { type KeyReaders, readBlocks, readKeyMaterial } from './material.ts'
import {
  CURVES,
  checkRsaConsistency,
  checkRsaStrength,
  decodeMember,
  type EcNumbers,
  type EcPrivateNumbers,
  NEW_RSA_KEY,
  type PrivateNumbers,
  type RsaPrivateNumbers,
  readPoint,
  toFieldLength,
  toPublicMembers,
} from './numbers.ts'

/** A private key's numbers, and the algorithm its JWK names, if it was one. */
export interface PrivateKeyMaterial {
  readonly numbers: PrivateNumbers
  readonly alg?: string | undefined
}

const READERS: KeyReaders<PrivateNumbers> = {
  'PRIVATE KEY': readPkcs8,
  'EC PRIVATE KEY': (der, blocks) => {
    const parameters = blocks.find(({ label }) => label === 'EC PARAMETERS')
    return readSec1(der, parameters && readCurve(readElement(parameters.der)))
  },
  'RSA PRIVATE KEY': readPkcs1,
}

/**
 * Reads a private key in any form people hold one.
 *
 * @throws `ERR_KEY_INVALID` · `ERR_KEY_FORMAT_UNSUPPORTED` · `ERR_KEY_WEAK` · `ERR_KEY_ALGORITHM_MISMATCH`
 */
export function readPrivateKey(input: unknown): PrivateKeyMaterial {
  const material = readKeyMaterial(input)
  const key = 'jwk' in material ? readPrivateJwk(material.jwk) : readPrivateBlocks(material.blocks)
  if (key.numbers.kty === 'RSA') {
    checkRsaStrength(key.numbers)
    checkRsaConsistency(key.numbers)
  }
  return key
}

function readPrivateBlocks(blocks: Parameters<typeof readBlocks>[0]): PrivateKeyMaterial {
  return { numbers: readBlocks(blocks, READERS, 'the private key it belongs to') }
}

/** PKCS#8 (RFC 5958). */
function readPkcs8(der: Uint8Array): PrivateNumbers {
  const [, identifier, key, ...rest] = sequenceOf(der)
  const algorithm = readKeyAlgorithm(identifier)
  const privateKey = contentOf(key, TAG.OCTET_STRING)
  if (algorithm.kty === 'RSA') return readPkcs1(privateKey)
  const numbers = readSec1(privateKey, algorithm.crv)
  const attached = rest.find(({ tag }) => tag === 0x81)?.content
  if (numbers.x || attached?.[0] !== 0) return numbers
  return { ...numbers, ...readPoint(attached.subarray(1), numbers.crv) }
}

/** ECPrivateKey (RFC 5915); the curve may stand in it, around it, or in a PEM block of its own. */
function readSec1(der: Uint8Array, around: Curve | undefined): EcPrivateNumbers {
  const [, d, ...rest] = sequenceOf(der)
  const inside = (tag: number): DerElement | undefined => {
    const element = rest.find((member) => member.tag === tag)
    return element && readElement(element.content)
  }
  const parameters = inside(TAG.CONTEXT_0)
  const crv = parameters ? readCurve(parameters) : around
  if (!crv || (around && crv !== around)) {
    throw invalidKey('The EC key names no curve, or two; export it again.')
  }
  const point = inside(TAG.CONTEXT_1)
  return {
    kty: 'EC',
    crv,
    d: toFieldLength(contentOf(d, TAG.OCTET_STRING), crv),
    ...(point && readPoint(bitsOf(point), crv)),
  }
}

const RSA_MEMBERS = ['n', 'e', 'd', 'p', 'q', 'dp', 'dq', 'qi'] as const

const toRsaNumbers = (numbers: readonly Uint8Array[]): RsaPrivateNumbers =>
  ({
    kty: 'RSA',
    ...Object.fromEntries(RSA_MEMBERS.map((name, index) => [name, numbers[index]])),
  }) as RsaPrivateNumbers

/** RSAPrivateKey (RFC 8017 appendix A.1.2). */
function readPkcs1(der: Uint8Array): RsaPrivateNumbers {
  const [version, ...numbers] = sequenceOf(der)
  if (unsignedOf(version).length > 0) throw multiPrime()
  return toRsaNumbers(RSA_MEMBERS.map((_, index) => unsignedOf(numbers[index])))
}

/** A private JWK (RFC 7518 sections 6.2.2 and 6.3.2). */
function readPrivateJwk(input: Readonly<Record<string, unknown>>): PrivateKeyMaterial {
  const jwk = readJwk(
    input,
    'sign',
    'This JWK is a public key; needed here is the private key it belongs to.',
  )
  const { members, alg } = jwk
  if (members.oth !== undefined) throw multiPrime()
  const number = (name: string): Uint8Array => decodeMember(members, name)
  if (jwk.kty === 'EC') {
    const [d, x, y] = ['d', 'x', 'y'].map((name) => toFieldLength(number(name), jwk.crv)) as [
      Uint8Array,
      Uint8Array,
      Uint8Array,
    ]
    return { numbers: { kty: 'EC', crv: jwk.crv, d, x, y }, alg }
  }
  if (members.p === undefined && members.q === undefined) {
    throw unsupportedKey('This JWK has no p, q, dp, dq and qi, which Web Crypto needs; export it with them.')
  }
  return { numbers: toRsaNumbers(RSA_MEMBERS.map((name) => trimZeros(number(name)))), alg }
}

/** Writes an EC key as PKCS#8 (RFC 5958) without its point: the one form of such keys that engines take. */
export function writePkcs8(crv: Curve, d: Uint8Array): Uint8Array<ArrayBuffer> {
  const { size, oid } = CURVES[crv]
  // All lengths are under 128, so that each is a single byte.
  const part = (tag: string, length: number, content: string): string =>
    tag + length.toString(16).padStart(2, '0') + content
  const oidSize = oid.length / 2
  const identifier = part('30', oidSize + 11, `0607${KEY_OID.EC}${part('06', oidSize, oid)}`)
  const key = part('30', size + 5, `020101${part('04', size, toHex(d))}`)
  return fromHex(part('30', oidSize + size + 25, `020100${identifier}${part('04', size + 7, key)}`))
}

/** Writes a key as the members of a JWK (RFC 7518 section 6). */
export function toPrivateJwk(numbers: RsaPrivateNumbers | (EcPrivateNumbers & EcNumbers)): JsonWebKey {
  if (numbers.kty === 'EC') return { ...toPublicMembers(numbers), d: base64url(numbers.d) }
  return { kty: 'RSA', ...Object.fromEntries(RSA_MEMBERS.map((name) => [name, base64url(numbers[name])])) }
}

function multiPrime(): MembraneTokenError {
  return unsupportedKey(`This RSA key has more than two primes. ${NEW_RSA_KEY}`)
}
