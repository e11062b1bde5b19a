// Compiles `consumer.ts` against the packed package, with the types of one platform at a time and without `skipLibCheck`.
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { bin, installPacked, type Project, run } from './packed-package.ts'

const consumer = fileURLToPath(new URL('consumer.ts', import.meta.url))

const PLATFORMS = {
  DOM: { lib: ['ES2022', 'DOM'], types: [], files: /\/lib\.dom\.d\.ts$/m },
  '@cloudflare/workers-types': {
    lib: ['ES2022'],
    types: ['@cloudflare/workers-types'],
    files: /\/@cloudflare\/workers-types\//,
  },
  '@types/node': { lib: ['ES2022'], types: ['node'], files: /\/@types\/node\// },
}

const RESOLUTIONS = { bundler: 'ESNext', nodenext: 'NodeNext' }

let project: Project

beforeAll(async () => {
  project = await installPacked(['@types/node@24', '@cloudflare/workers-types@5.20261117.1'])
  copyFileSync(consumer, join(project.directory, 'consumer.ts'))
}, 240_000)

afterAll(() => project?.remove())

const cases = Object.keys(PLATFORMS).flatMap((platform) =>
  Object.keys(RESOLUTIONS).map((resolution) => [platform, resolution] as const),
) as [keyof typeof PLATFORMS, keyof typeof RESOLUTIONS][]

test.each(cases)('types with only %s, resolution %s', async (platform, moduleResolution) => {
  const { lib, types } = PLATFORMS[platform]
  const compilerOptions = {
    target: 'ES2022',
    lib,
    types,
    module: RESOLUTIONS[moduleResolution],
    moduleResolution,
    strict: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
    skipLibCheck: false,
  }
  const config = JSON.stringify({ compilerOptions, files: ['consumer.ts'] })
  writeFileSync(join(project.directory, 'tsconfig.json'), config)
  await run(project.directory, bin('tsc'), '-p', '.')
  const files = await run(project.directory, bin('tsc'), '-p', '.', '--listFilesOnly')
  expect(files).toContain('/node_modules/membrane-token/dist/endpoint.d.ts')
  const loaded = Object.entries(PLATFORMS).filter(([, { files: own }]) => own.test(files))
  expect(loaded.map(([name]) => name)).toEqual([platform])
})

test.each(['index', 'endpoint', 'service', 'client'])('the consumer uses every export of %s', (entry) => {
  const declarations = join(project.directory, 'node_modules/membrane-token/dist', `${entry}.d.ts`)
  const source = readFileSync(declarations, 'utf8')
  const listed = [...source.matchAll(/^export (?:type )?\{([^}]*)\}/gm)].flatMap(([, names = '']) =>
    names.split(','),
  )
  const declared = source.matchAll(/^export (?:declare )?(?:interface|type|class|function|const) (\w+)/gm)
  const names = [
    ...listed.map((name) => name.replace('type ', '').trim()),
    ...[...declared].map(([, name]) => name),
  ]
  expect(names).not.toEqual([])
  const used = readFileSync(consumer, 'utf8')
  // At least twice: imported and used.
  const unused = names.filter((name) => (used.match(new RegExp(`\\b${name}\\b`, 'g')) ?? []).length < 2)
  expect(unused.filter(Boolean)).toEqual([])
})
