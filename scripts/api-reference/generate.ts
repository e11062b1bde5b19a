// `npm run docs:api`: writes docs/api/ from the TSDoc of the public entry points. With `--check`, as in CI, it only compares.
import { execFileSync } from 'node:child_process'
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const tools = fileURLToPath(new URL('.', import.meta.url))
const isCheck = process.argv.includes('--check')
const temporary = isCheck ? mkdtempSync(join(tmpdir(), 'api-reference-')) : undefined
const out = temporary ?? `${root}docs/api`

const run = (command: string, ...args: string[]) =>
  execFileSync(command, args, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] })

run('npm', 'install', '--prefix', tools, '--no-package-lock', '--no-audit', '--no-fund', '--prefer-offline')
run(
  process.execPath,
  `${tools}node_modules/typedoc/bin/typedoc`,
  ...['index', 'endpoint', 'service', 'client', 'kms'].map((entry) => `src/${entry}.ts`),
  ...['--plugin', `${tools}node_modules/typedoc-plugin-markdown/dist/index.js`],
  ...['--tsconfig', `${tools}tsconfig.json`],
  ...['--out', out],
  ...['--readme', 'none', '--entryFileName', 'README'],
  ...['--outputFileStrategy', 'modules', '--sort', 'alphabetical', '--logLevel', 'Error'],
  ...[
    '--disableSources',
    '--hideBreadcrumbs',
    '--hidePageHeader',
    '--excludeInternal',
    '--skipErrorChecking',
  ],
)
for (const file of globSync('**/*.md', { cwd: out })) {
  const text = readFileSync(join(out, file), 'utf8')
  writeFileSync(join(out, file), `${text.trimEnd()}\n`)
}

if (temporary) {
  const pages = (folder: string) =>
    Object.fromEntries(
      globSync('**/*.md', { cwd: folder })
        .sort()
        .map((file) => [file, readFileSync(join(folder, file), 'utf8')]),
    )
  const [current, expected] = [pages(`${root}docs/api`), pages(temporary)]
  rmSync(temporary, { recursive: true })
  const stale = Object.keys({ ...current, ...expected }).filter((file) => current[file] !== expected[file])
  if (stale.length > 0) console.error(`docs/api is outdated; run npm run docs:api: ${stale.join(', ')}`)
  process.exitCode = stale.length > 0 ? 1 : 0
}
