import { checkHttpUrl, invalidOption } from '../../options.ts'
import type { SignedToken, Signer } from '../../token/signer.ts'
import type { Authenticator, Caller, CredentialAuthenticator, Scope } from '../auth/caller.ts'
import { isRefusal, refusal } from '../http/problem.ts'
import { createResponse } from '../http/response.ts'
import type { IdentifiedRequest, Issuer, Route } from '../issuer.ts'
import type { Grant } from '../policy.ts'
import type { Endpoint } from '../token-endpoint.ts'
import { readClient } from './client-credentials.ts'
import { type Form, readForm } from './form.ts'
import { oauthErrorResponse, oauthRefusal } from './oauth-error.ts'

export interface OAuthOptions {
  readonly issuer: Issuer
  readonly authenticate: Authenticator & Partial<CredentialAuthenticator>
  readonly signer: Signer
  readonly apiUri: string | undefined
  /** The https URL of this service: the `issuer` in its metadata. */
  readonly issuerUrl: string
}

export interface OAuthRoutes {
  readonly token: Endpoint
  /** The authorization server metadata (RFC 8414). */
  readonly metadata: { readonly type: string; readonly cacheControl: string; readonly body: string }
  readonly metadataPaths: readonly string[]
}

const CLIENT_CREDENTIALS = 'client_credentials'
const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'
const TOKEN_TYPE = 'urn:ietf:params:oauth:token-type:'
const SUBJECT_TOKEN_TYPES = ['jwt', 'access_token', 'id_token'].map((type) => TOKEN_TYPE + type)
const REQUESTED_TOKEN_TYPES = ['jwt', 'access_token'].map((type) => TOKEN_TYPE + type)
const JWT_SHAPE = /^[\w-]+\.[\w-]+\.[\w-]+$/

/**
 * Creates the routes for standard OAuth clients: `POST /oauth/token`, and the metadata that describes it. Policy, rate
 * limits and audit are those of the other routes.
 *
 * | grant | caller | token |
 * |---|---|---|
 * | token exchange (RFC 8693) | a session | a token for its customer |
 * | token exchange | a workload, with `scope=admin` | an admin token |
 * | client credentials (RFC 6749 section 4.4) | an API key and its name, with `scope=admin` | an admin token |
 *
 * @throws `ERR_OPTION_INVALID`
 */
export function createOAuthRoutes(options: OAuthOptions): OAuthRoutes {
  const { issuer, authenticate, issuerUrl } = options
  const { verify } = authenticate
  checkIssuerUrl(issuerUrl)
  if (!verify) {
    throw invalidOption(
      'oauthIssuer needs an authenticator with a verify method, such as sessionJwt or oneOf, because /oauth/token takes credentials in its body.',
      'authenticate',
    )
  }
  const grants = createGrants(verify, listTargets(options))

  const token: Endpoint = async (request, context, requestId, base) => {
    let issuedTokenType: string | undefined
    const route: Route = {
      kind: 'admin',
      identify: async (request, context, withRateLimit) => {
        if (request.method !== 'POST') throw refusal('ERR_METHOD_NOT_ALLOWED', 'Use POST.', { Allow: 'POST' })
        const form = await readForm(request)
        const grantType = form.get('grant_type')
        if (grantType === undefined) throw oauthRefusal('invalid_request', 'grant_type is missing.')
        const grant = Object.hasOwn(grants, grantType) ? grants[grantType] : undefined
        if (!grant) {
          throw oauthRefusal(
            'unsupported_grant_type',
            `grant_type must be ${CLIENT_CREDENTIALS} or ${TOKEN_EXCHANGE}.`,
          )
        }
        if (grantType === TOKEN_EXCHANGE) {
          issuedTokenType = form.get('requested_token_type') ?? `${TOKEN_TYPE}access_token`
        }
        return grant(form, request, context, withRateLimit)
      },
    }
    const issued = await issuer.issue(route, request, context, requestId)
    return issued.problem
      ? oauthErrorResponse(issued.problem, requestId, base)
      : tokenResponse(issued, issuedTokenType, requestId, base)
  }
  return { token, ...createMetadata(issuerUrl) }
}

