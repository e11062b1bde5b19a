import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Result } from '../conformance/suite.ts'

const directory = fileURLToPath(new URL('../../node_modules/.cache/membrane-token/support/', import.meta.url))

export type SupportRecord = Pick<Result, 'version' | 'support'>

/**
 * Saves what a runtime supports, for `npm run support`.
 *
 * @returns The rest of its result
 */
export function record<Kind extends Omit<Result, 'failures'>>(result: Kind): Omit<Kind, 'support'> {
  const { support, ...rest } = result
  mkdirSync(directory, { recursive: true })
  writeFileSync(pathOf(idOf(result)), JSON.stringify({ version: result.version, support }))
  return rest
}

/** Reads what `record` saved in the last run of a runtime; `undefined` if there was none. */
export function readRecord(id: string): SupportRecord | undefined {
  try {
    return JSON.parse(readFileSync(pathOf(id), 'utf8')) as SupportRecord
  } catch {
    return undefined
  }
}

/** The suite runs on several versions of Node, and on one version of each other runtime. */
function idOf({ runtime, version }: Pick<Result, 'runtime' | 'version'>): string {
  return runtime === 'node' ? `node-${Number.parseInt(version, 10)}` : runtime
}

function pathOf(id: string): string {
  return join(directory, `${id}.json`)
}
