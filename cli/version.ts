import { readFileSync } from 'node:fs'

/** Version of the package that this file is part of, as source and as bundle. */
export function readVersion(): string {
  const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  return (JSON.parse(manifest) as { version: string }).version
}
