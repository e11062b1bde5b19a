import { MembraneTokenError, type MembraneTokenErrorCode } from '../../errors.ts'
import { checkSignature, type ParsedJws, parseClaims, parseJws } from '../../jws/verify.ts'
import type { KeySource } from '../../keys/source.ts'
import { invalidOption } from '../../options.ts'
import { readDates } from '../../token/claims.ts'
import { type ProblemCode, refusal } from '../http/problem.ts'

/** The claims of a token from an identity provider. */
export type Claims = Readonly<Record<string, unknown>>

/** The tokens that an authenticator accepts. */
export interface TokenAcceptance {
  readonly issuer: string
  /** One of these must be in `aud`; undefined: no audience is required. */
  readonly audiences: readonly string[] | undefined
}

/** The rules for a token. */
export interface IdTokenRules extends TokenAcceptance {
  readonly source: KeySource
  /** One of these must be `azp`; undefined: not checked. */
  readonly authorizedParties?: readonly string[] | undefined
  /** Whether tokens may have an `aud` if `audiences` is undefined. Default: no. */
  readonly anyAudience?: boolean | undefined
  /** Required `typ`. Default: absent, `JWT` or `at+jwt`. */
  readonly type?: string | undefined
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** Seconds by which the clocks may differ. */
  readonly clockTolerance: number
}

/** A token whose signature, issuer, audience and dates were checked. */
export interface VerifiedIdToken {
  readonly claims: Claims
  readonly expiresAt: Date
}

/** Whether a credential looks like a compact JWS. */
export function isJwt(token: string): boolean {
  return /^[\w-]+\.[\w-]+\.[\w-]*$/.test(token)
}

/**
 * Verifies a token from an identity provider (OpenID Connect Core section 3.1.3.7, RFC 9068 section 4).
 *
 * @returns `null` if it is not a JWT, or is from another issuer: another authenticator may accept it
 * @throws a {@link Refusal}: `ERR_CREDENTIALS_INVALID`, or `ERR_JWKS_UNAVAILABLE` if the keys cannot be fetched or used
 */
export async function verifyIdToken(
  token: string,
  rules: IdTokenRules,
  context?: object,
): Promise<VerifiedIdToken | null> {
  if (!isJwt(token)) return null
  try {
    const jws = parseJws(token)
    const claims = readClaims(jws)
    // Checked before keys are fetched, so that tokens from other issuers cause no requests.
    if (claims?.iss !== rules.issuer) return null
    await checkSignature(jws, rules.source, context)
    checkType(jws.type, rules.type)
    checkAudience(claims, rules)
    checkPurpose(claims)
    const { expiresAt } = readDates(claims, rules.now(), rules.clockTolerance)
    if (!expiresAt) throw invalid('The token has no exp.')
    return { claims, expiresAt }
  } catch (error) {
    throw error instanceof MembraneTokenError ? refusal(problemOf(error.code), error.message) : error
  }
}

/**
 * The issuer and audiences of a token whose signature is not verified yet: use them only to select an authenticator.
 *
 * @returns `null` if it is not a well-formed JWT
 */
export function peekToken(token: string): { readonly issuer: unknown; readonly audiences: unknown[] } | null {
  if (!isJwt(token)) return null
  try {
    const { iss, aud } = parseClaims(parseJws(token))
    return { issuer: iss, audiences: toList(aud) }
  } catch {
    return null
  }
}

// A token with unreadable claims counts as one from another issuer.
function readClaims(jws: ParsedJws): Claims | undefined {
  try {
    return parseClaims(jws)
  } catch {
    return undefined
  }
}

// RFC 7515 section 4.1.9: case-insensitive, and `application/` may be left out.
function mediaType(type: string): string {
  return type.toLowerCase().replace(/^application\//, '')
}

const DEFAULT_TYPES: readonly string[] = ['jwt', 'at+jwt']

// RFC 8725 section 3.11: other JWTs from the same issuer, such as logout tokens, name their kind in `typ`.
function checkType(type: unknown, required: string | undefined): void {
  const found = typeof type === 'string' ? mediaType(type) : type
  if (required !== undefined) {
    if (found !== mediaType(required)) throw invalid(`The token's type (typ) must be ${required}.`)
  } else if (found !== undefined && !DEFAULT_TYPES.includes(found as string)) {
    throw invalid("The token's type (typ) is not that of a session or an access token.")
  }
}

function checkAudience({ aud, azp }: Claims, rules: IdTokenRules): void {
  const { audiences, authorizedParties, anyAudience } = rules
  if (audiences) {
    if (!toList(aud).some((audience) => audiences.includes(audience as string)))
      throw invalid('The token is for another audience (aud).')
  } else if (anyAudience !== true && isPresent(aud)) {
    throw invalid('The token has an audience (aud), but none is configured here.')
  }
  if (authorizedParties && !authorizedParties.includes(azp as string))
    throw invalid('The token was issued to another party (azp).')
}

function checkPurpose({ events, cnf }: Claims): void {
  // RFC 8417: logout tokens and security events have the issuer, audience and subject of a session.
  if (isPresent(events)) throw invalid('The token reports an event (events); it is not a session.')
  // RFC 7800: the holder must also prove possession of the key, which is not checked here.
  if (isPresent(cnf)) throw invalid('The token is bound to a key (cnf); only bearer tokens are accepted.')
}

// RFC 7519 section 4.1.3: one audience, or a list of them.
function toList(aud: unknown): unknown[] {
  return Array.isArray(aud) ? aud : [aud]
}

function isPresent(claim: unknown): boolean {
  return claim !== undefined && claim !== null
}

// An unreachable or unusable key set is the identity provider's fault, so a retry may help. An unknown key is the
// caller's.
function problemOf(code: MembraneTokenErrorCode): ProblemCode {
  return PROVIDER_FAULTS.includes(code) ? 'ERR_JWKS_UNAVAILABLE' : 'ERR_CREDENTIALS_INVALID'
}

const PROVIDER_FAULTS: readonly MembraneTokenErrorCode[] = [
  'ERR_JWKS_UNAVAILABLE',
  'ERR_KEY_INVALID',
  'ERR_KEY_FORMAT_UNSUPPORTED',
  'ERR_KEY_WEAK',
]

/** The refusal of invalid credentials. */
export function invalid(detail: string): Error {
  return refusal('ERR_CREDENTIALS_INVALID', detail)
}

/** The option `audience`, as a list. @throws `ERR_OPTION_INVALID` */
export function readAudiences(audience: unknown): readonly string[] | undefined {
  if (audience === undefined) return undefined
  const audiences = typeof audience === 'string' ? [audience] : audience
  if (isNames(audiences)) return [...audiences]
  throw invalidOption('audience must be a non-empty string, or a list of them.', 'audience')
}

/** Whether a value is a non-empty list of non-empty strings. */
export function isNames(value: unknown): value is readonly string[] {
  return (
    Array.isArray(value) && value.length > 0 && value.every((name) => typeof name === 'string' && name !== '')
  )
}
