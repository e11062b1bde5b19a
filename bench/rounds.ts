/** Operations per second in each round, by contender. */
export type Series = Record<string, number[]>

export interface Effort {
  readonly rounds: number
  /** Milliseconds for one contender in one round; 0 runs only a few operations, without a warm-up. */
  readonly slice: number
}

/**
 * Measures contenders in turn, so that a temporary slowdown of the machine affects all of them. The order rotates by one
 * in each round, and is reversed in every second round.
 *
 * @param time Performs `count` operations and returns the duration in milliseconds
 */
export async function alternate(
  names: readonly string[],
  { rounds, slice }: Effort,
  time: (name: string, count: number) => Promise<number>,
): Promise<Series> {
  // This is also the warm-up.
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

/** Returns how many operations fit into a slice, as a multiple of `STEP`. */
async function countFor(slice: number, time: (count: number) => Promise<number>): Promise<number> {
  if (slice === 0) return STEP
  for (let count = STEP; ; ) {
    // The better of two, so that a single delay does not count.
    const duration = Math.max(Math.min(await time(count), await time(count)), 0.01)
    const estimate = Math.max(STEP, Math.round((count * slice) / duration / STEP) * STEP)
    if (duration >= slice / 2) return estimate
    count = Math.min(estimate, count * 8)
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

/** Ratio of two series: taken within each round, then the median and the extremes. */
export function ratio(rates: readonly number[], others: readonly number[]): Ratio {
  const ratios = rates.map((rate, round) => rate / (others[round] as number))
  return { median: median(ratios), low: Math.min(...ratios), high: Math.max(...ratios) }
}
