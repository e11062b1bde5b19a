import { LATEST_DATE } from '../../token/lifetime.ts'
import type { ClaimsAt, JsonObject, Problem } from './problem.ts'

export type DateProblemCode =
  | 'IAT_NOT_A_NUMBER'
  | 'IAT_IN_FUTURE'
  | 'NBF_NOT_A_NUMBER'
  | 'NBF_IN_FUTURE'
  | 'EXP_MISSING'
  | 'EXP_NOT_A_NUMBER'
  | 'EXP_IN_MILLISECONDS'
  | 'EXPIRED'
  | 'EXP_NAIVE_LOCAL_TIME'
  | 'LIFETIME_LONG'

const HOUR = 3600
const HALF_HOUR = 1800
const DAY = 86_400
/** Usual lifetimes under an hour, in seconds; 0 covers lifetimes of whole hours. */
const USUAL_LIFETIMES = [0, 300, 600, 900, 1440, 1800]
/** Lifetime in Membrane's Python sample, in seconds. */
const SAMPLE_LIFETIME = 1440

/** Problems of the dates, in the order in which to fix them. */
export const DATE_PROBLEMS: Readonly<Record<DateProblemCode, Problem<ClaimsAt>>> = {
  IAT_NOT_A_NUMBER: {
    severity: 'error',
    message: 'iat is not a number.',
    fix: 'Set iat to a number of seconds since 1970, or leave it out.',
    check: ({ claims: { iat } }) => iat !== undefined && typeof iat !== 'number',
  },
  IAT_IN_FUTURE: {
    severity: 'warning',
    message: 'iat is in the future.',
    fix: 'Check the clock of the machine that signs, and that iat is in seconds and in UTC.',
    check: ({ claims: { iat }, now }) => typeof iat === 'number' && iat > now + 1,
  },
  NBF_NOT_A_NUMBER: {
    severity: 'error',
    message: 'nbf is not a number.',
    fix: 'Leave nbf out; Membrane does not need it.',
    check: ({ claims: { nbf } }) => nbf !== undefined && typeof nbf !== 'number',
  },
  NBF_IN_FUTURE: {
    severity: 'error',
    message: 'nbf is in the future, so the token is not valid yet.',
    fix: 'Leave nbf out, or check the clock of the machine that signs.',
    check: ({ claims: { nbf }, now }) => typeof nbf === 'number' && nbf > now && `nbf is ${toText(nbf)}.`,
  },
  EXP_MISSING: {
    severity: 'error',
    message: 'The token has no exp, so it never expires, and the SDK never gets a new one.',
    fix: 'Set exp, for example to two hours from now.',
    check: ({ claims: { exp } }) => exp === undefined,
  },
  EXP_NOT_A_NUMBER: {
    severity: 'error',
    message: 'exp is not a number.',
    fix: 'Set exp to a number of seconds since 1970, not as a string or a date.',
    check: ({ claims: { exp } }) => exp !== undefined && typeof exp !== 'number',
  },
  EXP_IN_MILLISECONDS: {
    severity: 'error',
    message: 'exp is in milliseconds, so the token would expire in about 50,000 years.',
    fix: 'Divide by 1000: Math.floor(Date.now() / 1000) + 7200.',
    check: ({ claims: { exp } }) => typeof exp === 'number' && Math.abs(exp) > LATEST_DATE,
  },
  EXPIRED: {
    severity: 'error',
    message: 'The token has expired.',
    fix: 'Get a new one; if it is new, check the clock of the machine that signs.',
    check: ({ claims, now }) => {
      const exp = readEnd(claims)
      return exp !== undefined && exp <= now && `It expired at ${toText(exp)}, ${toSpan(now - exp)} ago.`
    },
  },
  EXP_NAIVE_LOCAL_TIME: {
    severity: 'warning',
    message: 'exp seems to be off by a time zone offset, as if a local time had been used as UTC.',
    fix: 'In Python, write datetime.now(timezone.utc), not datetime.now(); elsewhere, use seconds since 1970.',
    check: isNaiveLocalTime,
  },
  LIFETIME_LONG: {
    severity: 'warning',
    message: 'The token is valid for more than 24 hours and cannot be revoked.',
    fix: 'Shorten its lifetime to a few hours; the SDK gets new tokens by itself.',
    check: (token) => {
      const lifetime = readLifetime(token)
      return lifetime !== undefined && lifetime > DAY && `Its lifetime is ${toSpan(lifetime)}.`
    },
  },
}

function readEnd({ exp }: JsonObject): number | undefined {
  return typeof exp === 'number' && Math.abs(exp) <= LATEST_DATE ? exp : undefined
}

/** Seconds from `iat`, or else from now, to `exp`. */
function readLifetime({ claims, now }: ClaimsAt): number | undefined {
  const exp = readEnd(claims)
  return exp === undefined ? undefined : exp - (typeof claims.iat === 'number' ? claims.iat : now)
}

/**
 * Whether `exp` seems to be off by a time zone offset. Without `iat`, the lifetime is only known right after signing.
 * Later, the remaining time of a correct token matches by chance: with a lifetime of 24 minutes for 4 of every 30
 * minutes, with two hours, once it has expired, for 1 of 30. That is acceptable for a warning that says "seems".
 */
function isNaiveLocalTime(token: ClaimsAt): boolean {
  const lifetime = readLifetime(token)
  if (lifetime === undefined) return false
  const hasIssuedAt = typeof token.claims.iat === 'number'
  if (isShifted(lifetime, SAMPLE_LIFETIME, hasIssuedAt ? 1 : 120)) return true
  if (lifetime > 0) return false
  if (!hasIssuedAt) return isShifted(lifetime, 2 * HOUR, 30)
  return USUAL_LIFETIMES.some((usual) => isShifted(lifetime, usual, 1))
}

/** Whether a lifetime differs from a usual one by a time zone: at most 14 hours, in steps of half an hour. */
function isShifted(lifetime: number, usual: number, tolerance: number): boolean {
  const shift = lifetime - usual
  const steps = Math.round(shift / HALF_HOUR)
  return steps !== 0 && Math.abs(steps) <= 28 && Math.abs(shift - steps * HALF_HOUR) <= tolerance
}

function toText(seconds: number): string {
  return Math.abs(seconds) <= LATEST_DATE
    ? new Date(seconds * 1000).toISOString()
    : 'a date beyond the year 9999'
}

function toSpan(seconds: number): string {
  const [size, unit] = (
    [
      [DAY, 'days'],
      [HOUR, 'hours'],
      [60, 'minutes'],
    ] as const
  ).find(([size]) => seconds >= 2 * size) ?? [1, 'seconds']
  return `${Math.floor(seconds / size)} ${unit}`
}
