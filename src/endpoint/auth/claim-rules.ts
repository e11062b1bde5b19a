import { invalidOption } from '../../options.ts'
import type { Claims } from './id-token.ts'

/** A value that a claim must have exactly. */
export type ClaimValue = string | number | boolean

/**
 * Required value of a claim: one value, one of a list, or an object with rules for the claim's members. Values are
 * compared exactly, without wildcards or conversions: the string `"42"` does not match the number `42`, and a claim
 * that is a list matches nothing.
 */
export type ClaimRule = ClaimValue | readonly ClaimValue[] | { readonly [member: string]: ClaimRule }

/** Rules by claim name. */
export type ClaimRules = Readonly<Record<string, ClaimRule>>

/** A rule for one claim or member. */
export interface CompiledRule {
  /** Name of the claim, then of nested members. */
  readonly path: readonly string[]
  /** The accepted values. */
  readonly values: readonly ClaimValue[]
}

const DEPTH_LIMIT = 16

/**
 * Compiles rules into a flat list, with one entry for each claim or member.
 *
 * @throws `ERR_OPTION_INVALID`
 */
export function compileRules(rules: unknown): readonly CompiledRule[] {
  if (!isObject(rules)) throw invalid('claims must be an object of claims and the values they must have.')
  return compileMembers(rules, [])
}

function compileMembers(rules: object, path: readonly string[]): CompiledRule[] {
  const names = Object.keys(rules)
  if (names.length === 0 || path.length > DEPTH_LIMIT)
    throw invalid(`${describePath(path)} must list at least one claim, at most ${DEPTH_LIMIT} levels deep.`)
  return names.flatMap((name) => {
    const rule: unknown = Reflect.get(rules, name)
    const inner = [...path, name]
    if (isObject(rule)) return compileMembers(rule, inner)
    const values: unknown[] = Array.isArray(rule) ? [...rule] : [rule]
    if (values.length === 0 || !values.every(isValue)) {
      throw invalid(
        `${describePath(inner)} must be text, a number, true or false, or a list of them; empty values and null are not allowed.`,
      )
    }
    if (values.some((value) => typeof value === 'string' && value.includes('*')))
      throw invalid(`${describePath(inner)} has a "*", but claims are compared exactly, without wildcards.`)
    return [{ path: inner, values }]
  })
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isValue(value: unknown): value is ClaimValue {
  return (typeof value === 'string' && value !== '') || Number.isFinite(value) || typeof value === 'boolean'
}

/** Whether the claims match a rule. */
export function matchesRule(claims: Claims, { path, values }: CompiledRule): boolean {
  let found: unknown = claims
  for (const name of path) {
    if (!isObject(found) || !Object.hasOwn(found, name)) return false
    found = Reflect.get(found, name)
  }
  return values.includes(found as ClaimValue)
}

/** A path for messages: `ref`, or `kubernetes.io → namespace`. Unusual names are omitted, as they may be values. */
export function describePath(path: readonly string[]): string {
  if (path.length === 0) return 'claims'
  return path.map((name) => (/^[\w./:-]{1,60}$/.test(name) ? name : '…')).join(' → ')
}

function invalid(message: string): Error {
  return invalidOption(message, 'claims')
}
