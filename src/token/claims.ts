import { MembraneTokenError } from '../errors.ts'
import { shownName, unknownName } from '../options.ts'
import { checkCustomerId } from './customer-id.ts'
import { LATEST_DATE, type Validity } from './lifetime.ts'

/**
 * Names of the claims for the workspace and the customer.
 *
 * - `"issuer"`: `iss` and `id`, as in Membrane's SDK and most of its samples
 * - `"workspaceKey"`: `workspaceKey` and `id`, as in its JavaScript sample with key and secret
 * - `"tenant"`: `workspaceKey` and `tenantKey`, as in its current documentation
 */
export type ClaimStyle = 'issuer' | 'workspaceKey' | 'tenant'

/** The customer (user, team or organization) that a token is for. */
export interface Customer {
  /**
   * Unique within the workspace. Membrane creates a customer for every new id, so ids are rejected if they are blank,
   * are placeholders such as `undefined` or `{CUSTOMER_ID}`, or contain control characters.
   */
  id: string
  /** Display name, shown in Membrane's console. `null` counts as absent. */
  name?: string | undefined
  /** Data about the customer. Membrane saves it, so include only what it needs. `null` counts as absent. */
  fields?: Record<string, unknown> | undefined
}

export interface ClaimSpelling {
  readonly workspace: 'iss' | 'workspaceKey'
  readonly customer: 'id' | 'tenantKey'
}

/** The claim names of each style. */
export const CLAIM_STYLES: Readonly<Record<ClaimStyle, ClaimSpelling>> = {
  issuer: { workspace: 'iss', customer: 'id' },
  workspaceKey: { workspace: 'workspaceKey', customer: 'id' },
  tenant: { workspace: 'workspaceKey', customer: 'tenantKey' },
}

/** Serializes the claims of one workspace's tokens. */
export interface ClaimsWriter {
  customer(customer: Customer, validity: Validity, jwtId: string | undefined): string
  admin(customer: undefined, validity: Validity, jwtId: string | undefined): string
}

/** Maximum nesting of the customer's fields. */
const DEPTH_LIMIT = 200

/**
 * Serializes the workspace and the claim names once, so that each token only adds its data.
 *
 * The members are in the same order as in tokens of `jsonwebtoken`: `iss` after the dates, as with its `issuer` option;
 * `workspaceKey` first, as in the payload of Membrane's sample.
 */
export function createClaimsWriter(style: ClaimStyle, workspaceKey: string): ClaimsWriter {
  const spelling = CLAIM_STYLES[style]
  const workspace = `"${spelling.workspace}":${JSON.stringify(workspaceKey)}`
  const head = spelling.workspace === 'iss' ? '{' : `{${workspace},`
  const tail = spelling.workspace === 'iss' ? `,${workspace}` : ''
  const customerHead = `${head}"${spelling.customer}":`
  const adminHead = `${head}"isAdmin":true`

  const end = ({ iat, exp }: Validity, jwtId: string | undefined): string =>
    `,"iat":${iat},"exp":${exp}${tail}${jwtId === undefined ? '' : `,"jti":${writeJwtId(jwtId)}`}}`

  return {
    customer: (customer, validity, jwtId) => customerHead + writeCustomer(customer) + end(validity, jwtId),
    admin: (_, validity, jwtId) => adminHead + end(validity, jwtId),
  }
}

function writeCustomer(customer: Customer): string {
  if (typeof customer !== 'object' || customer === null) {
    throw invalid('The customer must be an object with an id.', 'customer')
  }
  for (const member in customer) {
    if (member !== 'id' && member !== 'name' && member !== 'fields') throw unknownMember(member)
  }
  const { id, name, fields } = customer
  checkCustomerId(id)
  let json = JSON.stringify(id)
  // Other languages and databases use null for a missing value.
  if (name !== undefined && name !== null) {
    if (typeof name !== 'string') throw invalid("The customer's name must be a string, or left out.", 'name')
    json += `,"name":${JSON.stringify(name)}`
  }
  if (fields !== undefined && fields !== null) json += `,"fields":${writeFields(fields)}`
  return json
}

const TOKEN_OPTIONS: readonly string[] = ['expiresIn', 'expiresAt', 'jwtId']

