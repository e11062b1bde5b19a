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
import { bindClock, bindTolerance, checkObject, invalidOption } from '../../options.ts'
import { readBearer } from '../http/bearer.ts'
import type { Authenticator } from './caller.ts'
import { bindMapping, type ClaimMapping } from './claim-mapping.ts'
import { invalid, JWT_SHAPE, verifyProviderToken } from './id-token.ts'

/** What {@link sessionJwt} takes. One of `audience`, `authorizedParties` and `anyAudience` must be given. */
export interface SessionJwtOptions extends ClaimMapping {
  /** The identity provider: `iss` of its tokens to the letter, and where its metadata is found. */
  issuer: string
  /** Who the tokens are for (`aud`): your API, or your application. */
  audience?: string | readonly string[] | undefined
  /** To whom the tokens were given (`azp`), for providers that set no `aud`, such as Clerk. */
  authorizedParties?: readonly string[] | undefined
  /** Takes every token of the issuer, whomever it is for: only if the issuer serves nobody but you. */
  anyAudience?: boolean | undefined
  /** The keys, or their `https` URL. Default: discovered from the issuer (OpenID Connect Discovery). */
  jwks?: JSONWebKeySet | URL | undefined
  /** Default: every asymmetric algorithm of RFC 7518 that the keys fit. */
  algorithms?: Algorithm[] | undefined
  /** What `typ` in the header must be, such as `"at+jwt"` for access tokens (RFC 9068). Default: not looked at. */
  type?: string | undefined
  /** Seconds by which the provider's clock may differ. Default 5. */
  clockTolerance?: number | undefined
  /** The clock, in milliseconds since the epoch. Default `Date.now`. */
  now?: (() => number) | undefined
}

const DEFAULT_TOLERANCE = 5

/**
 * Knows your app's users by the session or access token of an OpenID Connect provider in `Authorization: Bearer …`.
 * They get the token of the customer that their claims name, and never one that outlives their session.
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
 * @example Organisations of Clerk
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
export function sessionJwt(options: SessionJwtOptions): Authenticator {
  checkObject(options)
  const { issuer, authorizedParties, anyAudience, type } = options
  const audiences = bindAudiences(options.audience)
  checkIssuer(issuer)
  if (authorizedParties !== undefined && !isNames(authorizedParties)) {
    throw invalidOption('authorizedParties must be a list of strings, or left out.')
  }
  if (!audiences && !authorizedParties && anyAudience !== true) {
    throw invalidOption(
      'Give audience or authorizedParties: without them, every app of the identity provider would get in. If that is meant, pass anyAudience: true.',
    )
  }
  if (type !== undefined && (typeof type !== 'string' || type === ''))
    throw invalidOption('type must be text, or left out.')
  if (typeof options.jwks === 'string')
    throw invalidOption('jwks must be a JWK set as an object, or its URL as new URL(…).')
  const now = bindClock(options.now)
  const clockTolerance = bindTolerance(options.clockTolerance, DEFAULT_TOLERANCE)
  const readCustomer = bindMapping(options, { customerId: 'sub', customerName: 'name' })
  const source = createSource(options, now)
  const rules = { source, issuer, audiences, now, clockTolerance, type }

  return async (request) => {
    const token = readBearer(request)
    if (token === undefined || !JWT_SHAPE.test(token)) return null
    const verified = await verifyProviderToken(token, rules)
    if (!verified) return null
    const { claims, expiresAt } = verified
    if (authorizedParties && !authorizedParties.includes(claims.azp as string)) {
      throw invalid('The token was given to another party (azp).')
    }
    const { sub } = claims
    if (typeof sub !== 'string' || sub === '') throw invalid('The token has no sub.')
    return { kind: 'customer', method: 'session', customer: readCustomer(claims), subject: sub, expiresAt }
  }
}

/** @throws `ERR_OPTION_INVALID` */
export function bindAudiences(audience: unknown): readonly string[] | undefined {
  if (audience === undefined) return undefined
  const audiences = typeof audience === 'string' ? [audience] : audience
  if (isNames(audiences)) return [...audiences]
  throw invalidOption('audience must be a string or a list of strings that are not empty.')
}

function isNames(value: unknown): value is readonly string[] {
  return (
    Array.isArray(value) && value.length > 0 && value.every((name) => typeof name === 'string' && name !== '')
  )
}

function checkIssuer(issuer: unknown): asserts issuer is string {
  const url = typeof issuer === 'string' && URL.canParse(issuer) ? new URL(issuer) : undefined
  if (!url || url.search || url.hash) {
    throw invalidOption(
      'issuer must be the URL that the tokens have as iss, such as https://example.eu.auth0.com/.',
    )
  }
  checkKeySetUrl(url)
}

function createSource({ issuer, jwks, algorithms }: SessionJwtOptions, now: () => number): KeySource {
  const allowed = pinAlgorithms(asymmetricAlgorithms(), undefined, bindAlgorithms(algorithms))
  if (jwks === undefined) return createCachedKeySet(() => discoverKeySet(issuer), allowed, now)
  if (Object.prototype.toString.call(jwks) === '[object URL]')
    return createRemoteKeySet(jwks as URL, allowed, now)
  let local: KeySource | undefined
  return {
    algorithms: allowed,
    find: async (algorithm, keyId) => {
      local ??= await importKeySet(jwks, allowed)
      return local.find(algorithm, keyId)
    },
  }
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
