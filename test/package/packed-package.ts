import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { promisify } from 'node:util'
import { root } from '../support/sources.ts'

const execute = promisify(execFile)

export const bin = (name: string) => join(root, 'node_modules/.bin', name)

export interface Project {
  directory: string
  remove(): void
}

/** Creates a project in which the packed package and `others` are installed. */
export async function installPacked(others: string[] = []): Promise<Project> {
  const directory = mkdtempSync(join(tmpdir(), 'membrane-token-consumer-'))
  writeFileSync(join(directory, 'package.json'), '{ "private": true, "type": "module" }\n')
  const { tarball } = await pack(directory)
  await install(directory, [tarball, ...others])
  return { directory, remove: () => rmSync(directory, { recursive: true, force: true }) }
}

/** Packs the package into a directory. */
export async function pack(directory: string): Promise<{ tarball: string; files: string[] }> {
  // Without scripts: `npm run test:package` has just built, and another build would disturb the tests that run in parallel.
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', directory]
  const [{ filename, files }] = JSON.parse(await run(root, 'npm', ...args)) as [
    { filename: string; files: { path: string }[] },
  ]
  return { tarball: join(directory, filename), files: files.map(({ path }) => path) }
}

/** Installs packages, from npm's cache if possible. */
export async function install(directory: string, packages: string[]): Promise<void> {
  const options = ['--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund']
  await run(directory, 'npm', 'install', '--prefix', directory, ...options, ...packages)
}

/** Runs a command and returns its output. If it fails, the error contains the output. */
export async function run(directory: string, command: string, ...args: string[]): Promise<string> {
  const { NODE_OPTIONS: _, NODE_PATH: __, NODE_ENV: ___, ...env } = process.env
  const options = { cwd: directory, env: { ...env, DENO_NO_UPDATE_CHECK: '1' }, maxBuffer: 2 ** 26 }
  try {
    return (await execute(command, args, options)).stdout
  } catch (error) {
    // The message already contains stderr.
    const { message, stdout = '' } = error as Error & { stdout?: string }
    throw new Error(`${message}\n${stdout}`)
  }
}
