import { type ChildProcess, type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { build } from 'esbuild'
import { afterAll, beforeAll, expect } from 'vitest'
import { buildCommand } from '../../scripts/build-command.ts'
import { findNode } from '../package/node-versions.ts'
import { root, SOURCES } from '../support/sources.ts'

const bin = (name: string) => join(root, 'node_modules/.bin', name)

/** A runtime, and how it starts a program. */
export interface Runtime {
  readonly name: string
  readonly start: () => Promise<readonly string[]>
}

export const RUNTIMES: readonly Runtime[] = [
  { name: 'Node 20', start: async () => [await findNode(20)] },
  { name: 'Node 24', start: async () => [process.execPath] },
  { name: 'Deno', start: async () => [bin('deno'), 'run', '--allow-all', '--no-config'] },
  { name: 'Bun', start: async () => [bin('bun')] },
]

export const [, NODE] = RUNTIMES as readonly [Runtime, Runtime, ...Runtime[]]

export interface Call {
  readonly env?: Readonly<Record<string, string>>
  readonly input?: string | Uint8Array
  readonly runtime?: Runtime
}

export interface Answer {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

/** A command that runs. */
export interface Running {
  readonly stdout: () => string
  readonly stderr: () => string
  /** Resolves with what the pattern found in the output; rejects when the process ends before. */
  says(pattern: RegExp): Promise<RegExpExecArray>
  /** Sends a signal, and resolves with the exit code. */
  stop(signal?: NodeJS.Signals): Promise<number | null>
  readonly ended: Promise<number | null>
}

export interface Harness {
  /** A directory of the test file's own, in which the command runs. */
  readonly directory: string
  /** Path of the bundled command. */
  readonly command: string
  write(name: string, content: string | Uint8Array): string
  run(args: readonly string[], call?: Call): Promise<Answer>
  /** Starts a command that runs until it is stopped. */
  start(args: readonly string[], call?: Call): Promise<Running>
  /** Marks a value that no output may ever hold, whatever the command. */
  keep<Text extends string>(secret: Text): Text
}

/** The bundled command, as a process; what was kept secret must be in no output when the file's tests have ended. */
export function useCommand(): Harness {
  const base = mkdtempSync(join(tmpdir(), 'membrane-token-command-'))
  const directory = join(base, 'work')
  const command = join(base, 'package/dist/cli.js')
  const secrets = new Set<string>()
  const outputs: string[] = []
  const running = new Set<ChildProcess>()
  beforeAll(async () => {
    mkdirSync(directory)
    mkdirSync(join(base, 'package/dist'), { recursive: true })
    cpSync(join(root, 'package.json'), join(base, 'package/package.json'))
    await buildCommand(join(base, 'package/dist'))
    // The package beside it, as a build makes it, but for the types.
    await build({
      entryPoints: Object.values(SOURCES).filter(existsSync),
      outdir: join(base, 'package/dist'),
      bundle: true,
      splitting: true,
      format: 'esm',
      platform: 'node',
    })
  })
  afterAll(() => {
    for (const child of running) child.kill('SIGKILL')
    rmSync(base, { recursive: true, force: true })
    for (const secret of secrets) expect(outputs.filter((output) => output.includes(secret))).toEqual([])
  })
  return {
    directory,
    command,
    write: (name, content) => {
      writeFileSync(join(directory, name), content)
      return name
    },
    keep: (secret) => {
      secrets.add(secret)
      return secret
    },
    start: async (args, { runtime = NODE, env } = {}) => {
      const [program, ...rest] = [...(await runtime.start()), command, ...args]
      const child = spawn(program!, rest, { cwd: directory, env: { ...cleanEnvironment(), ...env } })
      running.add(child)
      const started = watch(child)
      started.ended.then(() => {
        running.delete(child)
        outputs.push(started.stdout(), started.stderr())
      })
      return started
    },
    run: async (args, { runtime = NODE, ...call } = {}) => {
      const answer = await runProcess([...(await runtime.start()), command, ...args], directory, call)
      outputs.push(answer.stdout, answer.stderr)
      return answer
    },
  }
}

/** Only what a process needs to run: nothing of this machine's settings. */
export function cleanEnvironment(): Record<string, string> {
  const { PATH = '', HOME = '', DENO_DIR } = process.env
  return { PATH, HOME, DENO_NO_UPDATE_CHECK: '1', ...(DENO_DIR !== undefined && { DENO_DIR }) }
}

function watch(child: ChildProcessWithoutNullStreams): Running {
  const output = { stdout: '', stderr: '' }
  const looks = new Set<() => void>()
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text) => {
      output[name] += text
      for (const look of looks) look()
    })
  }
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  return {
    stdout: () => output.stdout,
    stderr: () => output.stderr,
    ended,
    says: (pattern) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const found = pattern.exec(output.stdout) ?? pattern.exec(output.stderr)
          if (found) resolve(found)
        }
        looks.add(look)
        look()
        ended.then((code) =>
          reject(new Error(`ended with ${code}, saying:\n${output.stdout}${output.stderr}`)),
        )
      }),
    stop: (signal = 'SIGTERM') => {
      child.kill(signal)
      return ended
    },
  }
}

function runProcess(
  [program, ...args]: readonly string[],
  cwd: string,
  { env, input }: Omit<Call, 'runtime'>,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const child = spawn(program!, args, { cwd, env: { ...cleanEnvironment(), ...env } })
    let [stdout, stderr] = ['', '']
    child.stdout.setEncoding('utf8').on('data', (text) => (stdout += text))
    child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text))
    child.once('error', reject)
    child.once('close', (status) => resolve({ status, stdout, stderr }))
    // A command that reads no input may have ended by now.
    child.stdin.on('error', () => {})
    child.stdin.end(input)
  })
}
