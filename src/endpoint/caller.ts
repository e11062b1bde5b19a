import type { Customer } from '../claims.ts'

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
    }
  /** One of your servers: names the customer in the request's body. */
  | { readonly kind: 'service'; readonly name: string; readonly scopes: readonly Scope[] }

/**
 * Finds out who sent a request.
 *
 * It resolves to `null` when the request carries no credentials of its kind, and throws a
 * {@link refusal | refusal('ERR_CREDENTIALS_INVALID', …)} when it carries bad ones.
 */
export type Authenticator = (request: Request) => Promise<Caller | null>
