import { readContext } from './context.ts'

/** How a task that many requests wait for is run. Milliseconds. */
export interface SharedTaskOptions {
  /** After this long, one of those who wait runs the task again: whoever ran it may be gone. */
  readonly deadline: number
  /** How often those who wait look whether it has finished. Default 15. */
  readonly interval?: number | undefined
}

/**
 * Runs a task once, however many requests ask for it at the same time, and lets the next request run it again after it
 * failed. It keeps no result; the task does that.
 *
 * No request waits for a promise of another one: on Workers such a promise never settles once its own request is
 * cancelled. Those who wait look at shared state by timers of their own, and one of them takes over at the deadline.
 */
export function createSharedTask(
  task: (context: object | undefined) => Promise<void>,
  { deadline, interval = 15 }: SharedTaskOptions,
): (context?: object) => Promise<void> {
  type Outcome = { readonly succeeded: true } | { readonly succeeded: false; readonly error: unknown }
  interface Run {
    readonly since: number
    outcome: Outcome | undefined
  }
  let current: Run | undefined

  const start = (context: object | undefined): Promise<void> => {
    const run: Run = { since: performance.now(), outcome: undefined }
    current = run
    const finished = task(context).then(
      () => {
        run.outcome = { succeeded: true }
      },
      (error: unknown) => {
        run.outcome = { succeeded: false, error }
        throw error
      },
    )
    // Keeps the task alive when this request goes away.
    readContext(context).waitUntil?.(finished.catch(() => {}))
    return finished
  }

  /** Looks at a run until it has an outcome, or its time is up. */
  const watch = async (run: Run): Promise<Outcome | undefined> => {
    while (!run.outcome && performance.now() - run.since < deadline) {
      await new Promise((resolve) => setTimeout(resolve, interval))
    }
    return run.outcome
  }

  return async (context) => {
    for (;;) {
      const run = current
      if (!run || run.outcome || performance.now() - run.since >= deadline) return start(context)
      const outcome = await watch(run)
      if (outcome?.succeeded === false) throw outcome.error
      if (outcome) return
    }
  }
}
