import { createHash, randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { Agent, request as httpRequest, STATUS_CODES } from 'node:http'
import { connect } from 'node:net'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import jwt from 'jsonwebtoken'
import { convertV4MiniflareOptions, Miniflare, Response as MiniflareResponse } from 'miniflare'
import { afterAll, beforeAll, expect } from 'vitest'
import worker from '../../worker/index.ts'
import { SOURCES } from '../support/sources.ts'

export interface ApiKeySetting {
  name: string
  sha256: string
  scopes: string[]
}

export type Bindings = Record<string, string>

const root = new URL('../../', import.meta.url)

/** Values that must not appear in any response or log line. */
const confidentialValues = new Set<string>()

export function markConfidential(value: string): string {
  confidentialValues.add(value)
  return value
}

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
export const randomKey = (): string => markConfidential(randomBytes(32).toString('base64url'))

/** Valid settings, with an API key for every scope. */
export function makeSettings(): { settings: Bindings; secret: string; apiKeys: Record<string, string> } {
  const secret = randomKey()
  const apiKeys = { backend: randomKey(), backendNext: randomKey(), console: randomKey() }
  const settings = {
    MEMBRANE_WORKSPACE_KEY: 'workspace-under-test',
    MEMBRANE_WORKSPACE_SECRET: secret,
    API_KEYS: JSON.stringify([
      { name: 'backend', sha256: sha256(apiKeys.backend), scopes: ['customer'] },
      { name: 'backend', sha256: sha256(apiKeys.backendNext).toUpperCase(), scopes: ['customer'] },
      { name: 'console', sha256: sha256(apiKeys.console), scopes: ['admin'] },
    ] satisfies ApiKeySetting[]),
  }
  return { settings, secret, apiKeys }
}

/** The bundled Worker with the options of wrangler.toml, as it is deployed. */
export async function workerOptions(): Promise<{
  modules: true
  script: string
  compatibilityDate: string
  compatibilityFlags: string[]
}> {
  const config = await readFile(new URL('wrangler.toml', root), 'utf8')
  const [, compatibilityDate = ''] = /^compatibility_date = "(.*)"$/m.exec(config) ?? []
  const [, flags = ''] = /^compatibility_flags = (\[.*\])$/m.exec(config) ?? []
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('worker/index.ts', root))],
    bundle: true,
    format: 'esm',
    platform: 'neutral',
    alias: SOURCES,
    conditions: ['workerd', 'worker', 'browser'],
    write: false,
  })
  return {
    modules: true,
    script: outputFiles[0]!.text,
    compatibilityDate,
    compatibilityFlags: JSON.parse(flags),
  }
}

export interface RequestOptions {
  method?: string
  headers?: Record<string, string | readonly string[] | undefined>
  /** Sent as JSON unless it is text, bytes, or chunks of bytes. */
  body?: unknown
  /** Name of the Worker; default: the first one. */
  worker?: string
}

export interface WorkerSetup {
  bindings: Record<string, unknown>
  /** Handles what the Worker fetches. */
  outbound?: (url: URL) => Response | Promise<Response>
  /** Further options of Miniflare. */
  options?: Record<string, unknown>
}

export interface Workers {
  send(path: string, options?: RequestOptions): Promise<Response>
  /** Sends raw bytes, for requests that HTTP clients do not allow, and returns the raw response. */
  raw(text: string): Promise<string>
  readonly logged: string[]
  readonly miniflare: Miniflare
}

/** Sends a request to the Worker in this process, for bindings that workerd does not offer. */
export function fetchInProcess(
  path: string,
  init: RequestInit,
  env: Record<string, unknown>,
): Promise<Response> {
  return worker.fetch(new Request(ORIGIN + path, init), env, {})
}

/** The origin of the Workers. */
export const ORIGIN = 'http://worker.test'

/**
 * Starts the Workers before the tests of a file and stops them afterwards. No response and no log line may then contain
 * a secret, a key, or a token outside the `token` member.
 *
 * Requests go to workerd directly, because Miniflare's proxy changes headers.
 */
