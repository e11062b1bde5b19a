// Measures a cold isolate, with a slow identity provider: one caller alone, and many callers at once.
import { OURS } from '../contenders.ts'
import { median } from '../rounds.ts'
import { type LoadResult, sendLoad } from './load.ts'
import { isTokenResponse } from './measure.ts'
import { makeSessions, SETTINGS, serveKeySet, serviceSettings } from './sessions.ts'
import { startWorkerd, type WorkerSpec } from './workerd.ts'

/** Milliseconds that the identity provider takes to publish its keys. */
const DELAY = 150
const CALLERS = 500

export interface ColdContender {
  readonly name: string
  /** Milliseconds from the request of a single caller to its token; the median of all rounds. */
  readonly first: number
  /** Milliseconds of the slowest response if all callers send their requests at once; the median. */
  readonly slowest: number
  /** `slowest` divided by `first`, in each round. */
  readonly ratios: readonly number[]
  /** Callers without a token, in all rounds. */
  readonly errors: number
  /** Requests to the identity provider in a round; the median. */
  readonly keySetRequests: number
}

export interface ColdResults {
  readonly delay: number
  readonly callers: number
  readonly rounds: number
  readonly contenders: readonly ColdContender[]
}

export async function measureCold(rounds: number): Promise<ColdResults> {
  const { keySet, requests } = await makeSessions(CALLERS)
  const keySetServer = await serveKeySet(keySet, DELAY)
  const specs: Record<string, WorkerSpec> = {
    'Hono + jose': {
      entry: 'bench/http/hono-jose.ts',
      bindings: { ...SETTINGS, SESSION_JWKS_URI: keySetServer.url },
    },
    [OURS]: { entry: 'worker/index.ts', bindings: serviceSettings(keySetServer.url), isLimited: true },
  }
  const names = Object.keys(specs)
  const measured = names.map((name) => ({
    name,
    firsts: [] as number[],
    slowest: [] as number[],
    errors: 0,
    keySetRequests: [] as number[],
  }))

  const call = async (spec: WorkerSpec, callers: number): Promise<LoadResult> => {
    const server = await startWorkerd(spec)
    try {
      return await sendLoad({
        port: server.port,
        requests,
        connections: callers,
        count: callers,
        milliseconds: 30_000,
        isExpected: isTokenResponse,
      })
    } finally {
      await server.stop()
    }
  }

  try {
    for (let round = 0; round < rounds; round++) {
      for (const contender of round % 2 === 0 ? measured : measured.toReversed()) {
        const spec = specs[contender.name] as WorkerSpec
        const first = await call(spec, 1)
        const keySetRequestsBefore = keySetServer.requests
        const burst = await call(spec, CALLERS)
        contender.firsts.push(first.latency.max / 1000)
        contender.slowest.push(burst.latency.max / 1000)
        contender.errors += first.errors + burst.errors
        contender.keySetRequests.push(keySetServer.requests - keySetRequestsBefore)
      }
    }
  } finally {
    keySetServer.stop()
  }
  const contenders = measured.map(({ name, firsts, slowest, errors, keySetRequests }) => ({
    name,
    first: median(firsts),
    slowest: median(slowest),
    ratios: slowest.map((milliseconds, round) => milliseconds / (firsts[round] as number)),
    errors,
    keySetRequests: median(keySetRequests),
  }))
  return { delay: DELAY, callers: CALLERS, rounds, contenders }
}
