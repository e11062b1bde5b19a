import { createSharedTask } from '../shared-task.ts'

/** One way for callers to be served: it works as long as everything it depends on can be reached. */
export interface Way {
  /** The setting, or the key set, to name while it cannot be reached. */
  readonly name: string
  /** Rejects while it cannot be reached; absent where nothing outside is needed, as for API keys. */
  readonly check?: ((context?: object) => Promise<void>) | undefined
  /** Whether callers can still be served for now. Default: no. */
  readonly isUsable?: (() => boolean) | undefined
}

/** What `/ready` answers. */
export interface Readiness {
  readonly isReady: boolean
  /** Names of what cannot be reached. */
  readonly degraded: readonly string[]
}

/** Milliseconds for which a result is reused, for all callers. */
const PERIOD = 10_000
/** Milliseconds. */
const TIMEOUT = 5000

/**
 * Checks at most once in ten seconds whether callers can be served.
 *
 * @param signer Without it nobody is served
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