export function useWorkers(setups: Record<string, WorkerSetup>): Workers {
  const logged: string[] = []
  const received: string[] = []
  const agent = new Agent({ keepAlive: true })
  const [first = ''] = Object.keys(setups)
  let miniflare: Miniflare

  beforeAll(async () => {
    const shared = await workerOptions()
    const workers = Object.entries(setups).map(([name, { bindings, outbound, options }]) => ({
      ...shared,
      name,
      bindings,
      unsafeDirectSockets: [{}],
      // No test may reach the network.
      outboundService: async ({ url }: { url: string }) => {
        const response = (await outbound?.(new URL(url))) ?? new Response(null, { status: 502 })
        return new MiniflareResponse(await response.text(), {
          status: response.status,
          headers: [...response.headers],
        })
      },
      ...options,
    }))
    miniflare = new Miniflare(
      convertV4MiniflareOptions({
        workers: workers as never,
        handleStructuredLogs: ({ message }) => logged.push(message),
      }),
    )
    await miniflare.ready
  })

  afterAll(async () => {
    agent.destroy()
    await miniflare?.dispose()
    expectNothingLeaked(logged, received)
  })

  return {
    logged,
    get miniflare() {
      return miniflare
    },
    send: async (path, { worker = first, ...options } = {}) => {
      const response = await exchange(await miniflare.unsafeGetDirectURL(worker), agent, path, options)
      const text = withoutToken(response.headers, await response.clone().text())
      received.push(`${[...response.headers].join('\n')}\n\n${text}`)
      return response
    },
    raw: async (text) => {
      const { hostname, port } = await miniflare.unsafeGetDirectURL(first)
      const response = await new Promise<string>((resolve, reject) => {
        let data = ''
        const socket = connect(Number(port), hostname, () => socket.write(text, 'latin1'))
        socket.setEncoding('latin1').on('data', (chunk) => {
          data += chunk
        })
        socket.on('close', () => resolve(data)).on('error', reject)
      })
      if (!response.startsWith('HTTP/1.1 200')) received.push(response)
      return response
    },
  }
}

/** Bytes of a body that are sent before the response arrives; the Worker reads fewer. */
const FIRST_PART = 32_768

/** Unlike `fetch`, does not join or forbid headers, normalize paths or reject methods. */
function exchange(
  url: URL,
  agent: Agent,
  path: string,
  { method, headers = {}, body }: RequestOptions,
): Promise<Response> {
  const isChunked = Array.isArray(body) && body.every((chunk) => chunk instanceof Uint8Array)
  const isRaw = typeof body === 'string' || body instanceof Uint8Array
  const bytes = body === undefined || isChunked ? undefined : Buffer.from(isRaw ? body : JSON.stringify(body))
  const list = Object.entries({ Host: new URL(ORIGIN).host, ...headers }).flatMap(([name, values = []]) =>
    [values].flat().flatMap((value) => [name, value]),
  )
  if (bytes) list.push('Content-Length', `${bytes.byteLength}`)
  return new Promise((resolve, reject) => {
    const request = httpRequest({
      hostname: url.hostname,
      port: url.port,
      agent,
      path,
      method: method ?? (body === undefined ? 'GET' : 'POST'),
      headers: list,
    })
    request.on('error', reject)
    request.on('response', async (response) => {
      const chunks: Buffer[] = []
      for await (const chunk of response) chunks.push(chunk)
      const status = response.statusCode!
      const names = response.rawHeaders.filter((_, index) => index % 2 === 0)
      const values = response.rawHeaders.filter((_, index) => index % 2 === 1)
      const fields = names.map((name, index): [string, string] => [name, values[index]!])
      const content = method === 'HEAD' || [204, 304].includes(status) ? null : Buffer.concat(chunks)
      // A body in chunks is never finished.
      if (isChunked) request.destroy()
      resolve(new Response(content, { status, headers: fields }))
    })
    if (isChunked) for (const chunk of body) request.write(chunk)
    else if (bytes === undefined || bytes.byteLength <= FIRST_PART) request.end(bytes)
    else {
      // The Worker rejects a body that is too large before it has read all of it, and closes the connection. The rest
      // is written after the response has arrived, because a failed write would discard the response.
      request.write(bytes.subarray(0, FIRST_PART))
      request.once('response', () => {
        request.off('error', reject).on('error', () => {})
        request.end(bytes.subarray(FIRST_PART))
      })
    }
  })
}

