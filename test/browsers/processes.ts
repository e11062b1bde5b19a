import { spawn } from 'node:child_process'
import process from 'node:process'
import { setTimeout as wait } from 'node:timers/promises'

export interface RunningProcess {
  /** The last part of its output so far. */
  readonly output: () => string
  /** Resolves with the exit code; rejects if it could not be started or was killed. */
  readonly ended: Promise<number>
  /** Stops it and every process that it started. */
  stop(): Promise<void>
}

const running = new Set<number>()
process.on('exit', () => {
  for (const group of running) signal(group, 'SIGKILL')
})
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => process.exit(1))

/** Starts a command in its own process group, which is killed when this process exits. */
export function startProcess(
  [command = '', ...args]: readonly string[],
  options: { cwd?: string; env: NodeJS.ProcessEnv },
): RunningProcess {
  const child = spawn(command, args, { ...options, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  const group = child.pid ?? 0
  if (group) running.add(group)
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      output = (output + chunk).slice(-20_000)
    })
  }
  const ended = new Promise<number>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, name) =>
      code === null ? reject(new Error(`killed by ${name}`)) : resolve(code),
    )
  })
  ended.catch(() => {})
  return {
    output: () => output,
    ended,
    stop: async () => {
      // Xvfb removes its lock file on SIGTERM.
      signal(group, 'SIGTERM')
      for (let tries = 0; tries < 50 && signal(group, 0); tries++) await wait(100)
      signal(group, 'SIGKILL')
      running.delete(group)
    },
  }
}

/** Sends a signal to a process group. Returns whether it has any process. */
function signal(group: number, name: NodeJS.Signals | 0): boolean {
  try {
    return group > 0 && process.kill(-group, name)
  } catch {
    return false
  }
}
