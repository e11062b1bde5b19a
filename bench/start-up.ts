// How long the Worker takes to start.
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { median } from './rounds.ts'
import { bundleWorker } from './sizes.ts'
import { COMPATIBILITY_DATE, WITHOUT_NODE } from './workerd.ts'

const root = fileURLToPath(new URL('..', import.meta.url))

export interface StartUp {
  /** Milliseconds a fresh workerd takes longer to its first answer than with a Worker that answers a constant. */
  readonly firstAnswer: { readonly median: number; readonly low: number; readonly high: number }
  /** What `wrangler check startup` says, if it does. */
  readonly wrangler: string | undefined
}

const CONSTANT = `export default { fetch: () => new Response('ok') }`

export async function measureStartUp(rounds: number): Promise<StartUp> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-'))
  try {
    await writeFile(join(folder, 'worker.js'), await bundleWorker())
    await writeFile(join(folder, 'constant.js'), CONSTANT)
    await writeFile(join(folder, 'worker.capnp'), configOf('worker.js'))
    await writeFile(join(folder, 'constant.capnp'), configOf('constant.js'))
    // The first reads the program from the disk.
    await firstAnswer(folder, 'constant.capnp')
    const more: number[] = []
    for (let round = 0; round < rounds; round++) {
      const constant = await firstAnswer(folder, 'constant.capnp')
      more.push((await firstAnswer(folder, 'worker.capnp')) - constant)
    }
    const spread = { low: Math.min(...more), high: Math.max(...more) }
    return { firstAnswer: { median: median(more), ...spread }, wrangler: await checkStartUp(folder) }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const configOf = (script: string): string => `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = (
    modules = [(name = "worker.js", esModule = embed "${script}")],
    compatibilityDate = "${COMPATIBILITY_DATE}",
    compatibilityFlags = ${JSON.stringify(WITHOUT_NODE)},
  ))],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);
`

async function firstAnswer(folder: string, config: string): Promise<number> {
  const { default: workerd } = createRequire(import.meta.url)('workerd') as { default: string }
  const start = performance.now()
  const child = spawn(workerd, ['serve', config, '--control-fd=3'], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit', 'pipe'],
  })
  const exited = once(child, 'exit')
  try {
    const [line] = await Promise.race([once(child.stdio[3] as Readable, 'data'), exited])
    const port = /"port":(\d+)/.exec(String(line))?.[1]
    if (port === undefined) throw new Error('workerd does not start')
    const response = await fetch(`http://127.0.0.1:${port}/healthz`)
    await response.text()
    return performance.now() - start
  } finally {
    child.kill('SIGKILL')
    await exited
  }
}

async function checkStartUp(folder: string): Promise<string | undefined> {
  const wrangler = join(root, 'node_modules/wrangler/bin/wrangler.js')
  const args = [wrangler, 'check', 'startup', '--outfile', join(folder, 'startup.cpuprofile')]
  const env = { ...process.env, CI: 'true', NO_COLOR: '1', WRANGLER_SEND_METRICS: 'false' }
  const text = await new Promise<string>((resolve) => {
    execFile(process.execPath, args, { cwd: root, env, timeout: 60_000 }, (_, stdout) => resolve(stdout))
  })
  return /Active: ([\d.]+ ms)/.exec(text)?.[1]
}
