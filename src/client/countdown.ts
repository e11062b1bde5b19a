/** The remaining time, in milliseconds; negative once it has passed. */
export type Countdown = () => number

/**
 * Starts a countdown by the faster of two clocks: on most devices, the monotonic clock stops during sleep; the wall
 * clock may be set forward, which only causes an early request.
 *
 * @param duration Milliseconds
 */
export function startCountdown(duration: number): Countdown {
  const [monotonic, wall] = [performance.now(), Date.now()]
  return () => duration - Math.max(performance.now() - monotonic, Date.now() - wall)
}
