import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { bundle } from '../bundling.ts'

const root = new URL('../../', import.meta.url)

/** A Worker and what it is given: texts, and JSON where it is an object. */
export interface WorkerSpec {
  /** File of the Worker, from the root of the repository. */
  entry: string
  bindings?: Record<string, string | object>
  /** Whether it has the binding `RATE_LIMITER`. */
  isLimited?: boolean
}

/** A workerd of its own, with nothing before it. */
export interface Workerd {
  readonly port: number
  /** Bytes that the process holds in memory. */
  memory(): number
  /** Seconds of processor that it has used so far, all its threads together; NaN where the system does not tell. */
  cpuSeconds(): Promise<number>
  stop(): Promise<void>
}

/** Starts a Worker as wrangler.toml describes it on workerd itself. What it logs is discarded. */
export async function startWorkerd(spec: WorkerSpec): Promise<Workerd> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-http-'))
  const removeFolder = () => rmSync(folder, { recursive: true, force: true })
  try {
    await writeFile(join(folder, 'worker.js'), await bundleEntry(spec.entry))
    await writeFile(join(folder, 'rate-limit.js'), await bundleEntry('bench/http/rate-limit.ts'))
    await writeFile(join(folder, 'config.capnp'), await writeConfig(spec))
    // Beside the socket's port, which comes on the extra pipe, only faults are of interest.
    const child = spawn(workerdBinary(), ['serve', 'config.capnp', '--control-fd=3'], {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'inherit', 'pipe'],
    })
    const end = () => {
      child.kill('SIGKILL')
      removeFolder()
    }
    // Whatever goes wrong here, it must not outlive this process.
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
  } catch (error) {
    removeFolder()
    throw error
  }
}

const bundleEntry = (entry: string): Promise<string> =>
  bundle({ entryPoints: [fileURLToPath(new URL(entry, root))], minify: true })

function workerdBinary(): string {
  const wrapper = createRequire(import.meta.url)('workerd') as { default: string }
  return wrapper.default
}

/** The configuration in Cap'n Proto's text form, in which strings are written as in JSON. */
async function writeConfig({ bindings = {}, isLimited = false }: WorkerSpec): Promise<string> {
  const toml = await readFile(new URL('wrangler.toml', root), 'utf8')
  const date = /^compatibility_date = (".*")$/m.exec(toml)?.[1]
  const flags = /^compatibility_flags = (\[.*\])$/m.exec(toml)?.[1]
  const lines = Object.entries(bindings).map(([name, value]) =>
    typeof value === 'string'
      ? `(name = "${name}", text = ${JSON.stringify(value)})`
      : `(name = "${name}", json = ${JSON.stringify(JSON.stringify(value))})`,
  )
  if (isLimited) {
    lines.push(
      '(name = "RATE_LIMITER", wrapped = (moduleName = "bench:rate-limit", entrypoint = "createRateLimiter"))',
    )
  }
  return `using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "main", worker = (
      modules = [(name = "worker.js", esModule = embed "worker.js")],
      compatibilityDate = ${date},
      compatibilityFlags = ${flags},
      globalOutbound = "loopback",
      bindings = [
        ${lines.join(',\n        ')}
      ],
    )),
    (name = "loopback", network = (allow = ["local"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
  extensions = [
    (modules = [(name = "bench:rate-limit", internal = true, esModule = embed "rate-limit.js")]),
  ],
);
`
}

const START_TIME_OUT = 20_000

/** The port that workerd has chosen. */
function readPort(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('workerd did not start in time.')), START_TIME_OUT)
    child.once('error', reject)
    child.once('exit', (code) => reject(new Error(`workerd ended with code ${code}.`)))
    const control = child.stdio[3] as Readable
    let text = ''
    control.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
      const port = /"socket":"http","port":(\d+)/.exec(text)?.[1]
      if (!port) return
      clearTimeout(timer)
      resolve(Number(port))
    })
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
