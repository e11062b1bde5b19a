// Bundles the command with its dependencies, so that users of the module do not install them.
import { appendFileSync, chmodSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, type Plugin } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))

/**
 * Writes `cli.js` and a chunk for each subcommand, so that a subcommand loads only the modules that it uses. The package
 * itself is not bundled but imported from the same folder.
 */
export async function buildCommand(outdir: string): Promise<void> {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: { cli: 'cli/main.ts' },
    outdir,
    chunkNames: 'cli-[hash]',
    bundle: true,
    splitting: true,
    minify: true,
    metafile: true,
    platform: 'node',
    format: 'esm',
    target: 'node20.12',
    legalComments: 'none',
    plugins: [packageFromSameFolder],
  })
  for (const [path, { inputs }] of Object.entries(metafile.outputs)) {
    const packages = packagesOf(Object.keys(inputs))
    if (packages.length > 0)
      appendFileSync(join(root, path), `/*\n${packages.map(readLicense).join('\n')}*/\n`)
  }
  chmodSync(join(outdir, 'cli.js'), 0o755)
}

/** Turns the package's public names into relative paths: Deno does not resolve a package's own name. */
const packageFromSameFolder: Plugin = {
  name: 'package from same folder',
  setup: ({ onResolve }) => {
    onResolve({ filter: /^membrane-token(\/|$)/ }, ({ path }) => ({
      path: `./${path.split('/')[1] ?? 'index'}.js`,
      external: true,
    }))
  },
}

function packagesOf(inputs: readonly string[]): string[] {
  const names = inputs.flatMap((path) => /(?:^|\/)node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? [])
  return [...new Set(names)].sort()
}

/** The license of a package, which must be distributed with its code. */
function readLicense(name: string): string {
  const directory = join(root, 'node_modules', name)
  const path = ['LICENSE', 'LICENSE.md', 'LICENSE.txt'].map((file) => join(directory, file)).find(existsSync)
  if (!path) throw new Error(`${name} has no license file.`)
  return `${name}\n\n${readFileSync(path, 'utf8')}`
}

if (import.meta.main) await buildCommand(join(root, 'dist'))
