// Part of `npm run lint`: imports in src/ must point down this list, and other folders must import the package by its public
// names.
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import process from 'node:process'

const LAYERS = [
  ['src/index.ts', 'src/endpoint.ts', 'src/service.ts', 'src/client.ts', 'src/kms.ts'],
  ['src/service/'],
  ['src/endpoint/'],
  ['src/endpoint/auth/', 'src/endpoint/http/'],
  ['src/client/', 'src/kms/', 'src/inspect/', 'src/token/'],
  ['src/jwks/'],
  ['src/jws/'],
  ['src/keys/'],
  ['src/keys/formats/'],
  ['src/keys/ec.ts', 'src/keys/rsa.ts', 'src/keys/errors.ts'],
  ['src/'],
]
const OUTSIDE = ['worker', 'cli', 'console', 'examples']

/** Index of a file's layer; the most specific path decides. */
function layerOf(file: string): number {
  const paths = LAYERS.flat().filter((path) => file.startsWith(path))
  const longest = paths.sort((a, b) => b.length - a.length)[0]
  return LAYERS.findIndex((layer) => longest !== undefined && layer.includes(longest))
}

function importsOf(file: string): string[] {
  const matches = readFileSync(file, 'utf8').matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)
  return Array.from(matches, ([, path = '']) => normalize(join(dirname(file), path)))
}

const violations = [
  ...globSync('src/**/*.ts').flatMap((file) =>
    importsOf(file)
      .filter((path) => layerOf(path) < layerOf(file))
      .map((path) => `${file} imports ${path}, which is in a higher layer`),
  ),
  ...globSync(OUTSIDE.map((folder) => `${folder}/**/*.{ts,tsx,js,mjs}`))
    .filter((file) => !file.includes('node_modules'))
    .flatMap((file) =>
      importsOf(file)
        .filter((path) => path.startsWith('src/') || path.startsWith('test/'))
        .map((path) => `${file} imports ${path}: import membrane-token by its public names instead`),
    ),
]
for (const line of violations) console.error(line)
process.exitCode = violations.length > 0 ? 1 : 0
