// Measures the start-up time of the Worker.
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
  /** Milliseconds to the first response of a new workerd, minus those with a Worker that returns a constant. */
  readonly firstResponse: { readonly median: number; readonly low: number; readonly high: number }
  /** CPU time in the profile of `wrangler check startup`, such as "3.2 ms"; `undefined` if it fails. */
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
    // A warm-up: the first start reads workerd from disk.
    await timeToFirstResponse(folder, 'constant.capnp')
    const differences: number[] = []
    for (let round = 0; round < rounds; round++) {
      const constant = await timeToFirstResponse(folder, 'constant.capnp')
      differences.push((await timeToFirstResponse(folder, 'worker.capnp')) - constant)
    }
    const spread = { low: Math.min(...differences), high: Math.max(...differences) }
    return {
      firstResponse: { median: median(differences), ...spread },
      wrangler: await checkStartUp(folder),
    }
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

async function timeToFirstResponse(folder: string, config: string): Promise<number> {
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
    if (port === undefined) throw new Error('workerd did not start')
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
