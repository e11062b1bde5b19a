import type { Curve } from '../algorithms.ts'
import { trimZeros } from '../encoding.ts'
import { DAMAGED, invalidKey } from './errors.ts'

/** Parameters of a curve for reading keys. Its equation is in `points.ts`. */
export interface CurveParameters {
  /** Length of a coordinate in bytes. */
  readonly size: number
  /** Object identifier (RFC 5480), as hexadecimal. */
  readonly oid: string
}

export const CURVES: Readonly<Record<Curve, CurveParameters>> = {
  'P-256': { size: 32, oid: '2a8648ce3d030107' },
  'P-384': { size: 48, oid: '2b81040022' },
  'P-521': { size: 66, oid: '2b81040023' },
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

/** A private EC key. `x` and `y` are absent if the key contains only `d`, or a compressed point. */
export interface EcPrivateKey extends Partial<Point> {
  readonly kty: 'EC'
  readonly crv: Curve
  readonly d: Uint8Array
  /** A compressed point: `x` and the parity of `y` (SEC 1 section 2.3.3). */
  readonly compressed?: Uint8Array
}

/** Pads a number to the length of the curve's field. @throws `ERR_KEY_INVALID` if it is longer */
export function toFieldLength(number: Uint8Array, crv: Curve): Uint8Array {
  const { size } = CURVES[crv]
  const trimmed = trimZeros(number)
  if (trimmed.length > size) throw invalidKey(DAMAGED)
  const padded = new Uint8Array(size)
  padded.set(trimmed, size - trimmed.length)
  return padded
}

/** Reads an encoded point (SEC 1 section 2.3.3). @throws `ERR_KEY_INVALID` */
export function readPoint(bytes: Uint8Array, crv: Curve): Point | { readonly compressed: Uint8Array } {
  const { size } = CURVES[crv]
  if ((bytes[0] === 2 || bytes[0] === 3) && bytes.length === 1 + size) return { compressed: bytes }
  if (bytes[0] !== 4 || bytes.length !== 1 + 2 * size) throw invalidKey(DAMAGED)
  return { x: bytes.subarray(1, 1 + size), y: bytes.subarray(1 + size) }
}
