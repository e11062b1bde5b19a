/** Rates by contender, operations per second, one for each round. */
export type Series = Record<string, number[]>

/** How long and how often to measure. */
export interface Effort {
  readonly rounds: number
  /** How long one contender works in one round. Milliseconds; 0 for a few times without a warm-up. */
  readonly slice: number
}

/**
 * Measures contenders in turn, so that whatever slows the machine down for a while slows all of them. The order
 * is another one in every round: it moves on by one, and every second round runs backwards.
 *
 * @param time Does the work so many times, and tells how many milliseconds that took
 */
export async function alternate(
  names: readonly string[],
  { rounds, slice }: Effort,
  time: (name: string, count: number) => Promise<number>,
): Promise<Series> {
  // Finding out how often each can do it in a slice warms it up as well.
  const counts = new Map<string, number>()
  for (const name of names) counts.set(name, await countFor(slice, (count) => time(name, count)))

  const series: Series = Object.fromEntries(names.map((name) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    const order = names.map((_, index) => names[(index + round) % names.length] as string)
    for (const name of round % 2 === 0 ? order : order.reverse()) {
      const count = counts.get(name) as number
      series[name]?.push((count / (await time(name, count))) * 1000)
    }
  }
  return series
}

const STEP = 32

async function countFor(slice: number, time: (count: number) => Promise<number>): Promise<number> {
  if (slice === 0) return STEP
  for (let count = STEP; ; ) {
    // The better of two: one hiccup must not make it look slow.
    const duration = Math.max(Math.min(await time(count), await time(count)), 0.01)
    const fitting = Math.max(STEP, Math.round((count * slice) / duration / STEP) * STEP)
    if (duration >= slice / 2) return fitting
    count = Math.min(fitting, count * 8)
  }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2
}

export interface Ratio {
  readonly median: number
  readonly low: number
  readonly high: number
}

/** How much faster one is than the other: compared within each round, then the median and the extremes. */
export function ratio(of: readonly number[], to: readonly number[]): Ratio {
  const ratios = of.map((rate, round) => rate / (to[round] as number))
  return { median: median(ratios), low: Math.min(...ratios), high: Math.max(...ratios) }
}
