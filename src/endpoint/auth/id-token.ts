import { MembraneTokenError, type MembraneTokenErrorCode } from '../../errors.ts'
import { checkSignature, type ParsedJws, parseClaims, parseJws } from '../../jws/verify.ts'
import type { KeySource } from '../../keys/source.ts'
import { invalidOption } from '../../options.ts'
import { readDates } from '../../token/claims.ts'
import { type ProblemCode, refusal } from '../http/problem.ts'

/** The claims of a token of an identity provider. */
export type Claims = Readonly<Record<string, unknown>>

/** Which tokens an authenticator takes. */
export interface TokenAcceptance {
  readonly issuer: string
  /** One of them must be in `aud`; undefined: any audience, or none. */
  readonly audiences: readonly string[] | undefined
}

/** The rules for one token. */
export interface IdTokenRules extends TokenAcceptance {
  readonly source: KeySource
  /** One of them must be `azp`; undefined: not checked. */
  readonly authorizedParties?: readonly string[] | undefined
  /** Whether `aud` may hold anything while `audiences` is undefined; otherwise such tokens must have no `aud`. */
  readonly anyAudience?: boolean | undefined
  /** What `typ` must be. Default: absent, `JWT` or `at+jwt`. */
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

/** Whether a credential looks like a compact JWS; everything else is another kind of credential. */
export function isJwt(token: string): boolean {
  return /^[\w-]+\.[\w-]+\.[\w-]*$/.test(token)
}

/**
 * Verifies a token of an identity provider (OpenID Connect Core section 3.1.3.7, RFC 9068 section 4).
 *
 * @returns `null` if it is not a JWT, or is from another issuer: another authenticator may accept it
 * @throws a {@link Refusal}: `ERR_CREDENTIALS_INVALID`, or `ERR_JWKS_UNAVAILABLE` where the keys cannot be fetched
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
    // Before any key is fetched, so that tokens of other issuers cause no requests.
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
 * Issuer and audience of a token, before its signature is checked: only to choose who verifies it.
 *
 * @returns `null` if it is not a token that could be verified
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

// A token without readable claims has no issuer.
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

// RFC 8725 section 3.11: logout tokens, DPoP proofs and the like of the same issuer say in `typ` what they are.
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
    throw invalid('The token is for an audience (aud), and none is accepted here.')
  }
  if (authorizedParties && !authorizedParties.includes(azp as string))
    throw invalid('The token was issued to another party (azp).')
}

function checkPurpose({ events, cnf }: Claims): void {
  // RFC 8417: logout tokens and security events have the issuer, audience and subject of a session.
  if (isPresent(events)) throw invalid('The token reports an event (events); it is not a session.')
  // RFC 7800: the holder of such a token must also prove possession of the key, which is not checked here.
  if (isPresent(cnf)) throw invalid('The token is bound to a key (cnf); only bearer tokens are accepted.')
}

// RFC 7519 section 4.1.3: one audience, or a list of them.
function toList(aud: unknown): unknown[] {
  return Array.isArray(aud) ? aud : [aud]
}

function isPresent(claim: unknown): boolean {
  return claim !== undefined && claim !== null
}

// A broken or unreachable key set is an outage of the identity provider, so retrying may help; an unknown key is the
// caller's error.
function problemOf(code: MembraneTokenErrorCode): ProblemCode {
  return PROVIDER_FAULTS.includes(code) ? 'ERR_JWKS_UNAVAILABLE' : 'ERR_CREDENTIALS_INVALID'
}

const PROVIDER_FAULTS: readonly MembraneTokenErrorCode[] = [
  'ERR_JWKS_UNAVAILABLE',
  'ERR_KEY_INVALID',
  'ERR_KEY_FORMAT_UNSUPPORTED',
  'ERR_KEY_WEAK',
]

/** Rejects credentials that are well-formed but not valid. */
export function invalid(detail: string): Error {
  return refusal('ERR_CREDENTIALS_INVALID', detail)
}

/** The option `audience`: one or several. @throws `ERR_OPTION_INVALID` */
export function readAudiences(audience: unknown): readonly string[] | undefined {
  if (audience === undefined) return undefined
  const audiences = typeof audience === 'string' ? [audience] : audience
  if (isNames(audiences)) return [...audiences]
  throw invalidOption('audience must be a non-empty string, or a list of them.', 'audience')
}

/** Whether a value is a list of non-empty strings, with at least one. */
export function isNames(value: unknown): value is readonly string[] {
  return (
    Array.isArray(value) && value.length > 0 && value.every((name) => typeof name === 'string' && name !== '')
  )
}
