import { createSharedTask } from '../shared-task.ts'

/** A signer or an authenticator, as `/ready` checks it. */
export interface Way {
  /** The setting or key set, listed in `degraded` while a dependency is unreachable. */
  readonly name: string
  /** Rejects while a dependency is unreachable. Absent if there are none, as for API keys. */
  readonly check?: ((context?: object) => Promise<void>) | undefined
  /** Whether callers can be served while a dependency is unreachable, for example with cached keys. Default: no. */
  readonly isUsable?: (() => boolean) | undefined
}

/** What `/ready` reports. */
export interface Readiness {
  /** Whether any caller can be served. */
  readonly isReady: boolean
  /** Names of the signer and authenticators with an unreachable dependency. */
  readonly degraded: readonly string[]
}

/** Milliseconds for which a result is reused. */
const PERIOD = 10_000
/** Time limit of a check, in milliseconds. */
const TIMEOUT = 5000

/**
 * Checks whether callers can be served, at most once every ten seconds.
 *
 * @param signer Required to serve any caller
 * @param ways The authenticators, of which at least one must work
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
