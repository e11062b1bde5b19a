import { MembraneTokenError, type MembraneTokenErrorCode } from '../../errors.ts'
import { checkSignature, type KeySource, type ParsedJws, parseClaims, parseJws } from '../../jws/verify.ts'
import { readDates } from '../../token/claims.ts'
import { type ProblemCode, refusal } from '../http/problem.ts'

/** The claims of a token of an identity provider. */
export type Claims = Readonly<Record<string, unknown>>

/** What such a token must say. */
export interface ProviderTokenRules {
  readonly source: KeySource
  readonly issuer: string
  /** One of them must stand in `aud`; undefined: it is not looked at. */
  readonly audiences: readonly string[] | undefined
  /** What `typ` must be; undefined: it is not looked at. */
  readonly type?: string | undefined
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** Seconds by which the clocks may differ. */
  readonly clockTolerance: number
}

/** Compact JWS, by its look: what is not of this shape is another kind of credentials. */
export const JWT_SHAPE: RegExp = /^[\w-]+\.[\w-]+\.[\w-]*$/

/**
 * Verifies a token of an identity provider (OpenID Connect Core section 3.1.3.7, RFC 9068 section 4).
 *
 * @returns `null` if another issuer made it, so that another authenticator may know it
 * @throws a {@link Refusal}: `ERR_CREDENTIALS_INVALID`, or `ERR_JWKS_UNAVAILABLE` where the keys cannot be had
 */
export async function verifyProviderToken(
  token: string,
  rules: ProviderTokenRules,
): Promise<{ claims: Claims; expiresAt: Date } | null> {
  try {
    const jws = parseJws(token)
    const claims = readClaims(jws)
    // Before any key is fetched: tokens of somebody else set nothing off.
    if (claims?.iss !== rules.issuer) return null
    await checkSignature(jws, rules.source)
    if (!isType(jws.type, rules.type)) throw invalid('The token is of another type (typ).')
    if (!isAudience(claims.aud, rules.audiences)) throw invalid('The token is for another audience (aud).')
    const { expiresAt } = readDates(claims, rules.now(), rules.clockTolerance)
    if (!expiresAt) throw invalid('The token has no exp.')
    return { claims, expiresAt }
  } catch (error) {
    throw error instanceof MembraneTokenError ? refusal(problemOf(error.code), error.message) : error
  }
}

// Without claims it is nobody's.
function readClaims(jws: ParsedJws): Claims | undefined {
  try {
    return parseClaims(jws)
  } catch {
    return undefined
  }
}

// RFC 7515 section 4.1.9: upper or lower case, and application/ may be left out.
function mediaType(type: string): string {
  return type.toLowerCase().replace(/^application\//, '')
}

// A logout token or a DPoP proof of the same issuer is no session (RFC 8725 section 3.11), and says so in its typ.
function isType(type: unknown, wanted: string | undefined): boolean {
  if (type === undefined) return wanted === undefined
  if (typeof type !== 'string') return false
  const found = mediaType(type)
  return wanted === undefined
    ? !/\+jwt$/.test(found) || /\bat\+jwt$/.test(found)
    : found === mediaType(wanted)
}

// RFC 7519 section 4.1.3: one audience, or a list of them.
function isAudience(aud: unknown, audiences: readonly string[] | undefined): boolean {
  if (audiences === undefined) return true
  return (Array.isArray(aud) ? aud : [aud]).some((audience) => audiences.includes(audience))
}

// A set that is broken or out of reach is the provider's fault, and may be mended in a moment; that a token names no
// key, or one that is for something else, is the token's.
function problemOf(code: MembraneTokenErrorCode): ProblemCode {
  return PROVIDER_FAULTS.includes(code) ? 'ERR_JWKS_UNAVAILABLE' : 'ERR_CREDENTIALS_INVALID'
}

const PROVIDER_FAULTS: readonly MembraneTokenErrorCode[] = [
  'ERR_JWKS_UNAVAILABLE',
  'ERR_KEY_INVALID',
  'ERR_KEY_FORMAT_UNSUPPORTED',
  'ERR_KEY_WEAK',
]

/** The refusal of a token that is well made and not good enough. */
export function invalid(detail: string): Error {
  return refusal('ERR_CREDENTIALS_INVALID', detail)
}
