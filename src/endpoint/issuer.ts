import { parseDuration } from '../token/lifetime.ts'
import type { SignedToken, Signer } from '../token/signer.ts'
import { type AuditHook, type AuditRecord, createAuditor } from './audit.ts'
import type { Caller, Scope } from './auth/caller.ts'
import { createFailedCredentials } from './failed-credentials.ts'
import { isRefusal, type Problem, type ProblemCode, problemOf, refusal } from './http/problem.ts'
import { checkCaller, decide, type Grant, type TokenRequest } from './policy.ts'

/**
 * Called with the caller before a token is issued, or with `null` after a failed attempt. Over the limit, it throws
 * {@link refusal | refusal('ERR_RATE_LIMITED', …)}. Any other error becomes a 500.
 */
export type RateLimitHook = (
  caller: Caller | null,
  request: Request,
  context?: object,
) => void | Promise<void>

/** Options of {@link createIssuer}. */
export interface IssuerOptions {
  readonly signer: Signer
  /** Seconds. */
  readonly maxExpiresIn: number
  readonly rateLimit: RateLimitHook | undefined
  readonly audit: AuditHook | undefined
  /** The clock, in milliseconds since the epoch. */
  readonly now: () => number
}

/** A request whose credentials were verified. */
export interface IdentifiedRequest {
  readonly kind: Scope
  /** Called only if the caller may get a token. */
  readonly readTokenRequest: () => Promise<TokenRequest>
  readonly query: URLSearchParams | undefined
}

/** How a route reads its requests. */
export interface Route {
  /** The kind of token to report in the audit log if the request cannot be read. */
  readonly kind: Scope
  /**
   * Reads a request and verifies its credentials.
   *
   * @param withRateLimit Runs `verify` within the rate limit. `readCredentials` returns the credentials as text; it is
   *   called only while failed credentials are remembered, or after a failure
   */
  identify(
    request: Request,
    context: object | undefined,
    withRateLimit: (
      readCredentials: () => string | undefined,
      verify: () => Promise<Caller | null>,
    ) => Promise<Caller | null>,
  ): Promise<IdentifiedRequest>
}

/** A token and its grant, or the problem that prevented it. */
export type IssueResult =
  | { readonly signed: SignedToken; readonly grant: Grant; readonly problem?: undefined }
  | { readonly signed?: undefined; readonly problem: Problem }

export interface Issuer {
  /** Issues a token. Never rejects. */
  issue(route: Route, request: Request, context: object | undefined, requestId: string): Promise<IssueResult>
  /** Creates the audit record of a request that is rejected before {@link issue}, for example because of its origin. */
  createRecord(request: Request, context: object | undefined, requestId: string): AuditRecord
}

const FAILED_ATTEMPTS: readonly ProblemCode[] = [
  'ERR_CREDENTIALS_MISSING',
  'ERR_CREDENTIALS_INVALID',
  'ERR_CREDENTIALS_AMBIGUOUS',
]

/**
 * Creates the issuer that all routes share: it authenticates within the rate limit, decides, signs and audits. If the
 * audit hook fails, no token is issued.
 */
export function createIssuer({ signer, maxExpiresIn, rateLimit, audit, now }: IssuerOptions): Issuer {
  const createRecord = createAuditor(audit, signer, now)
  const failed = createFailedCredentials(now)
  const policy = { defaultExpiresIn: signer.expiresIn, maxExpiresIn, now }

  const limit = async (
    caller: Caller | null,
    request: Request,
    context: object | undefined,
  ): Promise<void> => {
    try {
      await rateLimit?.(caller, request, context)
    } catch (error) {
      throw isRefusal(error) ? error : hookError(error)
    }
  }

  /** Counts a failed attempt. Returns its error, or that of the rate limit if the network is over it. */
  const countFailure = async (
    error: Error,
    readCredentials: () => string | undefined,
    request: Request,
    context: object | undefined,
  ): Promise<Error> => {
    try {
      await limit(null, request, context)
      return error
    } catch (limited) {
      const isOver = isRefusal(limited) && limited.code === 'ERR_RATE_LIMITED'
      const credentials = isOver ? readCredentials() : undefined
      if (credentials !== undefined) await failed.add(credentials)
      return limited as Error
    }
  }

  const authenticate = async (
    readCredentials: () => string | undefined,
    verify: () => Promise<Caller | null>,
    request: Request,
    context: object | undefined,
  ): Promise<Caller | null> => {
    if (!failed.isEmpty()) {
      const credentials = readCredentials()
      if (credentials !== undefined && (await failed.has(credentials))) throw overLimit()
    }
    try {
      return checkCaller(await verify())
    } catch (error) {
      if (!isRefusal(error)) throw hookError(error)
      throw FAILED_ATTEMPTS.includes(error.code)
        ? await countFailure(error, readCredentials, request, context)
        : error
    }
  }

  const issue: Issuer['issue'] = async (route, request, context, requestId) => {
    const record = createRecord(request, context, requestId)
    let caller = null as Caller | null
    let { kind } = route
    try {
      const identified = await route.identify(request, context, async (readCredentials, verify) => {
        caller = await authenticate(readCredentials, verify, request, context)
        if (rateLimit) await limit(caller, request, context)
        return caller
      })
      kind = identified.kind
      const grant = await decide({ ...identified, caller }, policy)
      const jwtId = crypto.randomUUID()
      const options = { expiresIn: grant.expiresIn, jwtId }
      const signed = await (grant.kind === 'admin'
        ? signer.signAdminToken(options)
        : signer.signCustomerToken(grant.customer, options))
      await audited(() => record.issued(caller, grant, jwtId))
      return { signed, grant }
    } catch (error) {
      const problem = problemOf(error)
      await record.refused(caller, kind, problem)
      return { problem }
    }
  }

  return { issue, createRecord }
}

async function audited(report: () => void | Promise<void>): Promise<void> {
  try {
    await report()
  } catch (error) {
    throw hookError(error)
  }
}

/** The error of a hook. Its name is audited; its message is dropped, because it may contain secrets. */
function hookError(error: unknown): Error {
  const { name } = error instanceof Error ? error : { name: typeof error }
  return Object.assign(new Error('A hook or an authenticator failed.'), { name })
}

export const overLimit = (): Error =>
  refusal(
    'ERR_RATE_LIMITED',
    'Too many requests: wait a minute, and reuse a token until shortly before it expires.',
  )

/** The option `maxExpiresIn`, in seconds. @throws `ERR_LIFETIME_INVALID` */
export function readMaxExpiresIn(maxExpiresIn: number | string | undefined): number {
  return parseDuration(maxExpiresIn ?? DEFAULT_MAX_EXPIRES_IN, 'maxExpiresIn')
}

const DEFAULT_MAX_EXPIRES_IN = '24h'
