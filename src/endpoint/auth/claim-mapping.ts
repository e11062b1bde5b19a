import { invalidOption } from '../../options.ts'
import type { Customer } from '../../token/claims.ts'
import { refusal } from '../http/problem.ts'
import type { Claims } from './id-token.ts'

/** Where the customer stands in the claims of an identity provider. */
export interface ClaimMapping {
  /** Claim that holds the customer's id, or a function that finds it. A dotted path reaches into objects. */
  customerId?: string | ((claims: Claims) => string | undefined) | undefined
  /** Claim that holds the customer's name, or a function that finds it. */
  customerName?: string | ((claims: Claims) => string | undefined) | undefined
  /**
   * Claims to hand to Membrane as `fields`, each under the last part of its path, or a function that makes the fields.
   * Membrane saves them.
   */
  fields?: readonly string[] | ((claims: Claims) => Record<string, unknown> | undefined) | undefined
}

/** Finds the customer in claims. @throws a {@link Refusal} `ERR_CALLER_FORBIDDEN` if they name none */
export type CustomerReader = (claims: Claims) => Customer

/**
 * Binds a mapping, its defaults filled in.
 *
 * @throws `ERR_OPTION_INVALID`
 */
export function bindMapping(
  mapping: ClaimMapping,
  defaults: { customerId: string; customerName: string },
): CustomerReader {
  const { customerId = defaults.customerId, customerName = defaults.customerName, fields = [] } = mapping
  const readId = bindClaim('customerId', customerId)
  const readName = bindClaim('customerName', customerName)
  const readFields = bindFields(fields)
  const where = typeof customerId === 'string' ? `the claim ${customerId}` : 'its claims'

  return (claims) => {
    const id = readId(claims)
    if (typeof id !== 'string' || id === '') {
      throw refusal(
        'ERR_CALLER_FORBIDDEN',
        `The session names no customer: ${where} must hold a string that is not empty. Add it at the identity provider.`,
      )
    }
    const name = readName(claims)
    const found = readFields(claims)
    return {
      id,
      ...(typeof name === 'string' && { name }),
      ...(found !== undefined && Object.keys(found).length > 0 && { fields: found }),
    }
  }
}

function bindClaim(option: string, claim: unknown): (claims: Claims) => unknown {
  if (typeof claim === 'function') return claim as (claims: Claims) => unknown
  if (typeof claim === 'string' && claim !== '') return (claims) => readPath(claims, claim)
  throw invalidOption(`${option} must be the name of a claim, or a function that takes the claims.`)
}

function bindFields(
  fields: NonNullable<ClaimMapping['fields']>,
): (claims: Claims) => Record<string, unknown> | undefined {
  if (typeof fields === 'function') return fields
  if (!Array.isArray(fields) || !fields.every((path) => typeof path === 'string' && path !== '')) {
    throw invalidOption('fields must be a list of claims, or a function that takes the claims.')
  }
  const names = fields.map((path: string) => [path.split(/[./]/).at(-1) as string, path] as const)
  if (new Set(names.map(([name]) => name)).size !== names.length || names.some(([name]) => name === '')) {
    throw invalidOption('Two of the fields would have the same name, or one none; map them with a function.')
  }
  return (claims) =>
    Object.fromEntries(
      names
        .map(([name, path]) => [name, readPath(claims, path)] as const)
        .filter(([, value]) => value !== undefined),
    )
}

/** Reads a claim; names with dots in them, such as URLs, come before paths. */
export function readPath(claims: Claims, path: string): unknown {
  if (Object.hasOwn(claims, path)) return claims[path]
  let value: unknown = claims
  for (const name of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
    value = (value as Claims)[name]
  }
  return value
}