function withoutToken(headers: Headers, body: string): string {
  const type = headers.get('Content-Type')
  if (type === 'application/jwt') return ''
  return type === 'application/json' ? body.replace(/^\{"token":"[^"]*"/, '{"token":""') : body
}

/** Fails if a log line or response contains a secret, a key, a token or a stack trace. */
export function expectNothingLeaked(logged: readonly string[], received: readonly string[]): void {
  const seen = [...logged, ...received].join('\n')
  for (const value of confidentialValues) {
    if (value !== '' && seen.includes(value)) {
      throw new Error(`${value.slice(0, 6)}… in ${received.join().includes(value) ? 'a response' : 'a log'}`)
    }
  }
  expect(seen.match(/eyJ[\w-]*\.[\w-]+/)?.[0]).toBeUndefined()
  expect(seen).not.toMatch(/PRIVATE KEY|"d":|"k":|\n\s+at /)
}

export interface TokenBody {
  token: string
  expiresAt: string
  expiresIn: number
}

/** The claims of the token in a response, verified as Membrane does. */
export async function claimsOf(
  response: Response,
  key: string,
  options: jwt.VerifyOptions = {},
): Promise<jwt.JwtPayload> {
  const text = await response.text()
  expect(response.status, text).toBe(200)
  return jwt.verify((JSON.parse(text) as TokenBody).token, key, options) as jwt.JwtPayload
}

/** Titles of RFC 9110; Node still has an older one for 413. */
const TITLES: Record<number, string | undefined> = { ...STATUS_CODES, 413: 'Content Too Large' }

const CHALLENGES: Record<string, string> = {
  ERR_CREDENTIALS_MISSING: 'Bearer',
  ERR_CREDENTIALS_INVALID: 'Bearer error="invalid_token"',
  ERR_CREDENTIALS_AMBIGUOUS: 'Bearer error="invalid_request"',
}

/** Codes whose responses have a `Retry-After` header. */
const TEMPORARY = ['ERR_RATE_LIMITED', 'ERR_JWKS_UNAVAILABLE', 'ERR_KEY_UNAVAILABLE', 'ERR_NOT_READY']

/** Checks everything that RFC 9457 and docs/http.md say about an error, and returns its detail. */
export async function expectProblem(
  response: { status: number; headers: { get(name: string): string | null }; json(): Promise<unknown> },
  status: number,
  code: string,
): Promise<string> {
  const body = (await response.json()) as Record<string, unknown>
  expect({ status: response.status, code: body.code, detail: body.detail }).toEqual({
    status,
    code,
    detail: expect.stringMatching(/\S/),
  })
  expect(body).toEqual({
    type: 'about:blank',
    title: TITLES[status],
    status,
    detail: body.detail,
    code,
    requestId: expect.stringMatching(/^[\w=-]{1,255}$/),
    error: TITLES[status],
  })
  const { headers } = response
  expect(headers.get('Content-Type')).toBe('application/problem+json')
  expect(headers.get('Cache-Control')).toBe('no-store')
  expect(headers.get('X-Content-Type-Options')).toBe('nosniff')
  expect(headers.get('WWW-Authenticate')).toBe(CHALLENGES[code] ?? null)
  expect(headers.get('Retry-After')).toEqual(TEMPORARY.includes(code) ? expect.stringMatching(/^\d+$/) : null)
  expect(headers.get('Allow')).toEqual(code === 'ERR_METHOD_NOT_ALLOWED' ? expect.any(String) : null)
  // The endpoint alone does not set this header.
  expect([null, body.requestId]).toContain(headers.get('X-Request-Id'))
  return body.detail as string
}
