import { invalidOption } from '../../options.ts'
import type { Customer } from '../../token/claims.ts'

/** Which kind of token a caller may request. */
export type Scope = 'customer' | 'admin'

/** Who sent the request. */
export type Caller =
  /** A user signed in to your app: only ever gets the token of the customer they belong to. */
  | {
      readonly kind: 'customer'
      readonly customer: Customer
      /** The user's id at the identity provider. */
      readonly subject: string
      /** The end of their session; no token outlives it. */
      readonly expiresAt?: Date | undefined
      /** How they were authenticated, for the audit. */
      readonly method?: string | undefined
    }
  /** One of your servers or jobs: names the customer in the request's body. */
  | {
      readonly kind: 'service'
      readonly name: string
      readonly scopes: readonly Scope[]
      /** How it was authenticated, for the audit. */
      readonly method?: string | undefined
      /** Which run or instance of the service it was, for the audit: the `sub` of a workload's token. */
      readonly subject?: string | undefined
    }

/**
 * Authenticates requests.
 *
 * It resolves to `null` when the request carries no credentials of its kind, and throws a
 * {@link refusal | refusal('ERR_CREDENTIALS_INVALID', …)} when it carries bad ones.
 *
 * @param context What the runtime passes beside the request, such as the `ExecutionContext` of a Worker
 */
export type Authenticator = (request: Request, context?: object) => Promise<Caller | null>

/** A credential, wherever it was found: in a header, or in the body of a token request. */
export type Credential =
  /** A token of an identity provider, an assertion of Cloudflare Access, or an API key. */
  | { readonly kind: 'bearer'; readonly token: string }
  /** An OAuth client with its secret (RFC 6749 section 2.3.1): the name of an API key, and the key. */
  | { readonly kind: 'client'; readonly name: string; readonly secret: string }

/** Something outside this process that an authenticator or a signer needs, such as a key set. */
export interface Dependency {
  /** What it is, such as the URL of a key set; reported while it is unreachable. */
  readonly name: string
  /** Rejects while it is unreachable. */
  check(context?: object): Promise<void>
  /** Whether callers can be served while it cannot be reached, as with keys that are still known. Default: no. */
  isUsable?(): boolean
}

/**
 * What the built-in authenticators are: extraction, as a function of a request, and verification of what was
 * extracted. So a credential that arrives in another way, as at `/oauth/token`, is verified without a request.
 */
export interface CredentialAuthenticator extends Authenticator {
  /**
   * Verifies one credential.
   *
   * @returns `null` if it is of another kind, or of another issuer
   * @throws a {@link Refusal} if it is of this kind and not valid
   */
  verify(credential: Credential, context?: object): Promise<Caller | null>
  /** What verification depends on, each once. */
  readonly dependencies: readonly Dependency[]
  /** The authenticators this one is made of, for `oneOf`. */
  readonly parts?: readonly Authenticator[] | undefined
}

const SCOPES: readonly unknown[] = ['customer', 'admin'] satisfies Scope[]

/** A list of scopes, copied. @throws `ERR_OPTION_INVALID` */
export function readScopes(scopes: unknown, option: string, mayBeEmpty = false): Scope[] {
  const isList = Array.isArray(scopes) && (mayBeEmpty || scopes.length > 0)
  if (isList && scopes.every((scope) => SCOPES.includes(scope))) return [...scopes]
  throw invalidOption(
    `${option} must be a list of "customer" and "admin"${mayBeEmpty ? ', or an empty list' : ''}.`,
    option,
  )
}
