/** The remaining time, in milliseconds; negative once it has passed. */
export type Countdown = () => number

/**
 * Counts down from now by the faster of two clocks: the monotonic clock stops while most devices sleep; the wall clock
 * may be set forward, which costs one early request.
 */
export function startCountdown(duration: number): Countdown {
  const [monotonic, wall] = [performance.now(), Date.now()]
  return () => duration - Math.max(performance.now() - monotonic, Date.now() - wall)
}
