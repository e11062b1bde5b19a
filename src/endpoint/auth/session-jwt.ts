import type { JSONWebKeySet } from 'jose'
import type { Algorithm } from '../../algorithms.ts'
import type { KeySetCache } from '../../jwks/cache.ts'
import { bindClock, bindTolerance, invalidOption, readOptions } from '../../options.ts'
import type { Caller, CredentialAuthenticator } from './caller.ts'
import { bindMapping, type ClaimMapping, MAPPING_OPTIONS } from './claim-mapping.ts'
import { BEARER_SOURCE, composeAuthenticator } from './credential-authenticator.ts'
import { type IdTokenRules, isNames, readAudiences, verifyIdToken } from './id-token.ts'
import { checkIssuer, checkJwks, createIssuerKeys } from './issuer-keys.ts'
import { checkRequiredScopes, checkUser, readRequiredScopes } from './session-rules.ts'

/** What {@link sessionJwt} takes. One of `audience`, `authorizedParties` and `anyAudience` must be given. */
export interface SessionJwtOptions extends ClaimMapping {
  /** The identity provider: exactly the `iss` of its tokens, and where its metadata is found. */
  issuer: string
  /** Who the tokens are for (`aud`): your API, or your application. */
  audience?: string | readonly string[] | undefined
  /**
   * To whom the tokens were issued (`azp`), for providers that set no `aud`, such as Clerk. Without `audience`, tokens
   * that have an `aud` are rejected, unless `anyAudience` is `true`.
   */
  authorizedParties?: readonly string[] | undefined
  /** Accepts every token of the issuer, regardless of audience: only if the issuer serves no other app. */
  anyAudience?: boolean | undefined
  /** The keys, or their `https` URL. Default: discovered from the issuer (OpenID Connect Discovery). */
  jwks?: JSONWebKeySet | URL | undefined
  /** Default: every asymmetric algorithm of RFC 7518 that fits the keys. */
  algorithms?: Algorithm[] | undefined
  /** What `typ` in the header must be, such as `"at+jwt"` (RFC 9068). Default: absent, `JWT` or `at+jwt`. */
  type?: string | undefined
  /** Scopes that a token must have, all of them: in `scope`, `scp` or `permissions`. Default: none. */
  requiredScopes?: readonly string[] | undefined
  /** Seconds by which the provider's clock may differ. Default 5. */
  clockTolerance?: number | undefined
  /** Where fetched key sets are shared with other processes or isolates. Default: nowhere. */
  keySetCache?: KeySetCache | undefined
  /** The clock, in milliseconds since the epoch. Default `Date.now`. */
  now?: (() => number) | undefined
}

const DEFAULT_TOLERANCE = 5

/**
 * Authenticates your app's users by the session or access token of an OpenID Connect provider, in
 * `Authorization: Bearer …`. They get the token of the customer that their claims name, and never one that outlives
 * their session.
 *
 * Tokens that are not sessions are rejected even if they are genuine: those with another `typ`, with `events` (logout
 * and security events), bound to a key by `cnf`, and those of clients without a user (`gty` of Auth0, `idtyp` of
 * Entra ID, or a client id as `sub`).
 *
 * @returns An authenticator that resolves to a customer, or to `null` where there is no JWT of this issuer
 * @throws `ERR_OPTION_INVALID` · `ERR_ALGORITHM_UNSUPPORTED` · `ERR_KEY_ALGORITHM_MISMATCH`
 *
 * @example Users of Auth0, each of whom is a customer
 *
 * ```ts
 * const authenticate = sessionJwt({ issuer: 'https://example.eu.auth0.com/', audience: 'https://api.example.com' })
 * ```
 *
 * @example Organizations of Clerk
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
      'Give audience or authorizedParties: without them, tokens for every app of the identity provider are accepted. If that is intended, pass anyAudience: true.',
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
    const subject = checkUser(claims)
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
