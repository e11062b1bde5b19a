import { createRequire } from 'node:module'
import { build } from 'esbuild'
import { convertV4MiniflareOptions, Miniflare } from 'miniflare'
import type { Result } from '../conformance/suite.ts'

/** @returns the entry and its imports as one script, for a runtime without Node compatibility */
export async function bundleEntry(path: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [path],
    bundle: true,
    format: 'esm',
    platform: 'neutral',
    target: 'es2022',
    write: false,
  })
  return outputFiles[0]!.text
}

/** Runs a suite in workerd without Node compatibility. @param script A Worker that responds with the result */
export async function runInWorkerd(script: string, bindings: Record<string, string>): Promise<Result> {
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      modules: true,
      script,
      compatibilityDate: '2026-10-01',
      // The first flag alone leaves `nodejs_compat_v2` on, and with it `process`, `Buffer` and `node:*`.
      compatibilityFlags: ['no_nodejs_compat', 'no_nodejs_compat_v2'],
      bindings,
    }),
  )
  try {
    const response = await miniflare.dispatchFetch('http://suite.test/')
    if (!response.ok) throw new Error(`workerd returned ${response.status}: ${await response.text()}`)
    return (await response.json()) as Result
  } finally {
    await miniflare.dispose()
  }
}

/** Runs the conformance suite in workerd. @param script `workerd-entry.ts`, bundled */
export function runConformanceInWorkerd(script: string): Promise<Result> {
  // workerd does not expose its version to Workers.
  const { version } = createRequire(import.meta.url)('workerd/package.json') as { version: string }
  return runInWorkerd(script, { VERSION: version })
}
