import { encode as base64url } from 'jose/base64url'
import type { Curve } from '../algorithms.ts'
import { MembraneTokenError } from '../errors.ts'
import { KEY_OID, readCurve, readKeyAlgorithm, sequenceOf } from './asn1.ts'
import {
  bitsOf,
  contentOf,
  type DerElement,
  readElement,
  TAG,
  trimZeros,
  unsignedOf,
  writeElement,
  writeOid,
} from './der.ts'
import { readJwk } from './jwk.ts'
import { type KeyReaders, readBlocks, readKeyMaterial } from './material.ts'
import {
  CURVES,
  checkRsaConsistency,
  checkRsaStrength,
  decodeMember,
  type EcPrivateNumbers,
  NEW_RSA_KEY,
  type PrivateNumbers,
  type RsaPrivateNumbers,
  readPoint,
  toFieldLength,
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
  return { numbers: readBlocks(blocks, READERS, 'a private key') }
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
    throw new MembraneTokenError('ERR_KEY_INVALID', 'The EC key names no curve, or two; export it again.')
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
  const jwk = readJwk(input, 'sign')
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
    throw unsupported('This JWK has no p, q, dp, dq and qi, which Web Crypto needs; export it with them.')
  }
  return { numbers: toRsaNumbers(RSA_MEMBERS.map((name) => trimZeros(number(name)))), alg }
}

/**
 * Writes an EC key as PKCS#8 (RFC 5958), with the point where it is known: the one form that every engine takes.
 */
export function writePkcs8({ crv, d, x, y }: EcPrivateNumbers): Uint8Array<ArrayBuffer> {
  const point = x && y ? writeElement(TAG.CONTEXT_1, writeElement(TAG.BIT_STRING, [0, 4, ...x, ...y])) : []
  const version = (number: number): number[] => writeElement(TAG.INTEGER, [number])
  const key = writeElement(TAG.SEQUENCE, [...version(1), ...writeElement(TAG.OCTET_STRING, [...d]), ...point])
  const identifier = writeElement(TAG.SEQUENCE, [...writeOid(KEY_OID.EC), ...writeOid(CURVES[crv].oid)])
  return Uint8Array.from(
    writeElement(TAG.SEQUENCE, [...version(0), ...identifier, ...writeElement(TAG.OCTET_STRING, key)]),
  )
}

/** Writes an RSA key as the members of a JWK (RFC 7518 section 6.3). */
export function toRsaJwk(numbers: RsaPrivateNumbers): JsonWebKey {
  return { kty: 'RSA', ...Object.fromEntries(RSA_MEMBERS.map((name) => [name, base64url(numbers[name])])) }
}

function multiPrime(): MembraneTokenError {
  return unsupported(`This RSA key has more than two primes. ${NEW_RSA_KEY}`)
}

function unsupported(message: string): MembraneTokenError {
  return new MembraneTokenError('ERR_KEY_FORMAT_UNSUPPORTED', message)
}
