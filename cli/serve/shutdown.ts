import process from 'node:process'
import type { Listener } from './listener.ts'

/** Seconds to finish requests in progress; platforms kill after 10 (Docker, Cloud Run) to 30 (Kubernetes). */
const GRACE = 8

/**
 * Starts catching signals. Call it before announcing that the server is ready, since a signal may follow at once.
 *
 * @returns A function that resolves when a signal has come and all listeners are closed. A second signal ends at once.
 */
export function catchSignals(listeners: readonly Listener[]): (onSignal?: () => void) => Promise<void> {
  const caught = new Promise<void>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(signal, () => resolve())
  })
  return async (onSignal) => {
    await caught
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
