import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative, resolve } from 'node:path'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { root, SOURCES } from '../support/sources.ts'

const ALIASES = Object.entries(SOURCES).flatMap(([name, path]) => ['--alias', `${name}:${path}`])
const wranglerPath = join(root, 'node_modules/wrangler/bin/wrangler.js')

/** In bytes, gzipped. */
const SIZE_LIMIT = 55_000

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'membrane-token-deploy-'))
})
afterAll(() => rm(directory, { recursive: true, force: true }))

/** Without network, account or terminal. */
async function wrangler(...args: string[]): Promise<string> {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [wranglerPath, ...args], {
    cwd: root,
    timeout: 60_000,
    env: {
      PATH: process.env.PATH,
      HOME: directory,
      CI: 'true',
      WRANGLER_SEND_METRICS: 'false',
      WRANGLER_SEND_ERROR_REPORTS: 'false',
      WRANGLER_LOG_PATH: directory,
      CLOUDFLARE_CF_FETCH_ENABLED: 'false',
      // Nothing listens there.
      HTTP_PROXY: 'http://127.0.0.1:9',
      HTTPS_PROXY: 'http://127.0.0.1:9',
    },
  })
  return stdout + stderr
}

describe('the bundle that wrangler deploys', () => {
  let output: string
  beforeAll(async () => {
    output = await wrangler('deploy', '--dry-run', '--outdir', directory, ...ALIASES)
  })

  test('is small', async () => {
    const size = gzipSync(await readFile(join(directory, 'index.js')), { level: 9 }).length
    console.log(`Worker bundle: ${size} bytes gzipped`)
    expect(size).toBeLessThanOrEqual(SIZE_LIMIT)
  })

  test('contains only the Worker, the module and their dependencies', async () => {
    const { sources } = JSON.parse(await readFile(join(directory, 'index.js.map'), 'utf8')) as {
      sources: string[]
    }
    const parts = sources.map((source) => relative(root, resolve(directory, source)))
    const origins = new Set(parts.map((part) => /^(node_modules\/[^/]+|[^/]+)/.exec(part)![0]))
    expect([...origins].sort()).toEqual(['node_modules/jose', 'node_modules/valibot', 'src', 'worker'])
  })

  test('needs no Node API and contains no development code', async () => {
    const script = await readFile(join(directory, 'index.js'), 'utf8')
    for (const foreign of ['"node:', 'require(', 'oidc-provider', 'membrane-token-development', 'process.']) {
      expect(script, foreign).not.toContain(foreign)
    }
    const warnings = output.match(/^.*WARNING.*$/gm) ?? []
    expect(warnings.filter((line) => !line.includes('Proxy environment variables'))).toEqual([])
  })
})

test('the Worker starts', async () => {
  const profile = join(directory, 'startup.cpuprofile')
  await wrangler('check', 'startup', '--outfile', profile, `--args=${ALIASES.join(' ')}`)
  expect((await stat(profile)).size).toBeGreaterThan(0)
})
