import type { Curve } from '../algorithms.ts'
import { toBigInt } from '../encoding.ts'
import type { EcPublicKey } from './ec.ts'
import { DAMAGED, invalidKey } from './errors.ts'

/**
 * Prime of a curve's field, and the constant b of its equation y² = x³ - 3x + b (SP 800-186 section 3.2.1). Separate
 * from the other parameters, because signers do not need them: their trial signature reveals a wrong point.
 */
const EQUATIONS: Readonly<Record<Curve, { readonly prime: () => bigint; readonly b: string }>> = {
  'P-256': {
    prime: () => 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n,
    b: '0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b',
  },
  'P-384': {
    prime: () => 2n ** 384n - 2n ** 128n - 2n ** 96n + 2n ** 32n - 1n,
    b: '0xb3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aef',
  },
  'P-521': {
    prime: () => 2n ** 521n - 1n,
    b: '0x51953eb9618e1c9a1f929a21a0b68540eea2da725b99b315f3b8b489918ef109e156193951ec7e937b1652c0bd3bb1bf073573df883d2c34f1ef451fd46b503f00',
  },
}

/**
 * Checks that a point is on its curve, because Deno and WebKitGTK also import points that are not.
 *
 * @throws `ERR_KEY_INVALID`
 */
export function checkPoint({ crv, x, y }: EcPublicKey): void {
  const { prime, b } = EQUATIONS[crv]
  const p = prime()
  const [left, right] = [toBigInt(x), toBigInt(y)]
  const isOnCurve = (left ** 3n - 3n * left + BigInt(b) - right ** 2n) % p === 0n
  if (left >= p || right >= p || !isOnCurve) throw invalidKey(DAMAGED)
}
