import { readFile } from 'node:fs/promises'

/** The console page of the package, which is built beside this file's bundle; undefined where it was not built. */
export async function readConsolePage(): Promise<string | undefined> {
  return readFile(new URL('../dist/console.html', import.meta.url), 'utf8').catch(() => undefined)
}
