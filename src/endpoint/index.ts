import { MembraneTokenError } from '../errors.ts'
import { parseDuration } from '../lifetime.ts'
import type { SignedToken, Signer } from '../signer.ts'
import { readJsonObject } from './body.ts'
import type { Authenticator, Scope } from './caller.ts'
import { decide, type Grant } from './decision.ts'
import { CLOSED_HEADERS, errorResponse, refusal, requestIdOf } from './problem.ts'

export { type ApiKey, type ApiKeysOptions, apiKeys } from './api-keys.ts'
export type { Authenticator, Caller, Scope } from './caller.ts'
export { type ProblemCode, type Refusal, refusal } from './problem.ts'

export interface TokenEndpointOptions {
  /** Signs the tokens. */
  signer: Signer
  /** Finds out who asks. Nobody gets a token without it. */
  authenticate: Authenticator
  /** Which kind of token this endpoint gives. Default `"customer"`. */
  kind?: Scope | undefined
  /** The longest lifetime a caller can wish for: seconds, or `"24h"`. Default: no limit. */
  maxExpiresIn?: number | string | undefined
}

const METHODS: Readonly<Record<Scope, readonly string[]>> = {
  customer: ['POST'],
  admin: ['POST'],
}

/**
 * Makes a route handler that gives Membrane tokens to callers it knows. It is plain Fetch API: a handler for
 * Next.js, Hono, Workers, `Deno.serve` and `Bun.serve` as it stands.
 *
 * A service posts `{"id", "name"?, "fields"?, "expiresIn"?}` and gets
 * `{"token", "expiresAt", "expiresIn"}`, with `expiresAt` as an RFC 3339 time and `expiresIn` in seconds; or,
 * with `Accept: application/jwt`, the bare token (RFC 7519 section 10.3.1). Everything else is answered with
 * problem details (RFC 9457), 401 with a challenge (RFC 6750 section 3). The handler never rejects.
 *
 * A lifetime over `maxExpiresIn` is not an error: the token ends at the limit. A request's id is taken from
 * `X-Request-Id` or made up.
 *
 * @throws {@link MembraneTokenError} `ERR_OPTION_INVALID` or `ERR_LIFETIME_INVALID` for bad options
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
  const { signer, authenticate, kind = 'customer' } = options
  if (typeof signer?.signCustomerToken !== 'function')
    throw invalid('signer must be what createSigner gives.')
  if (typeof authenticate !== 'function') {
    throw invalid('authenticate must be a function that finds out who asks, such as apiKeys({ keys }).')
  }
  if (!Object.hasOwn(METHODS, kind)) throw invalid('kind must be "customer" or "admin".')
  const maxExpiresIn =
    options.maxExpiresIn === undefined ? Number.POSITIVE_INFINITY : parseDuration(options.maxExpiresIn)
  const methods = METHODS[kind]

  return async (request) => {
    const requestId = requestIdOf(request)
    try {
      if (!methods.includes(request.method)) {
        throw refusal('ERR_METHOD_NOT_ALLOWED', `Use ${methods.join(' or ')}.`, { Allow: methods.join(', ') })
      }
      const grant = await decide({
        kind,
        caller: await authenticate(request),
        readWishes: () => readJsonObject(request),
        maxExpiresIn,
        now: Date.now(),
      })
      return tokenResponse(await issueToken(signer, grant), request.headers.get('Accept') ?? '')
    } catch (error) {
      return errorResponse(error, requestId)
    }
  }
}

async function issueToken(signer: Signer, grant: Grant): Promise<SignedToken> {
  const signed = await sign(signer, grant, grant.expiresIn)
  // Only a signer knows its own default, so one that exceeds the limit shows afterwards.
  return secondsOf(signed) <= grant.atMost ? signed : sign(signer, grant, grant.atMost)
}

function sign(signer: Signer, { customer }: Grant, expiresIn: number | undefined): Promise<SignedToken> {
  return customer ? signer.signCustomerToken(customer, { expiresIn }) : signer.signAdminToken({ expiresIn })
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

function invalid(message: string): MembraneTokenError {
  return new MembraneTokenError('ERR_OPTION_INVALID', message)
}
