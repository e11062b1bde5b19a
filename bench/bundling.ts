import { type BuildOptions, build } from 'esbuild'
import { SOURCES } from '../test/support/sources.ts'

/** One file for a runtime of the web, as a bundler makes it for Workers. `options` say of what, and what else. */
export async function bundle(options: BuildOptions): Promise<string> {
  const { outputFiles } = await build({
    bundle: true,
    format: 'esm',
    platform: 'neutral',
    alias: SOURCES,
    mainFields: ['module', 'main'],
    conditions: ['workerd', 'worker', 'browser'],
    target: 'es2022',
    write: false,
    logLevel: 'error',
    ...options,
  })
  return outputFiles?.[0]?.text ?? ''
}
