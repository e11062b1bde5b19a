import { describeProblem, type HttpAnswer, type NoAnswer, parseObject, routeOf, send } from '../http.ts'
import { negativeAnswer } from '../terminal.ts'

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

/** Asks the service for a token, with the identity as bearer token, or at `/oauth/token` where only that is offered. */
export async function requestToken(
  service: URL,
  identity: string,
  request: TokenRequest,
): Promise<IssuedToken> {
  const { customer, expiresIn } = request
  const path = customer === undefined ? '/api/membrane-admin-token' : '/api/membrane-token'
  const answer = await sendUntilAnswered(routeOf(service, path), {
    method: 'POST',
    headers: { Authorization: `Bearer ${identity}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({
      ...(customer !== undefined && { id: customer }),
      ...(expiresIn && { expiresIn }),
    }),
  })
  const isElsewhere = answer.status === 404 && customer === undefined && expiresIn === undefined
  return isElsewhere ? exchangeToken(service, identity) : readToken(answer)
}

/** Token exchange, RFC 8693 section 2.1. */
async function exchangeToken(service: URL, identity: string): Promise<IssuedToken> {
  const answer = await sendUntilAnswered(routeOf(service, '/oauth/token'), {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token: identity,
      subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
      scope: 'admin',
    }),
  })
  return readToken(answer)
}

const RETRIES = 3
const FIRST_DELAY = 500

/** Retries while the service is busy or unreachable, because many jobs start in the same minute. */
async function sendUntilAnswered(url: string, init: RequestInit): Promise<HttpAnswer> {
  let answer: HttpAnswer | NoAnswer = await send(url, init)
  for (let retry = 0; retry < RETRIES && isTransient(answer); retry++) {
    const delay = requestedDelay(answer) ?? FIRST_DELAY * 2 ** retry * (1 + Math.random())
    await new Promise((resolve) => setTimeout(resolve, delay))
    answer = await send(url, init)
  }
  if (answer.status !== undefined) return answer
  throw negativeAnswer(`The token service cannot be reached: ${answer.reason}.`, 'ERR_UNREACHABLE')
}

/** `Retry-After` in seconds (RFC 9110 section 10.2.3), with jitter so that jobs do not come back together. */
function requestedDelay(answer: HttpAnswer | NoAnswer): number | undefined {
  const text = answer.status === undefined ? null : answer.headers.get('Retry-After')
  if (text === null || !/^\d{1,6}$/.test(text)) return undefined
  return Math.min(Number(text) * 1000, LONGEST_DELAY) * (1 + Math.random() / 2)
}

const LONGEST_DELAY = 30_000

function isTransient({ status = 503 }: HttpAnswer | NoAnswer): boolean {
  return status === 429 || status >= 500
}

const TOKEN = /^[\w-]+\.[\w-]+\.[\w-]+$/

function readToken(answer: HttpAnswer): IssuedToken {
  const {
    token,
    access_token: accessToken = token,
    expiresIn,
    expires_in = expiresIn,
  } = parseObject(answer.text) ?? {}
  if (answer.status === 200 && typeof accessToken === 'string' && TOKEN.test(accessToken))
    return { token: accessToken, expiresIn: expires_in }
  if (answer.status === 200) throw negativeAnswer('The response holds no token; check the address.')
  if (answer.status >= 300 && answer.status < 400)
    throw negativeAnswer(`The address redirects (${answer.status}); pass the final address.`)
  throw negativeAnswer(`The token service answered ${describeProblem(answer)}`)
}
