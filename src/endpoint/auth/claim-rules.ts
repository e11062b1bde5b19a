import { invalidOption } from '../../options.ts'
import type { Claims } from './id-token.ts'

/** A value that a claim must have, exactly. */
export type ClaimValue = string | number | boolean

/**
 * What a claim must be: exactly a value, or exactly one of a list; or an object whose members must be so. There are no
 * wildcards, and nothing is converted: the text `"42"` is not the number `42`, and a list is not its only element.
 */
export type ClaimRule = ClaimValue | readonly ClaimValue[] | { readonly [member: string]: ClaimRule }

/** Rules by the name of their claim. */
export type ClaimRules = Readonly<Record<string, ClaimRule>>

/** One rule, read: where its value is, and which values it may have. */
export interface CompiledRule {
  /** Names of the claim and of the members below it. */
  readonly path: readonly string[]
  readonly values: readonly ClaimValue[]
}

const DEPTH_LIMIT = 16

/**
 * Reads rules into a list of their own, with one entry for each value.
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
        `${describePath(inner)} must be text, a number, true or false, or a list of them; an empty value or null matches nothing.`,
      )
    }
    if (values.some((value) => typeof value === 'string' && value.includes('*')))
      throw invalid(
        `${describePath(inner)} holds a "*", but claims are compared exactly: there are no wildcards.`,
      )
    return [{ path: inner, values }]
  })
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isValue(value: unknown): value is ClaimValue {
  return (typeof value === 'string' && value !== '') || Number.isFinite(value) || typeof value === 'boolean'
}

/** Whether the claims have one of the values at the place of the rule. */
export function matchesRule(claims: Claims, { path, values }: CompiledRule): boolean {
  let found: unknown = claims
  for (const name of path) {
    if (!isObject(found) || !Object.hasOwn(found, name)) return false
    found = Reflect.get(found, name)
  }
  return values.includes(found as ClaimValue)
}

/** The place of a value, for messages: `ref`, or `kubernetes.io → namespace`. */
export function describePath(path: readonly string[]): string {
  if (path.length === 0) return 'claims'
  return path.map((name) => (/^[\w./:-]{1,60}$/.test(name) ? name : '…')).join(' → ')
}

function invalid(message: string): Error {
  return invalidOption(message, 'claims')
}
