import {
  type Credentials,
  call,
  type Members,
  type PreparedRequest,
  type ServiceFailure,
  type ServiceResponse,
  transientFailure,
} from './call.ts'
import type { IssuedCredential } from './credential-cache.ts'
import { unavailable, unexpectedResponse } from './errors.ts'
import { checkSupplied, resolveText, type Supplied } from './options.ts'

/** A source of access tokens. */
export type TokenSource = Credentials<string>

/** Access tokens from the caller's options. @throws `ERR_OPTION_INVALID` */
export function suppliedTokens(token: Supplied<string>, option: string): TokenSource {
  checkSupplied(token, option)
  return { get: () => resolveText(token, option), reject: () => false }
}

/** A request to a JSON API that requires an access token. */
export interface BearerCall {
  readonly service: string
  readonly url: string
  /** Sent as JSON with POST; without a body, the request is a GET. */
  readonly body?: Members | undefined
  readonly tokens: TokenSource
  readonly readFailure: (response: ServiceResponse) => ServiceFailure
  readonly signal: AbortSignal
}

/** Sends a request with an access token (RFC 6750 section 2.1). */
export function callWithBearer({ url, body, tokens, ...rest }: BearerCall): Promise<ServiceResponse> {
  const prepare = (token: string): PreparedRequest => {
    const authorization = { Authorization: `Bearer ${token}` }
    if (!body) return [url, { headers: authorization }]
    const headers = { ...authorization, 'Content-Type': 'application/json' }
    return [url, { method: 'POST', headers, body: JSON.stringify(body) }]
  }
  return call({ ...rest, prepare, credentials: tokens })
}

/** A request for an access token. */
export interface AccessTokenRequest {
  readonly service: string
  readonly request: PreparedRequest
  /** Error message if the service rejects the credentials. */
  readonly rejection: string
  readonly signal: AbortSignal
}

/** Requests an access token (RFC 6749 section 5.1). @throws `ERR_KEY_UNAVAILABLE` */
export async function requestAccessToken({
  service,
  request,
  rejection,
  signal,
}: AccessTokenRequest): Promise<IssuedCredential<string>> {
  const { body } = await call({
    service,
    signal,
    prepare: () => request,
    readFailure: ({ status }) => transientFailure(service, status) ?? { error: unavailable(rejection) },
  })
  const { access_token: value, expires_in: lifetime } = body
  // Azure's metadata server returns the lifetime as a string.
  const expiresIn = Number(lifetime)
  if (typeof value !== 'string' || !(expiresIn > 0)) throw unexpectedResponse(service)
  return { value, expiresIn }
}
