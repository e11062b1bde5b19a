import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type ClaimValue, compileRules, matchesRule } from '../../src/endpoint/auth/claim-rules.ts'

type Json = Record<string, unknown>

const name = fc.oneof(
  fc.constantFrom('a', 'b', 'kubernetes.io', '__proto__', 'constructor'),
  fc.string({ minLength: 1 }),
)
const value: fc.Arbitrary<ClaimValue> = fc.oneof(
  fc.string({ minLength: 1 }).filter((text) => !text.includes('*')),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.boolean(),
)
const path = fc.array(name, { minLength: 1, maxLength: 4 })

/** An object with one nested value. Built as text, because `JSON.parse` makes `__proto__` an own member. */
function nest(names: readonly string[], leaf: unknown): Json {
  return JSON.parse(
    names.reduceRight((inner, member) => `{${JSON.stringify(member)}:${inner}}`, JSON.stringify(leaf)),
  )
}

const matches = (rules: Json, claims: Json): boolean =>
  compileRules(rules).every((rule) => matchesRule(claims, rule))

test('a rule matches the claims it was built from', () => {
  fc.assert(
    fc.property(path, value, (names, leaf) => {
      expect(matches(nest(names, leaf), nest(names, leaf))).toBe(true)
      expect(matches(nest(names, [leaf, 'other']), nest(names, leaf))).toBe(true)
    }),
  )
})

test('a rule matches no other value, of any type', () => {
  fc.assert(
    fc.property(path, value, fc.jsonValue(), (names, leaf, other) => {
      fc.pre(other !== leaf && !(other === 0 && leaf === 0))
      expect(matches(nest(names, leaf), nest(names, other))).toBe(false)
    }),
  )
})

test('a rule matches no other path', () => {
  fc.assert(
    fc.property(path, path, value, (names, others, leaf) => {
      fc.pre(JSON.stringify(names) !== JSON.stringify(others))
      expect(matches(nest(names, leaf), nest(others, leaf))).toBe(false)
    }),
  )
})

test('matching never throws', () => {
  fc.assert(
    fc.property(path, value, fc.dictionary(fc.string(), fc.jsonValue()), (names, leaf, claims) => {
      expect(typeof matches(nest(names, leaf), JSON.parse(JSON.stringify(claims)))).toBe('boolean')
    }),
  )
})
