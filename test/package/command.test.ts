// The command from the packed package, on Node, Deno and Bun.
import { execFileSync } from 'node:child_process'
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { cleanEnvironment, RUNTIMES } from '../cli/harness.ts'
import { installPacked, type Project } from './packed-package.ts'

const SECRET = 'a test secret of more than thirty-two bytes'

let project: Project

beforeAll(async () => {
  project = await installPacked()
}, 240_000)

afterAll(() => project?.remove())

const execute = ([program, ...args]: readonly string[], input = '') =>
  execFileSync(program!, args, {
    cwd: project.directory,
    env: { ...cleanEnvironment(), MEMBRANE_WORKSPACE_KEY: 'workspace-1', MEMBRANE_WORKSPACE_SECRET: SECRET },
    input,
    encoding: 'utf8',
  })

test.each(RUNTIMES)('signs and verifies on $name', async ({ start }) => {
  // Deno resolves the package's dependencies through the project's package.json.
  const runtime = (await start()).filter((argument) => argument !== '--no-config')
  const command = [...runtime, 'node_modules/membrane-token/dist/cli.js']
  const token = execute([...command, 'sign', '--customer', 'c-1'])
  expect(execute([...command, 'verify'], token)).toMatch(
    /^Valid token of customer c-1 of workspace workspace-1/,
  )
})

test('is installed as membrane-token', () => {
  expect(execute(['node_modules/.bin/membrane-token', '--version'])).toMatch(/^\d+\.\d+\.\d+\n$/)
})

test('is under 150 kB, and installs no further packages', () => {
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