type GrantHandler = (
  form: Form,
  request: Request,
  context: object | undefined,
  withRateLimit: Parameters<Route['identify']>[2],
) => Promise<IdentifiedRequest>

function createGrants(
  verify: CredentialAuthenticator['verify'],
  targets: Targets,
): Readonly<Record<string, GrantHandler>> {
  return {
    [CLIENT_CREDENTIALS]: async (form, request, context, withRateLimit) => {
      const client = readClient(request, form)
      if (!client)
        throw oauthRefusal(
          'invalid_client',
          'Send the client id (the name of an API key) and the key, as Basic or in the body.',
        )
      const scope = readScope(form)
      if (scope !== 'admin') throw oauthRefusal('invalid_scope', 'Client credentials need scope=admin.')
      await withRateLimit(
        () => client.secret,
        async () => {
          const caller = await verifyClient(verify({ kind: 'client', ...client }, context))
          if (!caller) throw oauthRefusal('invalid_client', 'Unknown client, or unknown or revoked API key.')
          return caller
        },
      )
      return identified(scope)
    },

    [TOKEN_EXCHANGE]: async (form, request, context, withRateLimit) => {
      const token = readSubjectToken(form)
      checkTargets(form, targets)
      if (request.headers.has('Authorization') || form.get('client_secret') !== undefined) {
        throw oauthRefusal(
          'invalid_request',
          'The subject token is the only credential of a token exchange; send no client secret.',
        )
      }
      const scope = readScope(form)
      const caller = await withRateLimit(
        () => token,
        async () => {
          const found = await verifySubject(verify({ kind: 'bearer', token }, context))
          if (!found) {
            throw refusal(
              'ERR_CREDENTIALS_INVALID',
              'The issuer or audience of subject_token is not configured here.',
            )
          }
          return found
        },
      )
      if (caller?.kind === 'service' && scope !== 'admin') {
        throw oauthRefusal('invalid_scope', 'Workloads need scope=admin.')
      }
      return identified(scope ?? 'customer')
    },
  }
}

const identified = (kind: Scope): IdentifiedRequest => ({
  kind,
  query: undefined,
  readTokenRequest: async () => ({}),
})

/** RFC 8693 section 2.2.2: an invalid or unacceptable subject token is `invalid_request`, never `invalid_scope`. */
async function verifySubject(verified: Promise<Caller | null>): Promise<Caller | null> {
  try {
    return await verified
  } catch (error) {
    if (isRefusal(error) && error.code === 'ERR_CALLER_FORBIDDEN')
      throw oauthRefusal('invalid_request', error.message)
    throw error
  }
}

async function verifyClient(verified: Promise<Caller | null>): Promise<Caller | null> {
  try {
    return await verified
  } catch (error) {
    if (isRefusal(error) && error.code === 'ERR_CREDENTIALS_INVALID')
      throw oauthRefusal('invalid_client', error.message)
    throw error
  }
}

function readSubjectToken(form: Form): string {
  if (form.get('actor_token') !== undefined || form.get('actor_token_type') !== undefined) {
    throw oauthRefusal('invalid_request', 'Delegation is not supported: remove actor_token.')
  }
  const [token, type, requested] = ['subject_token', 'subject_token_type', 'requested_token_type'].map(
    form.get,
  )
  if (token === undefined) throw oauthRefusal('invalid_request', 'subject_token is missing.')
  if (!SUBJECT_TOKEN_TYPES.includes(type ?? '')) {
    throw oauthRefusal(
      'invalid_request',
      `subject_token_type must be one of ${SUBJECT_TOKEN_TYPES.join(', ')}.`,
    )
  }
  if (requested !== undefined && !REQUESTED_TOKEN_TYPES.includes(requested)) {
    throw oauthRefusal(
      'invalid_request',
      `requested_token_type must be absent, or one of ${REQUESTED_TOKEN_TYPES.join(', ')}.`,
    )
  }
  if (!JWT_SHAPE.test(token)) throw oauthRefusal('invalid_request', 'subject_token must be a JWT.')
  return token
}

