import { MembraneTokenError } from '../errors.ts'
import { LATEST_DATE, type Validity } from './lifetime.ts'

/**
 * How the workspace and the customer are spelled in the claims.
 *
 * - `"issuer"`: `iss` and `id`, as Membrane's own SDK and most of its samples do
 * - `"workspaceKey"`: `workspaceKey` and `id`, as its JavaScript sample with key and secret does
 * - `"tenant"`: `workspaceKey` and `tenantKey`, as its current documentation does
 */
export type ClaimStyle = 'issuer' | 'workspaceKey' | 'tenant'

/** The customer (user, team or organisation) a token stands for. */
export interface Customer {
  /** Unique within the workspace. Membrane makes a new customer of every id it has not seen. */
  id: string
  /** Human-readable, shown in Membrane's console. */
  name?: string | undefined
  /** What to remember about the customer. Membrane saves it, so leave out what it need not know. */
  fields?: Record<string, unknown> | undefined
}

export interface ClaimSpelling {
  readonly workspace: 'iss' | 'workspaceKey'
  readonly customer: 'id' | 'tenantKey'
}

/** The three spellings; no other place knows them. */
export const CLAIM_STYLES: Readonly<Record<ClaimStyle, ClaimSpelling>> = {
  issuer: { workspace: 'iss', customer: 'id' },
  workspaceKey: { workspace: 'workspaceKey', customer: 'id' },
  tenant: { workspace: 'workspaceKey', customer: 'tenantKey' },
}

/** Writes the claims sets of one workspace. */
export interface ClaimsWriter {
  customer(customer: Customer, validity: Validity, jwtId: string | undefined): string
  admin(nobody: undefined, validity: Validity, jwtId: string | undefined): string
}

const DEPTH_LIMIT = 200

/**
 * Binds workspace and style once, so that a token costs one pass over what is its own.
 *
 * The members stand in the order in which `jsonwebtoken` writes them: `iss` after the dates, where its
 * `issuer` option puts it, `workspaceKey` first, where the payload has it.
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
    throw invalid('The customer must be an object with an id.')
  }
  const { id, name, fields } = customer
  if (typeof id !== 'string' || id === '') {
    throw invalid("The customer's id must be a string that is not empty.")
  }
  if (name !== undefined && typeof name !== 'string') {
    throw invalid("The customer's name must be a string, or left out.")
  }
  let json = JSON.stringify(id)
  if (name !== undefined) json += `,"name":${JSON.stringify(name)}`
  if (fields !== undefined) json += `,"fields":${writeFields(fields)}`
  return json
}

function writeFields(fields: Record<string, unknown>): string {
  let json: string | undefined
  try {
    if (isPlainObject(fields)) {
      checkMembers(fields, DEPTH_LIMIT)
      json = JSON.stringify(fields)
    }
  } catch (error) {
    // The message of any other error may quote the data, so it is not passed on.
    if (error instanceof MembraneTokenError) throw error
  }
  // A toJSON that is not enumerable may still have made something else of it.
  if (json?.startsWith('{')) return json
  throw invalid("The customer's fields must be a plain object, or left out.")
}

// JSON.stringify drops functions and writes NaN as null: the token would carry other data than was given.
function checkMembers(value: object, depth: number): void {
  if (depth === 0)
    throw invalid(`The customer's fields must not contain a cycle, nor be over ${DEPTH_LIMIT} deep.`)
  for (const member of Array.isArray(value) ? value : Object.values(value)) {
    switch (typeof member) {
      case 'string':
      case 'boolean':
        continue
      case 'number':
        if (Number.isFinite(member)) continue
        break
      case 'undefined':
        if (!Array.isArray(value)) continue
        break
      case 'object':
        if (member === null || typeof member.toJSON === 'function') continue
        if (!Array.isArray(member) && !isPlainObject(member)) break
        checkMembers(member, depth - 1)
        continue
    }
    throw invalid(
      "The customer's fields must hold what JSON carries: no BigInt, function, symbol, NaN or class instance.",
    )
  }
}

function writeJwtId(jwtId: string): string {
  if (typeof jwtId !== 'string' || jwtId === '')
    throw invalid('jwtId must be a string that is not empty, or left out.')
  return JSON.stringify(jwtId)
}

/** What a claims set says, whichever spelling it uses. */
export type TokenSubject =
  | { kind: 'customer'; id: string; name?: string; fields?: Record<string, unknown> }
  | { kind: 'admin' }

