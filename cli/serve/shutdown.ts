import process from 'node:process'
import type { Listener } from './listener.ts'

/** Seconds to finish requests in progress. Platforms kill a process after 10 (Docker, Cloud Run) to 30 (Kubernetes). */
const GRACE = 8

/**
 * Starts handling signals. Call it before announcing that the server is ready, since a signal may follow immediately.
 *
 * @returns A function that resolves after a signal, when all listeners are closed. A second signal closes them
 *   immediately.
 */
export function catchSignals(listeners: readonly Listener[]): (onSignal?: () => void) => Promise<void> {
  const signaled = new Promise<void>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(signal, () => resolve())
  })
  return async (onSignal) => {
    await signaled
    onSignal?.()
    await close(listeners)
  }
}

async function close(listeners: readonly Listener[]): Promise<void> {
  const kill = (): void => {
    for (const listener of listeners) listener.kill()
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, kill)
  const timer = setTimeout(kill, GRACE * 1000)
  await Promise.all(listeners.map((listener) => listener.close()))
  clearTimeout(timer)
}
