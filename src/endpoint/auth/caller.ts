import { invalidOption } from '../../options.ts'
import type { Customer } from '../../token/claims.ts'

/** Which kind of token a caller may request. */
export type Scope = 'customer' | 'admin'

/** Who sent the request. */
export type Caller =
  /** A user signed in to your app. Gets tokens only for their customer. */
  | {
      readonly kind: 'customer'
      readonly customer: Customer
      /** The user's id at the identity provider. */
      readonly subject: string
      /** When the session expires. Tokens expire no later. */
      readonly expiresAt?: Date | undefined
      /** How the user was authenticated, for the audit log. */
      readonly method?: string | undefined
    }
  /** One of your servers or jobs. Sends the customer in the request body. */
  | {
      readonly kind: 'service'
      readonly name: string
      readonly scopes: readonly Scope[]
      /** How the service was authenticated, for the audit log. */
      readonly method?: string | undefined
      /** The job or instance, for the audit log: the `sub` of a workload's token. */
      readonly subject?: string | undefined
    }

/**
 * Authenticates requests.
 *
 * It resolves to `null` if the request has no credentials of its kind, and throws
 * {@link refusal | refusal('ERR_CREDENTIALS_INVALID', …)} if they are invalid. Any other error becomes a 500.
 *
 * @param context The second argument of the request handler, such as the `ExecutionContext` of a Worker
 */
export type Authenticator = (request: Request, context?: object) => Promise<Caller | null>

/** A credential from a header, or from the body of a token request. */
export type Credential =
  /** A token from an identity provider, a Cloudflare Access JWT, or an API key. */
  | { readonly kind: 'bearer'; readonly token: string }
  /** An OAuth client id and secret (RFC 6749 section 2.3.1): the name of an API key, and the key. */
  | { readonly kind: 'client'; readonly name: string; readonly secret: string }

/** An external service that an authenticator depends on, such as a remote key set. */
export interface Dependency {
  /** Its name, such as the URL of a key set; reported while it is unreachable. */
  readonly name: string
  /** Rejects while it is unreachable. */
  check(context?: object): Promise<void>
  /** Whether callers can be served while it is unreachable, for example with cached keys. Default: no. */
  isUsable?(): boolean
}

/**
 * An authenticator that can also verify a credential without a request, such as one from the body of `/oauth/token`.
 * All built-in authenticators are of this type.
 */
export interface CredentialAuthenticator extends Authenticator {
  /**
   * Verifies one credential.
   *
   * @returns `null` if it is of another kind, or from another issuer
   * @throws a {@link Refusal} if it is invalid, or cannot be verified now
   */
  verify(credential: Credential, context?: object): Promise<Caller | null>
  /** External services that verification depends on, without duplicates. */
  readonly dependencies: readonly Dependency[]
  /** The authenticators that `oneOf` combines. */
  readonly parts?: readonly Authenticator[] | undefined
}

const SCOPES: readonly unknown[] = ['customer', 'admin'] satisfies Scope[]

/** Validates and copies a list of scopes. @throws `ERR_OPTION_INVALID` */
export function readScopes(scopes: unknown, option: string, mayBeEmpty = false): Scope[] {
  const isList = Array.isArray(scopes) && (mayBeEmpty || scopes.length > 0)
  if (isList && scopes.every((scope) => SCOPES.includes(scope))) return [...scopes]
  throw invalidOption(
    `${option} must be a list of "customer" and "admin"${mayBeEmpty ? ', or an empty list' : ''}.`,
    option,
  )
}
