import { createHash, randomBytes } from 'node:crypto'
import { cpSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { convertV4MiniflareOptions, Miniflare } from 'miniflare'
import { afterAll, beforeAll, expect, test } from 'vitest'
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
  const key = randomBytes(32).toString('base64url')
  const sha256 = createHash('sha256').update(key).digest('hex')
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      modules: true,
      script: readFileSync(join(project.directory, 'out/index.js'), 'utf8'),
      compatibilityDate: '2026-10-20',
      compatibilityFlags: ['no_nodejs_compat', 'no_nodejs_compat_v2'],
      bindings: {
        MEMBRANE_WORKSPACE_KEY: 'workspace',
        MEMBRANE_WORKSPACE_SECRET: randomBytes(32).toString('base64url'),
        API_KEYS: JSON.stringify([{ name: 'backend', sha256, scopes: ['customer'] }]),
      },
    }),
  )
  try {
    const { origin } = await miniflare.ready
    const response = await fetch(`${origin}/api/membrane-token`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' },
      body: '{"id":"customer-42"}',
    })
    expect([response.status, Object.keys((await response.json()) as object)]).toEqual([
      200,
      ['token', 'expiresAt', 'expiresIn'],
    ])
  } finally {
    await miniflare.dispose()
  }
}, 120_000)
