// Part of `npm run lint`: imports in src/ point down this list, and everything else uses the package's doors.
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import process from 'node:process'

const FLOORS = [
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

/** The floor of a file: that of the longest path it lies under. */
function floorOf(file: string): number {
  const paths = FLOORS.flat().filter((path) => file.startsWith(path))
  const longest = paths.sort((a, b) => b.length - a.length)[0]
  return FLOORS.findIndex((floor) => longest !== undefined && floor.includes(longest))
}

function importsOf(file: string): string[] {
  const matches = readFileSync(file, 'utf8').matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)
  return Array.from(matches, ([, path = '']) => normalize(join(dirname(file), path)))
}

const wrong = [
  ...globSync('src/**/*.ts').flatMap((file) =>
    importsOf(file)
      .filter((path) => floorOf(path) < floorOf(file))
      .map((path) => `${file} imports ${path}: it points up`),
  ),
  ...globSync(OUTSIDE.map((folder) => `${folder}/**/*.{ts,tsx,js,mjs}`))
    .filter((file) => !file.includes('node_modules'))
    .flatMap((file) =>
      importsOf(file)
        .filter((path) => path.startsWith('src/') || path.startsWith('test/'))
        .map((path) => `${file} imports ${path}: use membrane-token by its public names`),
    ),
]
for (const line of wrong) console.error(line)
process.exitCode = wrong.length > 0 ? 1 : 0
