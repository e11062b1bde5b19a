import { MembraneTokenError } from '../errors.ts'

/** The lifetime of a token: `expiresIn` or `expiresAt`, not both. */
export interface TokenLifetime {
  /** Seconds as a number, or a whole number with a unit: `"90s"`, `"30m"`, `"2h"`, `"7d"`, `"1w"`. */
  expiresIn?: number | string | undefined
  /** When the token expires, rounded down to a whole second. */
  expiresAt?: Date | undefined
}

/** The claims `iat` and `exp` (RFC 7519 section 4.1), in whole seconds since the epoch. */
export interface Validity {
  readonly iat: number
  readonly exp: number
}

const SECONDS_PER: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 }

/**
 * 9999-12-31T23:59:59Z. A larger `exp` is probably in milliseconds, and Membrane would accept the token for millennia.
 */
export const LATEST_DATE = 253_402_300_799

const invalid = (message: string, option: string): MembraneTokenError =>
  new MembraneTokenError('ERR_LIFETIME_INVALID', message, { option })

/**
 * Parses a duration.
 *
 * @param value Seconds as a number, or a string with a unit
 * @param option The option that holds it, for the error
 * @returns Whole seconds, at least 1
 * @throws `ERR_LIFETIME_INVALID`, also for a numeric string without a unit
 */
export function parseDuration(value: number | string, option = 'expiresIn'): number {
  const match = typeof value === 'string' ? /^(\d{1,12})([smhdw])$/.exec(value) : null
  const seconds = match ? Number(match[1]) * (SECONDS_PER[match[2] as string] as number) : value
  if (Number.isInteger(seconds) && (seconds as number) > 0) return checkEnd(seconds as number, option)
  throw invalid(
    `${option} must be whole seconds, at least 1, or a string with a unit: "90s", "30m", "2h", "7d", "1w".`,
    option,
  )
}

/**
 * Calculates `iat` and `exp`.
 *
 * @param lifetime The requested lifetime
 * @param defaultSeconds The signer's default, used when none is requested
 * @param now Milliseconds since the epoch
 * @throws `ERR_LIFETIME_INVALID` if the lifetime is invalid, both options are set, or the token would expire in the
 *   past or after the year 9999
 */
export function resolveValidity(lifetime: TokenLifetime, defaultSeconds: number, now: number): Validity {
  const { expiresIn, expiresAt } = lifetime
  const iat = Math.floor(now / 1000)
  if (expiresAt === undefined) {
    return { iat, exp: checkEnd(iat + (expiresIn === undefined ? defaultSeconds : parseDuration(expiresIn))) }
  }
  if (expiresIn !== undefined) throw invalid('Pass expiresIn or expiresAt, not both.', 'expiresAt')
  const exp = Math.floor(timeOf(expiresAt) / 1000)
  if (exp > iat) return { iat, exp: checkEnd(exp, 'expiresAt') }
  throw invalid('expiresAt must be a Date in the future; pass seconds as expiresIn.', 'expiresAt')
}

// Not instanceof, which fails for a Date of another realm, such as a test runner's or an iframe's.
function timeOf(date: unknown): number {
  try {
    return Date.prototype.getTime.call(date)
  } catch {
    return Number.NaN
  }
}

function checkEnd(exp: number, option = 'expiresIn'): number {
  if (exp > LATEST_DATE) throw invalid('The token would expire after the year 9999.', option)
  return exp
}