const SCOPES: readonly unknown[] = ['customer', 'admin'] satisfies Scope[]

function readScope(form: Form): Scope | undefined {
  const scope = form.get('scope')
  if (scope === undefined || SCOPES.includes(scope)) return scope as Scope | undefined
  throw oauthRefusal('invalid_scope', 'scope must be admin, or customer when a session is exchanged.')
}

/** Accepted values of `audience` and `resource` (RFC 8693 section 2.1). */
interface Targets {
  readonly audiences: readonly string[]
  readonly resources: readonly string[]
}

/** The targets are this service, and Membrane, where the tokens are used. */
function listTargets({ signer, apiUri, issuerUrl }: OAuthOptions): Targets {
  return {
    audiences: [signer.workspaceKey, issuerUrl],
    resources: [issuerUrl, ...(apiUri === undefined ? [] : [apiUri])],
  }
}

function checkTargets(form: Form, { audiences, resources }: Targets): void {
  const areAccepted =
    form.getAll('audience').every((audience) => audiences.includes(audience)) &&
    form.getAll('resource').every((resource) => resources.includes(resource))
  if (!areAccepted) {
    throw oauthRefusal(
      'invalid_target',
      'audience must be the workspace key, and resource this service; or omit both.',
    )
  }
}

/** The token response (RFC 6749 section 5.1, RFC 8693 section 2.2.1). */
function tokenResponse(
  { signed, grant }: { readonly signed: SignedToken; readonly grant: Grant },
  issuedTokenType: string | undefined,
  requestId: string,
  base: Headers,
): Response {
  const body = {
    access_token: signed.token,
    ...(issuedTokenType !== undefined && { issued_token_type: issuedTokenType }),
    token_type: 'Bearer',
    expires_in: (signed.expiresAt.getTime() - signed.issuedAt.getTime()) / 1000,
    scope: grant.kind,
  }
  const headers = { 'Content-Type': 'application/json', Pragma: 'no-cache', 'X-Request-Id': requestId }
  return createResponse(JSON.stringify(body), base, headers)
}

const WELL_KNOWN = '/.well-known/oauth-authorization-server'

function createMetadata(issuerUrl: string): Pick<OAuthRoutes, 'metadata' | 'metadataPaths'> {
  const root = issuerUrl.replace(/\/$/, '')
  const metadata = {
    issuer: issuerUrl,
    token_endpoint: `${root}/oauth/token`,
    jwks_uri: `${root}/.well-known/jwks.json`,
    scopes_supported: ['admin', 'customer'],
    response_types_supported: [],
    grant_types_supported: [CLIENT_CREDENTIALS, TOKEN_EXCHANGE],
    token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post', 'none'],
  }
  const path = new URL(root).pathname
  return {
    metadata: {
      type: 'application/json',
      cacheControl: 'public, max-age=300',
      body: JSON.stringify(metadata),
    },
    // RFC 8414 section 3.1: the path of an issuer follows the well-known part.
    metadataPaths: path === '/' ? [WELL_KNOWN] : [WELL_KNOWN, WELL_KNOWN + path],
  }
}

function checkIssuerUrl(issuerUrl: string): void {
  checkHttpUrl(issuerUrl, 'oauthIssuer')
  const { protocol, hostname, search } = new URL(issuerUrl)
  const isLocal = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname)
  if ((protocol === 'https:' || isLocal) && search === '') return
  throw invalidOption('oauthIssuer must be an https URL without a query.', 'oauthIssuer')
}
