// Measures the token service under load on every runtime, compared with a constant response and with minimal token endpoints
// that lack its protections.
import { type ChildProcess, spawn } from 'node:child_process'
import jwt from 'jsonwebtoken'
import type { Runtime } from '../cases.ts'
import { OURS } from '../contenders.ts'
import { median } from '../rounds.ts'
import { COMMANDS, path } from '../runtimes.ts'
import { type LoadResult, sendLoad } from './load.ts'
import { readPortFrom, type Server, waitForServer } from './server.ts'
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
  /** Milliseconds for one contender in one round. */
  slice: number
  /** Requests before the first round. */
  warmUp: number
  /** Requests to our service, including warm-up and rounds, before its memory is measured for the last time. */
  total: number
  /** Milliseconds for sending them; a slow machine sends fewer. */
  timeLimit: number
  /** Number of users whose sessions are sent. */
  users: number
}

export const FULL: Effort = {
  rounds: 9,
  slice: 2000,
  warmUp: 10_000,
  total: 200_000,
  timeLimit: 300_000,
  users: 1000,
}
export const BRIEF: Effort = { rounds: 3, slice: 300, warmUp: 500, total: 5000, timeLimit: 20_000, users: 50 }

/**
 * Maximum growth in bytes during the second half of the requests. During the first half, V8 and workerd use up to 400 MB
 * even for a constant response. A leak of 2 kB per request would add 200 MB in 100,000 requests.
 */
const GROWTH_LIMIT = 128 * 1024 * 1024

interface Contender {
  readonly name: string
  readonly server: Server
  readonly warmUp: LoadResult[]
  readonly rounds: LoadResult[]
  /** Further requests to our service, to detect memory growth. */
  readonly endurance: LoadResult[]
  /** Microseconds of CPU time per request, in each round. */
  readonly cpu: number[]
  /** Bytes at the start, after half of the requests, and at the end. */
  readonly memory: number[]
  sent: number
}

