// A cold isolate: its first caller alone, and many callers at once while the identity provider takes its time.
import { OURS } from '../contenders.ts'
import { median } from '../rounds.ts'
import { type Measured, sendLoad } from './load.ts'
import { isToken } from './measure.ts'
import { makeSessions, SETTINGS, serveKeySet, serviceSettings } from './sessions.ts'
import { startWorkerd, type WorkerSpec } from './workerd.ts'

/** Milliseconds that the identity provider takes to publish its keys. */
const DELAY = 150
const CALLERS = 500

export interface ColdContender {
  readonly name: string
  /** Milliseconds to the first token of an isolate; medians of all rounds. */
  readonly first: number
  /** Milliseconds to the last of the tokens that all callers request at once. */
  readonly slowest: number
  /** Slowest by first, of each round. */
  readonly ratios: readonly number[]
  /** Callers without a token, in all rounds. */
  readonly errors: number
  /** Requests to the identity provider for all callers of a round; the median. */
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

  const call = async (spec: WorkerSpec, callers: number): Promise<Measured> => {
    const server = await startWorkerd(spec)
    try {
      return await sendLoad({
        port: server.port,
        requests,
        connections: callers,
        count: callers,
        milliseconds: 30_000,
        isGood: isToken,
      })
    } finally {
      await server.stop()
    }
  }

  try {
    for (let round = 0; round < rounds; round++) {
      for (const each of round % 2 === 0 ? measured : measured.toReversed()) {
        const spec = specs[each.name] as WorkerSpec
        const first = await call(spec, 1)
        const before = keySetServer.requests
        const burst = await call(spec, CALLERS)
        each.firsts.push(first.latency.max / 1000)
        each.slowest.push(burst.latency.max / 1000)
        each.errors += first.errors + burst.errors
        each.keySetRequests.push(keySetServer.requests - before)
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
