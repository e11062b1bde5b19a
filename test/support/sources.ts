import { fileURLToPath } from 'node:url'

export const root: string = fileURLToPath(new URL('../../', import.meta.url))

/** The sources behind the public names, for bundlers: tests of the Worker and the examples need no build. */
export const SOURCES: Readonly<Record<string, string>> = Object.fromEntries(
  ['', '/endpoint', '/service', '/client', '/kms'].map((door) => [
    `membrane-token${door}`,
    `${root}src${door || '/index'}.ts`,
  ]),
)
