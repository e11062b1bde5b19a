// Runs the benchmarks on workerd. This process measures the time, because workerd's clock stands still while code runs.
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { convertV4MiniflareOptions, Miniflare } from 'miniflare'
import { bundle } from './bundling.ts'
import type { KeyMaterial } from './cases.ts'
import type { GroupResult, Job, RuntimeResults } from './child.ts'
import { type Group, isCase, type Prepared } from './prepare.ts'
import { alternate, median } from './rounds.ts'
import type { BenchRequest } from './workerd-entry.ts'

const here = fileURLToPath(new URL('.', import.meta.url))
export const COMPATIBILITY_DATE = '2026-10-01'

/** Both are needed: without the second, `nodejs_compat_v2` stays on, with `process`, `Buffer` and `node:*`. */
export const WITHOUT_NODE = ['no_nodejs_compat', 'no_nodejs_compat_v2']

/** Two Workers: one without Node compatibility for contenders that need only Web Crypto, and one for `jsonwebtoken`. */
const WORKERS = { web: 'WEB_CONTENDERS', node: '[JSONWEBTOKEN, JSONWEBTOKEN_TEXT]' } as const
type WorkerName = keyof typeof WORKERS

const NODE_MODULES = /^(node:.*|buffer|crypto|stream|util)$/

function bundleWorker(name: WorkerName): Promise<string> {
  const modules = {
    web: `import { WEB_CONTENDERS } from './contenders.ts'`,
    node: `import { JSONWEBTOKEN, JSONWEBTOKEN_TEXT } from './node-contenders.ts'`,
  }
  return bundle({
    stdin: {
      contents: `${modules[name]}
        import { serve } from './workerd-entry.ts'
        export default serve(${WORKERS[name]})`,
      resolveDir: here,
      loader: 'ts',
    },
    // `fast-jwt` does not run on workerd.
    external: ['fast-jwt'],
    plugins: [
      {
        // Converts `require` calls in CommonJS to imports, the only way a Worker can load Node's modules.
        name: 'node-modules',
        setup({ onResolve, onLoad }) {
          onResolve({ filter: /^fast-jwt$/ }, () => ({ path: 'fast-jwt', namespace: 'absent' }))
          onLoad({ filter: /.*/, namespace: 'absent' }, () => ({ contents: 'module.exports = {}' }))
          onResolve({ filter: NODE_MODULES }, ({ path, kind }) =>
            kind === 'require-call'
              ? { path: path.replace(/^node:/, ''), namespace: 'required' }
              : { path, external: true },
          )
          onLoad({ filter: /.*/, namespace: 'required' }, ({ path }) => ({
            contents: `import value from 'node:${path}'; module.exports = value`,
          }))
        },
      },
    ],
  })
}

/** The part of Miniflare's API that is used here: its own types require Cloudflare's. */
interface Fetcher {
  fetch(url: string, init: { method: string; body: string }): Promise<Response>
}

/** Measures the groups on workerd, alternating between the contenders of both Workers. */
export async function measureWorkerd({ material, effort, groups }: Job): Promise<RuntimeResults> {
  const workers = await Promise.all([workerOptions('web', material), workerOptions('node', material)])
  const miniflare = new Miniflare(convertV4MiniflareOptions({ workers }))
  const fetcher = async (name: WorkerName) => (await miniflare.getWorker(name)) as unknown as Fetcher
  try {
    const fetchers = { web: await fetcher('web'), node: await fetcher('node') }
    const send: Send = async (name, request) => {
      const body = JSON.stringify(request)
      const response = await fetchers[name].fetch('http://bench.test/', { method: 'POST', body })
      const text = await response.text()
      if (!response.ok) throw new Error(`workerd returned ${response.status}: ${text}`)
      return text
    }
    const measured: GroupResult[] = []
    for (const group of groups) measured.push(await measureGroup(group, effort, send))
    // A Worker cannot read the version of workerd.
    const { version } = createRequire(import.meta.url)('workerd/package.json') as { version: string }
    return { version, groups: measured }
  } finally {
    await miniflare.dispose()
  }
}

/** Sends a request to a Worker and returns the body of the response. */
type Send = (worker: WorkerName, request: BenchRequest) => Promise<string>

async function measureGroup(group: Group, effort: Job['effort'], send: Send): Promise<GroupResult> {
  const workerOf = new Map<string, WorkerName>()
  const checks = { tokens: {} as Prepared['tokens'], failures: {} as Prepared['failures'] }
  const workers: WorkerName[] = isCase(group) ? ['web', 'node'] : ['web']
  for (const worker of workers) {
    const prepared = JSON.parse(await send(worker, { group })) as { names: string[] } & typeof checks
    for (const contender of prepared.names) workerOf.set(contender, worker)
    Object.assign(checks.tokens, prepared.tokens)
    Object.assign(checks.failures, prepared.failures)
  }

  const time = async (name: string, count: number): Promise<number> => {
    const start = performance.now()
    await send(workerOf.get(name) as WorkerName, { group, name, count })
    return performance.now() - start
  }
  const emptyRequests: number[] = []
  const [first = ''] = workerOf.keys()
  for (let index = 0; index < 30; index++) emptyRequests.push(await time(first, 0))
  const overhead = median(emptyRequests.slice(10))

  const series = await alternate([...workerOf.keys()], effort, async (name, count) =>
    Math.max((await time(name, count)) - overhead, 0.01),
  )
  return { group, series, ...checks }
}

async function workerOptions(name: WorkerName, material: KeyMaterial) {
  return {
    name,
    modules: true as const,
    script: await bundleWorker(name),
    compatibilityDate: COMPATIBILITY_DATE,
    compatibilityFlags: name === 'node' ? ['nodejs_compat'] : WITHOUT_NODE,
    bindings: { MATERIAL: JSON.stringify(material) },
  }
}
