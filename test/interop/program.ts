import { execFile } from 'node:child_process'
import process from 'node:process'
import type { Algorithm } from '../../src/index.ts'
import type { Key } from './fixtures.ts'

/** What a program of this folder is asked on its standard input, a list of these … */
export type Job =
  | ({ action: 'sign'; algorithm: Algorithm; claims: Record<string, unknown> } & Key)
  | ({ action: 'verify'; algorithm: Algorithm; token: string } & Key)
  /** Go only: reads a key as the page's sample does. */
  | ({ action: 'parse' } & Key)

export interface JobResult {
  token?: string
  claims?: Record<string, unknown>
  error?: string
}

/** … and what it answers on its standard output: a result for each job, and what the page's samples signed. */
export interface Answer {
  library: string
  samples: { secret?: string; key?: string }
  results: JobResult[]
}

export type Command = readonly [program: string, ...args: string[]]

interface RunOptions {
  cwd?: string
  input?: string
  env?: Record<string, string> | undefined
}

/** What a command prints. */
export function run([program, ...args]: Command, { cwd, input = '', env }: RunOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { cwd, env: { ...process.env, ...env }, timeout: 300_000, maxBuffer: 2 ** 26 }
    const child = execFile(program, args, options, (error, stdout, stderr) => {
      if (error) reject(new Error(`${error.message}\n${stderr}${stdout}`.trim()))
      else resolve(stdout)
    })
    // A program that ends before it has read everything says so by its exit code.
    child.stdin?.on('error', () => {})
    child.stdin?.end(input)
  })
}

export async function ask(
  command: Command,
  cwd: string,
  jobs: readonly Job[],
  env?: Record<string, string>,
): Promise<Answer> {
  const answer: Answer = JSON.parse(await run(command, { cwd, input: JSON.stringify({ jobs }), env }))
  if (answer.results.length !== jobs.length) throw new Error('Not every job was answered.')
  return answer
}
