// Runs the benchmarks on Node, Deno or Bun, in a child process. Reads a `Job` from stdin and prints `RuntimeResults`.
import { Buffer } from 'node:buffer'
import process from 'node:process'
import type { KeyMaterial } from './cases.ts'
import { WEB_CONTENDERS } from './contenders.ts'
import { NODE_CONTENDERS } from './node-contenders.ts'
import { concurrencyOf, type Group, type Prepared, prepare, repeat } from './prepare.ts'
import { alternate, type Effort, type Series } from './rounds.ts'

export interface Job {
  readonly material: KeyMaterial
  readonly effort: Effort
  readonly groups: readonly Group[]
}

export interface GroupResult extends Pick<Prepared, 'tokens' | 'failures'> {
  readonly group: Group
  readonly series: Series
}

export interface RuntimeResults {
  readonly version: string
  readonly groups: readonly GroupResult[]
}

const chunks: Uint8Array[] = []
for await (const chunk of process.stdin) chunks.push(chunk as Uint8Array)
const job = JSON.parse(Buffer.concat(chunks).toString()) as Job

const groups: GroupResult[] = []
for (const group of job.groups) {
  const { runs, ...checks } = await prepare(group, [...WEB_CONTENDERS, ...NODE_CONTENDERS], job.material)
  const series = await alternate([...runs.keys()], job.effort, async (name, count) => {
    const run = runs.get(name) as () => unknown
    const start = performance.now()
    await repeat(run, count, concurrencyOf(group))
    return performance.now() - start
  })
  groups.push({ group, series, ...checks })
}

const { Deno, Bun } = globalThis as { Deno?: { version: { deno: string } }; Bun?: { version: string } }
const version = Deno?.version.deno ?? Bun?.version ?? process.versions.node
process.stdout.write(`${JSON.stringify({ version, groups } satisfies RuntimeResults)}\n`)
