import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const directory = mkdtempSync(join(tmpdir(), 'membrane-token-pack-'))
let tarball: string
let files: string[]

function run(command: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: root, encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command} ended with ${status}:\n${stdout}${stderr}`)
  return stdout
}

const bin = (name: string) => join(root, 'node_modules/.bin', name)

beforeAll(() => {
  // Without scripts: `npm run test:package` has just built, and a second build would race the other tests.
  const json = run('npm', 'pack', '--json', '--ignore-scripts', '--pack-destination', directory)
  const [packed] = JSON.parse(json) as [{ filename: string; files: { path: string }[] }]
  tarball = join(directory, packed.filename)
  files = packed.files.map(({ path }) => path)
})

afterAll(() => rmSync(directory, { recursive: true, force: true }))

test('holds what users need and nothing else', () => {
  const documents = ['CHANGELOG.md', 'LICENSE', 'README.md', 'package.json']
  expect(files.filter((path) => !path.startsWith('dist/')).sort()).toEqual(documents)
  expect(files).toContain('dist/index.js')
  expect(files).toContain('dist/index.d.ts')
  const others = files.filter((path) => path.startsWith('dist/') && !/\.(js|d\.ts)$/.test(path))
  expect(others).toEqual(['dist/console.html'])
})

test('publint finds nothing', () => {
  run(bin('publint'), 'run', tarball, '--strict')
})

test('types resolve for every ESM consumer', () => {
  run(bin('attw'), tarball, '--profile', 'esm-only', '--no-color')
})
