import { describeProblem, type HttpFailure, type HttpResponse, parseObject, routeOf, send } from '../http.ts'
import { negativeResult } from '../terminal.ts'

/** The token to request. */
export interface TokenRequest {
  /** Customer to get a token for; undefined for an admin token. */
  readonly customer: string | undefined
  readonly expiresIn: string | undefined
}

export interface IssuedToken {
  readonly token: string
  readonly expiresIn?: unknown
}

/** Requests a token with the OIDC token as bearer token, or at `/oauth/token` if the service has only that route. */
export async function requestToken(
  service: URL,
  identity: string,
  request: TokenRequest,
): Promise<IssuedToken> {
  const { customer, expiresIn } = request
  const path = customer === undefined ? '/api/membrane-admin-token' : '/api/membrane-token'
  const response = await sendWithRetries(routeOf(service, path), {
    method: 'POST',
    headers: { Authorization: `Bearer ${identity}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({
      ...(customer !== undefined && { id: customer }),
      ...(expiresIn && { expiresIn }),
    }),
  })
  const hasOnlyOAuth = response.status === 404 && customer === undefined && expiresIn === undefined
  return hasOnlyOAuth ? exchangeToken(service, identity) : readToken(response)
}

/** Token exchange (RFC 8693 section 2.1). */
async function exchangeToken(service: URL, identity: string): Promise<IssuedToken> {
  const response = await sendWithRetries(routeOf(service, '/oauth/token'), {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token: identity,
      subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
      scope: 'admin',
    }),
  })
  return readToken(response)
}

const RETRIES = 3
/** Milliseconds. */
const FIRST_DELAY = 500

/** Retries while the service is busy or unreachable, because many jobs start in the same minute. */
async function sendWithRetries(url: string, init: RequestInit): Promise<HttpResponse> {
  let response: HttpResponse | HttpFailure = await send(url, init)
  for (let retry = 0; retry < RETRIES && isTransient(response); retry++) {
    const delay = requestedDelay(response) ?? FIRST_DELAY * 2 ** retry * (1 + Math.random())
    await new Promise((resolve) => setTimeout(resolve, delay))
    response = await send(url, init)
  }
  if (response.status !== undefined) return response
  throw negativeResult(`The token service cannot be reached: ${response.reason}.`, 'ERR_UNREACHABLE')
}

/** `Retry-After` (RFC 9110 section 10.2.3) in milliseconds, with jitter so that jobs do not retry simultaneously. */
function requestedDelay(response: HttpResponse | HttpFailure): number | undefined {
  const text = response.status === undefined ? null : response.headers.get('Retry-After')
  if (text === null || !/^\d{1,6}$/.test(text)) return undefined
  return Math.min(Number(text) * 1000, LONGEST_DELAY) * (1 + Math.random() / 2)
}

/** Milliseconds. */
const LONGEST_DELAY = 30_000

function isTransient({ status = 503 }: HttpResponse | HttpFailure): boolean {
  return status === 429 || status >= 500
}

const TOKEN = /^[\w-]+\.[\w-]+\.[\w-]+$/

function readToken(response: HttpResponse): IssuedToken {
  const {
    token,
    access_token: accessToken = token,
    expiresIn,
    expires_in = expiresIn,
  } = parseObject(response.text) ?? {}
  if (response.status === 200 && typeof accessToken === 'string' && TOKEN.test(accessToken))
    return { token: accessToken, expiresIn: expires_in }
  if (response.status === 200) throw negativeResult('The response has no token; check the address.')
  if (response.status >= 300 && response.status < 400)
    throw negativeResult(`The address redirects (${response.status}); pass the final address.`)
  throw negativeResult(`The token service returned ${describeProblem(response)}`)
}
