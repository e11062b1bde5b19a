import { type ChildProcess, execFileSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'

/** A server that runs in a child process. */
export interface Server {
  readonly port: number
  /** Resident memory of the process, in bytes. */
  memory(): number
  /** Seconds of CPU time of all threads so far; NaN on systems other than Linux. */
  cpuSeconds(): Promise<number>
  stop(): Promise<void>
}

/** Waits until a child process listens. Kills it if it does not start in time, and when this process exits. */
export async function waitForServer(
  child: ChildProcess,
  readPort: (child: ChildProcess) => Promise<number>,
  cleanUp: () => void = () => {},
): Promise<Server> {
  const kill = () => {
    child.kill('SIGKILL')
    cleanUp()
  }
  process.once('exit', kill)
  const pid = child.pid as number
  const stop = async () => {
    process.removeListener('exit', kill)
    const isRunning = child.exitCode === null && child.signalCode === null
    const exited = isRunning && new Promise((resolve) => child.once('exit', resolve))
    kill()
    await exited
  }
  try {
    return { port: await readPort(child), memory: () => memoryOf(pid), cpuSeconds: () => cpuOf(pid), stop }
  } catch (error) {
    await stop()
    throw error
  }
}

const START_TIMEOUT = 20_000

/** Reads the port from the output of a process. */
export function readPortFrom(
  child: ChildProcess,
  pipe: NodeJS.ReadableStream | null,
  pattern: RegExp,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`${child.spawnfile} did not start in time.`)),
      START_TIMEOUT,
    )
    child.once('error', reject)
    let text = ''
    child.once('exit', (code) => reject(new Error(`${child.spawnfile} exited with code ${code}: ${text}`)))
    const read = (chunk: string) => {
      text += chunk
      const port = pattern.exec(text)?.[1]
      if (!port) return
      clearTimeout(timer)
      pipe?.off('data', read).resume()
      resolve(Number(port))
    }
    pipe?.setEncoding('utf8').on('data', read)
  })
}

function memoryOf(pid: number): number {
  return Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' })) * 1024
}

// Linux counts in hundredths of a second; ps shows only whole seconds.
async function cpuOf(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  // Skips the program's name, which is in parentheses and may contain spaces.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / 100
}
