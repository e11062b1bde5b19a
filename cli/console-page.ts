import { readFile } from 'node:fs/promises'

/** The HTML of the console, which is built into `dist/`; undefined if it was not built. */
export async function readConsolePage(): Promise<string | undefined> {
  return readFile(new URL('../dist/console.html', import.meta.url), 'utf8').catch(() => undefined)
}
