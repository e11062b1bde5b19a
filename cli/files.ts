import { readFile } from 'node:fs/promises'
import { type Terminal, UsageError } from './terminal.ts'

/** The text of a file, or of standard input for `-`. @throws UsageError if it cannot be read */
export async function readText(path: string, terminal: Terminal, what: string): Promise<string> {
  return new TextDecoder().decode(await readBytes(path, terminal, what))
}

/** The bytes of a file, or of standard input for `-`. @throws UsageError if it cannot be read */
export async function readBytes(path: string, terminal: Terminal, what: string): Promise<Uint8Array> {
  if (path === '-') return terminal.readInput()
  try {
    return await readFile(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new UsageError(`Cannot read ${what} from ${path}: ${REASONS[code ?? ''] ?? code}.`)
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EACCES: 'permission denied',
  EISDIR: 'it is a directory',
}

/** Removes the final line break that editors and `echo` add. */
export function withoutLastLineBreak(text: string): string {
  return text.replace(/\r?\n$/, '')
}
