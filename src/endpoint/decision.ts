import type { Customer } from '../claims.ts'
import { parseDuration } from '../lifetime.ts'
import type { Caller, Scope } from './caller.ts'
import { refusal } from './problem.ts'

/** What the body of the request asks for; nothing in it has been checked. */
export type Wishes = Readonly<Record<string, unknown>>

/** The token a caller gets. Lifetimes are in seconds. */
export interface Grant {
  /** Absent for an admin token. */
  readonly customer?: Customer
  /** The lifetime that was asked for; absent: the signer's own. */
  readonly expiresIn?: number
  /** What the lifetime may not exceed, the signer's own included. */
  readonly atMost: number
}

export interface DecisionInput {
  readonly kind: Scope
  readonly caller: Caller | null
  /** Read only for a caller who may have a token at all. */
  readonly readWishes: () => Promise<Wishes>
  /** Seconds. */
  readonly maxExpiresIn: number
  /** Milliseconds since the epoch. */
  readonly now: number
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
export async function decide({ kind, caller, readWishes, maxExpiresIn, now }: DecisionInput): Promise<Grant> {
  if (caller === null) {
    throw refusal('ERR_CREDENTIALS_MISSING', 'Send your credentials as: Authorization: Bearer <credentials>.')
  }

  if (caller.kind === 'service') {
    if (!caller.scopes.includes(kind)) throw forbidden(`This API key lacks the scope "${kind}".`)
    const wishes = await readWishes()
    const lifetime = decideLifetime(wishes, maxExpiresIn)
    // The signer checks what the claims hold, so that both speak of it in the same words.
    return kind === 'admin' ? lifetime : { customer: pickCustomer(wishes), ...lifetime }
  }

  if (kind === 'admin') throw forbidden('A customer’s session gets no admin token.')
  const sessionSeconds = caller.expiresAt
    ? Math.floor((caller.expiresAt.getTime() - now) / 1000)
    : maxExpiresIn
  if (sessionSeconds < 1) throw refusal('ERR_CREDENTIALS_INVALID', 'The session has ended; sign in again.')
  const wishes = await readWishes()
  const claimed = IDENTITY_MEMBERS.find((member) => Object.hasOwn(wishes, member))
  if (claimed !== undefined) {
    throw forbidden(`The session says whom the token is for; leave "${claimed}" out of the request.`)
  }
  return { customer: caller.customer, ...decideLifetime(wishes, Math.min(maxExpiresIn, sessionSeconds)) }
}

function decideLifetime(wishes: Wishes, atMost: number): Pick<Grant, 'expiresIn' | 'atMost'> {
  if (!Object.hasOwn(wishes, 'expiresIn')) return { atMost }
  return { atMost, expiresIn: Math.min(parseDuration(wishes.expiresIn as number | string), atMost) }
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
