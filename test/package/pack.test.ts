import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { root } from '../support/sources.ts'
import { bin, pack, run } from './packed-package.ts'

const directory = mkdtempSync(join(tmpdir(), 'membrane-token-pack-'))
let tarball: string
let files: string[]

beforeAll(async () => {
  ;({ tarball, files } = await pack(directory))
})

afterAll(() => rmSync(directory, { recursive: true, force: true }))

test('contains only the files that users need', () => {
  const documents = ['CHANGELOG.md', 'LICENSE', 'README.md', 'package.json']
  expect(files.filter((path) => !path.startsWith('dist/')).sort()).toEqual(documents)
  expect(files).toContain('dist/index.js')
  expect(files).toContain('dist/index.d.ts')
  const others = files.filter((path) => path.startsWith('dist/') && !/\.(js|d\.ts)$/.test(path))
  expect(others).toEqual(['dist/console.html'])
})

test('passes publint', async () => {
  await run(root, bin('publint'), 'run', tarball, '--strict')
})

test('types resolve for every ESM consumer', async () => {
  await run(root, bin('attw'), tarball, '--profile', 'esm-only', '--no-color')
})
