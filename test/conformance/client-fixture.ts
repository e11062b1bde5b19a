import { toBase64url, utf8 } from './encoding.ts'
import { replaceFor } from './globals.ts'
import { assert, equal } from './suite.ts'

/** A token provider's world: an endpoint that answers as it is told, and time that moves when it is told. */

export const url = 'https://app.example/api/membrane-token'

/** A clock that moves only when told to, or when everything waits for it. */
export interface Clock {
  /** Milliseconds of the steady clock. */
  now: number
  /** What the wall clock is ahead of it. */
  ahead: number
  /** What every roll of the dice gives. */
  dice: number
  /** Moves time on from timer to timer until the promise is settled. */
  finish<Value>(promise: Promise<Value>): Promise<Value>
}

export type Answer = (() => Response) | 'silence' | Error

export interface Endpoint {
  fetch: typeof fetch
  requests: { url: string; init: RequestInit; at: number }[]
}

export interface World {
  clock: Clock
  /** Returns the answers in turn, then the last one repeatedly. */
  serve(...answers: Answer[]): Endpoint
}

/** Runs a test with its own clock and timers, and checks that no timer is left. */
export async function inWorld(run: (world: World) => Promise<void>): Promise<void> {
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
    dice: 1,
    async finish(promise) {
      let settled = false
      const settle = (): void => {
        settled = true
      }
      promise.then(settle, settle)
      for (;;) {
        await idle()
        if (settled) return promise
        const [next] = [...timers].sort(([, a], [, b]) => a.due - b.due)
        assert(next, 'it waits for something that never comes')
        timers.delete(next[0])
        clock.now = next[1].due
        next[1].run()
      }
    },
  }

  const serve = (...answers: Answer[]): Endpoint => {
    const requests: Endpoint['requests'] = []
    const fetch = async (input: RequestInfo | URL, init: RequestInit = {}): Promise<Response> => {
      requests.push({ url: String(input), init, at: clock.now })
      const answer = answers[Math.min(requests.length, answers.length) - 1]
      if (answer === 'silence') return new Promise(() => {})
      if (typeof answer !== 'function') throw answer
      const response = answer()
      const text = response.text.bind(response)
      const track = async (): Promise<string> => {
        reading++
        return text().finally(() => reading--)
      }
      Object.defineProperty(response, 'text', { value: track })
      return response
    }
    return { fetch: fetch as typeof globalThis.fetch, requests }
  }

  const globals: [object, string, unknown][] = [
    [performance, 'now', () => clock.now],
    [Date, 'now', () => clock.now + clock.ahead],
    [Math, 'random', () => clock.dice],
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
  const runIn = ([first, ...others]: typeof globals): Promise<void> =>
    first
      ? replaceFor(...first, async (replaced) => {
          assert(replaced, `${first[1]} cannot be replaced here`)
          await runIn(others)
        })
      : run({ clock, serve })
  await runIn(globals)
  equal(timers.size, 0, 'timers left behind')
}

let serial = 0

export function makeToken(claims: object = {}): string {
  const part = (value: object): string => toBase64url(utf8(JSON.stringify(value)))
  // The name makes the payload need both characters in which base64url differs, and UTF-8.
  return `${part({ alg: 'HS512', typ: 'JWT' })}.${part({ id: ++serial, name: 'ÿ¿þ~~?>é', ...claims })}.c2lnbmF0dXJl`
}

export const json = (body: unknown, init: ResponseInit = {}) => {
  return () =>
    new Response(JSON.stringify(body), { headers: { 'Content-Type': 'application/json' }, ...init })
}

/** What our own endpoint answers. The date is of no use, and must not be used. */
export const grant = (token: string, expiresIn: number) =>
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
