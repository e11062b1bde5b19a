import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { root } from '../support/sources.ts'
import { bin, run } from './packed-package.ts'

const read = (path: string) => JSON.parse(readFileSync(root + path, 'utf8')) as Record<string, unknown>

test('jsr.json matches package.json', () => {
  const { name, version, license, exports } = read('package.json')
  const jsr = read('jsr.json')
  expect({ version: jsr.version, license: jsr.license }).toEqual({ version, license })
  // JSR names need a scope.
  expect(jsr.name).toBe(`@${name}/${name}`)
  const sources = Object.entries(exports as Record<string, { default: string }>).map(([entry, target]) => [
    entry,
    target.default.replace('./dist/', './src/').replace(/\.js$/, '.ts'),
  ])
  expect(jsr.exports).toEqual(Object.fromEntries(sources))
})

test('deno publish accepts the package', async () => {
  // Rejects unless the command exits with 0.
  await run(root, bin('deno'), 'publish', '--dry-run', '--allow-dirty', '--config', 'jsr.json')
})
