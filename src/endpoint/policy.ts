import type { Customer } from '../token/claims.ts'
import { parseDuration } from '../token/lifetime.ts'
import type { Caller, Scope } from './auth/caller.ts'
import { refusal } from './http/problem.ts'

/** What the body of the request asks for; nothing in it has been checked. */
export type Wishes = Readonly<Record<string, unknown>>

/** The token a caller gets. Lifetimes are in seconds. */
export type Grant =
  | { readonly kind: 'customer'; readonly customer: Customer; readonly expiresIn: number }
  | { readonly kind: 'admin'; readonly expiresIn: number }

export interface DecisionInput {
  readonly kind: Scope
  readonly caller: Caller | null
  /** The query of the URL, if it has one, in which a customer may say no more than in the body. */
  readonly query: URLSearchParams | undefined
  /** Read only for a caller who may have a token at all. */
  readonly readWishes: () => Promise<Wishes>
  /** The signer's own lifetime, for callers that wish none. Seconds. */
  readonly defaultExpiresIn: number
  /** Seconds. */
  readonly maxExpiresIn: number
  /** The clock, in milliseconds since the epoch. */
  readonly now: () => number
}

/** Members of the body that say whom a token is for, which a signed-in customer may not say. */
const IDENTITY_MEMBERS = ['id', 'name', 'fields', 'isAdmin']

/**
 * Decides who gets which token, and for how long: all of it, and nothing about HTTP.
 *
 * | caller | customer token | admin token |
 * |---|---|---|
 * | nobody | 401 | 401 |
 * | a service | with scope `customer`, for the customer it names | with scope `admin` |
 * | a signed-in customer | their own, until their session ends | 403 |
 *
 * @throws a {@link Refusal}, or `ERR_LIFETIME_INVALID` for a lifetime that cannot be read
 */
export async function decide(input: DecisionInput): Promise<Grant> {
  const { kind, caller, query, readWishes, maxExpiresIn } = input
  if (caller === null) {
    throw refusal('ERR_CREDENTIALS_MISSING', 'Send your credentials as: Authorization: Bearer <credentials>.')
  }

  if (caller.kind === 'service') {
    if (!caller.scopes.includes(kind)) throw forbidden(`This service lacks the scope "${kind}".`)
    const wishes = await readWishes()
    const expiresIn = decideLifetime(wishes, input, maxExpiresIn)
    // The signer checks what the claims hold, so that both speak of it in the same words.
    return kind === 'admin' ? { kind, expiresIn } : { kind, customer: pickCustomer(wishes), expiresIn }
  }

  if (kind === 'admin') throw forbidden("A customer's session gets no admin token.")
  secondsLeft(caller.expiresAt, input)
  const wishes = await readWishes()
  const claimed = IDENTITY_MEMBERS.find((member) => Object.hasOwn(wishes, member) || query?.has(member))
  if (claimed !== undefined) {
    throw forbidden(`The session says whom the token is for; leave "${claimed}" out of the request.`)
  }
  // Once more, since a body may take its time.
  const atMost = Math.min(maxExpiresIn, secondsLeft(caller.expiresAt, input))
  return { kind, customer: caller.customer, expiresIn: decideLifetime(wishes, input, atMost) }
}

function secondsLeft(expiresAt: Date | undefined, { now }: DecisionInput): number {
  if (expiresAt === undefined) return Number.POSITIVE_INFINITY
  const seconds = Math.floor((expiresAt.getTime() - now()) / 1000)
  if (seconds >= 1) return seconds
  throw refusal('ERR_CREDENTIALS_INVALID', 'The session has ended; sign in again.')
}

/**
 * What an authenticator gave must be a caller, or nobody. One that is neither would be taken for something it is not.
 *
 * @throws a bare error, for it is the authenticator's fault, and the caller learns nothing of it
 */
export function checkCaller(caller: Caller | null): Caller | null {
  if (caller === null) return null
  const isService =
    caller?.kind === 'service' && typeof caller.name === 'string' && Array.isArray(caller.scopes)
  const isCustomer =
    caller?.kind === 'customer' && typeof caller.customer === 'object' && caller.customer !== null
  if (isService || isCustomer) return caller
  throw new Error('The authenticator gave neither a caller nor null.')
}

function decideLifetime(wishes: Wishes, { defaultExpiresIn }: DecisionInput, atMost: number): number {
  const wish = Object.hasOwn(wishes, 'expiresIn')
    ? parseDuration(wishes.expiresIn as number | string)
    : defaultExpiresIn
  return Math.min(wish, atMost)
}

function pickCustomer(wishes: Wishes): Customer {
  const customer: Record<string, unknown> = {}
  for (const member of ['id', 'name', 'fields']) {
    if (Object.hasOwn(wishes, member)) customer[member] = wishes[member]
  }
  return customer as unknown as Customer
}

function forbidden(detail: string): Error {
  return refusal('ERR_CALLER_FORBIDDEN', detail)
}
