import { invalidOption } from '../../options.ts'
import type { Customer } from '../../token/claims.ts'
import { describeIdProblem } from '../../token/customer-id.ts'
import { refusal } from '../http/problem.ts'
import type { Claims } from './id-token.ts'

/** Maps the identity provider's claims to the customer. */
export interface ClaimMapping {
  /**
   * Claim with the customer's id, or a function that returns it. A dotted path reads nested claims. A safe integer
   * becomes a decimal string.
   */
  customerId?: string | ((claims: Claims) => string | number | undefined) | undefined
  /**
   * Prefix for every customer id, such as `"eu:"`. Use it if two issuers share a workspace and could use the same id:
   * otherwise, a user of one issuer could get a token for a customer of the other.
   */
  customerIdPrefix?: string | undefined
  /** Claim with the customer's name, or a function that returns it. */
  customerName?: string | ((claims: Claims) => string | undefined) | undefined
  /**
   * Claims to pass to Membrane as `fields`, each named after the last part of its path, or a function that returns the
   * fields. Membrane saves them.
   */
  fields?: readonly string[] | ((claims: Claims) => Record<string, unknown> | undefined) | undefined
  /**
   * Accepts `email` as customer id without `email_verified: true`. Use it only if the identity provider verifies every
   * address: otherwise, anyone could sign up with another person's address.
   */
  trustEmail?: boolean | undefined
}

/** The options of {@link ClaimMapping}. */
export const MAPPING_OPTIONS: readonly (keyof ClaimMapping)[] = [
  'customerId',
  'customerIdPrefix',
  'customerName',
  'fields',
  'trustEmail',
]

/** Reads the customer from claims. @throws a {@link Refusal} `ERR_CALLER_FORBIDDEN` if they have no valid id */
export type CustomerReader = (claims: Claims) => Customer

/**
 * Validates a mapping and applies the defaults.
 *
 * @throws `ERR_OPTION_INVALID`
 */
export function bindMapping(
  mapping: ClaimMapping,
  defaults: { customerId: string; customerName: string; trustEmail: boolean },
): CustomerReader {
  const { customerId = defaults.customerId, customerName = defaults.customerName, fields = [] } = mapping
  const { customerIdPrefix: prefix = '', trustEmail = defaults.trustEmail } = mapping
  const readId = bindClaim('customerId', customerId)
  const readName = bindClaim('customerName', customerName)
  const readFields = bindFields(fields)
  if (typeof prefix !== 'string' || /\p{Cc}/u.test(prefix))
    throw invalidOption('customerIdPrefix must be text without control characters.', 'customerIdPrefix')
  if (typeof trustEmail !== 'boolean') throw invalidOption('trustEmail must be true or false.', 'trustEmail')
  const needsVerifiedEmail = customerId === 'email' && !trustEmail
  const where = typeof customerId === 'string' ? `the claim ${customerId}` : 'customerId'

  return (claims) => {
    const id = readId(claims)
    const text = Number.isSafeInteger(id) ? String(id) : id
    const problem =
      typeof text === 'string' ? describeIdProblem(text) : 'must be a non-empty string or a whole number'
    if (problem !== undefined) {
      throw forbidden(
        `The session has no valid customer id: ${where} ${problem}. Correct it at the identity provider.`,
      )
    }
    if (needsVerifiedEmail && claims.email_verified !== true) {
      throw forbidden(
        'The session has no verified customer id: with the claim email as customer id, email_verified must be true.',
      )
    }
    const name = readName(claims)
    const found = readFields(claims)
    return {
      id: `${prefix}${text}`,
      ...(typeof name === 'string' && { name }),
      ...(found !== undefined && Object.keys(found).length > 0 && { fields: found }),
    }
  }
}

function bindClaim(option: string, claim: unknown): (claims: Claims) => unknown {
  if (typeof claim === 'function') return claim as (claims: Claims) => unknown
  if (typeof claim === 'string' && claim !== '') return (claims) => readPath(claims, claim)
  throw invalidOption(`${option} must be the name of a claim, or a function that takes the claims.`, option)
}

function bindFields(
  fields: NonNullable<ClaimMapping['fields']>,
): (claims: Claims) => Record<string, unknown> | undefined {
  if (typeof fields === 'function') return fields
  if (!Array.isArray(fields) || !fields.every((path) => typeof path === 'string' && path !== '')) {
    throw invalidOption('fields must be a list of claims, or a function that takes the claims.', 'fields')
  }
  const names = fields.map((path: string) => [path.split(/[./]/).at(-1) as string, path] as const)
  if (new Set(names.map(([name]) => name)).size !== names.length || names.some(([name]) => name === '')) {
    throw invalidOption(
      'Fields are named after the last part of their claims; two names are equal, or one is empty. Use a function instead.',
      'fields',
    )
  }
  return (claims) =>
    Object.fromEntries(
      names
        .map(([name, path]) => [name, readPath(claims, path)] as const)
        .filter(([, value]) => value !== undefined),
    )
}

/**
 * Reads a claim by its name, or by a dotted path.
 *
 * @throws a {@link Refusal} `ERR_CALLER_FORBIDDEN` if both exist, because users may control one of them
 */
export function readPath(claims: Claims, path: string): unknown {
  const found = walk(claims, path.split('.'))
  if (!Object.hasOwn(claims, path)) return found
  if (!path.includes('.') || found === undefined) return claims[path]
  throw forbidden(
    `The claim ${path} is ambiguous: the session has a claim with this name, and a nested claim at this path.`,
  )
}

function walk(claims: Claims, names: readonly string[]): unknown {
  let value: unknown = claims
  for (const name of names) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
    value = (value as Claims)[name]
  }
  return value
}

function forbidden(detail: string): Error {
  return refusal('ERR_CALLER_FORBIDDEN', detail)
}
