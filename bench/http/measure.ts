// The token service under load on every runtime, beside a server that does nothing and what teams write themselves,
// without its protections.
import { type ChildProcess, spawn } from 'node:child_process'
import jwt from 'jsonwebtoken'
import type { Runtime } from '../cases.ts'
import { OURS } from '../contenders.ts'
import { median } from '../rounds.ts'
import { COMMANDS, path } from '../runtimes.ts'
import { type Measured, sendLoad } from './load.ts'
import { readPortFrom, type Server, serverOf } from './server.ts'
import {
  type KeySetServer,
  makeSessions,
  SECRET,
  SETTINGS,
  type Sessions,
  serveKeySet,
  serviceSettings,
  WORKSPACE_KEY,
} from './sessions.ts'
import { startWorkerd } from './workerd.ts'

const CONNECTIONS = 16

export interface Effort {
  rounds: number
  /** Milliseconds of one contender in one round. */
  slice: number
  /** Requests before anything is counted. */
  warmUp: number
  /** Requests of ours after which memory is looked at again, warm-up and rounds included. */
  total: number
  /** Milliseconds in which the last of them must be sent, else there are fewer. */
  patience: number
  /** Users who ask. */
  users: number
}

export const FULL: Effort = {
  rounds: 9,
  slice: 2000,
  warmUp: 10_000,
  total: 200_000,
  patience: 300_000,
  users: 1000,
}
export const BRIEF: Effort = { rounds: 3, slice: 300, warmUp: 500, total: 5000, patience: 20_000, users: 50 }

/**
 * Bytes, of the second half of all requests. In the first, V8 and workerd take up to 400 MB even for the Worker that
 * does nothing; of 100,000 requests that left 2 kB each behind, 200 MB would be seen.
 */
const GROWTH_LIMIT = 128 * 1024 * 1024

interface Contender {
  readonly name: string
  readonly server: Server
  readonly warmUp: Measured[]
  readonly rounds: Measured[]
  /** What ours is sent besides, to see whether it grows. */
  readonly endurance: Measured[]
  /** Processor time of a request in each round, in microseconds. */
  readonly cpu: number[]
  /** At the start, after half of the requests, and at the end. */
  readonly memory: number[]
  sent: number
}

/** One Worker's part; rates and times are of each round, and medians of them where there is one number. */
export interface HttpContender {
  readonly name: string
  /** Requests a second. */
  readonly rates: readonly number[]
  /** Processor time of a request, in microseconds. */
  readonly cpu: readonly number[]
  /** Milliseconds. */
  readonly p50: number
  readonly p99: number
  readonly errors: number
  readonly firstError: string | undefined
  /** Bytes at the start, after half of the requests, and at the end. */
  readonly memory: readonly number[]
  readonly requests: number
}

export interface HttpResults extends Pick<Effort, 'rounds' | 'slice'> {
  readonly connections: number
  readonly contenders: readonly HttpContender[]
}

/** Measures ours beside the others; errors and growth are for the caller to judge, by {@link faultsOf}. */
export async function measureHttp(effort: Effort, runtime: Runtime = 'workerd'): Promise<HttpResults> {
  const sessions = await makeSessions(effort.users)
  const keySetServer = await serveKeySet(sessions.keySet)
  const contenders: Contender[] = []
  try {
    for (const [name, start] of Object.entries(serversOf(runtime, sessions, keySetServer))) {
      const server = await start()
      const lists = { warmUp: [], rounds: [], endurance: [], cpu: [] }
      contenders.push({ name, server, ...lists, memory: [server.memory()], sent: 0 })
    }
    for (const contender of contenders) await checkAnswer(contender, runtime, sessions.requests)
    await measure(contenders, sessions.requests, effort)
    const { rounds, slice } = effort
    return { connections: CONNECTIONS, rounds, slice, contenders: contenders.map(resultsOf) }
  } finally {
    keySetServer.stop()
    await Promise.all(contenders.map(({ server }) => server.stop()))
  }
}

function resultsOf({ name, warmUp, rounds, endurance, cpu, memory, sent }: Contender): HttpContender {
  const all = [...warmUp, ...rounds, ...endurance]
  const latency = (rank: number) => median(rounds.map(({ latency }) => latency.percentile(rank))) / 1000
  return {
    name,
    rates: rounds.map(({ requests, seconds }) => requests / seconds),
    cpu,
    p50: latency(50),
    p99: latency(99),
    errors: all.reduce((sum, { errors }) => sum + errors, 0),
    firstError: all.find(({ firstError }) => firstError !== undefined)?.firstError,
    memory,
    requests: sent,
  }
}

/** What must not be: answers that are none, and memory that grows. Never a timing. */
export function faultsOf({ contenders }: HttpResults): string[] {
  const failed = contenders
    .filter(({ errors }) => errors > 0)
    .map(({ name, firstError }) => `${name} failed: ${firstError}`)
  const [, half = 0, end = 0] = contenders.find(({ name }) => name === OURS)?.memory ?? []
  const growth = end - half
  return growth > GROWTH_LIMIT
    ? [...failed, `${OURS} grew by ${(growth / 1024 / 1024).toFixed(0)} MB.`]
    : failed
}

