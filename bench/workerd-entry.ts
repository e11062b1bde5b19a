import type { KeyMaterial } from './cases.ts'
import type { Contender, Run } from './contenders.ts'
import { concurrencyOf, type Group, prepare, repeat } from './prepare.ts'

/** A request to the Worker: prepares a group, or runs one of its contenders if `name` is set. */
export interface BenchRequest {
  readonly group: Group
  readonly name?: string
  readonly count?: number
}

interface WorkerEnv {
  /** JSON of a `KeyMaterial`. */
  readonly MATERIAL: string
}

/** A Worker that runs contenders. The host measures the time, because workerd's clock stands still while code runs. */
export function serve(contenders: readonly Contender[]): ExportedHandler {
  let prepared: { group: string; runs: ReadonlyMap<string, Run> } | undefined
  return {
    async fetch(request, { MATERIAL }) {
      const { group, name, count = 0 } = (await request.json()) as BenchRequest
      if (name === undefined) {
        const { runs, ...checks } = await prepare(group, contenders, JSON.parse(MATERIAL) as KeyMaterial)
        prepared = { group: JSON.stringify(group), runs }
        return Response.json({ names: [...runs.keys()], ...checks })
      }
      const run = prepared?.group === JSON.stringify(group) ? prepared.runs.get(name) : undefined
      if (!run) throw new Error(`${name} is not prepared`)
      if (count > 0) await repeat(run, count, concurrencyOf(group))
      return new Response(null, { status: 204 })
    },
  }
}

interface ExportedHandler {
  fetch(request: Request, env: WorkerEnv): Promise<Response>
}
