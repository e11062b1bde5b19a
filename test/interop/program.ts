import { execFile } from 'node:child_process'
import process from 'node:process'
import type { Algorithm } from '../../src/index.ts'
import type { Key } from './fixtures.ts'

/** A task for a program of this folder. Each program reads a list of jobs from standard input. */
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

/** What a program writes to standard output: a result for each job, and the tokens that the page's samples sign. */
export interface ProgramOutput {
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

/** Runs a command. @returns what it prints */
export function run([program, ...args]: Command, { cwd, input = '', env }: RunOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { cwd, env: { ...process.env, ...env }, timeout: 300_000, maxBuffer: 2 ** 26 }
    const child = execFile(program, args, options, (error, stdout, stderr) => {
      if (error) reject(new Error(`${error.message}\n${stderr}${stdout}`.trim()))
      else resolve(stdout)
    })
    // A program that ends before it has read all its input reports this by its exit code.
    child.stdin?.on('error', () => {})
    child.stdin?.end(input)
  })
}

export async function runJobs(
  command: Command,
  cwd: string,
  jobs: readonly Job[],
  env?: Record<string, string>,
): Promise<ProgramOutput> {
  const output: ProgramOutput = JSON.parse(await run(command, { cwd, input: JSON.stringify({ jobs }), env }))
  if (output.results.length !== jobs.length) throw new Error('There is not one result for each job.')
  return output
}
