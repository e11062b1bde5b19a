import { MembraneTokenError } from '../errors.ts'
import { unavailable, unexpectedResponse } from './errors.ts'

/** Milliseconds for a whole operation: credentials, access token, request and retry. */
const TIME_LIMIT = 4000
/** Maximum characters of a response body. */
const SIZE_LIMIT = 65_536
/** Milliseconds before the retry, and the maximum random delay that is added. */
const RETRY_DELAY = 100
const RETRY_JITTER = 300

/** Members of a JSON object; empty if the value is not an object. */
export type Members = Readonly<Record<string, unknown>>

/** A response of a key management or token service. */
export interface ServiceResponse {
  readonly status: number
  readonly text: string
  /** The members of the JSON body. */
  readonly body: Members
}

/** Why a service rejected a request. */
export interface ServiceFailure {
  readonly error: MembraneTokenError
  /** Whether the same request may succeed shortly after. */
  readonly retry?: boolean
  /** Whether new credentials may help. */
  readonly isUnauthenticated?: boolean
}

/** URL and options of a request. */
export type PreparedRequest = readonly [url: string, init: RequestInit]

/** A source of credentials. */
export interface Credentials<Value> {
  get(): Promise<Value>
  /** Drops rejected credentials. Returns whether new ones may help. */
  reject(rejected: Value): boolean
}

export interface Call<Value = undefined> {
  /** Name of the service, for messages. */
  readonly service: string
  readonly signal: AbortSignal
  /** Called again for the retry, which may use other credentials. */
  readonly prepare: (credentials: Value) => PreparedRequest | Promise<PreparedRequest>
  /** Describes a response with a status other than 200. */
  readonly readFailure: (response: ServiceResponse) => ServiceFailure
  /** Absent if `prepare` adds the credentials itself. */
  readonly credentials?: Credentials<Value>
}

/**
 * Runs an operation for at most four seconds.
 *
 * @throws `ERR_KEY_UNAVAILABLE` on timeout, even if the operation ignores the signal, and if a function that supplies
 *   credentials throws
 */
export async function withinTimeLimit<Result>(
  service: string,
  run: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const controller = new AbortController()
  let timer: ReturnType<typeof setTimeout> | undefined
  const timeout = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(unavailable(`${service} did not respond within ${TIME_LIMIT / 1000} seconds.`))
      controller.abort()
    }, TIME_LIMIT)
  })
  try {
    return await Promise.race([run(controller.signal), timeout])
  } catch (cause) {
    if (cause instanceof MembraneTokenError) throw cause
    throw unavailable(`The credentials for ${service} could not be read.`, cause)
  } finally {
    clearTimeout(timer)
  }
}

/**
 * Sends a request, and retries it once if that may help.
 *
 * @returns The response, with status 200
 * @throws `ERR_KEY_UNAVAILABLE`, or the error that `readFailure` returns
 */
export async function call<Value = undefined>(request: Call<Value>): Promise<ServiceResponse> {
  const { credentials } = request
  const used = (await credentials?.get()) as Value
  const first = await sendOnce(request, used)
  if (first.status === 200) return first
  const failure = request.readFailure(first)
  const canRenew = failure.isUnauthenticated === true && credentials?.reject(used) === true
  if (!failure.retry && !canRenew) throw failure.error
  await new Promise((resolve) => setTimeout(resolve, RETRY_DELAY + Math.random() * RETRY_JITTER))
  if (request.signal.aborted) throw failure.error
  const second = await sendOnce(request, (await credentials?.get()) as Value)
  if (second.status === 200) return second
  throw request.readFailure(second).error
}

async function sendOnce<Value>(
  { service, signal, prepare }: Call<Value>,
  credentials: Value,
): Promise<ServiceResponse> {
  try {
    const [url, init] = await prepare(credentials)
    const response = await fetch(url, { ...init, redirect: 'manual', signal })
    if (response.type === 'opaqueredirect' || (response.status >= 300 && response.status < 400)) {
      discard(response)
      throw unavailable(`${service} returned a redirect, which is not followed; check its address.`)
    }
    const text = await readText(service, response)
    return { status: response.status, text, body: readMembers(text) }
  } catch (cause) {
    if (cause instanceof MembraneTokenError) throw cause
    throw unavailable(`${service} is unreachable; check its address and the network.`, cause)
  }
}

async function readText(service: string, response: Response): Promise<string> {
  const reader = response.body?.getReader() as ReadableStreamDefaultReader<Uint8Array> | undefined
  const decoder = new TextDecoder()
  let text = ''
  while (reader) {
    const { done, value } = await reader.read()
    if (done) break
    text += decoder.decode(value, { stream: true })
    if (text.length <= SIZE_LIMIT) continue
    reader.cancel().catch(() => {})
    throw unexpectedResponse(service)
  }
  return text
}

function readMembers(text: string): Members {
  try {
    return membersOf(JSON.parse(text))
  } catch {
    return {}
  }
}

/** Returns an object's members; none if the value is not an object. */
export function membersOf(value: unknown): Members {
  return typeof value === 'object' && value !== null ? (value as Members) : {}
}

function discard(response: Response): void {
  response.body?.cancel().catch(() => {})
}

/** Describes a throttled request or a failure of the service; `undefined` for other status codes. */
export function transientFailure(service: string, status: number): ServiceFailure | undefined {
  if (status === 429) return { error: unavailable(`${service} throttled the request.`), retry: true }
  if (status >= 500)
    return { error: unavailable(`${service} failed with status ${status}; try again later.`), retry: true }
  return undefined
}

/** Describes a failure by its status code, if the response contains no better reason. */
export function failureByStatus(service: string, status: number, permission: string): ServiceFailure {
  const transient = transientFailure(service, status)
  if (transient) return transient
  if (status === 401)
    return {
      error: unavailable(
        `${service} rejected the credentials; check that they are right and have not expired.`,
      ),
      isUnauthenticated: true,
    }
  if (status === 403) return { error: missingPermission(service, permission) }
  if (status === 404)
    return { error: unavailable(`${service} has no such key; check its name, version and location.`) }
  return { error: unavailable(`${service} rejected the request with status ${status}.`) }
}

/** @param permission The service's name for the permission, such as `kms:Sign` */
export function missingPermission(service: string, permission: string): MembraneTokenError {
  return unavailable(`${service} denied access: the permission ${permission} on this key is missing.`)
}
