import { convertV4MiniflareOptions, Miniflare } from 'miniflare'
import { type Bindings, workerOptions } from './harness.ts'

export interface TimedWorker {
  readonly url: string
  /** Every line it logged. */
  readonly logged: string[]
  /** Sets its clock forward; keys and sessions then grow old without anybody waiting. */
  wait(seconds: number): void
  /** Headers that every request needs for its clock to be set. */
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
      const answer = worker.fetch(request, env, context)
      const leaveAfter = request.headers.get('X-Test-Leave-After')
      if (leaveAfter === null) return answer
      const gone = new Response(null, { status: 499 })
      return Promise.race([answer, new Promise((resolve) => setTimeout(resolve, leaveAfter, gone))])
    },
  }`

let built: ReturnType<typeof workerOptions> | undefined

/**
 * The built Worker on a workerd of its own, unchanged but for the clock.
 *
 * A request with `X-Test-Leave-After: <milliseconds>` ends then, and workerd breaks off whatever it had begun. So
 * it is with Cloudflare when a client hangs up; workerd by itself does not notice that before it answers.
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
