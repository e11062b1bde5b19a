import { convertV4MiniflareOptions, Miniflare } from 'miniflare'
import { type Bindings, workerOptions } from './harness.ts'

export interface TimedWorker {
  readonly url: string
  readonly logged: string[]
  /** Moves the clock forward, from the next request with the {@link clock} headers on. */
  wait(seconds: number): void
  /** Headers that set the clock of the Worker. */
  clock(): Record<string, string>
  dispose(): Promise<void>
}

const CLOCK = `
  const { now } = Date
  globalThis.clockSkew = 0
  Date.now = () => now.call(Date) + globalThis.clockSkew`

const ENTRY = `
  import './clock.js'
  import worker from './worker.js'
  export default {
    fetch(request, env, context) {
      globalThis.clockSkew = Number(request.headers.get('X-Test-Clock-Skew') ?? globalThis.clockSkew)
      const response = worker.fetch(request, env, context)
      const cancelAfter = request.headers.get('X-Test-Cancel-After')
      if (cancelAfter === null) return response
      const cancelled = new Response(null, { status: 499 })
      return Promise.race([response, new Promise((resolve) => setTimeout(resolve, cancelAfter, cancelled))])
    },
  }`

let built: ReturnType<typeof workerOptions> | undefined

/**
 * Starts the built Worker on workerd, with a clock that tests can set.
 *
 * A request with `X-Test-Cancel-After: <milliseconds>` ends at that time, and workerd cancels its pending work, as
 * Cloudflare does when a client disconnects. Under Miniflare, a disconnect has no effect before the response.
 */
export async function startTimedWorker(bindings: Bindings): Promise<TimedWorker> {
  built ??= workerOptions()
  const { script, compatibilityDate, compatibilityFlags } = await built
  const logged: string[] = []
  let skew = 0
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      modules: [
        { type: 'ESModule', path: 'entry.js', contents: ENTRY },
        { type: 'ESModule', path: 'clock.js', contents: CLOCK },
        { type: 'ESModule', path: 'worker.js', contents: script },
      ],
      compatibilityDate,
      compatibilityFlags,
      bindings,
      handleStructuredLogs: ({ message }) => logged.push(message),
    }),
  )
  const url = (await miniflare.ready).origin
  return {
    url,
    logged,
    wait: (seconds) => {
      skew += seconds * 1000
    },
    clock: () => ({ 'X-Test-Clock-Skew': String(skew) }),
    dispose: () => miniflare.dispose(),
  }
}
