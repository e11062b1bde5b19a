import process from 'node:process'
import type { Listener } from './listener.ts'

/** Seconds that requests under way get; platforms kill after 10 (Docker, Cloud Run) to 30 (Kubernetes). */
const GRACE = 8

/** Resolves when a signal has come and all listeners are closed. A second signal ends at once. */
export async function waitForShutdown(listeners: readonly Listener[], onSignal?: () => void): Promise<void> {
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(signal, () => resolve())
  })
  onSignal?.()
  const kill = (): void => {
    for (const listener of listeners) listener.kill()
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, kill)
  const timer = setTimeout(kill, GRACE * 1000)
  await Promise.all(listeners.map((listener) => listener.close()))
  clearTimeout(timer)
}
