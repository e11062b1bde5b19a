// Bundles the command into one file, so that users of the module install nothing for it.
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build, type Plugin } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))

/** @param plugins Where the package itself comes from; default: what `exports` in package.json names */
export async function buildCommand(outfile: string, plugins: Plugin[] = []): Promise<void> {
  const { outputFiles, metafile } = await build({
    absWorkingDir: root,
    entryPoints: ['cli/main.ts'],
    bundle: true,
    minify: true,
    metafile: true,
    write: false,
    platform: 'node',
    format: 'esm',
    target: 'node20.12',
    legalComments: 'none',
    plugins,
  })
  writeFileSync(outfile, `${outputFiles[0]?.text}/*\n${licenses(Object.keys(metafile.inputs))}*/\n`)
  chmodSync(outfile, 0o755)
}

/** The licenses of the packages that the bundle holds, which have to come along. */
function licenses(inputs: readonly string[]): string {
  const packages = new Set(
    inputs.flatMap((path) => /(?:^|\/)node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? []),
  )
  return [...packages]
    .sort()
    .map((name) => `${name}\n\n${readLicense(`${root}node_modules/${name}`)}`)
    .join('\n')
}

function readLicense(directory: string): string {
  const path = ['LICENSE', 'LICENSE.md', 'LICENSE.txt'].map((name) => `${directory}/${name}`).find(existsSync)
  if (!path) throw new Error(`${directory} has no license file.`)
  return readFileSync(path, 'utf8')
}

if (import.meta.main) await buildCommand(`${root}dist/cli.js`)
