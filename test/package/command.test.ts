// The command as npm installs it, on every runtime.
import { execFileSync } from 'node:child_process'
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { cleanEnvironment, RUNTIMES } from '../cli/harness.ts'
import { installPacked, type Project } from './packed-package.ts'

const LIMIT = 240_000
const SECRET = 'a secret of the test, which is 32 bytes or more'

let project: Project

beforeAll(async () => {
  project = await installPacked()
}, LIMIT)

afterAll(() => project?.remove())

const env = () => ({
  ...cleanEnvironment(),
  MEMBRANE_WORKSPACE_KEY: 'workspace-1',
  MEMBRANE_WORKSPACE_SECRET: SECRET,
})

const execute = ([program, ...args]: readonly string[], input = '') =>
  execFileSync(program!, args, { cwd: project.directory, env: env(), input, encoding: 'utf8' })

test.each(RUNTIMES)('signs and verifies on $name', async ({ start }) => {
  // Deno finds what the package needs by the project's package.json.
  const runtime = (await start()).filter((argument) => argument !== '--no-config')
  const command = [...runtime, 'node_modules/membrane-token/dist/cli.js']
  const token = execute([...command, 'sign', '--customer', 'c-1'])
  expect(execute([...command, 'verify'], token)).toMatch(
    /^Valid token of customer c-1 of workspace workspace-1/,
  )
})

test('is there as membrane-token', () => {
  expect(execute(['node_modules/.bin/membrane-token', '--version'])).toMatch(/^\d+\.\d+\.\d+\n$/)
})

test('has under 150 kB, and brings no package that the module does not need', () => {
  const dist = join(project.directory, 'node_modules/membrane-token/dist')
  const sizes = readdirSync(dist)
    .filter((name) => /^cli.*\.js$/.test(name))
    .map((name) => statSync(join(dist, name)).size)
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(150_000)
  const installed = readdirSync(join(project.directory, 'node_modules')).filter(
    (name) => !name.startsWith('.'),
  )
  expect(installed.sort()).toEqual(['aws4fetch', 'jose', 'membrane-token', 'valibot'])
})
