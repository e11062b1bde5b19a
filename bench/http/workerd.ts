import { type ChildProcess, spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { bundle } from '../bundling.ts'
import { readPortFrom, type Server, waitForServer } from './server.ts'

const root = new URL('../../', import.meta.url)

/** A Worker and its bindings. */
export interface WorkerSpec {
  /** Path of the Worker, relative to the root of the repository. */
  entry: string
  /** A string becomes a text binding, an object a JSON binding. */
  bindings?: Record<string, string | object>
  /** Whether it has the binding `RATE_LIMITER`. */
  isLimited?: boolean
}

/** Starts a Worker on bare workerd, with the compatibility settings of wrangler.toml. Its log is discarded. */
export async function startWorkerd(spec: WorkerSpec): Promise<Server> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-http-'))
  const removeFolder = () => rmSync(folder, { recursive: true, force: true })
  try {
    await writeFile(join(folder, 'worker.js'), await bundleEntry(spec.entry))
    await writeFile(join(folder, 'rate-limit.js'), await bundleEntry('bench/http/rate-limit.ts'))
    await writeFile(join(folder, 'config.capnp'), await writeConfig(spec))
    // The port is reported on the fourth pipe.
    const child = spawn(workerdBinary(), ['serve', 'config.capnp', '--control-fd=3'], {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'inherit', 'pipe'],
    })
    return await waitForServer(child, readPort, removeFolder)
  } catch (error) {
    removeFolder()
    throw error
  }
}

const bundles = new Map<string, Promise<string>>()

/** Bundles each Worker only once. */
function bundleEntry(entry: string): Promise<string> {
  const bundled =
    bundles.get(entry) ?? bundle({ entryPoints: [fileURLToPath(new URL(entry, root))], minify: true })
  bundles.set(entry, bundled)
  return bundled
}

function workerdBinary(): string {
  const wrapper = createRequire(import.meta.url)('workerd') as { default: string }
  return wrapper.default
}

/** The configuration in Cap'n Proto's text format, which writes strings as in JSON. */
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

const readPort = (child: ChildProcess): Promise<number> =>
  readPortFrom(child, child.stdio[3] as Readable, /"socket":"http","port":(\d+)/)
