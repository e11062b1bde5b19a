import type { Case, Runtime } from './cases.ts'
import type { Measured, RuntimeResults } from './child.ts'
import { asText, JOSE, OURS, RAW, WEB_CONTENDERS } from './contenders.ts'
import type { EnduranceResults } from './endurance.ts'
import type { FirstTokens } from './first-token.ts'
import type { ColdResults } from './http/cold.ts'
import type { HttpResults } from './http/measure.ts'
import { isCase } from './prepare.ts'
import { median, type Ratio, ratio } from './rounds.ts'
import type { Size } from './sizes.ts'
import type { StartUp } from './start-up.ts'

/** Everything that one run has measured. */
export interface Results {
  readonly runtimes: Readonly<Partial<Record<Runtime, RuntimeResults>>>
  readonly endurance: EnduranceResults | undefined
  readonly http: HttpResults | undefined
  /** The token service on other runtimes. */
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

/** The peers that use Web Crypto, like this package; jose is compared with by itself. */
const WEB_PEERS = ['@tsndr/cloudflare-worker-jwt', 'hono/jwt']
const AS_TEXT = WEB_PEERS.map(asText)

export function findCase(results: RuntimeResults, wanted: Case): Measured | undefined {
  return results.measured.find(
    ({ group }) =>
      isCase(group) &&
      (['task', 'algorithm', 'atOnce', 'fields'] as const).every((key) => group[key] === wanted[key]),
  )
}

export const rateOf = (measured: Measured | undefined, name: string): number | undefined =>
  measured?.series[name] && median(measured.series[name])

/** All that were measured, in one order everywhere. */
export const NAMES: readonly string[] = [
  ...WEB_CONTENDERS.map(({ name }) => name),
  'jsonwebtoken',
  asText('jsonwebtoken'),
  'fast-jwt',
]

/** With whom ours is compared; who the next best peer is, is found out. */
export const AGAINST = [
  'raw',
  'jose',
  'next best',
  'next best, key as text',
  'jsonwebtoken',
  'jsonwebtoken, key as text',
] as const
export type Against = (typeof AGAINST)[number]

export function opponent(measured: Measured, against: Against): string | undefined {
  if (against === 'raw') return RAW
  if (against === 'jose') return JOSE
  if (against.startsWith('jsonwebtoken')) return measured.series[against] && against
  const peers = against === 'next best' ? WEB_PEERS : AS_TEXT
  const [best] = peers
    .filter((name) => measured.series[name])
    .sort((a, b) => (rateOf(measured, b) ?? 0) - (rateOf(measured, a) ?? 0))
  return best
}

/** How much faster ours is. */
export function compare(
  measured: Measured | undefined,
  against: Against,
): (Ratio & { to: string }) | undefined {
  const to = measured && opponent(measured, against)
  const [ours, theirs] = [measured?.series[OURS], to === undefined ? undefined : measured?.series[to]]
  return ours && theirs && to !== undefined ? { ...ratio(ours, theirs), to } : undefined
}

/** Our Worker against each of the others, by requests per second and by processor time. */
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

/** Every case in which a peer is faster, in most rounds or in all. */
export function losses({ runtimes }: Results): { where: string; peer: string; ratio: Ratio }[] {
  return Object.entries(runtimes).flatMap(([runtime, { measured }]) =>
    measured.flatMap(({ group, series }) => {
      if (!isCase(group)) return []
      const { task, algorithm, atOnce, fields } = group
      const ours = series[OURS] ?? []
      const where = [runtime, task, algorithm, wording(atOnce), fields === 'small' ? '' : fields]
      return Object.entries(series)
        .filter(([peer, rates]) => peer !== OURS && peer !== RAW && ratio(ours, rates).median < 1)
        .map(([peer, rates]) => ({
          where: where.filter(Boolean).join(', '),
          peer,
          ratio: ratio(ours, rates),
        }))
    }),
  )
}

export const wording = (atOnce: 1 | 32): string => (atOnce === 1 ? 'one at a time' : '32 at a time')

export const ratioText = ({ median, low, high }: Ratio): string =>
  `${median.toFixed(2)} (${low.toFixed(2)}–${high.toFixed(2)})`
