import type { JSONWebKeySet } from 'jose'
import type { Algorithm } from '../../algorithms.ts'
import type { KeySetCache } from '../../jwks/cache.ts'
import { bindClock, bindTolerance, invalidOption, readOptions } from '../../options.ts'
import type { Caller, CredentialAuthenticator } from './caller.ts'
import { bindMapping, type ClaimMapping, MAPPING_OPTIONS } from './claim-mapping.ts'
import { BEARER_SOURCE, composeAuthenticator } from './credential-authenticator.ts'
import { type IdTokenRules, isNames, readAudiences, verifyIdToken } from './id-token.ts'
import { checkIssuer, checkJwks, createIssuerKeys } from './issuer-keys.ts'
import { checkRequiredScopes, readRequiredScopes, readUserId } from './session-rules.ts'

/** Options of {@link sessionJwt}. One of `audience`, `authorizedParties` and `anyAudience` is required. */
export interface SessionJwtOptions extends ClaimMapping {
  /** The identity provider: exactly the `iss` of its tokens. Its metadata is discovered from this URL. */
  issuer: string
  /** Accepted audience (`aud`) of the tokens: your API or your application. */
  audience?: string | readonly string[] | undefined
  /**
   * Accepted authorized parties (`azp`), for identity providers that set no `aud`, such as Clerk. Without `audience`,
   * tokens with an `aud` are rejected, unless `anyAudience` is `true`.
   */
  authorizedParties?: readonly string[] | undefined
  /** Accepts every token of the issuer, regardless of audience. Use it only if the issuer serves no other app. */
  anyAudience?: boolean | undefined
  /** The keys, or their `https` URL. Default: discovered from the issuer (OpenID Connect Discovery). */
  jwks?: JSONWebKeySet | URL | undefined
  /** Accepted algorithms. Default: every asymmetric algorithm of RFC 7518 that fits the keys. */
  algorithms?: Algorithm[] | undefined
  /** Required `typ` in the header, such as `"at+jwt"` (RFC 9068). Default: absent, `JWT` or `at+jwt`. */
  type?: string | undefined
  /** Scopes that every token must have, in `scope`, `scp` or `permissions`. Default: none. */
  requiredScopes?: readonly string[] | undefined
  /** Tolerated clock difference from the identity provider, in seconds. Default 5. */
  clockTolerance?: number | undefined
  /** Shares fetched key sets with other processes or isolates. Default: not shared. */
  keySetCache?: KeySetCache | undefined
  /** The clock, in milliseconds since the epoch. Default `Date.now`. */
  now?: (() => number) | undefined
}

const DEFAULT_TOLERANCE = 5

/**
 * Authenticates your app's users by a session or access token from an OpenID Connect identity provider, in
 * `Authorization: Bearer …`. The claims determine the customer, and no Membrane token outlives the session.
 *
 * Valid tokens that are not sessions are rejected: those with another `typ`, with `events` (logout and security
 * events), bound to a key by `cnf`, or issued to a client without a user (`gty` at Auth0, `idtyp` at Entra ID, a
 * service account at Keycloak, or a client id as `sub`).
 *
 * @returns An authenticator that resolves to a customer, or to `null` if the request has no JWT of this issuer. It
 *   rejects with `ERR_CREDENTIALS_INVALID`, `ERR_CREDENTIALS_AMBIGUOUS`, `ERR_CALLER_FORBIDDEN` (no valid customer id,
 *   or a missing scope) or `ERR_JWKS_UNAVAILABLE`.
 * @throws `ERR_OPTION_INVALID` · `ERR_ALGORITHM_UNSUPPORTED` · `ERR_KEY_ALGORITHM_MISMATCH`
 *
 * @example Auth0, with users as customers
 *
 * ```ts
 * const authenticate = sessionJwt({ issuer: 'https://example.eu.auth0.com/', audience: 'https://api.example.com' })
 * ```
 *
 * @example Clerk, with organizations as customers
 *
 * ```ts
 * const authenticate = sessionJwt({
 *   issuer: 'https://clerk.example.com',
 *   authorizedParties: ['https://app.example.com'],
 *   customerId: 'o.id',
 *   fields: ['o.slg'],
 * })
 * ```
 */
export function sessionJwt(options: SessionJwtOptions): CredentialAuthenticator {
  const given = readOptions(options, [
    'issuer',
    'audience',
    'authorizedParties',
    'anyAudience',
    'jwks',
    'algorithms',
    'type',
    'requiredScopes',
    'clockTolerance',
    'keySetCache',
    'now',
    ...MAPPING_OPTIONS,
  ])
  const { issuer, authorizedParties, anyAudience, type } = given
  const audiences = readAudiences(given.audience)
  checkIssuer(issuer)
  checkJwks(given.jwks)
  if (authorizedParties !== undefined && !isNames(authorizedParties))
    throw invalidOption('authorizedParties must be a list of non-empty strings.', 'authorizedParties')
  if (!audiences && !authorizedParties && anyAudience !== true) {
    throw invalidOption(
      'Pass audience or authorizedParties: without them, tokens for every app of the identity provider are accepted. If that is intended, pass anyAudience: true.',
      'audience',
    )
  }
  if (type !== undefined && (typeof type !== 'string' || type === ''))
    throw invalidOption('type must be a non-empty string, such as "at+jwt".', 'type')
  const requiredScopes = readRequiredScopes(given.requiredScopes)
  const now = bindClock(given.now)
  const clockTolerance = bindTolerance(given.clockTolerance, DEFAULT_TOLERANCE)
  const readCustomer = bindMapping(given, { customerId: 'sub', customerName: 'name', trustEmail: false })
  const { source, dependencies } = createIssuerKeys({ ...given, now })
  const rules: IdTokenRules = {
    source,
    issuer,
    audiences,
    authorizedParties: authorizedParties && [...authorizedParties],
    anyAudience,
    type,
    now,
    clockTolerance,
  }

  const verify = async (token: string, context?: object): Promise<Caller | null> => {
    const verified = await verifyIdToken(token, rules, context)
    if (!verified) return null
    const { claims, expiresAt } = verified
    const subject = readUserId(claims)
    checkRequiredScopes(claims, requiredScopes)
    return { kind: 'customer', method: 'session', customer: readCustomer(claims), subject, expiresAt }
  }

  return composeAuthenticator([
    {
      source: BEARER_SOURCE,
      accepts: [{ issuer, audiences }],
      dependencies,
      verify: async (credential, context) =>
        credential.kind === 'bearer' ? verify(credential.token, context) : null,
    },
  ])
}
