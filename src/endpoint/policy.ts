import { unknownName } from '../options.ts'
import type { Customer } from '../token/claims.ts'
import { parseDuration } from '../token/lifetime.ts'
import type { Caller, Scope } from './auth/caller.ts'
import { refusal } from './http/problem.ts'

/** What a request asks for; nothing in it has been checked. */
export type TokenRequest = Readonly<Record<string, unknown>>

/** What a caller is granted. Lifetimes are in seconds. */
export type Grant =
  | { readonly kind: 'customer'; readonly customer: Customer; readonly expiresIn: number }
  | { readonly kind: 'admin'; readonly expiresIn: number }

export interface Application {
  readonly kind: Scope
  readonly caller: Caller | null
  /** The query of the URL, if it has one. */
  readonly query: URLSearchParams | undefined
  /** Called only for a caller who may have a token at all. */
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

/** Members that identify the customer: a session must not send them, and an admin token has none. */
const IDENTITY_MEMBERS = ['id', 'name', 'fields', 'isAdmin']
const CUSTOMER_MEMBERS = ['id', 'name', 'fields', 'expiresIn']
const LIFETIME_MEMBERS = ['expiresIn']

/**
 * The whole access policy, independent of HTTP: who gets which token, and for how long.
 *
 * | caller | customer token | admin token |
 * |---|---|---|
 * | nobody | 401 | 401 |
 * | a service | with scope `customer`, for the customer it names | with scope `admin` |
 * | a signed-in customer | their own, until their session ends | 403 |
 *
 * @throws a {@link Refusal}, or `ERR_LIFETIME_INVALID` for a lifetime that cannot be read
 */
export async function decide(application: Application, policy: Policy): Promise<Grant> {
  const { caller } = application
  if (caller === null) {
    throw refusal('ERR_CREDENTIALS_MISSING', 'Send your credentials as: Authorization: Bearer <credentials>.')
  }
  return caller.kind === 'service'
    ? decideForService(caller, application, policy)
    : decideForSession(caller, application, policy)
}

async function decideForService(
  caller: Extract<Caller, { kind: 'service' }>,
  { kind, query, readTokenRequest }: Application,
  policy: Policy,
): Promise<Grant> {
  if (!caller.scopes.includes(kind)) throw forbidden(`This service lacks the scope "${kind}".`)
  const asked = await readTokenRequest()
  const misplaced = query && [...IDENTITY_MEMBERS, ...LIFETIME_MEMBERS].find((name) => query.has(name))
  if (misplaced !== undefined) throw inQuery(misplaced)
  if (kind === 'admin') {
    const identity = IDENTITY_MEMBERS.find((name) => Object.hasOwn(asked, name))
    if (identity !== undefined) {
      throw invalidBody(
        `An admin token is not tied to a customer: remove "${identity}", or post to the customer route.`,
      )
    }
    checkMembers(asked, LIFETIME_MEMBERS)
    return { kind, expiresIn: grantedLifetime(asked, policy, policy.maxExpiresIn) }
  }
  if (Object.keys(asked).length === 0) {
    throw invalidBody(
      'A service names the customer: send POST with Content-Type: application/json and a body such as {"id": "customer-42"}.',
    )
  }
  checkMembers(asked, CUSTOMER_MEMBERS)
  const { expiresIn: _, ...customer } = asked
  const expiresIn = grantedLifetime(asked, policy, policy.maxExpiresIn)
  // The signer checks the members, so that every entry point rejects them with the same message.
  return { kind, customer: customer as Partial<Customer> as Customer, expiresIn }
}

async function decideForSession(
  caller: Extract<Caller, { kind: 'customer' }>,
  { kind, query, readTokenRequest }: Application,
  policy: Policy,
): Promise<Grant> {
  if (kind === 'admin') throw forbidden('Customer sessions cannot request admin tokens.')
  secondsLeft(caller.expiresAt, policy)
  const asked = await readTokenRequest()
  const identity = IDENTITY_MEMBERS.find((name) => Object.hasOwn(asked, name) || query?.has(name))
  if (identity !== undefined) {
    throw forbidden(`The session determines whom the token is for; remove "${identity}" from the request.`)
  }
  if (query?.has('expiresIn')) throw inQuery('expiresIn')
  checkMembers(asked, LIFETIME_MEMBERS)
  // Checked again, because the body may have arrived slowly.
  const atMost = Math.min(policy.maxExpiresIn, secondsLeft(caller.expiresAt, policy))
  return { kind, customer: caller.customer, expiresIn: grantedLifetime(asked, policy, atMost) }
}

function checkMembers(asked: TokenRequest, known: readonly string[]): void {
  const unknown = Object.keys(asked).find((name) => !known.includes(name))
  if (unknown !== undefined) throw invalidBody(unknownName('body member', unknown, known))
}

function secondsLeft(expiresAt: Date | undefined, { now }: Policy): number {
  if (expiresAt === undefined) return Number.POSITIVE_INFINITY
  const seconds = Math.floor((expiresAt.getTime() - now()) / 1000)
  if (seconds >= 1) return seconds
  throw refusal('ERR_CREDENTIALS_INVALID', 'The session has expired; sign in again.')
}

function grantedLifetime(asked: TokenRequest, { defaultExpiresIn }: Policy, atMost: number): number {
  const requested = Object.hasOwn(asked, 'expiresIn')
    ? parseDuration(asked.expiresIn as number | string)
    : defaultExpiresIn
  return Math.min(requested, atMost)
}

/**
 * What an authenticator resolves to must be a caller or `null`. Anything else could be mistaken for a caller it is not.
 *
 * @throws a plain error: it is a bug in the authenticator, whose details are not for the caller
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
