import { type BuildOptions, build } from 'esbuild'
import { SOURCES } from '../test/support/sources.ts'

/** Bundles code into one file, as bundlers do for Workers. `options` must contain the entry point. */
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
