// The whole conformance suite, by the same runners as for the sources, against the package as npm installs it.
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
  'Deno, by npm: specifiers and without permissions',
  async () => {
    const options = ['--no-prompt', '--no-remote', '--cached-only', '--no-lock', '--node-modules-dir=manual']
    collect(await runInProject('deno', 'npm:', bin('deno'), 'run', ...options))
  },
  LIMIT,
)

test('Bun', async () => void collect(await runInProject('bun', '', bin('bun'), '--no-install')), LIMIT)

test('workerd', async () => void collect(await runConformanceInWorkerd(await bundle('workerd-entry'))), LIMIT)

test(
  'a bundler, minified, in one file',
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

test('every consumer ran as many tests', () => {
  expect(Object.keys(totals)).toHaveLength(7)
  expect(new Set(Object.values(totals)).size, JSON.stringify(totals)).toBe(1)
})

/** Puts the suite beside the installed package, and starts it there. */
async function runInProject(
  runner: string,
  scheme: string,
  command: string,
  ...args: string[]
): Promise<Result> {
  writeFileSync(join(project.directory, 'suite.mjs'), await bundle(runner, scheme))
  return JSON.parse(await run(project.directory, command, ...args, 'suite.mjs'))
}

/** The suite in one file. The package is left to the runtime to find where `scheme` is given, and bundled elsewhere. */
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
  // Nothing of the checkout but the suite itself, and jose, with which it compares.
  expect(
    Object.keys(metafile.inputs).filter((path) => /^(src|dist|node_modules\/(?!jose\/))/.test(path)),
  ).toEqual([])
  return outputFiles[0]!.text
}

function collect(answer: Result, names: Partial<Result> = {}): Partial<Result> {
  const { failures, ...result } = { ...answer, ...names }
  const summary = record(result)
  console.log(JSON.stringify(summary))
  totals[`${summary.runtime} ${summary.version}`] = summary.total ?? 0
  expect(failures ?? [], JSON.stringify(failures)).toEqual([])
  expect(summary.failed).toBe(0)
  expect(summary.total).toBeGreaterThan(0)
  return summary
}
