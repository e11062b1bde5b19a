/** Such as `2026-01-01 02:00:00 UTC, in 2 hours`; undefined if it is not a date. */
export function describeDate(seconds: unknown, now: number): string | undefined {
  if (typeof seconds !== 'number' || !(Math.abs(seconds) <= LATEST)) return undefined
  const date = new Date(seconds * 1000).toISOString().replace('T', ' ').slice(0, 19)
  const distance = Math.round(seconds - now / 1000)
  return `${date} UTC, ${describeDistance(distance)}`
}

/** End of the year 9999, in seconds. */
const LATEST = 253_402_300_799

/** Fraction of a unit by which a span is rounded up: two hours less a second are shown as two hours. */
const ROUNDING = 1 / 60

const UNITS = [
  [86_400, 'days'],
  [3600, 'hours'],
  [60, 'minutes'],
  [1, 'seconds'],
] as const

function describeDistance(seconds: number): string {
  if (seconds === 0) return 'now'
  return seconds < 0 ? `${describeSpan(-seconds)} ago` : `in ${describeSpan(seconds)}`
}

/** Uses the largest unit of which there are at least two. */
function describeSpan(seconds: number): string {
  const countOf = (size: number): number => Math.floor(seconds / size + ROUNDING)
  const [size, unit] = UNITS.find(([size]) => countOf(size) >= 2) ?? [1, 'seconds']
  const count = countOf(size)
  return `${count} ${count === 1 ? unit.slice(0, -1) : unit}`
}
