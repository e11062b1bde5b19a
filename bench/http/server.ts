import { type ChildProcess, execFileSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'

/** A server in its own process. */
export interface Server {
  readonly port: number
  /** Bytes that the process holds in memory. */
  memory(): number
  /** Seconds of CPU time that it has used so far, all its threads together; NaN where the system does not tell. */
  cpuSeconds(): Promise<number>
  stop(): Promise<void>
}

/** Waits for a process to listen; it is killed if it does not, and when this process exits. */
export async function serverOf(
  child: ChildProcess,
  readPort: (child: ChildProcess) => Promise<number>,
  cleanUp: () => void = () => {},
): Promise<Server> {
  const end = () => {
    child.kill('SIGKILL')
    cleanUp()
  }
  process.once('exit', end)
  const pid = child.pid as number
  const stop = async () => {
    process.removeListener('exit', end)
    const isRunning = child.exitCode === null && child.signalCode === null
    const exited = isRunning && new Promise((resolve) => child.once('exit', resolve))
    end()
    await exited
  }
  try {
    return { port: await readPort(child), memory: () => memoryOf(pid), cpuSeconds: () => cpuOf(pid), stop }
  } catch (error) {
    await stop()
    throw error
  }
}

const START_TIME_OUT = 20_000

/** The port in what a process writes to one of its pipes. */
export function readPortFrom(
  child: ChildProcess,
  pipe: NodeJS.ReadableStream | null,
  pattern: RegExp,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`${child.spawnfile} did not start in time.`)),
      START_TIME_OUT,
    )
    child.once('error', reject)
    child.once('exit', (code) => reject(new Error(`${child.spawnfile} ended with code ${code}.`)))
    let text = ''
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

// Linux counts it in hundredths of a second; ps would tell whole seconds only.
async function cpuOf(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  // What comes before the last parenthesis is the program's name.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / 100
}
