import { asymmetricAlgorithms } from '../../jwks/key-set.ts'
import { createRemoteKeySet } from '../../jwks/remote-key-set.ts'
import { bindClock, bindTolerance, checkObject, invalidOption } from '../../options.ts'
import { readBearer } from '../http/bearer.ts'
import { refusal } from '../http/problem.ts'
import { type Authenticator, checkScopes, type Scope } from './caller.ts'
import { bindMapping, type ClaimMapping } from './claim-mapping.ts'
import { invalid, verifyProviderToken } from './id-token.ts'
import { bindAudiences } from './session-jwt.ts'

/** What {@link cloudflareAccess} takes. */
export interface CloudflareAccessOptions extends ClaimMapping {
  /** The team's name, or its domain: `example` or `example.cloudflareaccess.com`. */
  teamDomain: string
  /** The AUD tag of the Access application. */
  audience: string | readonly string[]
  /** What holders of the application's service tokens may have. Default `["customer"]`. */
  serviceScopes?: readonly Scope[] | undefined
  /** Seconds by which the clocks may differ. Default 5. */
  clockTolerance?: number | undefined
  /** The clock, in milliseconds since the epoch. Default `Date.now`. */
  now?: (() => number) | undefined
}

const DEFAULT_TOLERANCE = 5

/**
 * Knows who came through Cloudflare Access, by the assertion that it adds to every request in
 * `Cf-Access-Jwt-Assertion`. The cookie with the same token is not looked at, for other sites' requests carry it too.
 * People are customers, with their e-mail address as name; service tokens are services.
 *
 * @returns An authenticator that resolves to `null` where there is no assertion
 * @throws `ERR_OPTION_INVALID`
 *
 * @example Behind Access
 *
 * ```ts
 * const authenticate = cloudflareAccess({ teamDomain: 'example.cloudflareaccess.com', audience: env.CLOUDFLARE_ACCESS_AUDIENCE })
 * ```
 */
export function cloudflareAccess(options: CloudflareAccessOptions): Authenticator {
  checkObject(options)
  const issuer = `https://${readTeamDomain(options.teamDomain)}`
  const audiences = bindAudiences(options.audience)
  if (!audiences) throw invalidOption('audience must be the AUD tag of the Access application.')
  const scopes = checkScopes(options.serviceScopes ?? ['customer'])
  const now = bindClock(options.now)
  const clockTolerance = bindTolerance(options.clockTolerance, DEFAULT_TOLERANCE)
  const readCustomer = bindMapping(options, { customerId: 'sub', customerName: 'email' })
  const source = createRemoteKeySet(new URL(`${issuer}/cdn-cgi/access/certs`), asymmetricAlgorithms(), now)
  const rules = { source, issuer, audiences, now, clockTolerance }

  return async (request) => {
    const token = request.headers.get('Cf-Access-Jwt-Assertion')
    if (token === null) return null
    // Whoever else knows the other one: nobody can tell for whom the request speaks.
    if (readBearer(request) !== undefined) {
      throw refusal(
        'ERR_CREDENTIALS_AMBIGUOUS',
        'The request carries two credentials; behind Access, send no Authorization.',
      )
    }
    const verified = await verifyProviderToken(token, rules)
    if (!verified) throw invalid('The assertion is of another team.')
    const { claims, expiresAt } = verified
    const { sub, common_name: commonName, type } = claims
    if (type !== 'app') throw invalid('The assertion is not one for an application.')
    if (typeof sub === 'string' && sub !== '') {
      return { kind: 'customer', method: 'access', customer: readCustomer(claims), subject: sub, expiresAt }
    }
    // A service token's sub is empty, and nobody's id.
    if (typeof commonName !== 'string' || commonName === '') throw invalid('The assertion names nobody.')
    return { kind: 'service', method: 'access', name: commonName, scopes }
  }
}

function readTeamDomain(teamDomain: unknown): string {
  const name =
    typeof teamDomain === 'string'
      ? /^([a-z0-9-]+)(\.cloudflareaccess\.com)?$/i.exec(teamDomain)?.[1]
      : undefined
  if (name) return `${name.toLowerCase()}.cloudflareaccess.com`
  throw invalidOption(
    'teamDomain must be the name of the team, or its domain such as example.cloudflareaccess.com.',
  )
}
