import { readText, withoutLastLineBreak } from './files.ts'
import { type Terminal, UsageError } from './terminal.ts'

/** The token from the argument or standard input. @throws UsageError if there is none */
export async function readToken(given: string | undefined, terminal: Terminal): Promise<string> {
  if (given !== undefined && given !== '-') return given
  if (given === undefined && !terminal.hasPipedInput)
    throw new UsageError('Pass a token, or pipe one: pbpaste | membrane-token inspect')
  const text = withoutLastLineBreak(await readText('-', terminal, 'the token'))
  if (text === '') throw new UsageError('Standard input is empty; expected a token.')
  return text
}

/** @throws UsageError if more than one input is to be read from standard input */
export function checkSingleInput(...sources: readonly (string | undefined)[]): void {
  if (sources.filter((source) => source === '-').length > 1)
    throw new UsageError(
      'Only one thing can be read from standard input; pass the others as files or variables.',
    )
}
