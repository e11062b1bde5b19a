import { createSharedTask } from '../shared-task.ts'

/** One way to serve callers; it works while all its dependencies are reachable. */
export interface Way {
  /** The setting or key set, reported while it is unreachable. */
  readonly name: string
  /** Rejects while a dependency is unreachable; absent if there are none, as for API keys. */
  readonly check?: ((context?: object) => Promise<void>) | undefined
  /** Whether callers can still be served for now. Default: no. */
  readonly isUsable?: (() => boolean) | undefined
}

/** The result that `/ready` returns. */
export interface Readiness {
  readonly isReady: boolean
  /** Names of what is unreachable. */
  readonly degraded: readonly string[]
}

/** Milliseconds for which a result is reused, for all callers. */
const PERIOD = 10_000
/** Milliseconds. */
const TIMEOUT = 5000

/**
 * Checks at most once every ten seconds whether callers can be served.
 *
 * @param signer Required by all callers
 * @param ways Ready as long as one of them works
 */
export function createReadiness(
  signer: Way,
  ways: readonly Way[],
  now: () => number,
): (context?: object) => Promise<Readiness> {
  let last: { readonly at: number; readonly readiness: Readiness } | undefined
  const isFresh = (): boolean => {
    const age = last ? now() - last.at : -1
    return age >= 0 && age < PERIOD
  }
  const shared = createSharedTask()
  const check = async (context: object | undefined): Promise<void> => {
    const works = await Promise.all([signer, ...ways].map((way) => doesWork(way, context)))
    const degraded = [signer, ...ways].filter((_, index) => !works[index]).map(({ name }) => name)
    const [canSign, ...canAuthenticate] = works
    const isReady =
      canSign === true && ways.some(({ isUsable }, index) => canAuthenticate[index] || isUsable?.() === true)
    last = { at: now(), readiness: { isReady, degraded: [...new Set(degraded)] } }
  }
  return async (context) => {
    if (!isFresh()) await shared.join(() => check(context), context)
    return last?.readiness ?? { isReady: false, degraded: [] }
  }
}

async function doesWork({ check }: Way, context: object | undefined): Promise<boolean> {
  if (!check) return true
  let timer: ReturnType<typeof setTimeout> | undefined
  const timeout = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, TIMEOUT, false)
  })
  const checked = check(context).then(
    () => true,
    () => false,
  )
  const works = await Promise.race([checked, timeout])
  clearTimeout(timer)
  return works
}
