/**
 * Measures the CPU time of a call in milliseconds: the minimum of several tries. Unlike elapsed time, it does not depend on
 * other processes.
 *
 * @param enough Stops at the first try that takes no longer than this
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
