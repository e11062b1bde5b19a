// Bundles the command with all it needs but the package itself, so that users of the module install nothing for it.
import { appendFileSync, chmodSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, type Plugin } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))

/**
 * Writes `cli.js` and a chunk for each subcommand beside it: static imports in one file would be hoisted, and every
 * subcommand load the modules of all. The package itself is imported from the files beside it.
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
    plugins: [besideTheCommand],
  })
  for (const [path, { inputs }] of Object.entries(metafile.outputs)) {
    const packages = packagesOf(Object.keys(inputs))
    if (packages.length > 0)
      appendFileSync(join(root, path), `/*\n${packages.map(readLicense).join('\n')}*/\n`)
  }
  chmodSync(join(outdir, 'cli.js'), 0o755)
}

/** Where the public names lead in `dist/`, since Deno finds a package by its own name in `node_modules` only. */
const besideTheCommand: Plugin = {
  name: 'beside the command',
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

/** The license of a package, which has to come along with its code. */
function readLicense(name: string): string {
  const directory = join(root, 'node_modules', name)
  const path = ['LICENSE', 'LICENSE.md', 'LICENSE.txt'].map((file) => join(directory, file)).find(existsSync)
  if (!path) throw new Error(`${name} has no license file.`)
  return `${name}\n\n${readFileSync(path, 'utf8')}`
}

if (import.meta.main) await buildCommand(join(root, 'dist'))
