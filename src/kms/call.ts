import { MembraneTokenError } from '../errors.ts'
import { unavailable, unexpectedAnswer } from './errors.ts'

/** Milliseconds for everything that one operation needs: credentials, access token, request and retry. */
const TIME_LIMIT = 4000
/** Characters of an answer. */
const SIZE_LIMIT = 65_536
/** Milliseconds before the retry: at least the first, and up to both together. */
const RETRY_DELAY = 100
const RETRY_JITTER = 300

/** Members of a JSON object; empty where an answer is something else. */
export type Members = Readonly<Record<string, unknown>>

export interface Answer {
  readonly status: number
  readonly text: string
  /** The answer as JSON, where it is an object. */
  readonly body: Members
}

/** Why a service rejected a request. */
export interface Refusal {
  readonly error: MembraneTokenError
  /** Whether the same request may succeed a moment later. */
  readonly retry?: boolean
  /** Whether other credentials may help. */
  readonly isUnauthenticated?: boolean
}

/** Address and options of a request. */
export type PreparedRequest = readonly [url: string, init: RequestInit]

/** Where the credentials of requests come from. */
export interface Credentials<Value> {
  get(): Promise<Value>
  /** Drops credentials that were rejected. Returns whether others may help. */
  reject(rejected: Value): boolean
}

export interface Call<Value = undefined> {
  /** The service's name, for messages. */
  readonly service: string
  readonly signal: AbortSignal
  /** Called again for the retry, which may have other credentials. */
  readonly prepare: (credentials: Value) => PreparedRequest | Promise<PreparedRequest>
  /** What an answer other than 200 means. */
  readonly refuse: (answer: Answer) => Refusal
  /** None for a request whose credentials are part of it. */
  readonly credentials?: Credentials<Value>
}

/**
 * Runs an operation for at most four seconds.
 *
 * @throws `ERR_KEY_UNAVAILABLE` when they have passed, also where the operation ignores the signal
 */
export async function withinTimeLimit<Result>(
  service: string,
  run: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const controller = new AbortController()
  let timer: ReturnType<typeof setTimeout> | undefined
  const timeout = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(unavailable(`${service} did not answer within ${TIME_LIMIT / 1000} seconds.`))
      controller.abort()
    }, TIME_LIMIT)
  })
  try {
    return await Promise.race([run(controller.signal), timeout])
  } catch (cause) {
    if (cause instanceof MembraneTokenError) throw cause
    throw unavailable(`${service} could not be used: its credentials could not be read.`, cause)
  } finally {
    clearTimeout(timer)
  }
}

/**
 * Sends a request, and once more where that can help.
 *
 * @returns The answer, with status 200
 * @throws `ERR_KEY_UNAVAILABLE`, or what `refuse` says
 */
export async function call<Value = undefined>(request: Call<Value>): Promise<Answer> {
  const { credentials } = request
  const used = (await credentials?.get()) as Value
  const first = await sendOnce(request, used)
  if (first.status === 200) return first
  const refusal = request.refuse(first)
  const hasOthers = refusal.isUnauthenticated === true && credentials?.reject(used) === true
  if (!refusal.retry && !hasOthers) throw refusal.error
  await new Promise((resolve) => setTimeout(resolve, RETRY_DELAY + Math.random() * RETRY_JITTER))
  if (request.signal.aborted) throw refusal.error
  const second = await sendOnce(request, (await credentials?.get()) as Value)
  if (second.status === 200) return second
  throw request.refuse(second).error
}

async function sendOnce<Value>(
  { service, signal, prepare }: Call<Value>,
  credentials: Value,
): Promise<Answer> {
  try {
    const [url, init] = await prepare(credentials)
    const response = await fetch(url, { ...init, redirect: 'manual', signal })
    if (response.type === 'opaqueredirect' || (response.status >= 300 && response.status < 400)) {
      discard(response)
      throw unavailable(`${service} answered with a redirect, which is not followed; check its address.`)
    }
    const text = await readText(service, response)
    return { status: response.status, text, body: readMembers(text) }
  } catch (cause) {
    if (cause instanceof MembraneTokenError) throw cause
    throw unavailable(`${service} cannot be reached; check its address and the network.`, cause)
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
    throw unexpectedAnswer(service)
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

/** The members of a value; none if it is not an object. */
export function membersOf(value: unknown): Members {
  return typeof value === 'object' && value !== null ? (value as Members) : {}
}

function discard(response: Response): void {
  response.body?.cancel().catch(() => {})
}

/** The error by status code, where a service gives no better reason. */
export function refuseByStatus(service: string, status: number, permission: string): Refusal {
  if (status === 429) return { error: unavailable(`${service} throttled the request.`), retry: true }
  if (status >= 500)
    return { error: unavailable(`${service} failed with status ${status}; try again later.`), retry: true }
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
  return { error: unavailable(`${service} refused the request with status ${status}.`) }
}

/** @param permission The permission's name at the service, such as `kms:Sign` */
export function missingPermission(service: string, permission: string): MembraneTokenError {
  return unavailable(`${service} denied access: the permission ${permission} on this key is missing.`)
}
