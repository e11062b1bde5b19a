import type { KeySetCache } from '../../jwks/cache.ts'
import { createRemoteKeySet } from '../../jwks/remote-key-set.ts'
import { bindClock, bindTolerance, invalidOption, readOptions } from '../../options.ts'
import { type Caller, type CredentialAuthenticator, readScopes, type Scope } from './caller.ts'
import { bindMapping, type ClaimMapping, MAPPING_OPTIONS } from './claim-mapping.ts'
import { ACCESS_SOURCE, composeAuthenticator } from './credential-authenticator.ts'
import { invalid, readAudiences, verifyIdToken } from './id-token.ts'

/** Options of {@link cloudflareAccess}. */
export interface CloudflareAccessOptions extends ClaimMapping {
  /** The team's name, or its domain: `example` or `example.cloudflareaccess.com`. */
  teamDomain: string
  /** The AUD tag of the Access application. */
  audience: string | readonly string[]
  /** Which tokens may be requested with a service token of Access; `[]`: none. Default `["customer"]`. */
  serviceScopes?: readonly Scope[] | undefined
  /** Tolerated clock difference from Cloudflare, in seconds. Default 5. */
  clockTolerance?: number | undefined
  /** Shares fetched key sets with other processes or isolates. Default: not shared. */
  keySetCache?: KeySetCache | undefined
  /** The clock, in milliseconds since the epoch. Default `Date.now`. */
  now?: (() => number) | undefined
}

const DEFAULT_TOLERANCE = 5

/**
 * Authenticates requests that pass through Cloudflare Access, by the JWT that Access adds as `Cf-Access-Jwt-Assertion`.
 * The cookie with the same JWT is ignored, because browsers also send it with requests from other sites.
 *
 * Users are customers, with their e-mail address as name. Service tokens (`sub` is `""`, no `email`, a `common_name`)
 * are services. `trustEmail` is on by default: Access takes addresses from your identity provider or verifies them.
 *
 * @returns An authenticator that resolves to a customer, to a service, or to `null` if there is no assertion. It
 *   rejects with `ERR_CREDENTIALS_INVALID`, `ERR_CREDENTIALS_AMBIGUOUS`, `ERR_CALLER_FORBIDDEN` or
 *   `ERR_JWKS_UNAVAILABLE`.
 * @throws `ERR_OPTION_INVALID`
 *
 * @example Behind Access
 *
 * ```ts
 * const authenticate = cloudflareAccess({ teamDomain: 'example.cloudflareaccess.com', audience: env.CLOUDFLARE_ACCESS_AUDIENCE })
 * ```
 */
export function cloudflareAccess(options: CloudflareAccessOptions): CredentialAuthenticator {
  const given = readOptions(options, [
    'teamDomain',
    'audience',
    'serviceScopes',
    'clockTolerance',
    'keySetCache',
    'now',
    ...MAPPING_OPTIONS,
  ])
  const issuer = `https://${readTeamDomain(given.teamDomain)}`
  const audiences = readAudiences(given.audience)
  if (!audiences) throw invalidOption('audience must be the AUD tag of the Access application.', 'audience')
  const scopes = readScopes(given.serviceScopes ?? ['customer'], 'serviceScopes', true)
  const now = bindClock(given.now)
  const clockTolerance = bindTolerance(given.clockTolerance, DEFAULT_TOLERANCE)
  const readCustomer = bindMapping(given, { customerId: 'sub', customerName: 'email', trustEmail: true })
  const certs = new URL(`${issuer}/cdn-cgi/access/certs`)
  const source = createRemoteKeySet(certs, { now, cache: given.keySetCache })
  const rules = { source, issuer, audiences, now, clockTolerance }

  const verify = async (assertion: string, context?: object): Promise<Caller | null> => {
    const verified = await verifyIdToken(assertion, rules, context)
    if (!verified) return null
    const { claims, expiresAt } = verified
    const { sub, email, common_name: commonName, type } = claims
    if (type !== 'app') throw invalid('The assertion is not for an application (type).')
    if (typeof sub === 'string' && sub !== '')
      return { kind: 'customer', method: 'access', customer: readCustomer(claims), subject: sub, expiresAt }
    const isService = sub === '' && !email && typeof commonName === 'string' && commonName !== ''
    if (!isService)
      throw invalid('The assertion identifies neither a user (sub) nor a service token (common_name).')
    return { kind: 'service', method: 'access', name: commonName, scopes }
  }

  return composeAuthenticator([
    {
      source: ACCESS_SOURCE,
      accepts: [{ issuer, audiences }],
      dependencies: [source],
      verify: async (credential, context) =>
        credential.kind === 'bearer' ? verify(credential.token, context) : null,
    },
  ])
}

function readTeamDomain(teamDomain: unknown): string {
  const name =
    typeof teamDomain === 'string'
      ? /^([a-z0-9-]+)(\.cloudflareaccess\.com)?$/i.exec(teamDomain)?.[1]
      : undefined
  if (name) return `${name.toLowerCase()}.cloudflareaccess.com`
  throw invalidOption(
    'teamDomain must be the name of the team, or its domain such as example.cloudflareaccess.com.',
    'teamDomain',
  )
}
