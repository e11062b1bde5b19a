// `npm run docs:api`: writes docs/api/ from the TSDoc of the doors. With `--check`, as in CI, it compares instead.
import { execFileSync } from 'node:child_process'
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const tools = fileURLToPath(new URL('.', import.meta.url))
const isCheck = process.argv.includes('--check')
const work = isCheck ? mkdtempSync(join(tmpdir(), 'api-reference-')) : undefined
const out = work ?? `${root}docs/api`

const run = (command: string, ...args: string[]) =>
  execFileSync(command, args, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] })

run('npm', 'install', '--prefix', tools, '--no-package-lock', '--no-audit', '--no-fund', '--prefer-offline')
run(
  process.execPath,
  `${tools}node_modules/typedoc/bin/typedoc`,
  ...['index', 'endpoint', 'service', 'client', 'kms'].map((door) => `src/${door}.ts`),
  ...['--plugin', `${tools}node_modules/typedoc-plugin-markdown/dist/index.js`],
  ...['--tsconfig', `${tools}tsconfig.json`],
  ...['--out', out],
  ...[
    '--readme',
    'none',
    '--disableSources',
    '--hideBreadcrumbs',
    '--hidePageHeader',
    '--outputFileStrategy',
    'modules',
  ],
  ...[
    '--excludeInternal',
    '--skipErrorChecking',
    '--logLevel',
    'Error',
    '--entryFileName',
    'README',
    '--sort',
    'alphabetical',
  ],
)
for (const file of globSync('**/*.md', { cwd: out })) {
  const text = readFileSync(join(out, file), 'utf8')
  writeFileSync(join(out, file), `${text.trimEnd()}\n`)
}

if (work) {
  const pages = (folder: string) =>
    Object.fromEntries(
      globSync('**/*.md', { cwd: folder })
        .sort()
        .map((file) => [file, readFileSync(join(folder, file), 'utf8')]),
    )
  const [found, expected] = [pages(`${root}docs/api`), pages(work)]
  rmSync(work, { recursive: true })
  const stale = Object.keys({ ...found, ...expected }).filter((file) => found[file] !== expected[file])
  if (stale.length > 0)
    console.error(`docs/api is not what TSDoc says; npm run docs:api writes it: ${stale.join(', ')}`)
  process.exitCode = stale.length > 0 ? 1 : 0
}
