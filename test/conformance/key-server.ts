import type { Bytes } from './der.ts'
import { utf8 } from './encoding.ts'
import { replaceFor } from './globals.ts'
import { assert } from './suite.ts'

/** A fake key set server: replaces `fetch` and responds as the test configures it. */

export const url = 'https://keys.example/.well-known/jwks.json'

export interface KeyServer {
  respond: () => Response | Promise<Response>
  readonly requests: Request[]
  /** The signals of the requests. `Request` would wrap them in new ones. */
  readonly signals: (AbortSignal | null | undefined)[]
}

export async function withKeyServer(
  respond: KeyServer['respond'],
  run: (server: KeyServer) => Promise<void>,
): Promise<void> {
  const server: KeyServer = { respond, requests: [], signals: [] }
  const stub = async (input: RequestInfo | URL, init?: RequestInit) => {
    const { signal, ...rest } = init ?? {}
    server.requests.push(new Request(input, rest))
    server.signals.push(signal)
    return server.respond()
  }
  await replaceFor(globalThis, 'fetch', stub, async (replaced) => {
    assert(replaced, 'fetch cannot be replaced here')
    await run(server)
  })
}

/** A new response for each request, because a body can be read only once. */
export function respondWithKeys(...keys: readonly object[]): () => Response {
  return () => Response.json({ keys })
}

export function failing(status: number): () => Response {
  return () => new Response('{"keys":[]}', { status })
}

export function unreachable(): Response {
  throw new TypeError('fetch failed')
}

/** A body without end, in chunks of 1 KiB. `read` counts them. */
export function endless(): { body: ReadableStream<Bytes>; read: () => number; cancelled: () => boolean } {
  let [chunks, stopped] = [0, false]
  const body = new ReadableStream<Bytes>({
    pull: (controller) => {
      chunks++
      assert(chunks < 10_000, 'the body is read without end')
      controller.enqueue(utf8(' '.repeat(1024)))
    },
    cancel: () => {
      stopped = true
    },
  })
  return { body, read: () => chunks, cancelled: () => stopped }
}
