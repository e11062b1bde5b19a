import { createTokenProvider, type TokenProvider, type TokenProviderOptions } from '../../src/client.ts'
import { toBase64url, utf8 } from './encoding.ts'
import { replaceFor } from './globals.ts'
import { assert, equal, type Suite } from './suite.ts'

/** Token providers with scripted responses and a fake clock. */

export const url = 'https://app.example/api/membrane-token'

/** Time advances only when a test sets it, or to the next timer while a test waits. */
export interface Clock {
  /** Milliseconds of the monotonic clock. */
  now: number
  /** Milliseconds by which the wall clock is ahead of the monotonic clock. */
  ahead: number
  /** What `Math.random` returns. */
  random: number
  /** Fires timers until the promise is settled. */
  settle<Value>(promise: Promise<Value>): Promise<Value>
}

/** `'silence'` is a response that never arrives; `fetch` throws an `Error`. */
export type ScriptedResponse = (() => Response) | 'silence' | Error

export interface TestClient {
  provide: TokenProvider
  fetch: typeof fetch
  requests: { url: string; init: RequestInit; at: number }[]
  getToken(): Promise<string>
  /** Makes several calls at once. */
  getTokens(count: number): Promise<string[]>
  /**
   * Asserts that the first token is reused for exactly this many seconds.
   *
   * @returns the next token
   */
  expectReuse(seconds: number): Promise<string>
}

export interface ClientHarness {
  clock: Clock
  /** Each request gets the next response, and later ones the last response again. */
  createClient(responses: ScriptedResponse[], options?: Partial<TokenProviderOptions>): TestClient
}

/** Registers tests that run with a fake clock and must leave no timer behind. */
export function clientTest({ test }: Suite) {
  return (title: string, run: (harness: ClientHarness) => Promise<void>): void =>
    test(title, () => withClientHarness(run))
}

async function withClientHarness(run: (harness: ClientHarness) => Promise<void>): Promise<void> {
  const { setTimeout: realSetTimeout } = globalThis
  const timers = new Map<number, { due: number; run: () => void }>()
  let lastTimer = 0
  let reading = 0

  const idle = async (): Promise<void> => {
    for (let rest = 2; rest > 0; rest--) {
      await new Promise((resolve) => realSetTimeout(resolve, 0))
      if (reading > 0) rest = 3
    }
  }
  const clock: Clock = {
    now: 1_000_000,
    ahead: Date.UTC(2026, 0, 1),
    random: 1,
    async settle(promise) {
      let settled = false
      const settle = (): void => {
        settled = true
      }
      promise.then(settle, settle)
      for (;;) {
        await idle()
        if (settled) return promise
        const [next] = [...timers].sort(([, a], [, b]) => a.due - b.due)
        assert(next, 'the promise is pending, but no timer is')
        timers.delete(next[0])
        clock.now = next[1].due
        next[1].run()
      }
    },
  }

  const createClient: ClientHarness['createClient'] = (responses, options = {}) => {
    const requests: TestClient['requests'] = []
    const fetch = async (input: RequestInfo | URL, init: RequestInit = {}): Promise<Response> => {
      requests.push({ url: String(input), init, at: clock.now })
      const scripted = responses[Math.min(requests.length, responses.length) - 1]
      if (scripted === 'silence') return new Promise(() => {})
      if (typeof scripted !== 'function') throw scripted
      const response = scripted()
      const text = response.text.bind(response)
      const track = async (): Promise<string> => {
        reading++
        return text().finally(() => reading--)
      }
      Object.defineProperty(response, 'text', { value: track })
      return response
    }
    const provide = createTokenProvider({ url, fetch, ...options })
    const getToken = () => clock.settle(provide())
    return {
      provide,
      fetch,
      requests,
      getToken,
      getTokens: (count) => clock.settle(Promise.all(Array.from({ length: count }, () => provide()))),
      expectReuse: async (seconds) => {
        const first = await getToken()
        clock.now += seconds * 1000 - 1
        equal([await getToken(), requests.length], [first, 1])
        clock.now += 1
        const next = await getToken()
        equal(requests.length, 2)
        return next
      },
    }
  }

  const globals: [object, string, unknown][] = [
    [performance, 'now', () => clock.now],
    [Date, 'now', () => clock.now + clock.ahead],
    [Math, 'random', () => clock.random],
    [
      globalThis,
      'setTimeout',
      (run: () => void, delay: number) => {
        timers.set(++lastTimer, { due: clock.now + delay, run })
        return lastTimer
      },
    ],
    [globalThis, 'clearTimeout', (timer: number) => void timers.delete(timer)],
  ]
  const runWith = ([first, ...others]: typeof globals): Promise<void> =>
    first
      ? replaceFor(...first, async (replaced) => {
          assert(replaced, `${first[1]} cannot be replaced in this runtime`)
          await runWith(others)
        })
      : run({ clock, createClient })
  await runWith(globals)
  equal(timers.size, 0, 'timers left behind')
}

let serial = 0

export function makeToken(claims: object = {}): string {
  const part = (value: object): string => toBase64url(utf8(JSON.stringify(value)))
  // The name puts `-`, `_` and multi-byte characters into the payload.
  return `${part({ alg: 'HS512', typ: 'JWT' })}.${part({ id: ++serial, name: 'ÿ¿þ~~?>é', ...claims })}.c2lnbmF0dXJl`
}

export const json = (body: unknown, init: ResponseInit = {}) => {
  return () =>
    new Response(JSON.stringify(body), { headers: { 'Content-Type': 'application/json' }, ...init })
}

/** A response of our endpoint, with an `expiresAt` that a client must ignore. */
export const grant = (token: string = makeToken(), expiresIn = 7200) =>
  json({ token, expiresIn, expiresAt: '1999-01-01T00:00:00Z' })

export const status = (code: number, headers: Record<string, string> = {}) => {
  return () =>
    new Response('<p>No.</p>', { status: code, headers: { 'Content-Type': 'text/html', ...headers } })
}

export const problem = (code: number, detail: string) =>
  json(
    { type: 'about:blank', title: 'No', status: code, detail, code: 'ERR_CALLER_FORBIDDEN' },
    { status: code, headers: { 'Content-Type': 'application/problem+json' } },
  )
