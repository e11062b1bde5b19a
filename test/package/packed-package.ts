import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const execute = promisify(execFile)
const root = fileURLToPath(new URL('../..', import.meta.url))

export const bin = (name: string) => join(root, 'node_modules/.bin', name)

export interface Project {
  directory: string
  remove(): void
}

/** A new project in which the package, as users get it, and `others` are installed. */
export async function installPacked(others: string[] = []): Promise<Project> {
  const directory = mkdtempSync(join(tmpdir(), 'membrane-token-consumer-'))
  writeFileSync(join(directory, 'package.json'), '{ "private": true, "type": "module" }\n')
  // Without scripts: `npm run test:package` has just built, and a second build would race the other tests.
  const pack = ['pack', '--json', '--ignore-scripts', '--pack-destination', directory]
  const [packed] = JSON.parse(await run(root, 'npm', ...pack)) as [{ filename: string }]
  await install(directory, [join(directory, packed.filename), ...others])
  return { directory, remove: () => rmSync(directory, { recursive: true, force: true }) }
}

/** Takes what npm has cached before it asks the registry. */
export async function install(directory: string, packages: string[]): Promise<void> {
  const options = ['--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund']
  await run(directory, 'npm', 'install', '--prefix', directory, ...options, ...packages)
}

/** What a command printed. Ending badly is an error that holds all it said. */
export async function run(directory: string, command: string, ...args: string[]): Promise<string> {
  const { NODE_OPTIONS: _, NODE_PATH: __, NODE_ENV: ___, ...env } = process.env
  const options = { cwd: directory, env: { ...env, DENO_NO_UPDATE_CHECK: '1' }, maxBuffer: 2 ** 26 }
  try {
    return (await execute(command, args, options)).stdout
  } catch (error) {
    // The message holds what went to stderr already.
    const { message, stdout = '' } = error as Error & { stdout?: string }
    throw new Error(`${message}\n${stdout}`)
  }
}
