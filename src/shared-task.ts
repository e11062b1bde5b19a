import { readContext } from './context.ts'

/** Interval of a task's heartbeat and of the checks, in milliseconds. */
const INTERVAL = 15
/** Time without a heartbeat after which a task counts as lost, in milliseconds. */
const LOST_AFTER = 500
/** Number of checks after which a request stops waiting: at least ten seconds. */
const MAX_CHECKS = 700

interface Run {
  /** Time of the last heartbeat, as `performance.now()` returns it. */
  aliveAt: number
  isSettled: boolean
}

/** The work of a task. It records its own outcome. */
export type Load = () => Promise<void>

/** A task, such as a fetch, that many requests share. */
export interface SharedTask {
  /** Starts a run, or waits for the one in flight. Resolves when it has settled, or after about ten seconds. */
  join(load: Load, context: object | undefined): Promise<void>
  /** Starts a run in the background, unless one is in flight. */
  startInBackground(load: Load, context: object | undefined): void
  /** Whether a run has not settled yet; it may be lost. */
  isPending(): boolean
}

/**
 * Lets many requests share one task without awaiting each other's promises: in workerd, if a request is cancelled, its
 * promises never settle and its `finally` blocks never run. Instead, the request that runs the task updates a heartbeat
 * with a timer, and the others poll it. A timer stops with its request, so if a task is lost, its heartbeat stops and a
 * waiting request takes over. With `waitUntil`, the task outlives its request.
 */
export function createSharedTask(): SharedTask {
  let current: Run | undefined

  const start = async (load: Load, context: object | undefined): Promise<void> => {
    const run: Run = { aliveAt: performance.now(), isSettled: false }
    current = run
    const timer = setInterval(() => {
      run.aliveAt = performance.now()
    }, INTERVAL)
    const settle = (): void => {
      clearInterval(timer)
      run.isSettled = true
    }
    const settled = load().then(settle, settle)
    readContext(context).waitUntil?.(settled)
    await settled
  }

  const join = async (load: Load, context: object | undefined): Promise<void> => {
    let suspect: Run | undefined
    for (let checks = 0; checks < MAX_CHECKS; checks++) {
      const run = current
      if (!run || run.isSettled) return checks === 0 ? start(load, context) : undefined
      // Twice in a row, because after a pause of the whole process, the task's timer may be as late as this one.
      if (isLost(run) && suspect === run) return start(load, context)
      suspect = isLost(run) ? run : undefined
      await new Promise((resolve) => setTimeout(resolve, INTERVAL))
      if (run.isSettled) return
    }
  }

  return {
    join,
    startInBackground: (load, context) => {
      if (!current || current.isSettled || isLost(current)) void start(load, context)
    },
    isPending: () => current !== undefined && !current.isSettled,
  }
}

function isLost({ aliveAt }: Run): boolean {
  return Math.abs(performance.now() - aliveAt) > LOST_AFTER
}
