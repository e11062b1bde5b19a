import { fileURLToPath } from 'node:url'

export const root: string = fileURLToPath(new URL('../../', import.meta.url))

/** Aliases from the package's public names to its sources, so that bundled tests need no build. */
export const SOURCES: Readonly<Record<string, string>> = Object.fromEntries(
  ['', '/endpoint', '/service', '/client', '/kms'].map((entry) => [
    `membrane-token${entry}`,
    `${root}src${entry || '/index'}.ts`,
  ]),
)
