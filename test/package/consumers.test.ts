// Runs the conformance suite against the packed package on every runtime.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { build, version as esbuildVersion, type Plugin } from 'esbuild'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Result } from '../conformance/suite.ts'
import { runConformanceInWorkerd } from '../runtimes/in-workerd.ts'
import { record } from '../support/record.ts'
import { findNode } from './node-versions.ts'
import { bin, installPacked, type Project, run } from './packed-package.ts'

const LIMIT = 240_000

let project: Project
const totals: Record<string, number> = {}

beforeAll(async () => {
  project = await installPacked()
}, LIMIT)

afterAll(() => project?.remove())

test.each([20, 22, 24])(
  'Node %d',
  async (major) => {
    const summary = collect(await runInProject('node', '', await findNode(major)))
    expect(summary).toMatchObject({ runtime: 'node', version: expect.stringMatching(`^${major}\\.`) })
  },
  LIMIT,
)

test(
  'Deno, with npm: specifiers and without permissions',
  async () => {
    const options = ['--no-prompt', '--no-remote', '--cached-only', '--no-lock', '--node-modules-dir=manual']
    collect(await runInProject('deno', 'npm:', bin('deno'), 'run', ...options))
  },
  LIMIT,
)

test('Bun', async () => void collect(await runInProject('bun', '', bin('bun'), '--no-install')), LIMIT)

test('workerd', async () => void collect(await runConformanceInWorkerd(await bundle('workerd-entry'))), LIMIT)

test(
  'a minified bundle',
  async () => {
    const directory = mkdtempSync(join(tmpdir(), 'membrane-token-bundled-'))
    try {
      writeFileSync(join(directory, 'bundle.mjs'), await bundle('node'))
      const line = await run(directory, process.execPath, 'bundle.mjs')
      collect(JSON.parse(line), { runtime: 'esbuild', version: esbuildVersion })
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
  },
  LIMIT,
)

test('all consumers ran the same number of tests', () => {
  expect(Object.keys(totals)).toHaveLength(7)
  expect(new Set(Object.values(totals)).size, JSON.stringify(totals)).toBe(1)
})

/** Bundles the suite into the project and runs it there. */
async function runInProject(
  runner: string,
  scheme: string,
  command: string,
  ...args: string[]
): Promise<Result> {
  writeFileSync(join(project.directory, 'suite.mjs'), await bundle(runner, scheme))
  return JSON.parse(await run(project.directory, command, ...args, 'suite.mjs'))
}

/** Bundles the suite into one file. With a `scheme`, the package stays external, with the scheme as prefix of its name. */
async function bundle(runner: string, scheme?: string): Promise<string> {
  const entries = new Set<string>()
  const installed: Plugin = {
    name: 'installed-package',
    setup({ onResolve, resolve }) {
      onResolve({ filter: /^(\.\.\/)+src\// }, ({ path, kind }) => {
        const name = path.replace(/^.*\/src/, 'membrane-token').replace(/(\/index)?\.ts$/, '')
        entries.add(name)
        if (scheme !== undefined) return { path: scheme + name, external: true }
        return resolve(name, { resolveDir: project.directory, kind })
      })
    },
  }
  const { outputFiles, metafile } = await build({
    entryPoints: [fileURLToPath(new URL(`../runtimes/${runner}.ts`, import.meta.url))],
    bundle: true,
    minify: scheme === undefined,
    format: 'esm',
    platform: 'neutral',
    target: 'es2022',
    external: ['node:*'],
    plugins: [installed],
    metafile: true,
    write: false,
  })
  expect([...entries].sort()).toEqual(['', '/client', '/endpoint'].map((name) => `membrane-token${name}`))
  // The suite itself and jose, which it compares with, are the only files from the repository.
  expect(
    Object.keys(metafile.inputs).filter((path) => /^(src|dist|node_modules\/(?!jose\/))/.test(path)),
  ).toEqual([])
  return outputFiles[0]!.text
}

/** Records a result and checks that no test failed. */
function collect(reported: Result, overrides: Partial<Result> = {}): Partial<Result> {
  const { failures, ...result } = { ...reported, ...overrides }
  const summary = record(result)
  console.log(JSON.stringify(summary))
  totals[`${summary.runtime} ${summary.version}`] = summary.total ?? 0
  expect(failures ?? [], JSON.stringify(failures)).toEqual([])
  expect(summary.failed).toBe(0)
  expect(summary.total).toBeGreaterThan(0)
  return summary
}
