import { fileURLToPath } from 'node:url'
import { type BuildOptions, build } from 'esbuild'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Minification keeps the names of global functions and properties. */
export const FETCH = /\bfetch\b|XMLHttpRequest/

/** Bundles and minifies code that imports the package by its public name, which resolves to `dist/`. */
export async function bundle(code: string, options: BuildOptions = {}) {
  const { outputFiles, metafile } = await build({
    stdin: { contents: code, resolveDir: root },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'neutral',
    target: 'es2022',
    metafile: true,
    write: false,
    logLevel: 'silent',
    ...options,
  })
  const inputs = Object.values(metafile!.outputs)
    .flatMap((output) => Object.entries(output.inputs))
    .map(([path, { bytesInOutput: bytes }]) => ({ path, bytes }))
    .filter(({ bytes }) => bytes > 0)
    .sort((a, b) => b.bytes - a.bytes)
  return { text: outputFiles![0]!.text, inputs, paths: inputs.map(({ path }) => path) }
}
