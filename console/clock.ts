import { useEffect, useState } from 'preact/hooks'

/** Returns the time in milliseconds, updated every second. */
export function useNow(): number {
  const [now, setNow] = useState(Date.now)
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000)
    return () => clearInterval(timer)
  }, [])
  return now
}

const LOCAL = new Intl.DateTimeFormat('en-GB', {
  weekday: 'short',
  day: 'numeric',
  month: 'short',
  year: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  timeZoneName: 'short',
})

/** Largest time of a `Date`, in milliseconds. */
const LATEST = 8.64e15

/** Whether a value is a time in seconds since the epoch that `Date` can represent. */
export const isDate = (seconds: unknown): seconds is number =>
  typeof seconds === 'number' && Number.isFinite(seconds) && Math.abs(seconds * 1000) <= LATEST

/** Formats a time in seconds, such as `Tue, 24 Nov 2026, 23:54:45 CET`. */
export const toLocalText = (seconds: number): string => LOCAL.format(seconds * 1000)

/** Formats a time in seconds, such as `2026-11-24 22:54:45 UTC`. */
export const toUtcText = (seconds: number): string =>
  new Date(Math.floor(seconds) * 1000).toISOString().replace('T', ' ').replace('.000Z', ' UTC')

const UNITS: readonly [seconds: number, name: string][] = [
  [31_557_600, 'y'],
  [86_400, 'd'],
  [3600, 'h'],
  [60, 'min'],
  [1, 's'],
]

/** Formats a duration in its two largest units, such as `1 h 59 min`. */
export function toSpanText(seconds: number): string {
  const parts: string[] = []
  let rest = Math.floor(Math.abs(seconds))
  for (const [size, name] of UNITS) {
    const count = Math.floor(rest / size)
    rest -= count * size
    if (count > 0 || parts.length > 0) parts.push(`${count} ${name}`)
    if (parts.length === 2) break
  }
  return parts.filter((part) => !part.startsWith('0 ')).join(' ') || '0 s'
}

/** Formats a time relative to now, such as `in 1 h 59 min` or `3 d ago`. */
export function toRelativeText(seconds: number, now: number): string {
  const span = Math.floor(seconds) - Math.floor(now)
  // The page's clock ticks once a second, so a token that was just signed can be ahead of it.
  if (Math.abs(span) <= 1) return 'now'
  return span > 0 ? `in ${toSpanText(span)}` : `${toSpanText(span)} ago`
}
