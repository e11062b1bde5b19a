import type { Issued } from './access-token.ts'
import {
  type Answer,
  type Credentials,
  call,
  type Members,
  type PreparedRequest,
  type Refusal,
  refuseByStatus,
} from './call.ts'
import { unavailable, unexpectedAnswer } from './errors.ts'
import { checkSupplied, type Supplied, supplyText } from './options.ts'

/** Where access tokens come from. */
export type TokenSource = Credentials<string>

/** Access tokens that the caller supplies. @throws `ERR_OPTION_INVALID` */
export function suppliedTokens(token: Supplied<string>, option: string): TokenSource {
  checkSupplied(token, option)
  return { get: () => supplyText(token, option), reject: () => false }
}

/** A request of an API that takes access tokens and JSON. */
export interface BearerCall {
  readonly service: string
  readonly url: string
  /** POST with these members; GET without. */
  readonly body?: Members | undefined
  readonly tokens: TokenSource
  readonly refuse: (answer: Answer) => Refusal
  readonly signal: AbortSignal
}

/** Sends a request with an access token (RFC 6750 section 2.1). */
export function callWithBearer({ url, body, tokens, ...rest }: BearerCall): Promise<Answer> {
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
  /** Message for credentials that the service rejects. */
  readonly rejection: string
  readonly signal: AbortSignal
}

/** Requests an access token, and reads it from the answer (RFC 6749 section 5.1). */
export async function requestAccessToken({
  service,
  request,
  rejection,
  signal,
}: AccessTokenRequest): Promise<Issued<string>> {
  const { body } = await call({
    service,
    signal,
    prepare: () => request,
    refuse: ({ status }) =>
      [400, 401, 403].includes(status)
        ? { error: unavailable(rejection) }
        : refuseByStatus(service, status, 'to get access tokens'),
  })
  const { access_token: value, expires_in: lifetime } = body
  // Azure's metadata server writes the lifetime as text.
  const expiresIn = Number(lifetime)
  if (typeof value !== 'string' || !(expiresIn > 0)) throw unexpectedAnswer(service)
  return { value, expiresIn }
}
