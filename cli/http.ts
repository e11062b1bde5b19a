import { printable, UsageError } from './terminal.ts'

/** An answer, read to its end. */
export interface HttpAnswer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** Milliseconds since the epoch between which the answer was made. */
  readonly sentAt: number
  readonly receivedAt: number
}

/** Why there is no answer: an engine's code such as `ECONNREFUSED`, or a name such as `TimeoutError`. */
export interface NoAnswer {
  readonly status?: undefined
  readonly reason: string
}

const TIMEOUT = 10_000

/** Sends a request; redirects are not followed, since they would carry credentials away. Never rejects. */
export async function send(url: string | URL, init: RequestInit = {}): Promise<HttpAnswer | NoAnswer> {
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
  if (name === 'TimeoutError') return `no answer within ${TIMEOUT / 1000} seconds`
  const { code: inner, message: detail } = Object(cause) as { code?: unknown; message?: unknown }
  // Only known words of a message, because engines quote the address and even headers.
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

/** What problem details (RFC 9457) or an OAuth error say, for a terminal and without anything like a token. */
export function describeProblem({ status, text }: HttpAnswer): string {
  const { code, detail, error, error_description: description } = parseObject(text) ?? {}
  const said = [detail ?? description ?? error, code && `(${String(code)})`].filter(Boolean).join(' ')
  return `${status}${said && ` ${printable(said.slice(0, 500)).replace(/ey[\w-]+\.[\w.-]+/g, '…')}`}`
}

const LOOPBACK = /^(localhost|.*\.localhost|127\.\d+\.\d+\.\d+|\[::1\])$/

export function isLoopback({ hostname }: URL): boolean {
  return LOOPBACK.test(hostname)
}

/** The root address of a token service, even if one of its routes is given. @throws UsageError */
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

/** The address of one of the service's routes. */
export function routeOf(service: URL, path: string): string {
  return `${service.href.replace(/\/$/, '')}${path}`
}
