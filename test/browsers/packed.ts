import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, type Plugin } from 'esbuild'

const root = fileURLToPath(new URL('../..', import.meta.url))

const SOURCES = [
  'src',
  'cli',
  'console',
  'scripts',
  'tsconfig.json',
  'package.json',
  'README.md',
  'CHANGELOG.md',
  'LICENSE',
]

/** What the suite imports from the sources, by the name that users import it by. */
const EXPORTS: Record<string, string> = {
  '../../src/index.ts': 'membrane-token',
  '../../src/client.ts': 'membrane-token/client',
  '../../src/endpoint.ts': 'membrane-token/endpoint',
}

/**
 * Builds and packs the package into a folder, from a copy: the checkout's `dist` may be in use.
 *
 * @returns the tarball's path
 */
export function packPackage(directory: string): string {
  const copy = join(directory, 'source')
  for (const name of SOURCES) cpSync(join(root, name), join(copy, name), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
  runCommand(copy, 'npm', 'pack', '--pack-destination', directory)
  const tarball = readdirSync(directory).find((name) => name.endsWith('.tgz'))
  if (!tarball) throw new Error('npm pack left no tarball')
  return join(directory, tarball)
}

/** Packs the package and installs it into an empty project. @returns the project's path */
export function installPackage(directory: string): string {
  const tarball = packPackage(directory)
  const project = join(directory, 'project')
  mkdirSync(project)
  writeFileSync(join(project, 'package.json'), '{ "private": true, "type": "module" }\n')
  runCommand(project, 'npm', 'install', '--no-audit', '--no-fund', '--prefer-offline', tarball)
  return project
}

/**
 * Bundles a part of the tests with the package in the place of the sources.
 *
 * @param project Where the package is installed; without it, the package is left to another bundler
 */
export async function bundleSuite(entry: string, project?: string): Promise<string> {
  const packed: Plugin = {
    name: 'packed',
    setup: ({ onResolve, resolve }) => {
      onResolve({ filter: /\/src\// }, ({ path, kind }) => {
        const name = EXPORTS[path]
        if (!name) return { errors: [{ text: `${path} is no export of the package` }] }
        return project ? resolve(name, { kind, resolveDir: project }) : { path: name, external: true }
      })
    },
  }
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    format: 'esm',
    platform: 'neutral',
    target: 'es2022',
    write: false,
    plugins: [packed],
  })
  return outputFiles[0]!.text
}

export function runCommand(cwd: string, command: string, ...args: string[]): void {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8', timeout: 300_000 })
  if (status !== 0) throw new Error(`${command} ${args[0]} ended with ${status}:\n${stdout}${stderr}`)
}
