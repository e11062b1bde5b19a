import { spawn } from 'node:child_process'
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

export interface Harness {
  /** A directory of the test file's own, in which the command runs. */
  readonly directory: string
  /** Path of the bundled command. */
  readonly command: string
  write(name: string, content: string | Uint8Array): string
  run(args: readonly string[], call?: Call): Promise<Answer>
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
