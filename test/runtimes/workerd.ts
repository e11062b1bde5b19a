import { createRequire } from 'node:module'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { convertV4MiniflareOptions, Miniflare } from 'miniflare'
import type { Result } from '../conformance/suite.ts'
import { report } from './report.ts'

const { outputFiles } = await build({
  entryPoints: [fileURLToPath(new URL('workerd-entry.ts', import.meta.url))],
  bundle: true,
  format: 'esm',
  platform: 'neutral',
  target: 'es2022',
  write: false,
})

// Inside workerd nothing tells its version.
const { version } = createRequire(import.meta.url)('workerd/package.json') as { version: string }

const miniflare = new Miniflare(
  convertV4MiniflareOptions({
    modules: true,
    script: outputFiles[0]!.text,
    compatibilityDate: '2026-10-01',
    // The first alone leaves `nodejs_compat_v2` on, and with it `process`, `Buffer` and `node:*`.
    compatibilityFlags: ['no_nodejs_compat', 'no_nodejs_compat_v2'],
    bindings: { VERSION: version },
  }),
)
try {
  const response = await miniflare.dispatchFetch('http://conformance.test/')
  if (!response.ok) throw new Error(`workerd answered ${response.status}: ${await response.text()}`)
  process.exitCode = report((await response.json()) as Result)
} finally {
  await miniflare.dispose()
}
