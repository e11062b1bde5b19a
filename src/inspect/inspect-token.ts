import { bindClock, readOptions } from '../options.ts'
import { type ClaimStyle, isDenial } from '../token/claims.ts'
import { parseToken } from './parse-token.ts'
import { FORM_PROBLEMS } from './problems/form.ts'
import type { JsonObject, Problem } from './problems/problem.ts'
import { WRAPPING_PROBLEMS } from './problems/wrapping.ts'
import { CLAIM_PROBLEMS, type TokenProblemCode } from './problems.ts'

/** The contents of a token and its problems. */
export interface Inspection {
  /** The token itself, without quotes or other wrappings. */
  token?: string
  /** The header, if it can be read. */
  header?: Record<string, unknown>
  /** The claims, if they can be read. They are not verified. */
  claims?: Record<string, unknown>
  kind: 'customer' | 'admin' | 'unknown'
  claimStyle?: ClaimStyle
  /** In the order in which to fix them; empty if none was found. */
  problems: TokenProblem[]
}

/** A problem of a token. */
export interface TokenProblem {
  /** Stable, such as `EXP_MISSING`. docs/troubleshooting.md lists them all. */
  code: TokenProblemCode
  severity: 'error' | 'warning'
  /** Description of the problem. */
  message: string
  /** How to fix it. */
  fix: string
}

/**
 * Finds the reasons why a token is rejected. It needs no key and does not throw for an invalid token. The signature is
 * **not** verified, so a token without problems may still be forged; use `createVerifier` to verify it.
 *
 * @param token The token as you found it: wrappings such as quotes, `Bearer ` or line breaks are reported and removed
 * @param options `now`: the clock, in milliseconds since the epoch. Default `Date.now`
 *
 * @throws `ERR_OPTION_INVALID` for invalid options only
 *
 * @example Print the problems
 *
 * ```ts
 * for (const { severity, message, fix } of inspectToken(token).problems) {
 *   console.log(`${severity}: ${message} ${fix}`)
 * }
 * ```
 */
export function inspectToken(token: string, options: { now?: (() => number) | undefined } = {}): Inspection {
  const clock = bindClock(readOptions(options ?? {}, ['now']).now)
  const parsed = parseToken(token)
  const { text, parts, header, claims, wrappings } = parsed
  const problems: TokenProblem[] = wrappings.map((code) => {
    const { severity, message, fix } = WRAPPING_PROBLEMS[code]
    return { code, severity, message, fix }
  })
  problems.push(...findProblems(FORM_PROBLEMS, parsed))
  const found = { ...(text !== undefined && parts.length > 0 && { token: text }), ...(header && { header }) }
  if (!claims) return { ...found, kind: 'unknown', problems }

  problems.push(...findProblems(CLAIM_PROBLEMS, { claims, now: Math.floor(clock() / 1000) }))
  const claimStyle = styleOf(claims)
  return { ...found, claims, kind: kindOf(claims), ...(claimStyle && { claimStyle }), problems }
}

function findProblems<Code extends TokenProblemCode, Subject>(
  table: Readonly<Record<Code, Problem<Subject>>>,
  subject: Subject,
): TokenProblem[] {
  const problems: TokenProblem[] = []
  for (const code of Object.keys(table) as Code[]) {
    const { severity, message, fix, check } = table[code]
    const detail = check(subject)
    if (detail === false) continue
    problems.push({ code, severity, message: detail === true ? message : `${message} ${detail}`, fix })
  }
  return problems
}

function kindOf({ isAdmin, id, tenantKey }: JsonObject): Inspection['kind'] {
  const customer = id ?? tenantKey
  if (isDenial(isAdmin)) return 'unknown'
  if (isAdmin) return customer === undefined ? 'admin' : 'unknown'
  return typeof customer === 'string' && customer !== '' ? 'customer' : 'unknown'
}

function styleOf({ iss, workspaceKey, tenantKey }: JsonObject): ClaimStyle | undefined {
  if (tenantKey !== undefined) return 'tenant'
  if (workspaceKey !== undefined) return 'workspaceKey'
  return iss === undefined ? undefined : 'issuer'
}
