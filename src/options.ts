import { MembraneTokenError } from './errors.ts'
import { isPlaceholder } from './placeholders.ts'

/** @throws `ERR_OPTION_INVALID` */
export function checkObject(options: unknown): void {
  if (typeof options !== 'object' || options === null) throw invalidOption('The options must be an object.')
}

/** @throws `ERR_OPTION_INVALID` */
export function checkWorkspaceKey(workspaceKey: unknown): void {
  if (isWorkspaceKey(workspaceKey) && !isPlaceholder(workspaceKey)) return
  throw invalidOption(
    "workspaceKey must be the key from Membrane's settings page, without spaces around it and not a placeholder; check that the environment variable is set.",
    'workspaceKey',
  )
}

/** Whether a value has the form of a workspace key: a non-empty string without spaces around it. */
export function isWorkspaceKey(workspaceKey: unknown): workspaceKey is string {
  return typeof workspaceKey === 'string' && workspaceKey !== '' && workspaceKey.trim() === workspaceKey
}

/** Checks that exactly one of the options is set. @throws `ERR_OPTION_INVALID` */
export function checkExactlyOne(options: Readonly<Record<string, unknown>>): void {
  const names = Object.keys(options)
  const given = names.filter((name) => options[name] !== undefined)
  if (given.length === 1) return
  const choice = names.length === 1 ? names[0] : `exactly one of ${names.join(', ')}`
  throw invalidOption(
    given.length === 0
      ? `Pass ${choice}; check that the environment variable is set.`
      : `Pass ${choice}, not ${given.join(' and ')}.`,
    given[1] ?? names[0],
  )
}

/**
 * Wraps a clock so that it always returns a number.
 *
 * @throws `ERR_OPTION_INVALID` if it is not a function; the wrapped clock throws it if the clock returns no number
 */
export function bindClock(now: unknown): () => number {
  if (now === undefined) return Date.now
  if (typeof now !== 'function') throw invalidOption(CLOCK, 'now')
  return () => {
    const milliseconds: unknown = now()
    if (Number.isFinite(milliseconds)) return milliseconds as number
    throw invalidOption(CLOCK, 'now')
  }
}

const CLOCK = 'now must be a function such as Date.now.'

/** Reads a tolerated clock difference in seconds. @throws `ERR_OPTION_INVALID` */
export function bindTolerance(clockTolerance: unknown, fallback: number): number {
  if (clockTolerance === undefined) return fallback
  if (Number.isFinite(clockTolerance) && (clockTolerance as number) >= 0) return clockTolerance as number
  throw invalidOption('clockTolerance must be a number of seconds, zero or more.', 'clockTolerance')
}

/** @param option The invalid option, if there is a single one */
export function invalidOption(message: string, option?: string): MembraneTokenError {
  return new MembraneTokenError('ERR_OPTION_INVALID', message, { option })
}

/**
 * Reads each option once and copies it before anything is awaited, so that neither a getter nor a later change by the
 * caller can yield two different values.
 *
 * @param names All options
 * @throws `ERR_OPTION_INVALID` for an unknown option; the message suggests the closest name
 */
export function readOptions<Options extends object>(
  options: Options,
  names: readonly (keyof Options & string)[],
): Options {
  checkObject(options)
  for (const name in options) {
    if (!names.includes(name)) throw invalidOption(unknownName('option', name, names), shownName(name))
  }
  const read: Partial<Options> = {}
  for (const name of names) {
    const value = options[name]
    if (value !== undefined) read[name] = value
  }
  return read as Options
}

/** Returns the message for an unknown name: "Unknown option `expireIn`; did you mean `expiresIn`?" */
export function unknownName(kind: string, name: string, names: readonly string[]): string {
  const closest = closestName(name, names)
  const shown = shownName(name) ? ` \`${name}\`` : ''
  return `Unknown ${kind}${shown}; ${closest ? `did you mean \`${closest}\`?` : `known: ${names.join(', ')}.`}`
}

/** Returns a name for messages; `undefined` for long or unusual ones, which may be misplaced values, even secrets. */
export function shownName(name: string): string | undefined {
  return /^[\w.-]{1,40}$/.test(name) ? name : undefined
}

const normalize = (name: string): string => name.toLowerCase().replace(/[_-]/g, '')

/** Returns the closest of `names` within two edits, ignoring case, `_` and `-`. */
export function closestName(name: string, names: readonly string[]): string | undefined {
  return [0, 1, 2]
    .map((edits) =>
      names.find(
        (known) => edits < known.length / 2 && isWithinEdits(normalize(name), normalize(known), edits),
      ),
    )
    .find((known) => known)
}

/** Whether the edit distance of two strings is at most `edits`. */
export function isWithinEdits(a: string, b: string, edits: number): boolean {
  if (a === b) return true
  if (edits === 0) return false
  let same = 0
  while (a[same] === b[same]) same++
  const [restA, restB] = [a.slice(same), b.slice(same)]
  const [nextA, nextB] = [restA.slice(1), restB.slice(1)]
  const left = edits - 1
  return (
    isWithinEdits(nextA, nextB, left) ||
    isWithinEdits(nextA, restB, left) ||
    isWithinEdits(restA, nextB, left)
  )
}

/** @throws `ERR_OPTION_INVALID` unless it is an absolute http or https URL without user, password and fragment */
export function checkHttpUrl(url: unknown, option: string): void {
  const parsed = typeof url === 'string' && URL.canParse(url) ? new URL(url) : undefined
  if (parsed && /^https?:$/.test(parsed.protocol) && !parsed.username && !parsed.password && !parsed.hash)
    return
  throw invalidOption(`${option} must be an absolute https URL, without user, password and fragment.`, option)
}