/** Results of one server: a list has one value per round, a single number is the median. */
export interface HttpContender {
  readonly name: string
  /** Requests per second. */
  readonly rates: readonly number[]
  /** Microseconds of CPU time per request. */
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

/** Measures all servers of a runtime. Call {@link findFailures} to check the results for errors and memory growth. */
export async function measureHttp(effort: Effort, runtime: Runtime = 'workerd'): Promise<HttpResults> {
  const sessions = await makeSessions(effort.users)
  const keySetServer = await serveKeySet(sessions.keySet)
  const contenders: Contender[] = []
  try {
    for (const [name, start] of Object.entries(serverStarters(runtime, sessions, keySetServer))) {
      const server = await start()
      const empty = { warmUp: [], rounds: [], endurance: [], cpu: [] }
      contenders.push({ name, server, ...empty, memory: [server.memory()], sent: 0 })
    }
    for (const contender of contenders) await checkResponse(contender, runtime, sessions.requests)
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

/** Failed requests and memory growth; timings never fail. */
export function findFailures({ contenders }: HttpResults): string[] {
  const failed = contenders
    .filter(({ errors }) => errors > 0)
    .map(({ name, firstError }) => `${name} failed: ${firstError}`)
  const [, half = 0, end = 0] = contenders.find(({ name }) => name === OURS)?.memory ?? []
  const growth = end - half
  return growth > GROWTH_LIMIT
    ? [...failed, `${OURS} grew by ${(growth / 1024 / 1024).toFixed(0)} MB.`]
    : failed
}

function serverStarters(
  runtime: Runtime,
  { keySet }: Sessions,
  { url }: KeySetServer,
): Record<string, () => Promise<Server>> {
  const bindings = { ...SETTINGS, SESSION_JWKS: keySet }
  if (runtime === 'workerd') {
    return {
      constant: () => startWorkerd({ entry: 'bench/http/constant.ts' }),
      'Hono + jose': () => startWorkerd({ entry: 'bench/http/hono-jose.ts', bindings }),
      [OURS]: () =>
        startWorkerd({ entry: 'worker/index.ts', bindings: serviceSettings(url), isLimited: true }),
    }
  }
  return {
    constant: () => startService(runtime, 'constant', {}),
    'Express + jsonwebtoken': () => startService(runtime, 'express', bindings),
    'Hono + jose': () => startService(runtime, 'hono', bindings),
    [OURS]: () => startService(runtime, 'service', serviceSettings(url)),
  }
}

/** Starts a server on Node, Deno or Bun. As on workerd, its log is discarded: reading it would slow down the load generator. */
async function startService(
  runtime: Exclude<Runtime, 'workerd'>,
  contender: string,
  settings: object,
): Promise<Server> {
  const [command, ...args] = COMMANDS[runtime]
  const child: ChildProcess = spawn(command, [...args, path('bench/http/services.ts')], {
    env: { ...process.env, NODE_NO_WARNINGS: '1', CONTENDER: contender, SETTINGS: JSON.stringify(settings) },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const server = await waitForServer(child, () => readPortFrom(child, child.stderr, /listening on (\d+)/))
  child.stderr?.pipe(process.stderr)
  return server
}

/** Headers of our responses: without them, the measured service would do less work than the real one. */
const HEADERS = [
  'access-control-allow-origin',
  'access-control-expose-headers',
  'cache-control',
  'content-security-policy',
  'vary',
  'x-content-type-options',
  'x-frame-options',
  'x-request-id',
]

/** Checks that a server issues the right token, verified as Membrane does, and that ours sends all headers. */
async function checkResponse(
  { name, server }: Contender,
  runtime: Runtime,
  requests: Buffer[],
): Promise<void> {
  let response = ''
  const isExpected = (text: string) => {
    response = text
    return text.startsWith('HTTP/1.1 200 ')
  }
  const load = { port: server.port, requests, connections: 1, count: 1, milliseconds: 5000, isExpected }
  const { errors, firstError } = await sendLoad(load)
  if (errors > 0) throw new Error(`${name} failed: ${firstError}`)
  if (name === 'constant') return
  const token = /"token":"([^"]*)"/.exec(response)?.[1] ?? ''
  const claims = jwt.verify(token, SECRET, { algorithms: ['HS512'], issuer: WORKSPACE_KEY }) as jwt.JwtPayload
  const hasClaims =
    claims.id === 'customer-0' && claims.name === 'Customer 0' && claims.exp === (claims.iat ?? 0) + 7200
  if (!hasClaims) throw new Error(`${name} signed other claims.`)
  // Only the Worker sends this header; on other runtimes, that is up to the proxy that terminates TLS.
  const expected = runtime === 'workerd' ? [...HEADERS, 'strict-transport-security'] : HEADERS
  const missing = expected.filter((header) => !new RegExp(`\r\n${header}: `, 'i').test(response))
  if (name === OURS && missing.length > 0) throw new Error(`${name} does not send ${missing.join(', ')}.`)
}

export const isTokenResponse = (response: string) =>
  response.startsWith('HTTP/1.1 200 ') && response.includes('{"token":"')

async function measure(contenders: readonly Contender[], requests: Buffer[], effort: Effort): Promise<void> {
  const send = async (contender: Contender, count: number | undefined, milliseconds: number) => {
    const { port } = contender.server
    const measured = await sendLoad({
      port,
      requests,
      connections: CONNECTIONS,
      ...(count !== undefined && { count }),
      milliseconds,
      isExpected: isTokenResponse,
    })
    contender.sent += measured.requests
    return measured
  }

  for (const contender of contenders) contender.warmUp.push(await send(contender, effort.warmUp, 30_000))
  for (let round = 0; round < effort.rounds; round++) {
    // The order rotates, so that a temporary slowdown of the machine does not always affect the same contender.
    const order = contenders.map((_, index) => contenders[(index + round) % contenders.length] as Contender)
    for (const contender of order) {
      const cpuBefore = await contender.server.cpuSeconds()
      const measured = await send(contender, undefined, effort.slice)
      const cpuSeconds = (await contender.server.cpuSeconds()) - cpuBefore
      contender.rounds.push(measured)
      contender.cpu.push((cpuSeconds / Math.max(1, measured.requests)) * 1e6)
    }
  }
  for (const contender of contenders) {
    for (const share of [0.5, 1]) {
      const missing = contender.name === OURS ? effort.total * share - contender.sent : 0
      if (missing > 0) contender.endurance.push(await send(contender, missing, effort.timeLimit * share))
      contender.memory.push(contender.server.memory())
    }
  }
}
