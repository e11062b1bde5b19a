import { parseEnv } from 'node:util'
import type { OptionTable } from './arguments.ts'
import { readText } from './files.ts'
import type { Terminal } from './terminal.ts'

export type Environment = Readonly<Record<string, string | undefined>>

export const ENVIRONMENT_OPTIONS = {
  'env-file': {
    type: 'string',
    value: 'FILE',
    multiple: true,
    description: 'Read variables from FILE; variables that are already set take precedence',
  },
} as const satisfies OptionTable

/** Merges the environment and the files. As in Node, variables that are already set win, then later files. */
export async function readEnvironment(files: readonly string[], terminal: Terminal): Promise<Environment> {
  const environment: Record<string, string | undefined> = {}
  for (const file of files) Object.assign(environment, parseEnv(await readText(file, terminal, 'variables')))
  return { ...environment, ...terminal.env }
}

/** The value of a variable. An empty one counts as absent. */
export function readVariable(environment: Environment, name: string): string | undefined {
  return environment[name] || undefined
}
