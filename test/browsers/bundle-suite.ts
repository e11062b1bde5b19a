import { build, type Plugin } from 'esbuild'

/** The names by which users import what the suite imports from the sources. */
const EXPORTS: Record<string, string> = {
  '../../src/index.ts': 'membrane-token',
  '../../src/client.ts': 'membrane-token/client',
  '../../src/endpoint.ts': 'membrane-token/endpoint',
}

/**
 * Bundles test code with the installed package instead of the sources.
 *
 * @param project Directory in which the package is installed. Default: the imports are left to another bundler
 */
export async function bundleSuite(entry: string, project?: string): Promise<string> {
  const packed: Plugin = {
    name: 'packed',
    setup: ({ onResolve, resolve }) => {
      onResolve({ filter: /\/src\// }, ({ path, kind }) => {
        const name = EXPORTS[path]
        if (!name) return { errors: [{ text: `${path} is not exported by the package` }] }
        return project ? resolve(name, { kind, resolveDir: project }) : { path: name, external: true }
      })
    },
  }
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    format: 'esm',
    platform: 'neutral',
    target: 'es2022',
    write: false,
    plugins: [packed],
  })
  return outputFiles[0]!.text
}
