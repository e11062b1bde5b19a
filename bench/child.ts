// One runtime's part, in a process of its own: Node, Deno or Bun. Reads its job from stdin.
import { Buffer } from 'node:buffer'
import process from 'node:process'
import type { Material } from './cases.ts'
import { WEB_CONTENDERS } from './contenders.ts'
import { NODE_CONTENDERS } from './node-contenders.ts'
import { atOnceOf, type Group, type Prepared, prepare, repeat } from './prepare.ts'
import { alternate, type Effort, type Series } from './rounds.ts'

export interface Job {
  readonly material: Material
  readonly effort: Effort
  readonly groups: readonly Group[]
}

export interface Measured extends Pick<Prepared, 'tokens' | 'failures'> {
  readonly group: Group
  readonly series: Series
}

/** What a runtime's process prints. */
export interface RuntimeResults {
  readonly version: string
  readonly measured: readonly Measured[]
}

const chunks: Uint8Array[] = []
for await (const chunk of process.stdin) chunks.push(chunk as Uint8Array)
const { material, effort, groups } = JSON.parse(Buffer.concat(chunks).toString()) as Job

const measured: Measured[] = []
for (const group of groups) {
  const { runs, ...rest } = await prepare(group, [...WEB_CONTENDERS, ...NODE_CONTENDERS], material)
  const series = await alternate([...runs.keys()], effort, async (name, count) => {
    const run = runs.get(name) as () => unknown
    const start = performance.now()
    await repeat(run, count, atOnceOf(group))
    return performance.now() - start
  })
  measured.push({ group, series, ...rest })
}

const { Deno, Bun } = globalThis as { Deno?: { version: { deno: string } }; Bun?: { version: string } }
const version = Deno?.version.deno ?? Bun?.version ?? process.versions.node
process.stdout.write(`${JSON.stringify({ version, measured } satisfies RuntimeResults)}\n`)
