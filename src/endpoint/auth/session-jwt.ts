import type { JSONWebKeySet } from 'jose'
import type { Algorithm } from '../../algorithms.ts'
import { MembraneTokenError } from '../../errors.ts'
import { asymmetricAlgorithms, importKeySet } from '../../jwks/key-set.ts'
import {
  checkKeySetUrl,
  createCachedKeySet,
  createRemoteKeySet,
  fetchJson,
  isKeySetUrl,
} from '../../jwks/remote-key-set.ts'
import type { KeySource } from '../../jws/verify.ts'
import { bindAlgorithms } from '../../keys/import.ts'
import { pinAlgorithms } from '../../keys/public-key.ts'
import { bindClock, bindTolerance, invalidOption, readOptions } from '../../options.ts'
import type { Caller, CredentialAuthenticator, Dependency } from './caller.ts'
import { bindMapping, type ClaimMapping, MAPPING_OPTIONS } from './claim-mapping.ts'
import { BEARER_SOURCE, composeAuthenticator } from './credential-authenticator.ts'
import { type IdTokenRules, isNames, readAudiences, verifyIdToken } from './id-token.ts'
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
  /** The clock, in milliseconds since the epoch. Default `Date.now`. */
  now?: (() => number) | undefined
}

const DEFAULT_TOLERANCE = 5

/**
 * Authenticates your app's users by the session or access token of an OpenID Connect provider, in
 * `Authorization: Bearer …`. They get the token of the customer that their claims name, and never one that outlives
 * their session.
 *
 * Tokens that are no sessions are rejected even if they are genuine: those with another `typ`, with `events` (logout
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
    'now',
    ...MAPPING_OPTIONS,
  ])
  const { issuer, authorizedParties, anyAudience, type } = given
  const audiences = readAudiences(given.audience)
  checkIssuer(issuer)
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
  if (typeof given.jwks === 'string')
    throw invalidOption('jwks must be a JWK set as an object, or its URL as new URL(…).', 'jwks')
  const requiredScopes = readRequiredScopes(given.requiredScopes)
  const now = bindClock(given.now)
  const clockTolerance = bindTolerance(given.clockTolerance, DEFAULT_TOLERANCE)
  const readCustomer = bindMapping(given, { customerId: 'sub', customerName: 'name', trustEmail: false })
  const { source, dependencies } = createSource(given, now)
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

  const verify = async (token: string): Promise<Caller | null> => {
    const verified = await verifyIdToken(token, rules)
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
      verify: async (credential) => (credential.kind === 'bearer' ? verify(credential.token) : null),
    },
  ])
}

function checkIssuer(issuer: unknown): asserts issuer is string {
  const url = typeof issuer === 'string' && URL.canParse(issuer) ? new URL(issuer) : undefined
  if (!url || url.search || url.hash) {
    throw invalidOption(
      'issuer must be the URL that the tokens have as iss, such as https://example.eu.auth0.com/.',
      'issuer',
    )
  }
  checkKeySetUrl(url)
}

/** The keys of an issuer, and what they depend on. */
function createSource(
  { issuer, jwks, algorithms }: SessionJwtOptions,
  now: () => number,
): { readonly source: KeySource; readonly dependencies: readonly Dependency[] } {
  const allowed = pinAlgorithms(asymmetricAlgorithms(), undefined, bindAlgorithms(algorithms))
  const fetched = (source: KeySource, name: string, load: () => Promise<unknown>) => ({
    source,
    dependencies: [{ name, check: async () => void (await load()) }],
  })
  if (jwks === undefined) {
    const load = () => discoverKeySet(issuer)
    return fetched(createCachedKeySet(load, allowed, now), issuer, load)
  }
  if (Object.prototype.toString.call(jwks) === '[object URL]') {
    const { href } = jwks as URL
    return fetched(createRemoteKeySet(jwks as URL, allowed, now), href, () => fetchJson(href))
  }
  let local: KeySource | undefined
  const source: KeySource = {
    algorithms: allowed,
    find: async (algorithm, keyId) => {
      local ??= await importKeySet(jwks, allowed)
      return local.find(algorithm, keyId)
    },
  }
  return { source, dependencies: [] }
}

// Only an issuer on this machine may send us to this machine.
function isDowngrade(issuer: string, url: URL): boolean {
  return url.protocol === 'http:' && new URL(issuer).protocol !== 'http:'
}

/** OpenID Connect Discovery 1.0 section 4. @throws `ERR_JWKS_UNAVAILABLE` */
async function discoverKeySet(issuer: string): Promise<unknown> {
  const metadata = (await fetchJson(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`)) as {
    issuer?: unknown
    jwks_uri?: unknown
  } | null
  const uri = metadata?.jwks_uri
  const url = typeof uri === 'string' && URL.canParse(uri) ? new URL(uri) : undefined
  if (metadata?.issuer !== issuer || !url || !isKeySetUrl(url) || isDowngrade(issuer, url)) {
    throw new MembraneTokenError(
      'ERR_JWKS_UNAVAILABLE',
      'The metadata of the identity provider names another issuer, or no jwks_uri that is https; is the issuer spelled to the letter, its last slash included?',
    )
  }
  return fetchJson(url.href)
}
