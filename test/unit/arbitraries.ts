import fc from 'fast-check'
import { expect } from 'vitest'
import { MembraneTokenError } from '../../src/index.ts'
import { algorithms } from '../conformance/tokens.ts'
import { now, workspaceKey } from './genuine-tokens.ts'

/** What the tests of properties have in common: values of all kinds, and what may become of them. */

export function check<Value>(
  arbitrary: fc.Arbitrary<Value>,
  run: (value: Value) => Promise<void>,
  numRuns = 500,
) {
  return fc.assert(fc.asyncProperty(arbitrary, run), { numRuns })
}

export async function expectOurError(promise: Promise<unknown>): Promise<void> {
  const outcome = await promise.then(
    () => 'accepted',
    (error: unknown) => error,
  )
  expect(outcome).toBeInstanceOf(MembraneTokenError)
}

/** Where either may come: a value that was made, or a refusal that is ours. */
export async function orOurError<Value>(promise: Promise<Value>): Promise<Value | undefined> {
  try {
    return await promise
  } catch (error) {
    expect(error).toBeInstanceOf(MembraneTokenError)
    return undefined
  }
}

export function base64url(value: string | Uint8Array): string {
  return Buffer.from(value as string).toString('base64url')
}

/** Any code unit: also halves of surrogate pairs, which JSON can write and UTF-8 cannot. */
export const text = fc.string({
  unit: fc.oneof(
    fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
    fc.constantFrom('\ud800', '\udfff'),
  ),
})
/** Keys that mean something to the language, beside any others. */
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

export function record(
  names: string[],
  ...values: fc.Arbitrary<unknown>[]
): fc.Arbitrary<Record<string, unknown>> {
  return fc.dictionary(fc.oneof(fc.constantFrom(...names), memberName), fc.oneof(...values, json))
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

const claimNames = [
  'iss',
  'workspaceKey',
  'id',
  'tenantKey',
  'isAdmin',
  'name',
  'fields',
  'exp',
  'iat',
  'nbf',
  'jti',
]
const headerNames = [
  'alg',
  'typ',
  'kid',
  'crit',
  'b64',
  'jku',
  'x5u',
  'jwk',
  'x5c',
  'cty',
  'enc',
  'zip',
  'p2c',
]

/** The header of a token, as anybody may write it. */
export const header = record(headerNames, fc.constantFrom(...algorithms, 'none', 'JWT', 'EdDSA'))
/** Seconds. */
export const time = now() / 1000
/** Claims, as anybody may write them: some of them right. */
export const claims = record(
  claimNames,
  fc.constantFrom(workspaceKey, workspaceKey, true, 'customer-42'),
  fc.integer({ min: time - 2, max: time + 2 }),
)
