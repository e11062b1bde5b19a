import { type ChildProcess, type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import type { Writable } from 'node:stream'
import { build } from 'esbuild'
import { afterAll, beforeAll, expect } from 'vitest'
import { buildCommand } from '../../scripts/build-command.ts'
import { findNode } from '../package/node-versions.ts'
import { root, SOURCES } from '../support/sources.ts'

const bin = (name: string) => join(root, 'node_modules/.bin', name)

export interface Runtime {
  readonly name: string
  /** Resolves with the program and the arguments that run a script. */
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

export interface Output {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

/** A command that is running. */
export interface Running {
  readonly stdin: Writable
  readonly stdout: () => string
  readonly stderr: () => string
  /** Resolves with the first match in the output; rejects if the process ends without one. */
  says(pattern: RegExp): Promise<RegExpExecArray>
  /** Sends a signal, and resolves with the exit code. */
  stop(signal?: NodeJS.Signals): Promise<number | null>
  readonly ended: Promise<number | null>
}

export interface Harness {
  /** The working directory of the command, one for each test file. */
  readonly directory: string
  /** Path of the bundled command. */
  readonly command: string
  write(name: string, content: string | Uint8Array): string
  run(args: readonly string[], call?: Call): Promise<Output>
  /** Runs a command that must exit with 2, print nothing, and give the reason on standard error. */
  expectWrongUsage(args: readonly string[], reason: string | RegExp, call?: Call): Promise<void>
  /** Starts a command that runs until it is stopped. */
  start(args: readonly string[], call?: Call): Promise<Running>
  /** Marks a value that must not be in the output of any command. */
  keep<Text extends string>(secret: Text): Text
}

/** Runs the bundled command. After the tests of a file, no output may contain a secret that was passed to `keep`. */
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
    // The package that the command imports, without types.
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

  const start: Harness['start'] = async (args, { runtime = NODE, env } = {}) => {
    const [program, ...rest] = [...(await runtime.start()), command, ...args]
    const child = spawn(program!, rest, { cwd: directory, env: { ...cleanEnvironment(), ...env } })
    running.add(child)
    const started = watch(child)
    started.ended.then(() => {
      running.delete(child)
      outputs.push(started.stdout(), started.stderr())
    })
    return started
  }
  const run: Harness['run'] = async (args, call = {}) => {
    const { stdin, stdout, stderr, ended } = await start(args, call)
    // The command may end without reading its input.
    stdin.on('error', () => {}).end(call.input)
    return { status: await ended, stdout: stdout(), stderr: stderr() }
  }
  return {
    directory,
    command,
    start,
    run,
    expectWrongUsage: async (args, reason, call) => {
      const { status, stdout, stderr } = await run(args, call)
      expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
      expect(stderr).toMatch(reason)
    },
    write: (name, content) => {
      writeFileSync(join(directory, name), content)
      return name
    },
    keep: (secret) => {
      secrets.add(secret)
      return secret
    },
  }
}

/** Only what a process needs to run, and no settings of this machine. */
export function cleanEnvironment(): Record<string, string> {
  const { PATH = '', HOME = '', DENO_DIR } = process.env
  return { PATH, HOME, DENO_NO_UPDATE_CHECK: '1', ...(DENO_DIR !== undefined && { DENO_DIR }) }
}

function watch(child: ChildProcessWithoutNullStreams): Running {
  const output = { stdout: '', stderr: '' }
  const searches = new Set<() => void>()
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text) => {
      output[name] += text
      for (const search of searches) search()
    })
  }
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject).once('close', resolve)
  })
  return {
    stdin: child.stdin,
    stdout: () => output.stdout,
    stderr: () => output.stderr,
    ended,
    says: (pattern) =>
      new Promise((resolve, reject) => {
        const search = () => {
          const found = pattern.exec(output.stdout) ?? pattern.exec(output.stderr)
          if (found) resolve(found)
        }
        searches.add(search)
        search()
        ended.then((code) => reject(new Error(`exited with ${code}:\n${output.stdout}${output.stderr}`)))
      }),
    stop: (signal = 'SIGTERM') => {
      child.kill(signal)
      return ended
    },
  }
}
