import { randomBytes } from 'node:crypto'
import { Agent, request } from 'node:http'
import process from 'node:process'
import { startWorkerd } from '../../../bench/http/workerd.ts'
import { requestAndReset, wait } from './clients.ts'
import { createKey, publish, startProvider } from './provider.ts'

/**
 * Many requests to one isolate while keys rotate: one in ten is reset at a random time, one in ten has a forged token.
 * All other requests must be served, and the memory of workerd must not grow.
 *
 * `npm run soak [requests]`, 200,000 by default.
 */

const total = Number(process.argv[2] ?? 200_000)
const ROTATE_EVERY = 10_000
const SAMPLE_EVERY = 1000
const CLIENTS = 64
/** How much memory may grow within the second half of the requests: 10 %. */
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
provider.respond = publish(current.key)

/** Publishes a new key with the previous one. Sessions use it eleven minutes later, by the Worker's clock. */
async function rotate(): Promise<void> {
  const next = createGeneration(++generation)
  provider.respond = publish(current.key, next.key)
  await wait(workerd.port, SCENARIO, 11 * 60_000)
  current = next
}

const attacker = createKey('attacker')
const forge = (): string => provider.session({ ...attacker, kid: randomBytes(8).toString('hex') })

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
    await requestAndReset(workerd.port, SCENARIO, session, Math.random() * 20)
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
// V8 grows its heap during about the first 80,000 requests, so the first half does not count.
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
