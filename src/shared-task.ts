import { readContext } from './context.ts'

/** Milliseconds between two signs of life of a task, and between two looks at it. */
const INTERVAL = 15
/** Milliseconds without a sign of life after which a task is taken for lost. */
const LOST_AFTER = 500
/** How often a request looks before it gives up; at least ten seconds. */
const MAX_LOOKS = 700

interface Run {
  /** When the task was last seen alive, by the clock of {@link performance}. */
  aliveAt: number
  isSettled: boolean
}

/** The work itself; it records its own outcome. */
export type Load = () => Promise<void>

/** A task, such as a fetch, that many requests share. */
export interface SharedTask {
  /** Starts the task, or waits for the one in flight. Resolves when one has settled, whether or not it succeeded. */
  join(load: Load, context: object | undefined): Promise<void>
  /** Starts a run that nobody waits for, unless one is in flight. */
  startInBackground(load: Load, context: object | undefined): void
  /** Whether a run has not settled yet; it may be lost. */
  isPending(): boolean
}

/**
 * Lets many requests share one task without waiting for each other's promises: in workerd, a promise of a request that
 * is cancelled never settles, and its `finally` blocks never run. Instead, the request that runs it gives a sign of
 * life by a timer, and the others look at it by timers of their own. A timer ends with its request; so when a task is
 * lost, its signs of life stop, and a request that waits takes over. With `waitUntil`, the task outlives its request.
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
    for (let looks = 0; looks < MAX_LOOKS; looks++) {
      const run = current
      if (!run || run.isSettled) return looks === 0 ? start(load, context) : undefined
      // Twice in a row: after a pause of the whole process, the timer of the task may be as late as ours.
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
