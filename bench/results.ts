import type { Case, Runtime } from './cases.ts'
import type { GroupResult, RuntimeResults } from './child.ts'
import { JOSE, OURS, RAW, WEB_CONTENDERS, withTextKey } from './contenders.ts'
import type { EnduranceResults } from './endurance.ts'
import type { FirstTokens } from './first-token.ts'
import type { ColdResults } from './http/cold.ts'
import type { HttpResults } from './http/measure.ts'
import { isCase } from './prepare.ts'
import { median, type Ratio, ratio } from './rounds.ts'
import type { Size } from './sizes.ts'
import type { StartUp } from './start-up.ts'

/** All results of one run. */
export interface Results {
  readonly runtimes: Readonly<Partial<Record<Runtime, RuntimeResults>>>
  readonly endurance: EnduranceResults | undefined
  readonly http: HttpResults | undefined
  /** The token service on Node, Deno and Bun. */
  readonly services: Partial<Record<Runtime, HttpResults>>
  readonly cold: ColdResults | undefined
  readonly firstTokens: Partial<Record<Runtime, FirstTokens>>
  readonly sizes: readonly Size[]
  readonly startUp: StartUp
  readonly rounds: number
  readonly slice: number
  readonly versions: Readonly<Record<string, string>>
  readonly machine: string
  readonly date: string
}

/** The other libraries on Web Crypto, except jose, which has its own column. */
const WEB_PEERS = ['@tsndr/cloudflare-worker-jwt', 'hono/jwt']
const WEB_PEERS_TEXT_KEY = WEB_PEERS.map(withTextKey)

export function findCase(results: RuntimeResults, wanted: Case): GroupResult | undefined {
  return results.groups.find(
    ({ group }) =>
      isCase(group) &&
      (['task', 'algorithm', 'concurrency', 'fields'] as const).every((key) => group[key] === wanted[key]),
  )
}

export const rateOf = (measured: GroupResult | undefined, name: string): number | undefined =>
  measured?.series[name] && median(measured.series[name])

/** Names of all contenders, in the order of the tables. */
export const NAMES: readonly string[] = [
  ...WEB_CONTENDERS.map(({ name }) => name),
  'jsonwebtoken',
  withTextKey('jsonwebtoken'),
  'fast-jwt',
]

/** Columns of the ratio tables. "next best" is the fastest of the other libraries on Web Crypto in each case. */
export const COMPARISONS = [
  'raw',
  'jose',
  'next best',
  'next best, key as text',
  'jsonwebtoken',
  'jsonwebtoken, key as text',
] as const
export type Comparison = (typeof COMPARISONS)[number]

export function peerFor(measured: GroupResult, comparison: Comparison): string | undefined {
  if (comparison === 'raw') return RAW
  if (comparison === 'jose') return JOSE
  if (comparison.startsWith('jsonwebtoken')) return measured.series[comparison] && comparison
  const peers = comparison === 'next best' ? WEB_PEERS : WEB_PEERS_TEXT_KEY
  const [best] = peers
    .filter((name) => measured.series[name])
    .sort((a, b) => (rateOf(measured, b) ?? 0) - (rateOf(measured, a) ?? 0))
  return best
}

/** Ratio of our rate to a peer's, with the peer's name. */
export function compare(
  measured: GroupResult | undefined,
  comparison: Comparison,
): (Ratio & { peer: string }) | undefined {
  const peer = measured && peerFor(measured, comparison)
  if (peer === undefined) return undefined
  const [ours, theirs] = [measured?.series[OURS], measured?.series[peer]]
  return ours && theirs && { ...ratio(ours, theirs), peer }
}

/** Our service compared with each of the others, by requests per second and by CPU time. */
export function httpRatios(http: HttpResults | undefined): { name: string; byRate: Ratio; byCpu: Ratio }[] {
  const ours = http?.contenders.find(({ name }) => name === OURS)
  if (!http || !ours) return []
  return http.contenders
    .filter((other) => other !== ours)
    .map(({ name, rates, cpu }) => ({
      name,
      byRate: ratio(ours.rates, rates),
      byCpu: ratio(cpu, ours.cpu),
    }))
}

/** Every case in which the median of another library is higher. */
export function losses({ runtimes }: Results): { name: string; peer: string; ratio: Ratio }[] {
  return Object.entries(runtimes).flatMap(([runtime, { groups }]) =>
    groups.flatMap(({ group, series }) => {
      if (!isCase(group)) return []
      const { task, algorithm, concurrency, fields } = group
      const ours = series[OURS] ?? []
      const name = [runtime, task, algorithm, concurrencyText(concurrency), fields === 'small' ? '' : fields]
      return Object.entries(series)
        .filter(([peer, rates]) => peer !== OURS && peer !== RAW && ratio(ours, rates).median < 1)
        .map(([peer, rates]) => ({
          name: name.filter(Boolean).join(', '),
          peer,
          ratio: ratio(ours, rates),
        }))
    }),
  )
}

export const concurrencyText = (concurrency: 1 | 32): string =>
  concurrency === 1 ? 'one at a time' : '32 at a time'

export const ratioText = ({ median, low, high }: Ratio): string =>
  `${median.toFixed(2)} (${low.toFixed(2)}–${high.toFixed(2)})`