type Claims = Readonly<Record<string, unknown>>

/**
 * Whether the claims name the workspace, in either spelling, and nothing else.
 *
 * @throws `ERR_TOKEN_WORKSPACE_MISMATCH`
 */
export function checkWorkspace({ iss, workspaceKey }: Claims, expected: string): void {
  const named = [iss, workspaceKey].filter((claim) => claim !== undefined)
  if (named.length > 0 && named.every((claim) => claim === expected)) return
  throw new MembraneTokenError(
    'ERR_TOKEN_WORKSPACE_MISMATCH',
    named.length === 0
      ? 'The token names no workspace: iss or workspaceKey must be the workspace key.'
      : 'The token is for another workspace: iss and workspaceKey must be the workspace key, where they are given.',
  )
}

/**
 * Reads whom a token stands for. Tokens with a falsy `isAdmin` exist, and are ordinary ones.
 *
 * @throws `ERR_TOKEN_CLAIM_INVALID`
 */
export function readSubject(claims: Claims): TokenSubject {
  const { isAdmin, name, fields } = claims
  // Libraries of other languages write a missing value as null.
  const [id, tenantKey] = [claims.id ?? undefined, claims.tenantKey ?? undefined]
  const customer = id ?? tenantKey
  if (tenantKey !== undefined && tenantKey !== customer)
    throw refused('id and tenantKey name two different customers')
  if (isAdmin) {
    if (customer === undefined) return { kind: 'admin' }
    throw refused('isAdmin stands together with a customer id; an admin token has none')
  }
  if (customer === undefined) throw refused('neither a customer (id or tenantKey) nor isAdmin is given')
  if (name !== undefined && name !== null && typeof name !== 'string') throw refused('name must be a string')
  return {
    kind: 'customer',
    id: readId(customer),
    ...(typeof name === 'string' && { name }),
    ...readFields(fields),
  }
}

/**
 * Reads for whom Membrane sends a request: its tokens say `sub` where an app's say `id`.
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
  throw refused(`${claim}, the customer's id, must be a string that is not empty`)
}

function readFields(fields: unknown): { fields?: Record<string, unknown> } {
  if (fields === undefined || fields === null) return {}
  if (isPlainObject(fields)) return { fields }
  throw refused('fields must be an object')
}

/** The dates and the id of a token (RFC 7519 sections 4.1.4 to 4.1.7). */
export interface TokenDates {
  readonly issuedAt?: Date
  readonly expiresAt?: Date
  readonly jwtId?: string
}

/**
 * Reads the registered claims and holds them against the clock.
 *
 * @param now Milliseconds since the epoch
 * @param tolerance Seconds by which the clocks may differ
 * @throws `ERR_TOKEN_CLAIM_INVALID` · `ERR_TOKEN_EXPIRED` · `ERR_TOKEN_NOT_YET_VALID`
 */
export function readDates({ iat, nbf, exp, jti }: Claims, now: number, tolerance: number): TokenDates {
  const [issuedAt, notBefore, expiresAt] = [readDate('iat', iat), readDate('nbf', nbf), readDate('exp', exp)]
  if (jti !== undefined && typeof jti !== 'string') throw refused('jti must be a string')
  if (expiresAt && now >= expiresAt.getTime() + tolerance * 1000) {
    throw new MembraneTokenError(
      'ERR_TOKEN_EXPIRED',
      `The token ended at ${expiresAt.toISOString()}; get a new one, or check the clock of the machine.`,
    )
  }
  if (notBefore && now < notBefore.getTime() - tolerance * 1000) {
    throw new MembraneTokenError(
      'ERR_TOKEN_NOT_YET_VALID',
      `The token begins at ${notBefore.toISOString()}; leave out nbf, or check the clock of the machine.`,
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
  if (typeof claim !== 'number') throw refused(`${name} must be a number of seconds`)
  if (Math.abs(claim) <= LATEST_DATE) return new Date(claim * 1000)
  throw refused(`${name} lies beyond the year 9999; it must be in seconds, not in milliseconds`)
}

function refused(rule: string): MembraneTokenError {
  return new MembraneTokenError('ERR_TOKEN_CLAIM_INVALID', `The token's claims are not valid: ${rule}.`)
}

/** Whether a value is what `{}` or `JSON.parse` makes, of this realm or another. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const prototype = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

function invalid(message: string): MembraneTokenError {
  return new MembraneTokenError('ERR_CLAIM_INVALID', message)
}
