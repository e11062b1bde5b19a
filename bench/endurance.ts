// Measures heap growth over many tokens, and latency in bursts. Runs as a child process on Node with --expose-gc.
import { Buffer } from 'node:buffer'
import process from 'node:process'
import { customerWith, type KeyMaterial } from './cases.ts'
import { JOSE, makeInput, OURS, RAW, signerFor, WEB_CONTENDERS } from './contenders.ts'
import { repeat } from './prepare.ts'
import { median } from './rounds.ts'

export interface EnduranceJob {
  readonly material: KeyMaterial
  readonly tokens: number
  readonly bursts: number
}

export interface EnduranceResults {
  readonly tokens: number
  /** Bytes of heap in use after a garbage collection: at the start, and after all tokens. */
  readonly heap: readonly [number, number]
  /** Milliseconds from request to token, if 1,000 are requested at once. */
  readonly latencies: Readonly<Record<string, { p50: number; p99: number; slowest: number }>>
}

const BURST_SIZE = 1000
const { gc } = globalThis as { gc?: () => void }

const chunks: Uint8Array[] = []
for await (const chunk of process.stdin) chunks.push(chunk as Uint8Array)
const { material, tokens, bursts } = JSON.parse(Buffer.concat(chunks).toString()) as EnduranceJob

const signer = await signerFor('HS512', material)
const customer = customerWith('small')
const sign = () => signer.signCustomerToken(customer)

async function heapInUse(): Promise<number> {
  for (let index = 0; index < 4; index++) {
    await new Promise((resolve) => setTimeout(resolve, 20))
    gc?.()
  }
  return process.memoryUsage().heapUsed
}

await repeat(sign, Math.min(tokens, 50_000), 32)
const heapBefore = await heapInUse()
await repeat(sign, tokens, 32)
const heap = [heapBefore, await heapInUse()] as const

const input = await makeInput('HS512', 'small', material)
const contenders = WEB_CONTENDERS.filter(({ name }) => [OURS, RAW, JOSE].includes(name))
const runs = await Promise.all(contenders.map(async ({ name, sign }) => [name, await sign(input)] as const))
const latencies = Object.fromEntries(
  runs.map(([name]) => [name, { p50: [] as number[], p99: [] as number[], slowest: [] as number[] }]),
)
// The first burst is a warm-up.
for (let burst = -1; burst < bursts; burst++) {
  for (const [name, run] of burst % 2 === 0 ? runs : [...runs].reverse()) {
    const times: number[] = []
    const pending = Array.from({ length: BURST_SIZE }, async () => {
      const start = performance.now()
      await run()
      times.push(performance.now() - start)
    })
    await Promise.all(pending)
    if (burst < 0) continue
    times.sort((a, b) => a - b)
    latencies[name]?.p50.push(times[BURST_SIZE * 0.5] as number)
    latencies[name]?.p99.push(times[BURST_SIZE * 0.99] as number)
    latencies[name]?.slowest.push(times[BURST_SIZE - 1] as number)
  }
}

const results: EnduranceResults = {
  tokens,
  heap,
  latencies: Object.fromEntries(
    Object.entries(latencies).map(([name, { p50, p99, slowest }]) => [
      name,
      { p50: median(p50), p99: median(p99), slowest: median(slowest) },
    ]),
  ),
}
process.stdout.write(`${JSON.stringify(results)}\n`)
