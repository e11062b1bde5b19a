// Requests that every example must handle in the same way, and how their responses are compared.
import { createHash, randomBytes } from 'node:crypto'
import { request as httpRequest } from 'node:http'

export const API_KEY: string = randomBytes(32).toString('base64url')
export const secret: string = randomBytes(32).toString('hex')
export const ALLOWED = 'https://app.example.com'

export const settings: Readonly<Record<string, string>> = {
  MEMBRANE_WORKSPACE_KEY: crypto.randomUUID(),
  MEMBRANE_WORKSPACE_SECRET: secret,
  API_KEYS: JSON.stringify([
    {
      name: 'backend',
      sha256: createHash('sha256').update(API_KEY).digest('hex'),
      scopes: ['customer', 'admin'],
    },
  ]),
  ALLOWED_ORIGINS: ALLOWED,
  OAUTH_ISSUER: 'https://tokens.example.com',
}

export interface Exchange {
  readonly method?: string
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

const bearer = { Authorization: `Bearer ${API_KEY}` }
const json = { ...bearer, 'Content-Type': 'application/json' }
const customer = '{"id":"customer-42","name":"Zoë & Söhne"}'
const token = '/api/membrane-token'

export const EXCHANGES: Readonly<Record<string, Exchange>> = {
  'a customer token': { method: 'POST', path: token, headers: json, body: customer },
  'the bare token': {
    method: 'POST',
    path: token,
    headers: { ...json, Accept: 'application/jwt' },
    body: customer,
  },
  'an admin token': { method: 'POST', path: '/api/membrane-admin-token', headers: bearer },
  'no credentials': { path: token },
  'an unknown API key': { path: token, headers: { Authorization: 'Bearer unknown' } },
  'an unknown body member': {
    method: 'POST',
    path: token,
    headers: json,
    body: '{"id":"c","expires_in":60}',
  },
  'a body that is not JSON': { method: 'POST', path: token, headers: json, body: '{' },
  'a body that is too large': {
    method: 'POST',
    path: token,
    headers: json,
    body: JSON.stringify({ id: 'a'.repeat(17_000) }),
  },
  'an unsupported method': { method: 'DELETE', path: token, headers: bearer },
  'a request from an allowed origin': {
    method: 'POST',
    path: token,
    headers: { ...json, Origin: ALLOWED },
    body: customer,
  },
  'a preflight from an allowed origin': {
    method: 'OPTIONS',
    path: token,
    headers: {
      Origin: ALLOWED,
      'Access-Control-Request-Method': 'POST',
      'Access-Control-Request-Headers': 'authorization,content-type',
    },
  },
  'a request from another origin': { path: token, headers: { ...bearer, Origin: 'https://evil.example' } },
  'a same-origin request behind a proxy that terminates TLS': {
    method: 'POST',
    path: token,
    headers: { ...json, Host: 'tokens.example.com', Origin: 'https://tokens.example.com' },
    body: customer,
  },
  'an admin token for a browser': {
    method: 'POST',
    path: '/api/membrane-admin-token',
    headers: { ...bearer, Host: 'tokens.example.com', Origin: 'https://tokens.example.com' },
  },
  'OAuth client credentials': {
    method: 'POST',
    path: '/oauth/token',
    headers: {
      Authorization: `Basic ${btoa(`backend:${API_KEY}`)}`,
      'Content-Type': 'application/x-www-form-urlencoded',
    },
    body: 'grant_type=client_credentials&scope=admin',
  },
  'the OAuth metadata': { path: '/.well-known/oauth-authorization-server' },
  'the key set': { path: '/.well-known/jwks.json' },
  health: { path: '/health' },
  readiness: { path: '/ready' },
}

export interface ExchangeResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** Headers of the connection, and HSTS, which only the Worker and `serve` send. */
const IGNORED_HEADERS = [
  'connection',
  'content-length',
  'date',
  'keep-alive',
  'strict-transport-security',
  'transfer-encoding',
]

/** Replaces everything in a response that differs between requests. */
export function normalize({ status, headers, body }: ExchangeResponse): ExchangeResponse {
  const compared = Object.entries(headers)
    .map(([name, value]): [string, string] => [name.toLowerCase(), value])
    .filter(([name]) => !IGNORED_HEADERS.includes(name))
    .map(([name, value]): [string, string] => [name, name === 'x-request-id' ? '…' : value])
    .sort()
  return {
    status,
    headers: Object.fromEntries(compared),
    body: body
      .replace(/[\w-]+\.[\w-]+\.[\w-]{80,}/, 'TOKEN')
      .replace(/(?<="requestId":")[^"]+/, '…')
      .replace(/(?<="expiresAt":")[^"]+/, '…'),
  }
}

/** Sends a request to a server. Not with `fetch`, which does not allow setting `Host` and `Origin`. */
export function exchange(
  origin: string,
  { method = 'GET', path, headers = {}, body }: Exchange,
): Promise<ExchangeResponse> {
  const content = body === undefined ? undefined : Buffer.from(body)
  return new Promise((resolve, reject) => {
    const request = httpRequest(new URL(path, origin), {
      method,
      agent: false,
      headers: { ...headers, ...(content && { 'Content-Length': content.byteLength }) },
    })
    request.on('error', reject).on('response', async (response) => {
      const chunks: Buffer[] = []
      try {
        for await (const chunk of response) chunks.push(chunk)
      } catch (error) {
        reject(error)
      }
      resolve({
        status: response.statusCode ?? 0,
        headers: Object.fromEntries(
          Object.entries(response.headers).map(([name, value]) => [name, String(value)]),
        ),
        body: Buffer.concat(chunks).toString(),
      })
    })
    request.end(content)
  })
}

/** Sends a request to a handler in this process. */
export async function callHandler(
  handler: (request: Request) => Promise<Response>,
  { method = 'GET', path, headers = {}, body }: Exchange,
): Promise<ExchangeResponse> {
  const request = new Request(`http://localhost${path}`, {
    method,
    headers: { Host: 'localhost', ...headers },
    ...(body !== undefined && { body }),
  })
  const response = await handler(request)
  return {
    status: response.status,
    headers: Object.fromEntries(response.headers),
    body: await response.text(),
  }
}
