import { parseDuration } from '../token/lifetime.ts'
import type { SignedToken, Signer } from '../token/signer.ts'
import { type AuditHook, type AuditRecord, createAuditor } from './audit.ts'
import type { Caller, Scope } from './auth/caller.ts'
import { createFailedCredentials } from './failed-credentials.ts'
import { isRefusal, type Problem, type ProblemCode, problemOf, refusal } from './http/problem.ts'
import { checkCaller, decide, type Grant, type TokenRequest } from './policy.ts'

/**
 * Called before a token is issued, with the caller, or with `null` after a failed attempt. Over the limit, it throws
 * {@link refusal | refusal('ERR_RATE_LIMITED', …)}.
 */
export type RateLimitHook = (
  caller: Caller | null,
  request: Request,
  context?: object,
) => void | Promise<void>

/** What every route shares. */
export interface IssuerOptions {
  readonly signer: Signer
  /** Seconds. */
  readonly maxExpiresIn: number
  readonly rateLimit: RateLimitHook | undefined
  readonly audit: AuditHook | undefined
  /** The clock, in milliseconds since the epoch. */
  readonly now: () => number
}

/** What a route finds in a request. */
export interface Identified {
  readonly kind: Scope
  /** Called only for a caller who may have a token at all. */
  readonly readTokenRequest: () => Promise<TokenRequest>
  readonly query: URLSearchParams | undefined
}

/** How one route reads its requests. */
export interface Route {
  /** The kind of token to name in the audit as long as the request has not been read. */
  readonly kind: Scope
  /**
   * Reads a request and has its credentials verified.
   *
   * @param authenticate Runs `verify` within the rate limit; `readCredentials` gives what it verifies, as text, and is
   *   called only for those that fail or have failed
   */
  identify(
    request: Request,
    context: object | undefined,
    authenticate: (
      readCredentials: () => string | undefined,
      verify: () => Promise<Caller | null>,
    ) => Promise<Caller | null>,
  ): Promise<Identified>
}

/** A token and its grant, or the problem that prevented it. */
export type Issue =
  | { readonly signed: SignedToken; readonly grant: Grant; readonly problem?: undefined }
  | { readonly signed?: undefined; readonly problem: Problem }

export interface Issuer {
  /** Never rejects. */
  issue(route: Route, request: Request, context: object | undefined, requestId: string): Promise<Issue>
  /** Rejects a request before its route is called, for example for its origin. */
  createRecord(request: Request, context: object | undefined, requestId: string): AuditRecord
}

const FAILED_ATTEMPTS: readonly ProblemCode[] = [
  'ERR_CREDENTIALS_MISSING',
  'ERR_CREDENTIALS_INVALID',
  'ERR_CREDENTIALS_AMBIGUOUS',
]

/**
 * Issues tokens for all routes: authentication within the rate limit, the decision, the signature, the audit. If the
 * audit fails, no token is issued.
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

  /** The error for a failed attempt: its own, or that its network is over the limit. */
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
      // Unique to each token, and named by its audit event.
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

/** An error of a hook: its name goes into the audit, its message is dropped. */
function hookError(error: unknown): Error {
  const { name } = error instanceof Error ? error : { name: typeof error }
  return Object.assign(new Error('A hook or an authenticator failed.'), { name })
}

export const overLimit = (): Error =>
  refusal(
    'ERR_RATE_LIMITED',
    'Too many requests: wait a minute, and reuse a token until shortly before it expires.',
  )

/** @throws `ERR_LIFETIME_INVALID` */
export function readMaxExpiresIn(maxExpiresIn: number | string | undefined): number {
  return parseDuration(maxExpiresIn ?? DEFAULT_MAX_EXPIRES_IN)
}

const DEFAULT_MAX_EXPIRES_IN = '24h'