function unknownMember(name: string): MembraneTokenError {
  return invalid(
    TOKEN_OPTIONS.includes(name)
      ? `${name} is not part of the customer; pass it as the second argument: signCustomerToken(customer, { ${name} }).`
      : `${unknownName('customer member', name, ['id', 'name', 'fields'])} Pass id, name, fields and put the rest into fields.`,
    shownName(name),
  )
}

function writeFields(fields: Record<string, unknown>): string {
  let json: string | undefined
  try {
    if (isPlainObject(fields)) {
      checkMembers(fields, DEPTH_LIMIT)
      json = JSON.stringify(fields)
    }
  } catch (error) {
    // Other errors are dropped, because their messages may quote the data.
    if (error instanceof MembraneTokenError) throw error
  }
  // A non-enumerable toJSON may have returned something else.
  if (json?.startsWith('{')) return json
  throw invalid("The customer's fields must be a plain object, or left out.", 'fields')
}

// JSON.stringify drops functions and turns NaN into null, so the token would contain different data.
function checkMembers(value: object, depth: number): void {
  if (depth === 0)
    throw invalid(
      `The customer's fields must not contain a cycle or be nested more than ${DEPTH_LIMIT} levels deep.`,
      'fields',
    )
  for (const member of Array.isArray(value) ? value : Object.values(value)) {
    if (member === null || ['string', 'boolean'].includes(typeof member) || Number.isFinite(member)) continue
    if (member === undefined && !Array.isArray(value)) continue
    if (typeof member === 'object' && typeof member.toJSON === 'function') {
      // An invalid Date would become null, and a toJSON that returns undefined would drop the member.
      if (![undefined, 'null'].includes(JSON.stringify(member))) continue
    }
    if (Array.isArray(member) || isPlainObject(member)) {
      checkMembers(member, depth - 1)
      continue
    }
    throw invalid(
      "The customer's fields must be JSON values: no BigInt, function, symbol, NaN or class instance.",
      'fields',
    )
  }
}

function writeJwtId(jwtId: string): string {
  if (typeof jwtId !== 'string' || jwtId.trim() === '')
    throw invalid('jwtId must be a non-blank string, or left out.', 'jwtId')
  return JSON.stringify(jwtId)
}

/** The customer of a token in any claim style, or that it is an admin token. */
export type TokenSubject =
  | { kind: 'customer'; id: string; name?: string; fields?: Record<string, unknown> }
  | { kind: 'admin' }

type Claims = Readonly<Record<string, unknown>>

/**
 * Checks that `iss` or `workspaceKey` names the workspace, and that neither names another one.
 *
 * @throws `ERR_TOKEN_WORKSPACE_MISMATCH`
 */
export function checkWorkspace({ iss, workspaceKey }: Claims, expected: string): void {
  const named = [iss, workspaceKey].filter((claim) => claim !== undefined)
  if (named.length > 0 && named.every((claim) => claim === expected)) return
  throw new MembraneTokenError(
    'ERR_TOKEN_WORKSPACE_MISMATCH',
    named.length === 0
      ? 'The token names no workspace; set iss or workspaceKey to the workspace key.'
      : 'The token is for another workspace; iss and workspaceKey, where present, must equal the workspace key.',
  )
}

/** Whether `isAdmin` is a string such as `"false"`, which Membrane would read as true. */
export function isDenial(isAdmin: unknown): boolean {
  return typeof isAdmin === 'string' && /^(false|no|0)$/i.test(isAdmin)
}

/**
 * Reads the customer of a token, or that it is an admin token. As in Membrane, a token is an admin token if `isAdmin`
 * is truthy; a string such as `"false"`, which would count as true, is rejected.
 *
 * @throws `ERR_TOKEN_CLAIM_INVALID`
 */
