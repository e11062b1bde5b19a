import process from 'node:process'
import { fileURLToPath } from 'node:url'
import type { Runtime } from './cases.ts'

/** Path of a file, from the root of the repository. */
export const path = (name: string): string => fileURLToPath(new URL(name, new URL('..', import.meta.url)))

/** Nothing is downloaded. Deno needs its permissions for what peers read, such as `process.env`. */
const DENO = [
  'run',
  '-A',
  '--no-prompt',
  '--no-remote',
  '--cached-only',
  '--no-lock',
  '--node-modules-dir=manual',
]

/** How each runtime starts a file. */
export const COMMANDS: Readonly<Record<Exclude<Runtime, 'workerd'>, readonly [string, ...string[]]>> = {
  node: [process.execPath],
  deno: [path('node_modules/.bin/deno'), ...DENO],
  bun: [path('node_modules/.bin/bun'), '--no-install'],
}
