import { cpSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { convertV4MiniflareOptions, Miniflare } from 'miniflare'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { EXCHANGES, exchange, settings } from '../examples/exchanges.ts'
import { root } from '../support/sources.ts'
import { bin, installPacked, type Project, run } from './packed-package.ts'

let project: Project
beforeAll(async () => {
  project = await installPacked()
  cpSync(join(root, 'worker'), join(project.directory, 'worker'), { recursive: true })
  cpSync(join(root, 'wrangler.toml'), join(project.directory, 'wrangler.toml'))
}, 180_000)
afterAll(() => project?.remove())

test('worker/ and wrangler.toml, copied beside the installed package, build and serve', async () => {
  await run(project.directory, bin('wrangler'), 'deploy', '--dry-run', '--outdir', 'out')
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      modules: true,
      script: readFileSync(join(project.directory, 'out/index.js'), 'utf8'),
      compatibilityDate: '2026-10-20',
      compatibilityFlags: ['no_nodejs_compat', 'no_nodejs_compat_v2'],
      bindings: settings,
    }),
  )
  try {
    const { origin } = await miniflare.ready
    const { status, body } = await exchange(origin, EXCHANGES['a customer token']!)
    expect(status, body).toBe(200)
    expect(Object.keys(JSON.parse(body))).toEqual(['token', 'expiresAt', 'expiresIn'])
  } finally {
    await miniflare.dispose()
  }
}, 120_000)
