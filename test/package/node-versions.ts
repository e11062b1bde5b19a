import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { install, run } from './packed-package.ts'

const cache = fileURLToPath(new URL('../../node_modules/.cache/', import.meta.url))
const executable = process.platform === 'win32' ? 'node.exe' : 'node'
const platform = process.platform === 'win32' ? 'win' : process.platform

/** Path of Node with this major version: from PATH, or installed from npm into a cache. */
export async function findNode(major: number): Promise<string> {
  const directory = join(cache, `node-${major}`)
  const name = `node-${platform}-${process.arch}`
  const cached = join(directory, 'node_modules', name, 'bin', executable)
  const installed = (process.env.PATH ?? '').split(delimiter).map((path) => join(path, executable))
  for (const path of [process.execPath, ...installed, cached]) {
    if (existsSync(path) && (await run('.', path, '--version')).startsWith(`v${major}.`)) return path
  }
  mkdirSync(directory, { recursive: true })
  writeFileSync(join(directory, 'package.json'), '{ "private": true }\n')
  // These packages contain the binaries that the package `node` installs with a script.
  await install(directory, [`${name}@${major}`])
  return cached
}
