import type { Customer } from '../claims.ts'
import { invalidOption } from '../options.ts'

/** What kind of token a caller may ask for. */
export type Scope = 'customer' | 'admin'

/** Who sent the request. */
export type Caller =
  /** Somebody signed in to your app: only ever gets the token of the customer they belong to. */
  | {
      readonly kind: 'customer'
      readonly customer: Customer
      /** Who they are to the identity provider. */
      readonly subject: string
      /** The end of their session; no token outlives it. */
      readonly expiresAt?: Date | undefined
      /** How they were recognised, for the audit. */
      readonly method?: string | undefined
    }
  /** One of your servers: names the customer in the request's body. */
  | {
      readonly kind: 'service'
      readonly name: string
      readonly scopes: readonly Scope[]
      /** How it was recognised, for the audit. */
      readonly method?: string | undefined
    }

/**
 * Finds out who sent a request.
 *
 * It resolves to `null` when the request carries no credentials of its kind, and throws a
 * {@link refusal | refusal('ERR_CREDENTIALS_INVALID', …)} when it carries bad ones.
 */
export type Authenticator = (request: Request) => Promise<Caller | null>

const SCOPES: readonly unknown[] = ['customer', 'admin'] satisfies Scope[]

/** A list of scopes, copied. @throws `ERR_OPTION_INVALID` */
export function checkScopes(scopes: unknown): Scope[] {
  if (Array.isArray(scopes) && scopes.length > 0 && scopes.every((scope) => SCOPES.includes(scope)))
    return [...scopes]
  throw invalidOption('Scopes must be a list of "customer", "admin", or both.')
}
