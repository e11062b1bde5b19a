// workerd's part: this process keeps the time, because workerd's own clock stands still while code runs.
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { convertV4MiniflareOptions, Miniflare } from 'miniflare'
import { bundle } from './bundling.ts'
import type { Material } from './cases.ts'
import type { Job, Measured, RuntimeResults } from './child.ts'
import { type Group, isCase, type Prepared } from './prepare.ts'
import { alternate, median } from './rounds.ts'
import type { Ask } from './workerd-entry.ts'

const here = fileURLToPath(new URL('.', import.meta.url))
export const COMPATIBILITY_DATE = '2026-10-01'

/** The first alone leaves `nodejs_compat_v2` on, and with it `process`, `Buffer` and `node:*`. */
export const WITHOUT_NODE = ['no_nodejs_compat', 'no_nodejs_compat_v2']

/** Two Workers: one for all that needs only Web Crypto, without anything of Node, and one for `jsonwebtoken`. */
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
    // Of Node's contenders only `jsonwebtoken` runs here; the other is left behind.
    external: ['fast-jwt'],
    plugins: [
      {
        // CommonJS asks with `require` for what a Worker can only import.
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

/** What is used of what Miniflare gives: its own types need those of Cloudflare. */
interface Fetcher {
  fetch(url: string, init: { method: string; body: string }): Promise<Response>
}

/** Measures the groups in workerd; `jsonwebtoken`'s Worker takes its turn among the other contenders. */
export async function measureWorkerd({ material, effort, groups }: Job): Promise<RuntimeResults> {
  const workers = await Promise.all([worker('web', material), worker('node', material)])
  const miniflare = new Miniflare(convertV4MiniflareOptions({ workers }))
  const fetcher = async (name: WorkerName) => (await miniflare.getWorker(name)) as unknown as Fetcher
  try {
    const fetchers = { web: await fetcher('web'), node: await fetcher('node') }
    const ask = async (name: WorkerName, question: Ask): Promise<string> => {
      const body = JSON.stringify(question)
      const response = await fetchers[name].fetch('http://bench.test/', { method: 'POST', body })
      const text = await response.text()
      if (!response.ok) throw new Error(`workerd answered ${response.status}: ${text}`)
      return text
    }
    const measured: Measured[] = []
    for (const group of groups) {
      measured.push(await measureGroup(group, effort, ask))
    }
    // Inside workerd nothing tells its version.
    const { version } = createRequire(import.meta.url)('workerd/package.json') as { version: string }
    return { version, measured }
  } finally {
    await miniflare.dispose()
  }
}

async function measureGroup(
  group: Group,
  effort: Job['effort'],
  ask: (worker: WorkerName, question: Ask) => Promise<string>,
): Promise<Measured> {
  const where = new Map<string, WorkerName>()
  const rest = { tokens: {} as Prepared['tokens'], failures: {} as Prepared['failures'] }
  const involved: WorkerName[] = isCase(group) ? ['web', 'node'] : ['web']
  for (const name of involved) {
    const prepared = JSON.parse(await ask(name, { group })) as { names: string[] } & typeof rest
    for (const contender of prepared.names) where.set(contender, name)
    Object.assign(rest.tokens, prepared.tokens)
    Object.assign(rest.failures, prepared.failures)
  }

  const timed = async (name: string, count: number): Promise<number> => {
    const start = performance.now()
    await ask(where.get(name) as WorkerName, { group, name, count })
    return performance.now() - start
  }
  const empty: number[] = []
  const [any = ''] = where.keys()
  for (let index = 0; index < 30; index++) empty.push(await timed(any, 0))
  const overhead = median(empty.slice(10))

  const series = await alternate([...where.keys()], effort, async (name, count) =>
    Math.max((await timed(name, count)) - overhead, 0.01),
  )
  return { group, series, ...rest }
}

async function worker(name: WorkerName, material: Material) {
  return {
    name,
    modules: true as const,
    script: await bundleWorker(name),
    compatibilityDate: COMPATIBILITY_DATE,
    compatibilityFlags: name === 'node' ? ['nodejs_compat'] : WITHOUT_NODE,
    bindings: { MATERIAL: JSON.stringify(material) },
  }
}
