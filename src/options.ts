import { MembraneTokenError } from './errors.ts'

/** @throws `ERR_OPTION_INVALID` */
export function checkObject(options: unknown): void {
  if (typeof options !== 'object' || options === null) throw invalidOption('The options must be an object.')
}

/** @throws `ERR_OPTION_INVALID` */
export function checkWorkspaceKey(workspaceKey: unknown): void {
  if (typeof workspaceKey === 'string' && workspaceKey !== '' && workspaceKey.trim() === workspaceKey) return
  throw invalidOption(
    "workspaceKey must be the key from Membrane's settings page, without spaces around it; is the variable that should hold it set?",
  )
}

/** Whether exactly one of the options is given, as for keys. @throws `ERR_OPTION_INVALID` */
export function checkExactlyOne(options: Readonly<Record<string, unknown>>): void {
  const given = Object.values(options).filter((option) => option !== undefined)
  if (given.length === 1) return
  throw invalidOption(
    `Give exactly one of ${Object.keys(options).join(', ')}; is the variable that should hold it set?`,
  )
}

/**
 * Binds a clock so that it cannot give anything but a time.
 *
 * @throws `ERR_OPTION_INVALID`, at once or when the clock gives no number
 */
export function bindClock(now: unknown): () => number {
  if (now === undefined) return Date.now
  if (typeof now !== 'function') throw invalidOption(CLOCK)
  return () => {
    const milliseconds: unknown = now()
    if (Number.isFinite(milliseconds)) return milliseconds as number
    throw invalidOption(CLOCK)
  }
}

const CLOCK = 'now must be a function such as Date.now.'

/** Seconds by which clocks may differ. @throws `ERR_OPTION_INVALID` */
export function bindTolerance(clockTolerance: unknown, fallback: number): number {
  if (clockTolerance === undefined) return fallback
  if (Number.isFinite(clockTolerance) && (clockTolerance as number) >= 0) return clockTolerance as number
  throw invalidOption('clockTolerance must be a number of seconds, zero or more.')
}

export function invalidOption(message: string): MembraneTokenError {
  return new MembraneTokenError('ERR_OPTION_INVALID', message)
}
