import { readFileSync } from 'node:fs'

/** The version of the package. The path is the same from this file and from the bundle. */
export function readVersion(): string {
  const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  return (JSON.parse(manifest) as { version: string }).version
}
