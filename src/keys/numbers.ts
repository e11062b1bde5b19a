import { encode } from 'jose/base64url'
import type { Curve } from '../algorithms.ts'
import { invalidKey, weakKey } from './errors.ts'
import { toHex, trimZeros } from './formats/der.ts'
import { decodeBase64 } from './formats/pem.ts'

/** An RSA key as unsigned big-endian numbers without leading zeros (RFC 7518 section 6.3). */
export interface RsaNumbers {
  readonly kty: 'RSA'
  readonly n: Uint8Array
  readonly e: Uint8Array
}

export interface RsaPrivateNumbers extends RsaNumbers {
  readonly d: Uint8Array
  readonly p: Uint8Array
  readonly q: Uint8Array
  readonly dp: Uint8Array
  readonly dq: Uint8Array
  readonly qi: Uint8Array
}

/** An elliptic-curve key; `d`, `x` and `y` have the full length of the curve's field (RFC 7518 section 6.2). */
export interface EcNumbers extends Point {
  readonly kty: 'EC'
  readonly crv: Curve
}

export interface Point {
  readonly x: Uint8Array
  readonly y: Uint8Array
}

/** An EC private key; its point is absent where a structure holds the number alone, or a compressed point. */
export type EcPrivateNumbers = Omit<EcNumbers, keyof Point> &
  Partial<Point> & {
    readonly d: Uint8Array
    /** The encoding of a point that gives only the parity of `y` (SEC 1 section 2.3.3). */
    readonly compressed?: Uint8Array
  }

export type PublicNumbers = RsaNumbers | EcNumbers
export type PrivateNumbers = RsaPrivateNumbers | EcPrivateNumbers

/** Bytes of a coordinate, and the object identifier (RFC 5480) in hexadecimal, by curve. */
export const CURVES: Readonly<Record<Curve, { readonly size: number; readonly oid: string }>> = {
  'P-256': { size: 32, oid: '2a8648ce3d030107' },
  'P-384': { size: 48, oid: '2b81040022' },
  'P-521': { size: 66, oid: '2b81040023' },
}

/** What every refusal of a foreign kind of key ends with. */
export const USABLE_KEYS =
  'Membrane takes RSA and EC keys (P-256, P-384, P-521); make one with `openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256`.'

export const DAMAGED =
  "The key's numbers are out of range or do not belong together: it is damaged; export it again."

/** A JWK's base64url member as bytes. @throws `ERR_KEY_INVALID` */
export function decodeMember(jwk: Readonly<Record<string, unknown>>, name: string): Uint8Array {
  const member = jwk[name]
  const bytes =
    typeof member === 'string' &&
    /^[\w-]+$/.test(member) &&
    decodeBase64(member.replace(/-/g, '+').replace(/_/g, '/'))
  if (!bytes) throw invalidKey(`The JWK's ${name} must be base64url without padding.`)
  return bytes
}

/** A number with the full length of the curve's field. @throws `ERR_KEY_INVALID` if it has more */
export function toFieldLength(number: Uint8Array, crv: Curve): Uint8Array {
  const { size } = CURVES[crv]
  const trimmed = trimZeros(number)
  if (trimmed.length > size) throw invalidKey(DAMAGED)
  const padded = new Uint8Array(size)
  padded.set(trimmed, size - trimmed.length)
  return padded
}

/** Reads a point of SEC 1 section 2.3.3. @throws `ERR_KEY_INVALID` */
export function readPoint(bytes: Uint8Array, crv: Curve): Point | { readonly compressed: Uint8Array } {
  const { size } = CURVES[crv]
  if ((bytes[0] === 2 || bytes[0] === 3) && bytes.length === 1 + size) return { compressed: bytes }
  if (bytes[0] !== 4 || bytes.length !== 1 + 2 * size) throw invalidKey(DAMAGED)
  return { x: bytes.subarray(1, 1 + size), y: bytes.subarray(1 + size) }
}

/**
 * Whether an RSA key is strong enough (RFC 7518 section 3.3) by its own numbers, since engines report a
 * modulus of 2041 bits as 2048.
 *
 * @throws `ERR_KEY_WEAK`
 */
export function checkRsaStrength({ n, e }: Pick<RsaNumbers, 'n' | 'e'>): void {
  const bits = n.length * 8 - Math.clz32(n[0] ?? 0) + 24
  checkRsaSize(n.length === 0 ? 0 : bits)
  checkRsaExponent(e)
}

