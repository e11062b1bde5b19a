// The Worker under load, on workerd itself, beside a Worker that does nothing and one that does the same with Hono and
// jose, and none of the protections.
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, type JSONWebKeySet, SignJWT } from 'jose'
import jwt from 'jsonwebtoken'
import { OURS } from '../contenders.ts'
import { median } from '../rounds.ts'
import { type Measured, sendLoad } from './load.ts'
import { startWorkerd, type Workerd, type WorkerSpec } from './workerd.ts'

const CONNECTIONS = 16
const ORIGIN = 'https://app.example.com'
const ISSUER = 'https://id.example.com'
const AUDIENCE = 'https://api.example.com'
const WORKSPACE_KEY = '4f9b5f5b-6f3c-4d0e-9d0b-5d5e7f1a2b3c'
const SECRET = crypto.getRandomValues(Buffer.alloc(48)).toString('base64url')

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
  readonly workerd: Workerd
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
export async function measureHttp(effort: Effort): Promise<HttpResults> {
  const { keySet, requests } = await makeSessions(effort.users)
  const { server, url } = await serveKeySet(keySet)
  const contenders: Contender[] = []
  try {
    for (const [name, spec] of Object.entries(specsOf(keySet, url))) {
      const workerd = await startWorkerd(spec)
      const lists = { warmUp: [], rounds: [], endurance: [], cpu: [] }
      contenders.push({ name, workerd, ...lists, memory: [workerd.memory()], sent: 0 })
    }
    for (const contender of contenders) await checkAnswer(contender, requests)
    await measure(contenders, requests, effort)
    const { rounds, slice } = effort
    return { connections: CONNECTIONS, rounds, slice, contenders: contenders.map(resultsOf) }
  } finally {
    server.close()
    await Promise.all(contenders.map(({ workerd }) => workerd.stop()))
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

function specsOf(keySet: JSONWebKeySet, url: string): Record<string, WorkerSpec> {
  const common = {
    SESSION_ISSUER: ISSUER,
    SESSION_AUDIENCE: AUDIENCE,
    MEMBRANE_WORKSPACE_KEY: WORKSPACE_KEY,
    MEMBRANE_WORKSPACE_SECRET: SECRET,
  }
  return {
    constant: { entry: 'bench/http/constant.ts' },
    'Hono + jose': { entry: 'bench/http/hono-jose.ts', bindings: { ...common, SESSION_JWKS: keySet } },
    [OURS]: {
      entry: 'worker/index.ts',
      bindings: {
        ...common,
        SESSION_JWKS_URI: url,
        ALLOWED_ORIGINS: `https://admin.example.com,${ORIGIN}`,
        // Services come as well, so that every request is looked at in all ways.
        API_KEYS: [{ name: 'backend', sha256: '0'.repeat(64), scopes: ['customer'] }],
      },
      isLimited: true,
    },
  }
}

/** A session of each user, and the request with which their browser asks for a token; all contenders get the same. */
async function makeSessions(users: number): Promise<{ keySet: JSONWebKeySet; requests: Buffer[] }> {
  const { privateKey, publicKey } = await generateKeyPair('RS256')
  const keySet = { keys: [{ ...(await exportJWK(publicKey)), kid: 'key-1', alg: 'RS256', use: 'sig' }] }
  const sign = (index: number) =>
    new SignJWT({ name: `Customer ${index}` })
      .setProtectedHeader({ alg: 'RS256', kid: 'key-1', typ: 'JWT' })
      .setSubject(`customer-${index}`)
      .setIssuer(ISSUER)
      .setAudience(AUDIENCE)
      .setIssuedAt()
      .setExpirationTime('3h')
      .sign(privateKey)
  const requests = await Promise.all(
    Array.from({ length: users }, async (_, index) =>
      Buffer.from(
        [
          'GET /api/membrane-token HTTP/1.1',
          'Host: tokens.example.com',
          `Authorization: Bearer ${await sign(index)}`,
          'Accept: */*',
          `Origin: ${ORIGIN}`,
          'Sec-Fetch-Site: same-site',
          `CF-Connecting-IP: 192.0.2.${index % 256}`,
          '\r\n',
        ].join('\r\n'),
      ),
    ),
  )
  return { keySet, requests }
}

async function serveKeySet(keySet: JSONWebKeySet): Promise<{ server: Server; url: string }> {
  const server = createServer((_, response) => {
    response.setHeader('Content-Type', 'application/jwk-set+json').end(JSON.stringify(keySet))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return { server, url: `http://127.0.0.1:${port}/jwks.json` }
}

/** Headers that our answer has, every one of which costs something. */
const PROTECTIONS = [
  'access-control-allow-origin',
  'access-control-expose-headers',
  'cache-control',
  'content-security-policy',
  'strict-transport-security',
  'vary',
  'x-content-type-options',
  'x-frame-options',
  'x-request-id',
]

/** Whether a contender does what it is here for: the token verified as Membrane does. */
async function checkAnswer({ name, workerd }: Contender, requests: Buffer[]): Promise<void> {
  let answer = ''
  const isGood = (text: string) => {
    answer = text
    return text.startsWith('HTTP/1.1 200 ')
  }
  const one = { port: workerd.port, requests, connections: 1, count: 1, milliseconds: 5000, isGood }
  const { errors, firstError } = await sendLoad(one)
  if (errors > 0) throw new Error(`${name} answered: ${firstError}`)
  if (name === 'constant') return
  const token = /"token":"([^"]*)"/.exec(answer)?.[1] ?? ''
  const claims = jwt.verify(token, SECRET, { algorithms: ['HS512'], issuer: WORKSPACE_KEY }) as jwt.JwtPayload
  const isRight =
    claims.id === 'customer-0' && claims.name === 'Customer 0' && claims.exp === (claims.iat ?? 0) + 7200
  if (!isRight) throw new Error(`${name} signed other claims.`)
  const missing = PROTECTIONS.filter((header) => !new RegExp(`\r\n${header}: `, 'i').test(answer))
  if (name === OURS && missing.length > 0) throw new Error(`${name} lacks ${missing.join(', ')}.`)
}

const isToken = (answer: string) => answer.startsWith('HTTP/1.1 200 ') && answer.includes('{"token":"')

async function measure(contenders: readonly Contender[], requests: Buffer[], effort: Effort): Promise<void> {
  const load = async (contender: Contender, count: number | undefined, milliseconds: number) => {
    const { port } = contender.workerd
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
      const before = await contender.workerd.cpuSeconds()
      const measured = await load(contender, undefined, effort.slice)
      contender.rounds.push(measured)
      contender.cpu.push(
        (((await contender.workerd.cpuSeconds()) - before) / Math.max(1, measured.requests)) * 1e6,
      )
    }
  }
  for (const contender of contenders) {
    for (const share of [0.5, 1]) {
      const missing = contender.name === OURS ? effort.total * share - contender.sent : 0
      if (missing > 0) contender.endurance.push(await load(contender, missing, effort.patience * share))
      contender.memory.push(contender.workerd.memory())
    }
  }
}
