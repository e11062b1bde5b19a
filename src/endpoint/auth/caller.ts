import { invalidOption } from '../../options.ts'
import type { Customer } from '../../token/claims.ts'

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
 *
 * @param context What the runtime passes beside the request, such as the `ExecutionContext` of a Worker
 */
export type Authenticator = (request: Request, context?: object) => Promise<Caller | null>

/** Credentials, wherever they were found: in a header, or in the body of a token request. */
export type Credential =
  /** A token of an identity provider, an assertion of Cloudflare Access, or an API key. */
  | { readonly kind: 'bearer'; readonly token: string }
  /** A client of OAuth with its secret (RFC 6749 section 2.3.1): an API key by its name. */
  | { readonly kind: 'client'; readonly name: string; readonly secret: string }

/** Something outside this process that an authenticator or a signer needs, such as a key set. */
export interface Dependency {
  /** What it is, such as the URL of a key set; named when it cannot be reached. */
  readonly name: string
  /** Rejects while it cannot be reached. */
  check(context?: object): Promise<void>
}

/**
 * What the built-in authenticators are: extraction, as a function of a request, and verification of what was
 * extracted, so that `/oauth/token` needs no made-up request.
 */
export interface CredentialAuthenticator extends Authenticator {
  /** Verifies one credential. `null` if it is of another kind, or of another issuer. */
  verify(credential: Credential, context?: object): Promise<Caller | null>
  readonly dependencies: readonly Dependency[]
}

const SCOPES: readonly unknown[] = ['customer', 'admin'] satisfies Scope[]

/** A list of scopes, copied. @throws `ERR_OPTION_INVALID` */
export function checkScopes(scopes: unknown): Scope[] {
  if (Array.isArray(scopes) && scopes.length > 0 && scopes.every((scope) => SCOPES.includes(scope)))
    return [...scopes]
  throw invalidOption('Scopes must be a list of "customer", "admin", or both.')
}
