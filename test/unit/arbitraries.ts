import fc from 'fast-check'
import { expect } from 'vitest'
import { type Algorithm, createSigner, MembraneTokenError } from '../../src/index.ts'
import { keysFor } from '../conformance/token-fixtures.ts'
import { algorithms, issuedAt, workspaceKey } from '../conformance/tokens.ts'

/** Values and checks for property-based tests. */

export function check<Value>(
  arbitrary: fc.Arbitrary<Value>,
  run: (value: Value) => Promise<void>,
  numRuns = 500,
) {
  return fc.assert(fc.asyncProperty(arbitrary, run), { numRuns })
}

/** The promise must reject with a MembraneTokenError. */
export async function expectOurError(promise: Promise<unknown>): Promise<void> {
  const outcome = await promise.then(
    () => 'accepted',
    (error: unknown) => error,
  )
  expect(outcome).toBeInstanceOf(MembraneTokenError)
}

/** Resolves with the value, or with `undefined` after a MembraneTokenError. Any other error fails the test. */
export async function orOurError<Value>(promise: Promise<Value>): Promise<Value | undefined> {
  try {
    return await promise
  } catch (error) {
    expect(error).toBeInstanceOf(MembraneTokenError)
    return undefined
  }
}

export const now = (): number => issuedAt * 1000

/** A valid token for each algorithm. */
export async function signTokens(algorithms: readonly Algorithm[]): Promise<Map<Algorithm, string>> {
  const tokens = new Map<Algorithm, string>()
  for (const algorithm of algorithms) {
    const [key] = await keysFor(algorithm)
    const signer = await createSigner({ workspaceKey, ...key, algorithm, now })
    tokens.set(algorithm, (await signer.signCustomerToken({ id: algorithm })).token)
  }
  return tokens
}

export function base64url(value: string | Uint8Array): string {
  return Buffer.from(value as string).toString('base64url')
}

/** Includes lone surrogates, which JSON can express and UTF-8 cannot. */
export const text = fc.string({
  unit: fc.oneof(
    fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
    fc.constantFrom('\ud800', '\udfff'),
  ),
})
/** Includes names with a special meaning in JavaScript. */
const memberName = fc.oneof(
  text,
  fc.constantFrom('__proto__', 'constructor', 'prototype', 'toJSON', 'then', ''),
)
export const json: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    fc.oneof(text, fc.double({ noNaN: true, noDefaultInfinity: true }), fc.boolean(), fc.constant(null)),
    fc.array(tie('value'), { maxLength: 4 }),
    dictionary(tie('value')),
  ),
})).value

export function dictionary(value: fc.Arbitrary<unknown>): fc.Arbitrary<Record<string, unknown>> {
  return fc
    .array(fc.tuple(memberName, value), { maxLength: 4 })
    .map((members) => JSON.parse(`{${members.map(([name, member]) => `${quote(name)}:${quote(member)}`)}}`))
}

export function quote(value: unknown): string {
  return JSON.stringify(value)
}

/** Objects in which some names are likely. `names` are separated by spaces. */
export function record(
  names: string,
  ...values: fc.Arbitrary<unknown>[]
): fc.Arbitrary<Record<string, unknown>> {
  return fc.dictionary(fc.oneof(fc.constantFrom(...names.split(' ')), memberName), fc.oneof(...values, json))
}

export const anything = fc.anything({
  withBigInt: true,
  withDate: true,
  withMap: true,
  withNullPrototype: true,
  withObjectString: true,
  withSet: true,
  withSparseArray: true,
  withTypedArray: true,
})

/** Arbitrary token headers. */
export const header = record(
  'alg typ kid crit b64 jku x5u jwk x5c cty enc zip p2c',
  fc.constantFrom(...algorithms, 'none', 'JWT', 'EdDSA'),
)
/** Arbitrary claims, some of them valid. */
export const claims = record(
  'iss workspaceKey id tenantKey isAdmin name fields exp iat nbf jti',
  fc.constantFrom(workspaceKey, workspaceKey, true, 'customer-42'),
  fc.integer({ min: issuedAt - 2, max: issuedAt + 2 }),
)
