import { printable, UsageError } from './terminal.ts'

/** A response with its whole body. */
export interface HttpResponse {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** When the request was sent, in milliseconds since the epoch. */
  readonly sentAt: number
  /** When the headers arrived, in milliseconds since the epoch. */
  readonly receivedAt: number
}

/** A request without a response. `reason` is a code such as `ECONNREFUSED`, or a short description. */
export interface HttpFailure {
  readonly status?: undefined
  readonly reason: string
}

/** Milliseconds. */
const TIMEOUT = 10_000

/** Sends a request. Never follows a redirect, which could leak credentials, and never rejects. */
export async function send(url: string | URL, init: RequestInit = {}): Promise<HttpResponse | HttpFailure> {
  const sentAt = Date.now()
  try {
    const response = await fetch(url, { ...init, redirect: 'manual', signal: AbortSignal.timeout(TIMEOUT) })
    const receivedAt = Date.now()
    const { status, headers } = response
    return { status, headers, text: await response.text(), sentAt, receivedAt }
  } catch (error) {
    return { reason: reasonOf(error) }
  }
}

function reasonOf(error: unknown): string {
  const { name, code, message, cause } = Object(error) as Record<string, unknown>
  if (name === 'TimeoutError') return `no response within ${TIMEOUT / 1000} seconds`
  const { code: inner, message: detail } = Object(cause) as { code?: unknown; message?: unknown }
  // Only known phrases of a message, because engines quote the URL and even headers.
  const [words] = KNOWN_REASONS.exec(`${String(message)} ${String(detail)}`) ?? []
  return String(inner ?? code ?? words ?? (name === 'TypeError' ? 'network error' : name))
}

const KNOWN_REASONS = /connection refused|connection reset|dns error|bad port|certificate/i

/** The members of a JSON object; undefined if the text is something else. */
export function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}

/** The status and message of problem details (RFC 9457) or an OAuth error, safe for a terminal and without tokens. */
export function describeProblem({ status, text }: HttpResponse): string {
  const { code, detail, error, error_description: description } = parseObject(text) ?? {}
  const message = [detail ?? description ?? error, code && `(${String(code)})`].filter(Boolean).join(' ')
  return `${status}${message && ` ${printable(message.slice(0, 500)).replace(/ey[\w-]+\.[\w.-]+/g, '…')}`}`
}

const LOOPBACK = /^(localhost|.*\.localhost|127\.\d+\.\d+\.\d+|\[::1\])$/

/** Whether a URL leads to this machine. */
export function isLoopback({ hostname }: URL): boolean {
  return LOOPBACK.test(hostname)
}

/** The base URL of a token service. Accepts the URL of a route, too. @throws UsageError */
export function readServiceUrl(text: string | undefined, command: string): URL {
  if (text === undefined)
    throw new UsageError(
      `Pass the address of the token service: membrane-token ${command} https://token.example.com`,
    )
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || !/^https?:$/.test(url.protocol))
    throw new UsageError('The address must be a URL, such as https://token.example.com.')
  if (url.username || url.password)
    throw new UsageError('Remove the user name and password from the address.')
  url.pathname = url.pathname.replace(/\/(api\/membrane(-admin)?-token|health)?\/*$/, '')
  url.search = ''
  url.hash = ''
  return url
}

/** The URL of a route. */
export function routeOf(service: URL, path: string): string {
  return `${service.href.replace(/\/$/, '')}${path}`
}
