import type { Material } from './cases.ts'
import type { Contender, Run } from './contenders.ts'
import { atOnceOf, type Group, prepare, repeat } from './prepare.ts'

/** What the host asks of a Worker: to make a group ready, or to let one contender work. */
export interface Ask {
  readonly group: Group
  readonly name?: string
  readonly count?: number
}

interface WorkerEnv {
  /** JSON of a `Material`. */
  readonly MATERIAL: string
}

/** A Worker that measures nothing itself: in workerd, time stands still while code runs. */
export function serve(contenders: readonly Contender[]): ExportedHandler {
  let ready: { group: string; runs: ReadonlyMap<string, Run> } | undefined
  return {
    async fetch(request, { MATERIAL }) {
      const { group, name, count = 0 } = (await request.json()) as Ask
      if (name === undefined) {
        const { runs, ...rest } = await prepare(group, contenders, JSON.parse(MATERIAL) as Material)
        ready = { group: JSON.stringify(group), runs }
        return Response.json({ names: [...runs.keys()], ...rest })
      }
      const run = ready?.group === JSON.stringify(group) ? ready.runs.get(name) : undefined
      if (!run) throw new Error(`${name} is not ready`)
      if (count > 0) await repeat(run, count, atOnceOf(group))
      return new Response(null, { status: 204 })
    },
  }
}

interface ExportedHandler {
  fetch(request: Request, env: WorkerEnv): Promise<Response>
}
