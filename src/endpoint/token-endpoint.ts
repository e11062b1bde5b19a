import { checkObject, invalidOption } from '../options.ts'
import { parseDuration } from '../token/lifetime.ts'
import type { SignedToken, Signer } from '../token/signer.ts'
import { type AuditEvent, createAuditor } from './audit.ts'
import type { Authenticator, Caller, Scope } from './auth/caller.ts'
import { readBearer } from './http/bearer.ts'
import { readJsonObject } from './http/body.ts'
import { CLOSED_HEADERS, problemOf, problemResponse, refusal, requestIdOf } from './http/problem.ts'
import { checkCaller, decide, type Grant } from './policy.ts'

/** What {@link createTokenEndpoint} takes. */
export interface TokenEndpointOptions {
  /** Signs the tokens. */
  signer: Signer
  /** Finds out who asks. Nobody gets a token without it. */
  authenticate: Authenticator
  /** Which kind of token this endpoint gives. Default `"customer"`. */
  kind?: Scope | undefined
  /** The longest lifetime a caller can wish for: seconds, or `"24h"`. Default: no limit. */
  maxExpiresIn?: number | string | undefined
  /**
   * Asked before a token is signed, with the caller, or `null` after a failed attempt; a {@link refusal} with
   * `ERR_RATE_LIMITED` that it throws is the answer.
   */
  limit?: ((caller: Caller | null, request: Request) => void | Promise<void>) | undefined
  /** Told of every decision. A token whose audit fails is not handed out. */
  audit?: ((event: AuditEvent) => void | Promise<void>) | undefined
}

const METHODS: Readonly<Record<Scope, readonly string[]>> = {
  customer: ['GET', 'POST'],
  admin: ['POST'],
}

/**
 * Makes a route handler that gives Membrane tokens to callers it knows. It is plain Fetch API: a handler for
 * Next.js, Hono, Workers, `Deno.serve` and `Bun.serve` as it stands.
 *
 * A customer's session gets that customer's token, by GET or by POST; a service posts
 * `{"id", "name"?, "fields"?, "expiresIn"?}`, or `{"expiresIn"?}` for an admin token. The answer is
 * `{"token", "expiresAt", "expiresIn"}`, with `expiresAt` as an RFC 3339 time and `expiresIn` in seconds; or, with `Accept: application/jwt`, the bare token (RFC 7519 section 10.3.1). Everything else is answered with
 * problem details (RFC 9457), 401 with a challenge (RFC 6750 section 3). The handler never rejects.
 *
 * A lifetime over `maxExpiresIn`, or beyond the end of the caller's session, is not an error: the token ends there. A request's id is taken from
 * `X-Request-Id` or made up.
 *
 * @throws `ERR_OPTION_INVALID` or `ERR_LIFETIME_INVALID` for bad options
 *
 * @example
 *
 * ```ts
 * const signer = await createSigner({ workspaceKey, secret })
 * const authenticate = apiKeys({ keys: [{ name: 'backend', sha256: digest, scopes: ['customer'] }] })
 *
 * export const POST = createTokenEndpoint({ signer, authenticate, maxExpiresIn: '24h' })
 * ```
 */
export function createTokenEndpoint(options: TokenEndpointOptions): (request: Request) => Promise<Response> {
  checkObject(options)
  const { signer, authenticate, kind = 'customer', limit, audit } = options
  if (typeof signer?.signCustomerToken !== 'function')
    throw invalidOption('signer must be what createSigner gives.')
  if (typeof authenticate !== 'function') {
    throw invalidOption('authenticate must be a function that finds out who asks, such as apiKeys({ keys }).')
  }
  if (!Object.hasOwn(METHODS, kind)) throw invalidOption('kind must be "customer" or "admin".')
  const maxExpiresIn =
    options.maxExpiresIn === undefined ? Number.POSITIVE_INFINITY : parseDuration(options.maxExpiresIn)
  if (audit !== undefined && typeof audit !== 'function')
    throw invalidOption('audit must be a function that takes an event.')
  if (limit !== undefined && typeof limit !== 'function')
    throw invalidOption('limit must be a function that takes a caller.')
  const methods = METHODS[kind]
  const auditor = createAuditor(audit, kind, signer)

  return async (request) => {
    const report = auditor(requestIdOf(request))
    let caller: Caller | null = null
    try {
      if (!methods.includes(request.method)) {
        throw refusal('ERR_METHOD_NOT_ALLOWED', `Use ${methods.join(' or ')}.`, { Allow: methods.join(', ') })
      }
      caller = await identify(authenticate, request).catch(async (error) => {
        await limit?.(null, request)
        throw error
      })
      await limit?.(caller, request)
      const grant = await decide({
        kind,
        caller,
        query: request.url.includes('?') ? new URL(request.url).searchParams : undefined,
        readWishes: () => readJsonObject(request),
        defaultExpiresIn: signer.expiresIn,
        maxExpiresIn,
        now: Date.now,
      })
      const signed = await sign(signer, grant)
      await report.issued(caller, grant, signed.token)
      return tokenResponse(signed, request.headers.get('Accept') ?? '')
    } catch (error) {
      const { code, message, headers } = problemOf(error)
      await report.refused(caller, code, error)
      return problemResponse(code, message, report.requestId, headers)
    }
  }
}

async function identify(authenticate: Authenticator, request: Request): Promise<Caller | null> {
  const caller = checkCaller(await authenticate(request))
  if (caller !== null || readBearer(request) === undefined) return caller
  throw refusal(
    'ERR_CREDENTIALS_INVALID',
    'The credentials are of no kind that is known here; a session must come from the issuer that is set, to the letter, a slash at the end included.',
  )
}

function sign(signer: Signer, grant: Grant): Promise<SignedToken> {
  const { expiresIn } = grant
  return grant.kind === 'admin'
    ? signer.signAdminToken({ expiresIn })
    : signer.signCustomerToken(grant.customer, { expiresIn })
}

function tokenResponse(signed: SignedToken, accept: string): Response {
  if (prefersBareToken(accept)) {
    return new Response(signed.token, { headers: { 'Content-Type': 'application/jwt', ...CLOSED_HEADERS } })
  }
  const body = {
    token: signed.token,
    expiresAt: `${signed.expiresAt.toISOString().slice(0, 19)}Z`,
    expiresIn: secondsOf(signed),
  }
  return new Response(JSON.stringify(body), {
    headers: { 'Content-Type': 'application/json', ...CLOSED_HEADERS },
  })
}

function secondsOf({ issuedAt, expiresAt }: SignedToken): number {
  return (expiresAt.getTime() - issuedAt.getTime()) / 1000
}

// JSON unless application/jwt is named and outweighs it (RFC 9110 section 12.5.1).
function prefersBareToken(accept: string): boolean {
  if (!/application\/jwt/i.test(accept)) return false
  const weights = new Map(accept.toLowerCase().split(',').map(readMediaRange))
  const jwt = weights.get('application/jwt') ?? 0
  const json = weights.get('application/json') ?? weights.get('application/*') ?? weights.get('*/*') ?? 0
  return jwt > json
}

function readMediaRange(range: string): [type: string, weight: number] {
  const [type = '', ...parameters] = range.split(';').map((part) => part.trim())
  const quality = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2)
  return [type, quality === undefined ? 1 : Number(quality) || 0]
}
