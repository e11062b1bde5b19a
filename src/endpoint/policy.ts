import { unknownName } from '../options.ts'
import type { Customer } from '../token/claims.ts'
import { parseDuration } from '../token/lifetime.ts'
import type { Caller, Scope } from './auth/caller.ts'
import { refusal } from './http/problem.ts'

/** The body of a token request, not validated. */
export type TokenRequest = Readonly<Record<string, unknown>>

/** The token that a caller gets. Lifetimes are in seconds. */
export type Grant =
  | { readonly kind: 'customer'; readonly customer: Customer; readonly expiresIn: number }
  | { readonly kind: 'admin'; readonly expiresIn: number }

/** What the policy decides on. */
export interface PolicyInput {
  /** The kind of token that the route issues. */
  readonly kind: Scope
  readonly caller: Caller | null
  /** The query of the URL, if it has one. */
  readonly query: URLSearchParams | undefined
  /** Called only if the caller may get a token. */
  readonly readTokenRequest: () => Promise<TokenRequest>
}

export interface Policy {
  /** Lifetime of a token when none is requested. Seconds. */
  readonly defaultExpiresIn: number
  /** Seconds. */
  readonly maxExpiresIn: number
  /** The clock, in milliseconds since the epoch. */
  readonly now: () => number
}

/** Members that identify a customer. Sessions must not send them, and admin tokens have no customer. */
const IDENTITY_MEMBERS = ['id', 'name', 'fields', 'isAdmin']
const CUSTOMER_MEMBERS = ['id', 'name', 'fields', 'expiresIn']
const LIFETIME_MEMBERS = ['expiresIn']

/**
 * The access policy: who gets which token, and for how long.
 *
 * | caller | customer token | admin token |
 * |---|---|---|
 * | none | 401 | 401 |
 * | service | with the scope `customer`, for the customer in the body | with the scope `admin` |
 * | customer session | for that customer, until the session ends | 403 |
 *
 * @throws a {@link Refusal}, or `ERR_LIFETIME_INVALID` for an invalid `expiresIn`
 */
export async function decide(input: PolicyInput, policy: Policy): Promise<Grant> {
  const { caller } = input
  if (caller === null) {
    throw refusal('ERR_CREDENTIALS_MISSING', 'Send your credentials as: Authorization: Bearer <credentials>.')
  }
  return caller.kind === 'service'
    ? decideForService(caller, input, policy)
    : decideForSession(caller, input, policy)
}

async function decideForService(
  caller: Extract<Caller, { kind: 'service' }>,
  { kind, query, readTokenRequest }: PolicyInput,
  policy: Policy,
): Promise<Grant> {
  if (!caller.scopes.includes(kind)) throw forbidden(`This service lacks the scope "${kind}".`)
  const body = await readTokenRequest()
  const misplaced = query && [...IDENTITY_MEMBERS, ...LIFETIME_MEMBERS].find((name) => query.has(name))
  if (misplaced !== undefined) throw inQuery(misplaced)
  if (kind === 'admin') {
    const identity = IDENTITY_MEMBERS.find((name) => Object.hasOwn(body, name))
    if (identity !== undefined) {
      throw invalidBody(
        `An admin token is not tied to a customer: remove "${identity}", or post to the customer route.`,
      )
    }
    checkMembers(body, LIFETIME_MEMBERS)
    return { kind, expiresIn: grantedLifetime(body, policy, policy.maxExpiresIn) }
  }
  if (Object.keys(body).length === 0) {
    throw invalidBody(
      'Send the customer: POST with Content-Type: application/json and a body such as {"id": "customer-42"}.',
    )
  }
  checkMembers(body, CUSTOMER_MEMBERS)
  const { expiresIn: _, ...customer } = body
  const expiresIn = grantedLifetime(body, policy, policy.maxExpiresIn)
  // The signer validates the customer, so that every entry point rejects it with the same message.
  return { kind, customer: customer as Partial<Customer> as Customer, expiresIn }
}

async function decideForSession(
  caller: Extract<Caller, { kind: 'customer' }>,
  { kind, query, readTokenRequest }: PolicyInput,
  policy: Policy,
): Promise<Grant> {
  if (kind === 'admin') throw forbidden('Customer sessions cannot request admin tokens.')
  secondsLeft(caller.expiresAt, policy)
  const body = await readTokenRequest()
  const identity = IDENTITY_MEMBERS.find((name) => Object.hasOwn(body, name) || query?.has(name))
  if (identity !== undefined) {
    throw forbidden(`The session determines the customer; remove "${identity}" from the request.`)
  }
  if (query?.has('expiresIn')) throw inQuery('expiresIn')
  checkMembers(body, LIFETIME_MEMBERS)
  // Checked again, because reading the body takes time.
  const atMost = Math.min(policy.maxExpiresIn, secondsLeft(caller.expiresAt, policy))
  return { kind, customer: caller.customer, expiresIn: grantedLifetime(body, policy, atMost) }
}

function checkMembers(body: TokenRequest, known: readonly string[]): void {
  const unknown = Object.keys(body).find((name) => !known.includes(name))
  if (unknown !== undefined) throw invalidBody(unknownName('body member', unknown, known))
}

function secondsLeft(expiresAt: Date | undefined, { now }: Policy): number {
  if (expiresAt === undefined) return Number.POSITIVE_INFINITY
  const seconds = Math.floor((expiresAt.getTime() - now()) / 1000)
  if (seconds >= 1) return seconds
  throw refusal('ERR_CREDENTIALS_INVALID', 'The session has expired; sign in again.')
}

function grantedLifetime(body: TokenRequest, { defaultExpiresIn }: Policy, atMost: number): number {
  const requested = Object.hasOwn(body, 'expiresIn')
    ? parseDuration(body.expiresIn as number | string)
    : defaultExpiresIn
  return Math.min(requested, atMost)
}

/**
 * Checks that an authenticator resolved to a caller or `null`.
 *
 * @throws a plain error, which becomes a 500: anything else is a bug in the authenticator
 */
export function checkCaller(caller: Caller | null): Caller | null {
  if (caller === null) return null
  const isService =
    caller?.kind === 'service' && typeof caller.name === 'string' && Array.isArray(caller.scopes)
  const isCustomer =
    caller?.kind === 'customer' && typeof caller.customer === 'object' && caller.customer !== null
  if (isService || isCustomer) return caller
  throw new Error('The authenticator resolved to neither a caller nor null.')
}

function forbidden(detail: string): Error {
  return refusal('ERR_CALLER_FORBIDDEN', detail)
}

function invalidBody(detail: string): Error {
  return refusal('ERR_BODY_INVALID', detail)
}

function inQuery(name: string): Error {
  return refusal('ERR_QUERY_INVALID', `"${name}" belongs in the JSON body of a POST, not in the query.`)
}
