import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { bin, run } from './packed-package.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

const read = (path: string) => JSON.parse(readFileSync(root + path, 'utf8')) as Record<string, unknown>

test('jsr.json says the same as package.json', () => {
  const { name, version, license, exports } = read('package.json')
  const jsr = read('jsr.json')
  expect({ version: jsr.version, license: jsr.license }).toEqual({ version, license })
  // JSR knows only names with a scope.
  expect(jsr.name).toBe(`@${name}/${name}`)
  const sources = Object.entries(exports as Record<string, { default: string }>).map(([entry, target]) => [
    entry,
    target.default.replace('./dist/', './src/').replace(/\.js$/, '.ts'),
  ])
  expect(jsr.exports).toEqual(Object.fromEntries(sources))
})

test('deno publish would take it', async () => {
  const publish = ['publish', '--dry-run', '--allow-dirty', '--config', 'jsr.json']
  // It rejects unless the command ends with 0.
  await run(root, bin('deno'), ...publish)
})
