import process from 'node:process'
import { fileURLToPath } from 'node:url'
import type { Runtime } from './cases.ts'

/** Absolute path of a file in the repository. */
export const path = (name: string): string => fileURLToPath(new URL(name, new URL('..', import.meta.url)))

/** Deno gets all permissions, because some libraries read `process.env`. Nothing is downloaded. */
const DENO = [
  'run',
  '-A',
  '--no-prompt',
  '--no-remote',
  '--cached-only',
  '--no-lock',
  '--node-modules-dir=manual',
]

/** The command that runs a file on each runtime. */
export const COMMANDS: Readonly<Record<Exclude<Runtime, 'workerd'>, readonly [string, ...string[]]>> = {
  node: [process.execPath],
  deno: [path('node_modules/.bin/deno'), ...DENO],
  bun: [path('node_modules/.bin/bun'), '--no-install'],
}
