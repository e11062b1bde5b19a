import { invalidOption } from '../../options.ts'
import { refusal } from '../http/problem.ts'
import { type Claims, invalid, isNames } from './id-token.ts'

/**
 * The id of the user (`sub`). A token that a client obtained for itself has no user, so it is not a session.
 *
 * @throws a {@link Refusal} `ERR_CREDENTIALS_INVALID`
 */
export function readUserId(claims: Claims): string {
  const { sub } = claims
  if (typeof sub !== 'string' || sub === '') throw invalid('The sub of the token must be a non-empty string.')
  if (isClient(claims)) throw invalid('The token was issued to a client, not to a user; sign in as a user.')
  return sub
}

// Auth0 marks such tokens with `gty`, Entra ID with `idtyp`, Keycloak with a `service-account-…` user. Elsewhere, as at
// Okta and Cognito, the client's id is the `sub` (RFC 9068 section 2.2).
function isClient({
  sub,
  gty,
  idtyp,
  azp,
  client_id: clientId,
  cid,
  preferred_username: user,
}: Claims): boolean {
  const grants: readonly unknown[] = Array.isArray(gty) ? gty : [gty]
  const clients = [azp, clientId, cid].filter((client) => typeof client === 'string')
  return (
    grants.includes('client-credentials') ||
    idtyp === 'app' ||
    clients.some((client) => client === sub || `service-account-${client}` === user)
  )
}

/** The option `requiredScopes`. @throws `ERR_OPTION_INVALID` */
export function readRequiredScopes(scopes: unknown): readonly string[] {
  if (scopes === undefined) return []
  // RFC 6749 section 3.3. Scopes are copied into a header.
  if (isNames(scopes) && scopes.every((scope) => /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(scope)))
    return [...scopes]
  throw invalidOption(
    'requiredScopes must be a list of scopes, such as ["membrane:token"].',
    'requiredScopes',
  )
}

/**
 * Checks that a token has all scopes: in `scope` or `scp`, as a string or a list, or in the list `permissions`.
 *
 * @throws a {@link Refusal} `ERR_CALLER_FORBIDDEN`, with the challenge of RFC 6750 section 3.1
 */
export function checkRequiredScopes(claims: Claims, required: readonly string[]): void {
  if (required.length === 0) return
  const granted = [...toScopes(claims.scope), ...toScopes(claims.scp), ...toList(claims.permissions)]
  const missing = required.filter((scope) => !granted.includes(scope))
  if (missing.length === 0) return
  throw refusal('ERR_CALLER_FORBIDDEN', `The session lacks a required scope: ${missing.join(' ')}.`, {
    'WWW-Authenticate': `Bearer error="insufficient_scope", scope="${required.join(' ')}"`,
  })
}

function toScopes(claim: unknown): readonly unknown[] {
  return typeof claim === 'string' ? claim.split(' ') : toList(claim)
}

function toList(claim: unknown): readonly unknown[] {
  return Array.isArray(claim) ? claim : []
}