/** @throws `ERR_KEY_WEAK` */
export function checkRsaExponent(e: Uint8Array): void {
  const lowest = e.at(-1) ?? 0
  if (lowest % 2 === 0 || (lowest === 1 && trimZeros(e).length === 1)) {
    throw weakKey(`The RSA key's public exponent is 1 or even. ${NEW_RSA_KEY}`)
  }
}

export const NEW_RSA_KEY = 'Make one with `openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048`.'

/** @throws `ERR_KEY_WEAK` */
export function checkRsaSize(bits: number): void {
  if (bits >= 2048) return
  throw weakKey(`The RSA modulus has ${bits} bits and needs 2048. ${NEW_RSA_KEY}`)
}

/**
 * Whether the numbers of an RSA private key belong together (RFC 8017 section 3.2): Node signs with ones that
 * do not, other engines fail when the key is used.
 *
 * @throws `ERR_KEY_INVALID`
 */
export function checkRsaConsistency(key: RsaPrivateNumbers): void {
  const p = toBigInt(key.p)
  const q = toBigInt(key.q)
  const d = toBigInt(key.d)
  const ed = toBigInt(key.e) * d
  const consistent =
    p > 1n &&
    q > 1n &&
    p * q === toBigInt(key.n) &&
    ed % (p - 1n) === 1n &&
    ed % (q - 1n) === 1n &&
    d % (p - 1n) === toBigInt(key.dp) &&
    d % (q - 1n) === toBigInt(key.dq) &&
    (toBigInt(key.qi) * q) % p === 1n
  if (!consistent) throw invalidKey(DAMAGED)
}

/** The small primes whose residues give away keys of the ROCA kind. */
const ROCA_PRIMES = [
  3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103, 107,
  109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
]

/**
 * Whether the modulus was made by chips whose keys can be factored (ROCA, CVE-2017-15361): modulo every small
 * prime it is then a power of 65537.
 *
 * @throws `ERR_KEY_WEAK`
 */
export function checkRsaOrigin({ n }: Pick<RsaNumbers, 'n'>): void {
  const modulus = toBigInt(n)
  const isPower = (prime: number): boolean => {
    const residue = Number(modulus % BigInt(prime))
    let power = 1
    do {
      if (power === residue) return true
      power = (power * 65537) % prime
    } while (power !== 1)
    return false
  }
  if (!ROCA_PRIMES.every(isPower)) return
  throw weakKey(`The RSA key can be factored (ROCA, CVE-2017-15361). ${NEW_RSA_KEY}`)
}

/** The public half as a JWK's members (RFC 7518 section 6). */
export function toPublicMembers(numbers: PublicNumbers): { kty: 'RSA' | 'EC'; [member: string]: string } {
  return numbers.kty === 'RSA'
    ? { kty: 'RSA', n: encode(numbers.n), e: encode(numbers.e) }
    : { kty: 'EC', crv: numbers.crv, x: encode(numbers.x), y: encode(numbers.y) }
}

function toBigInt(bytes: Uint8Array): bigint {
  return BigInt(`0x0${toHex(bytes)}`)
}

/** The field's prime and the constant b of each curve (SP 800-186 section 3.2.1). */
const EQUATIONS: Readonly<Record<Curve, readonly [p: string, b: string]>> = {
  'P-256': [
    'ffffffff00000001000000000000000000000000ffffffffffffffffffffffff',
    '5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b',
  ],
  'P-384': [
    'fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000ffffffff',
    'b3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aef',
  ],
  'P-521': [
    '1ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
    '51953eb9618e1c9a1f929a21a0b68540eea2da725b99b315f3b8b489918ef109e156193951ec7e937b1652c0bd3bb1bf073573df883d2c34f1ef451fd46b503f00',
  ],
}

/**
 * Whether a point lies on its curve: Deno and WebKitGTK import others.
 *
 * @throws `ERR_KEY_INVALID`
 */
export function checkPoint({ crv, x, y }: EcNumbers): void {
  const [p, b] = EQUATIONS[crv].map((hex) => BigInt(`0x${hex}`)) as [bigint, bigint]
  const [left, right] = [toBigInt(x), toBigInt(y)]
  const isOnCurve = (left ** 3n - 3n * left + b - right ** 2n) % p === 0n
  if (left >= p || right >= p || !isOnCurve) throw invalidKey(DAMAGED)
}