export function readSubject(claims: Claims): TokenSubject {
  const { isAdmin, name, fields } = claims
  // Libraries in other languages write a missing value as null.
  const [id, tenantKey] = [claims.id ?? undefined, claims.tenantKey ?? undefined]
  const customer = id ?? tenantKey
  if (tenantKey !== undefined && tenantKey !== customer)
    throw invalidClaims('id and tenantKey name two different customers')
  if (isDenial(isAdmin))
    throw invalidClaims('isAdmin is a string such as "false", which counts as true; use true or leave it out')
  if (isAdmin) {
    if (customer === undefined) return { kind: 'admin' }
    throw invalidClaims('isAdmin is set together with a customer id; an admin token must not have one')
  }
  if (customer === undefined)
    throw invalidClaims('the token has neither a customer (id or tenantKey) nor isAdmin')
  if (name !== undefined && name !== null && typeof name !== 'string')
    throw invalidClaims('name must be a string')
  return {
    kind: 'customer',
    id: readId(customer),
    ...(typeof name === 'string' && { name }),
    ...readFields(fields),
  }
}

/**
 * Reads the customer on whose behalf Membrane sends a request: `sub` in its tokens, instead of `id`.
 *
 * @throws `ERR_TOKEN_CLAIM_INVALID`
 */
export function readRequestSubject({ sub, fields }: Claims): {
  customerId: string
  fields?: Record<string, unknown>
} {
  return { customerId: readId(sub, 'sub'), ...readFields(fields) }
}

function readId(id: unknown, claim = 'id or tenantKey'): string {
  if (typeof id === 'string' && id !== '') return id
  throw invalidClaims(`${claim}, the customer's id, must be a non-empty string`)
}

function readFields(fields: unknown): { fields?: Record<string, unknown> } {
  if (fields === undefined || fields === null) return {}
  // PHP encodes an empty object as an empty list.
  if (Array.isArray(fields) && fields.length === 0) return {}
  if (isPlainObject(fields)) return { fields }
  throw invalidClaims('fields must be an object')
}

/** Registered claims of a token (RFC 7519 sections 4.1.4, 4.1.6 and 4.1.7). */
export interface TokenDates {
  readonly issuedAt?: Date
  readonly expiresAt?: Date
  readonly jwtId?: string
}

/**
 * Reads the dates and the id of a token, and compares `exp` and `nbf` with the clock.
 *
 * @param now Milliseconds since the epoch
 * @param tolerance Seconds by which the clocks may differ
 * @throws `ERR_TOKEN_CLAIM_INVALID` · `ERR_TOKEN_EXPIRED` · `ERR_TOKEN_NOT_YET_VALID`
 */
export function readDates({ iat, nbf, exp, jti }: Claims, now: number, tolerance: number): TokenDates {
  const [issuedAt, notBefore, expiresAt] = [readDate('iat', iat), readDate('nbf', nbf), readDate('exp', exp)]
  if (jti !== undefined && typeof jti !== 'string') throw invalidClaims('jti must be a string')
  if (expiresAt && now >= expiresAt.getTime() + tolerance * 1000) {
    throw new MembraneTokenError(
      'ERR_TOKEN_EXPIRED',
      `The token expired at ${expiresAt.toISOString()}; request a new one, or check this machine's clock.`,
    )
  }
  if (notBefore && now < notBefore.getTime() - tolerance * 1000) {
    throw new MembraneTokenError(
      'ERR_TOKEN_NOT_YET_VALID',
      `The token is not valid before ${notBefore.toISOString()}; leave out nbf, or check this machine's clock.`,
    )
  }
  return {
    ...(issuedAt && { issuedAt }),
    ...(expiresAt && { expiresAt }),
    ...(jti !== undefined && { jwtId: jti }),
  }
}

function readDate(name: string, claim: unknown): Date | undefined {
  if (claim === undefined) return undefined
  if (typeof claim !== 'number') throw invalidClaims(`${name} must be a number of seconds`)
  if (Math.abs(claim) <= LATEST_DATE) return new Date(claim * 1000)
  throw invalidClaims(`${name} is beyond the year 9999; it must be in seconds, not milliseconds`)
}

function invalidClaims(rule: string): MembraneTokenError {
  return new MembraneTokenError('ERR_TOKEN_CLAIM_INVALID', `The token's claims are invalid: ${rule}.`)
}

/** Whether a value is a plain object, of this realm or another. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const prototype = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

function invalid(message: string, option: string | undefined): MembraneTokenError {
  return new MembraneTokenError('ERR_CLAIM_INVALID', message, { option })
}
