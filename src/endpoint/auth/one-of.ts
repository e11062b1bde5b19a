import { invalidOption } from '../../options.ts'
import type { Authenticator, CredentialAuthenticator } from './caller.ts'
import { composeAuthenticator, type Member, membersOf } from './credential-authenticator.ts'
import type { TokenAcceptance } from './id-token.ts'

/**
 * Accepts several kinds of credentials. A request with more than one is rejected, because the caller would be ambiguous
 * (RFC 6750 section 2).
 *
 * If several authenticators accept tokens of the same issuer, such as sessions and workloads of one Keycloak realm, the
 * token's audience (`aud`) selects the authenticator, so their audiences must differ.
 *
 * Your own authenticators are called with the request. Give them `verify` and `dependencies`, as in
 * {@link CredentialAuthenticator}, to support `/oauth/token` and readiness checks.
 *
 * @returns An authenticator that resolves to `null` if none of them finds credentials, and rejects with
 *   `ERR_CREDENTIALS_AMBIGUOUS` if there is more than one
 * @throws `ERR_OPTION_INVALID` if there is no authenticator, or two accept the same tokens
 *
 * @example Users with a session, and services with an API key
 *
 * ```ts
 * const authenticate = oneOf(
 *   sessionJwt({ issuer: 'https://example.eu.auth0.com/', audience: 'https://api.example.com' }),
 *   apiKeys({ keys: [{ name: 'backend', sha256: digest, scopes: ['customer'] }] }),
 * )
 * ```
 */
export function oneOf(...authenticators: Authenticator[]): CredentialAuthenticator {
  if (
    authenticators.length === 0 ||
    !authenticators.every((authenticate) => typeof authenticate === 'function')
  ) {
    throw invalidOption('oneOf takes one or more authenticators, such as sessionJwt(…) and apiKeys(…).')
  }
  const members = authenticators.flatMap(membersOf)
  checkOverlaps(members)
  return Object.assign(composeAuthenticator(members), { parts: authenticators })
}

function checkOverlaps(members: readonly Member[]): void {
  const acceptances = members.map((member) => ('accepts' in member ? member.accepts : []))
  for (const [index, accepted] of acceptances.entries()) {
    const others = acceptances.slice(index + 1).flat()
    const overlap = accepted.find((one) => others.some((other) => isOverlap(one, other)))
    if (!overlap) continue
    throw invalidOption(
      `Two authenticators accept tokens of ${overlap.issuer}: give each its own audience.`,
      'audience',
    )
  }
}

function isOverlap(one: TokenAcceptance, other: TokenAcceptance): boolean {
  if (one.issuer !== other.issuer) return false
  const [{ audiences }, { audiences: others }] = [one, other]
  return !audiences || !others || audiences.some((audience) => others.includes(audience))
}
