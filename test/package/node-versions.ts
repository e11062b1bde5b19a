import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { install, run } from './packed-package.ts'

const cache = fileURLToPath(new URL('../../node_modules/.cache/', import.meta.url))
const executable = process.platform === 'win32' ? 'node.exe' : 'node'
const platform = process.platform === 'win32' ? 'win' : process.platform

/** Path of a Node of this major version: one of the machine's, or one from the registry, kept for the next time. */
export async function findNode(major: number): Promise<string> {
  const directory = join(cache, `node-${major}`)
  const name = `node-${platform}-${process.arch}`
  const cached = join(directory, 'node_modules', name, 'bin', executable)
  const here = (process.env.PATH ?? '').split(delimiter).map((path) => join(path, executable))
  for (const path of [process.execPath, ...here, cached]) {
    if (existsSync(path) && (await run('.', path, '--version')).startsWith(`v${major}.`)) return path
  }
  mkdirSync(directory, { recursive: true })
  writeFileSync(join(directory, 'package.json'), '{ "private": true }\n')
  // These are the real binaries, which the package `node` installs by a script.
  await install(directory, [`${name}@${major}`])
  return cached
}