function serversOf(
  runtime: Runtime,
  { keySet }: Sessions,
  { url }: KeySetServer,
): Record<string, () => Promise<Server>> {
  const known = { ...SETTINGS, SESSION_JWKS: keySet }
  if (runtime === 'workerd') {
    return {
      constant: () => startWorkerd({ entry: 'bench/http/constant.ts' }),
      'Hono + jose': () => startWorkerd({ entry: 'bench/http/hono-jose.ts', bindings: known }),
      [OURS]: () =>
        startWorkerd({ entry: 'worker/index.ts', bindings: serviceSettings(url), isLimited: true }),
    }
  }
  return {
    constant: () => startService(runtime, 'constant', {}),
    'Express + jsonwebtoken': () => startService(runtime, 'express', known),
    'Hono + jose': () => startService(runtime, 'hono', known),
    [OURS]: () => startService(runtime, 'service', serviceSettings(url)),
  }
}

function startService(
  runtime: Exclude<Runtime, 'workerd'>,
  contender: string,
  settings: object,
): Promise<Server> {
  const [command, ...args] = COMMANDS[runtime]
  const child: ChildProcess = spawn(command, [...args, path('bench/http/services.ts')], {
    env: { ...process.env, NODE_NO_WARNINGS: '1', CONTENDER: contender, SETTINGS: JSON.stringify(settings) },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  return serverOf(child, () => readPortFrom(child, child.stdout, /listening on (\d+)/))
}

/** Headers that our answer has, every one of which costs something. */
const PROTECTIONS = [
  'access-control-allow-origin',
  'access-control-expose-headers',
  'cache-control',
  'content-security-policy',
  'vary',
  'x-content-type-options',
  'x-frame-options',
  'x-request-id',
]

/** Whether a contender does what it is here for: the token verified as Membrane does. */
async function checkAnswer({ name, server }: Contender, runtime: Runtime, requests: Buffer[]): Promise<void> {
  let answer = ''
  const isGood = (text: string) => {
    answer = text
    return text.startsWith('HTTP/1.1 200 ')
  }
  const one = { port: server.port, requests, connections: 1, count: 1, milliseconds: 5000, isGood }
  const { errors, firstError } = await sendLoad(one)
  if (errors > 0) throw new Error(`${name} answered: ${firstError}`)
  if (name === 'constant') return
  const token = /"token":"([^"]*)"/.exec(answer)?.[1] ?? ''
  const claims = jwt.verify(token, SECRET, { algorithms: ['HS512'], issuer: WORKSPACE_KEY }) as jwt.JwtPayload
  const isRight =
    claims.id === 'customer-0' && claims.name === 'Customer 0' && claims.exp === (claims.iat ?? 0) + 7200
  if (!isRight) throw new Error(`${name} signed other claims.`)
  // The Worker alone sends this one: elsewhere it is for the proxy that ends TLS.
  const expected = runtime === 'workerd' ? [...PROTECTIONS, 'strict-transport-security'] : PROTECTIONS
  const missing = expected.filter((header) => !new RegExp(`\r\n${header}: `, 'i').test(answer))
  if (name === OURS && missing.length > 0) throw new Error(`${name} lacks ${missing.join(', ')}.`)
}

export const isToken = (answer: string) => answer.startsWith('HTTP/1.1 200 ') && answer.includes('{"token":"')

async function measure(contenders: readonly Contender[], requests: Buffer[], effort: Effort): Promise<void> {
  const load = async (contender: Contender, count: number | undefined, milliseconds: number) => {
    const { port } = contender.server
    const measured = await sendLoad({
      port,
      requests,
      connections: CONNECTIONS,
      ...(count !== undefined && { count }),
      milliseconds,
      isGood: isToken,
    })
    contender.sent += measured.requests
    return measured
  }

  for (const contender of contenders) contender.warmUp.push(await load(contender, effort.warmUp, 30_000))
  for (let round = 0; round < effort.rounds; round++) {
    // Each is first, second and last equally often, so that a slow moment of the machine favours nobody.
    const order = contenders.map((_, index) => contenders[(index + round) % contenders.length] as Contender)
    for (const contender of order) {
      const before = await contender.server.cpuSeconds()
      const measured = await load(contender, undefined, effort.slice)
      contender.rounds.push(measured)
      contender.cpu.push(
        (((await contender.server.cpuSeconds()) - before) / Math.max(1, measured.requests)) * 1e6,
      )
    }
  }
  for (const contender of contenders) {
    for (const share of [0.5, 1]) {
      const missing = contender.name === OURS ? effort.total * share - contender.sent : 0
      if (missing > 0) contender.endurance.push(await load(contender, missing, effort.patience * share))
      contender.memory.push(contender.server.memory())
    }
  }
}
