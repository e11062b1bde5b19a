/**
 * Milliseconds of CPU time that a call takes: the least of several tries. Unlike a stopwatch, it does not count what
 * other processes take of the machine.
 *
 * @param enough Ends with the first try that takes no more than this
 */
export async function cpuTimeOf(run: () => unknown, enough = 0, tries = 5): Promise<number> {
  let least = Number.POSITIVE_INFINITY
  for (let tried = 0; tried < tries && least > enough; tried++) {
    const before = process.cpuUsage()
    await run()
    const { user, system } = process.cpuUsage(before)
    least = Math.min(least, (user + system) / 1000)
  }
  return least
}
