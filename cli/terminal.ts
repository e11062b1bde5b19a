import process from 'node:process'
import { styleText } from 'node:util'

/** Exit codes of every command. */
export const ExitCode = { Success: 0, Failure: 1, Usage: 2 } as const
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode]

/** An invalid argument, file or variable: exit code 2. */
export class UsageError extends Error {}

/** Creates the error for a failure or a negative result: exit code 1. */
export function negativeResult(
  message: string,
  code: 'ERR_REFUSED' | 'ERR_UNREACHABLE' = 'ERR_REFUSED',
): Error {
  return Object.assign(new Error(message), { code })
}

export type Style = Parameters<typeof styleText>[0]

/** Where a command reads and writes: results go to standard output, everything else to standard error. */
export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Writes a result and a line break to standard output. */
  out(text: string): void
  /** Writes anything else and a line break to standard error. */
  note(text: string): void
  /** Colours part of a result, on a terminal only. */
  paint(style: Style, text: string): string
  /** Colours part of a note, on a terminal only. */
  paintNote(style: Style, text: string): string
  readonly isInteractive: boolean
  readonly hasPipedInput: boolean
  /** Reads standard input to its end. @throws UsageError over 1 MiB */
  readInput(): Promise<Uint8Array>
}

/** Bytes. */
const INPUT_LIMIT = 1_048_576

export function createTerminal(): Terminal {
  const { env, stdin, stdout, stderr } = process
  // The reader of a pipe may stop early, as `head` does.
  for (const stream of [stdout, stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit()
      throw error
    })
  }
  return {
    env,
    out: (text) => void stdout.write(`${text}\n`),
    note: (text) => void stderr.write(`${text}\n`),
    paint: painter(stdout, env),
    paintNote: painter(stderr, env),
    isInteractive: stdout.isTTY === true,
    hasPipedInput: stdin.isTTY !== true,
    readInput: async () => {
      const chunks: Buffer[] = []
      let length = 0
      for await (const chunk of stdin) {
        chunks.push(chunk)
        length += chunk.length
        if (length > INPUT_LIMIT) throw new UsageError('Standard input is longer than 1 MiB.')
      }
      return Buffer.concat(chunks)
    },
  }
}

/** Colours on a terminal, unless `NO_COLOR` is set (no-color.org). */
export function painter(stream: { readonly isTTY?: boolean }, env: Terminal['env']): Terminal['paint'] {
  const isColored = stream.isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb'
  return isColored ? (style, text) => styleText(style, text, { validateStream: false }) : (_, text) => text
}

/** Escapes terminal control characters in untrusted text, such as a claim. */
export function printable(text: string): string {
  return text.replace(CONTROL, (character) => {
    const code = (character.codePointAt(0) as number).toString(16).padStart(4, '0')
    return `\\u${code}`
  })
}

// Control characters, line separators, and marks that change the text direction.
const CONTROL = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu
