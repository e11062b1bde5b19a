import { ALGORITHMS, type Algorithm } from '../algorithms.ts'
import { TOKEN_SIZE_LIMIT } from '../jws/sign.ts'
import { isCanonical } from '../jws/verify.ts'
import { cleanText, decodeBase64 } from '../keys/formats/pem.ts'
import { bindClock, isWorkspaceKey, readOptions } from '../options.ts'
import { isPlaceholder } from '../placeholders.ts'
import { type ClaimStyle, isDenial, isPlainObject } from '../token/claims.ts'
import { describeIdProblem } from '../token/customer-id.ts'
import { LATEST_DATE } from '../token/lifetime.ts'
import { PROBLEMS, type TokenProblemCode } from './problems.ts'

/** What a token says, and what is wrong with it. */
export interface Inspection {
  /** The token itself, without what it was wrapped in. */
  token?: string
  /** The header, where it can be read. */
  header?: Record<string, unknown>
  /** The claims, where they can be read. Nothing says that they are genuine. */
  claims?: Record<string, unknown>
  kind: 'customer' | 'admin' | 'unknown'
  claimStyle?: ClaimStyle
  /** In the order in which to fix them; empty if none was found. */
  problems: TokenProblem[]
}

/** One thing that is wrong with a token. */
export interface TokenProblem {
  /** Stable, such as `EXP_MISSING`. README lists them all. */
  code: TokenProblemCode
  severity: 'error' | 'warning'
  /** What it is. */
  message: string
  /** How to fix it. */
  fix: string
}

type Report = (code: TokenProblemCode, detail?: string) => void
type JsonObject = Record<string, unknown>

/**
 * Says what is wrong with a token, for the person whose token is refused. It never throws for a bad token, and needs
 * no key: that no problem is found does **not** mean that the token is genuine. To know that, verify it.
 *
 * @param token As it was found: wrappings such as quotes, `Bearer ` or line breaks are reported and looked through
 * @param options `now`: the clock, in milliseconds since the epoch. Default `Date.now`
 *
 * @throws `ERR_OPTION_INVALID` for bad options only
 *
 * @example Tell what is wrong
 *
 * ```ts
 * for (const { severity, message, fix } of inspectToken(token).problems) {
 *   console.log(`${severity}: ${message} ${fix}`)
 * }
 * ```
 */
export function inspectToken(token: string, options: { now?: (() => number) | undefined } = {}): Inspection {
  const clock = bindClock(readOptions(options ?? {}, ['now']).now)
  const problems: TokenProblem[] = []
  const report: Report = (code, detail) => {
    const { severity, message: kind, fix } = PROBLEMS[code]
    const message = detail ? `${kind} ${detail}` : kind
    if (!problems.some((problem) => problem.message === message))
      problems.push({ code, severity, message, fix })
  }
  if (typeof token === 'string' && token.length > INPUT_LIMIT) {
    report('TOO_LARGE', `It has ${token.length}.`)
    return { kind: 'unknown', problems }
  }
  const bare = typeof token === 'string' ? unwrap(token, report) : undefined
  if (bare === undefined) report('NOT_A_STRING')
  if (bare !== undefined && /^pat-[\w-]+$/.test(bare)) {
    report('PERSONAL_ACCESS_TOKEN')
    return { kind: 'unknown', problems }
  }
  const isEmpty = bare !== undefined && /^(undefined|null)?$/.test(bare)
  if (isEmpty) report('EMPTY')
  const { header, claims } = bare && !isEmpty ? inspectParts(bare, report) : {}
  const found = { ...(bare && !isEmpty && { token: bare }), ...(header && { header }) }
  if (!claims) return { ...found, kind: 'unknown', problems }

  const now = Math.floor(clock() / 1000)
  inspectDates(claims, now, report)
  inspectWorkspace(claims, report)
  inspectSubject(claims, report)
  inspectDetails(claims, report)
  const claimStyle = styleOf(claims)
  return {
    ...found,
    claims,
    kind: kindOf(claims),
    ...(claimStyle && { claimStyle }),
    problems,
  }
}

function inspectParts(
  token: string,
  report: Report,
): { header?: JsonObject | undefined; claims?: JsonObject | undefined } {
  if (token.length > TOKEN_SIZE_LIMIT) report('TOO_LARGE', `It has ${token.length}.`)
  const parts = token.split('.')
  const header = readObject(parts[0])
  if (parts.length === 5) {
    report('ENCRYPTED')
    return { header }
  }
  if (parts.length !== 3) report('TRUNCATED')
  if (!parts.every(isCanonical)) report('NOT_BASE64URL')
  const claims = readObject(parts[1])
  if (parts.length === 3 && !(header && claims)) report('NOT_JSON')
  if (header && parts.length === 3) inspectSignature(header, parts[2] as string, report)
  return { header, claims }
}

