import type { Curve } from '../algorithms.ts'
import { toBigInt, trimZeros } from '../encoding.ts'
import { DAMAGED, invalidKey } from './errors.ts'

/** Everything the code knows about a curve besides its algorithm. */
export interface CurveParameters {
  /** Bytes of a coordinate. */
  readonly size: number
  /** Object identifier (RFC 5480), as hexadecimal. */
  readonly oid: string
  /** Prime of the field, and the constant b of the equation y² = x³ - 3x + b (SP 800-186 section 3.2.1). */
  readonly prime: () => bigint
  readonly b: string
}

export const CURVES: Readonly<Record<Curve, CurveParameters>> = {
  'P-256': {
    size: 32,
    oid: '2a8648ce3d030107',
    prime: () => 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n,
    b: '0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b',
  },
  'P-384': {
    size: 48,
    oid: '2b81040022',
    prime: () => 2n ** 384n - 2n ** 128n - 2n ** 96n + 2n ** 32n - 1n,
    b: '0xb3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aef',
  },
  'P-521': {
    size: 66,
    oid: '2b81040023',
    prime: () => 2n ** 521n - 1n,
    b: '0x51953eb9618e1c9a1f929a21a0b68540eea2da725b99b315f3b8b489918ef109e156193951ec7e937b1652c0bd3bb1bf073573df883d2c34f1ef451fd46b503f00',
  },
}

export interface Point {
  readonly x: Uint8Array
  readonly y: Uint8Array
}

/** A public EC key; `x` and `y` have the full length of the curve's field (RFC 7518 section 6.2). */
export interface EcPublicKey extends Point {
  readonly kty: 'EC'
  readonly crv: Curve
}

/** A private EC key. Its point is absent where a structure holds only `d`, or a compressed point. */
export interface EcPrivateKey extends Partial<Point> {
  readonly kty: 'EC'
  readonly crv: Curve
  readonly d: Uint8Array
  /** Encoding of a point that gives only the parity of `y` (SEC 1 section 2.3.3). */
  readonly compressed?: Uint8Array
}

/** A number with the full length of the curve's field. @throws `ERR_KEY_INVALID` if it is longer */
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
 * Checks that a point lies on its curve. Deno and WebKitGTK import others.
 *
 * @throws `ERR_KEY_INVALID`
 */
export function checkPoint({ crv, x, y }: EcPublicKey): void {
  const { prime, b } = CURVES[crv]
  const p = prime()
  const [left, right] = [toBigInt(x), toBigInt(y)]
  const isOnCurve = (left ** 3n - 3n * left + BigInt(b) - right ** 2n) % p === 0n
  if (left >= p || right >= p || !isOnCurve) throw invalidKey(DAMAGED)
}
