import { randomBytes } from 'node:crypto'
import { Agent, request } from 'node:http'
import process from 'node:process'
import { startWorkerd } from '../../../bench/http/workerd.ts'
import { askAndReset, wait } from './clients.ts'
import { createKey, publish, startProvider } from './provider.ts'

/**
 * Many requests to one isolate while keys rotate: one in ten is reset at a random moment, one in ten has a forged token.
 * Every genuine request that waits must be served, and the memory of workerd must not grow.
 *
 * `npm run soak [requests]`, 200,000 by default.
 */

const total = Number(process.argv[2] ?? 200_000)
const ROTATE_EVERY = 10_000
const SAMPLE_EVERY = 1000
const CLIENTS = 64
/** By how much memory may grow within the second half, as a share. */
const GROWTH_LIMIT = 0.1
const SCENARIO = 'soak'

const provider = await startProvider()
provider.delay = 50
const workerd = await startWorkerd({
  entry: 'test/worker/weather/entry.ts',
  bindings: { ISSUER: provider.issuer, SECRET: randomBytes(64).toString('base64url') },
})
const agent = new Agent({ keepAlive: true })

const createGeneration = (generation: number) => {
  const key = createKey(`key-${generation}`)
  return { key, session: provider.session(key) }
}
let generation = 0
let current = createGeneration(0)
provider.answer = publish(current.key)

/** Publishes a new key beside the last one. Sessions of the new one come when their clock says eleven minutes later. */
async function rotate(): Promise<void> {
  const next = createGeneration(++generation)
  provider.answer = publish(current.key, next.key)
  await wait(workerd.port, SCENARIO, 11 * 60_000)
  current = next
}

const stranger = createKey('stranger')
const forge = (): string => provider.session({ ...stranger, kid: randomBytes(8).toString('hex') })

function statusOf(session: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${session}` }
    request({ host: '127.0.0.1', port: workerd.port, path: `/${SCENARIO}/token`, headers, agent })
      .on('error', reject)
      .on('response', (response) => {
        response.resume().on('end', () => resolve(response.statusCode ?? 0))
      })
      .end()
  })
}

const counts = { served: 0, forged: 0, reset: 0, wrong: 0 }
const memory: number[] = []

async function send(index: number): Promise<void> {
  if (index % ROTATE_EVERY === 0 && index > 0) await rotate()
  if (index % SAMPLE_EVERY === 0) memory.push(workerd.memory())
  const kind = Math.floor(Math.random() * 10)
  if (kind === 0) {
    const session = Math.random() < 0.1 ? forge() : current.session
    await askAndReset(workerd.port, SCENARIO, session, Math.random() * 20)
    counts.reset++
  } else if (kind === 1) {
    record('forged', await statusOf(forge()), 401)
  } else {
    record('served', await statusOf(current.session), 200)
  }
}

function record(kind: 'served' | 'forged', status: number, expected: number): void {
  if (status === expected) counts[kind]++
  else if (counts.wrong++ < 10) console.error(`expected ${expected}, got ${status}`)
}

const start = performance.now()
try {
  let next = 0
  await Promise.all(
    Array.from({ length: CLIENTS }, async () => {
      while (next < total) await send(next++)
    }),
  )
} finally {
  agent.destroy()
  await workerd.stop()
  await provider.stop()
}

const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length
// V8 enlarges its heap over the first 80,000 requests or so, so the first half says nothing.
const quarters = [0, 1, 2, 3].map((quarter) =>
  meanOf(memory.slice((quarter * memory.length) / 4, ((quarter + 1) * memory.length) / 4)),
)
const growth = (quarters[3] as number) / (quarters[2] as number) - 1
console.log(
  JSON.stringify({
    requests: total,
    ...counts,
    rotations: generation,
    requestsToProvider: provider.requests.length,
    seconds: Math.round((performance.now() - start) / 1000),
    megabytesByQuarter: quarters.map((bytes) => Math.round(bytes / 2 ** 20)),
  }),
)
if (counts.wrong > 0 || growth > GROWTH_LIMIT) process.exitCode = 1