/** Characters, wrappings included; what is longer is no token, however it was wrapped. */
const INPUT_LIMIT = 65_536

const BEARER = /^\s*(?:authorization\s*:\s*)?bearer\s+/i

/** The first part of a text that has the form of a token, preferably with a JSON header. */
function findToken(text: string): string | undefined {
  const found = text.split(/[^\w.-]+/).filter((part) => /^[\w-]+\.[\w-]+\.[\w-]*$/.test(part))
  return found.find((part) => part.startsWith('eyJ')) ?? found[0]
}

/** What people copy along with a token, in the order in which it comes off. */
const WRAPPINGS: readonly { code: TokenProblemCode; found: RegExp; take: (text: string) => string }[] = [
  { code: 'JSON_ESCAPED', found: /\\/, take: (text) => text.replace(/\\+[nrt]?/g, '') },
  {
    code: 'IN_JSON',
    found: /^[\s"]*\{[\s\S]*[\w-]\.[\w-]/,
    take: (text) => findToken(text) ?? '',
  },
  { code: 'QUOTED', found: /^\s*["'`]|["'`]\s*$/, take: cleanText },
  { code: 'URL_ENCODED', found: /%[0-9a-f]{2}/i, take: (text) => text.replace(/%[0-9a-f]{2}/gi, decodeByte) },
  { code: 'IN_URL', found: /^\s*[a-z]{2,12}:\/\//i, take: (text) => findToken(text) ?? text },
  {
    code: 'BEARER_PREFIX',
    found: BEARER,
    take: (text) => text.replace(BEARER, ''),
  },
  { code: 'WHITE_SPACE', found: /\s/, take: (text) => text.replace(/\s+/g, '') },
]

const decodeByte = (encoded: string): string => String.fromCharCode(Number.parseInt(encoded.slice(1), 16))

function unwrap(token: string, report: Report): string {
  let text = token
  // Twice, since one wrapping may hide another: a quoted header value, say, or URL-encoded quotes.
  for (const { code, found, take } of [...WRAPPINGS, ...WRAPPINGS]) {
    if (!found.test(text)) continue
    report(code)
    text = take(text)
  }
  return text
}

function readObject(part: string | undefined): JsonObject | undefined {
  const bytes = decodeBase64((part ?? '').replace(/-/g, '+').replace(/_/g, '/'))
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes))
    return isPlainObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

function inspectSignature({ alg, crit, b64 }: JsonObject, signature: string, report: Report): void {
  if (crit !== undefined || (b64 !== undefined && b64 !== true)) report('CRITICAL_HEADER')
  if (typeof alg === 'string' && Object.hasOwn(ALGORITHMS, alg)) {
    inspectSignatureBytes(alg as Algorithm, signature, report)
  } else {
    report(
      typeof alg === 'string' && alg.toLowerCase() === 'none' ? 'ALGORITHM_NONE' : 'ALGORITHM_UNSUPPORTED',
    )
  }
}

function inspectSignatureBytes(algorithm: Algorithm, signature: string, report: Report): void {
  if (signature === '') report('SIGNATURE_MISSING')
  const bytes = decodeBase64(signature.replace(/-/g, '+').replace(/_/g, '/'))
  if (!bytes || hasSignatureLength(algorithm, bytes.length)) return
  const isDer = algorithm.startsWith('ES') && bytes[0] === 0x30 && bytes[bytes[1] === 0x81 ? 3 : 2] === 0x02
  report(isDer ? 'SIGNATURE_DER' : 'SIGNATURE_LENGTH', `It has ${bytes.length} bytes.`)
}

const FIELD_BYTES = { 'P-256': 32, 'P-384': 48, 'P-521': 66 } as const

// An HMAC is as long as its hash, an ECDSA signature twice the curve's field, an RSA one as long as the modulus.
function hasSignatureLength(algorithm: Algorithm, length: number): boolean {
  const { kty, hash, namedCurve } = ALGORITHMS[algorithm]
  if (kty === 'oct') return length * 8 === Number(hash.slice(4))
  return namedCurve ? length === 2 * FIELD_BYTES[namedCurve] : length >= 256
}

const HOUR = 3600
const HALF_HOUR = 1800
const DAY = 86_400
/** Lifetimes under an hour that people choose, in seconds; longer ones are whole hours. */
const USUAL_MINUTES = [0, 300, 600, 900, 1440, 1800]
/** That of the documentation's Python sample, in seconds. */
const SAMPLE_LIFETIME = 1440

function inspectDates({ iat, nbf, exp }: JsonObject, now: number, report: Report): void {
  if (iat !== undefined && typeof iat !== 'number') report('IAT_NOT_A_NUMBER')
  if (typeof iat === 'number' && iat > now + 1) report('IAT_IN_FUTURE')
  if (nbf !== undefined && typeof nbf !== 'number') report('NBF_NOT_A_NUMBER')
  if (typeof nbf === 'number' && nbf > now) report('NBF_IN_FUTURE', `It says ${toText(nbf)}.`)
  if (exp === undefined) report('EXP_MISSING')
  else if (typeof exp !== 'number') report('EXP_NOT_A_NUMBER')
  else if (Math.abs(exp) > LATEST_DATE) report('EXP_IN_MILLISECONDS')
  else inspectEnd(exp, typeof iat === 'number' ? iat : undefined, now, report)
}

function inspectEnd(exp: number, iat: number | undefined, now: number, report: Report): void {
  if (exp <= now) report('EXPIRED', `It ended at ${toText(exp)}, ${toSpan(now - exp)} ago.`)
  const lifetime = exp - (iat ?? now)
  if (isNaiveLocalTime(lifetime, iat !== undefined, exp <= now)) report('EXP_NAIVE_LOCAL_TIME')
  if (lifetime > DAY) report('LIFETIME_LONG', `It lives ${toSpan(lifetime)}.`)
}

function isNaiveLocalTime(lifetime: number, hasIssuedAt: boolean, isPast: boolean): boolean {
  // Zones are at most 14 hours away from UTC, in steps of half an hour.
  const isShifted = (usual: number, tolerance: number): boolean => {
    const shift = lifetime - usual
    const steps = Math.round(shift / HALF_HOUR)
    return steps !== 0 && Math.abs(steps) <= 28 && Math.abs(shift - steps * HALF_HOUR) <= tolerance
  }
  if (isShifted(SAMPLE_LIFETIME, hasIssuedAt ? 1 : 120)) return true
  // Without iat the lifetime is only known for a token that was just made.
  if (!hasIssuedAt) return isPast && isShifted(2 * HOUR, 30)
  return lifetime <= 0 && USUAL_MINUTES.some((usual) => isShifted(usual, 1))
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

function inspectWorkspace({ iss, workspaceKey }: JsonObject, report: Report): void {
  const named = [iss, workspaceKey].filter((claim) => claim !== undefined)
  if (named.length === 0) report('WORKSPACE_MISSING')
  if (named.length === 2 && iss !== workspaceKey) report('WORKSPACE_CONFLICT')
  for (const claim of named) {
    if (!isWorkspaceKey(claim)) report('WORKSPACE_INVALID')
    else if (isPlaceholder(claim)) report('PLACEHOLDER', 'Check the workspace.')
  }
}

/** Where other systems put what Membrane calls `id`. */
const OTHER_NAMES = [
  'sub',
  'userId',
  'user_id',
  'uid',
  'customerId',
  'customer_id',
  'tenantId',
  'tenant_id',
  'userKey',
]

function inspectSubject(claims: JsonObject, report: Report): void {
  const { isAdmin, id, tenantKey } = claims
  const customers = [id, tenantKey].filter((claim) => claim !== undefined)
  if (isAdmin !== undefined && !isAdmin) report('ADMIN_FALSY')
  if (isDenial(isAdmin)) report('ADMIN_DENIED_AS_TEXT')
  else if (isAdmin && customers.length > 0) report('ADMIN_WITH_CUSTOMER')
  if (customers.length === 2 && id !== tenantKey) report('CUSTOMER_CONFLICT')
  if (!isAdmin && customers.length === 0) reportMissingCustomer(claims, report)
  for (const claim of customers) {
    if (typeof claim === 'string' && isPlaceholder(claim)) report('PLACEHOLDER', 'Check the customer id.')
    else if (typeof claim !== 'string' || describeIdProblem(claim)) report('CUSTOMER_INVALID')
  }
}

function reportMissingCustomer(claims: JsonObject, report: Report): void {
  const { iss, sub } = claims
  if (typeof iss === 'string' && /^https?:\/\//i.test(iss) && typeof sub === 'string') {
    report('IDENTITY_PROVIDER_TOKEN', `It was issued by ${iss.slice(0, 200)}.`)
  } else {
    const isMisnamed = OTHER_NAMES.some((other) => Object.hasOwn(claims, other))
    report(isMisnamed ? 'CUSTOMER_MISNAMED' : 'CUSTOMER_MISSING')
  }
}

function inspectDetails({ name, fields }: JsonObject, report: Report): void {
  if (typeof name === 'string' && isPlaceholder(name)) report('NAME_PLACEHOLDER')
  if (name !== undefined && name !== null && typeof name !== 'string') report('NAME_NOT_A_STRING')
  const isEmptyList = Array.isArray(fields) && fields.length === 0
  if (fields !== undefined && fields !== null && !isEmptyList && !isPlainObject(fields))
    report('FIELDS_NOT_AN_OBJECT')
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
