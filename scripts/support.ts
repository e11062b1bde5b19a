// `npm run support`: writes docs/support.md from what the last runs of the suite have left.
// With `--check`, as in CI, it compares instead.
import { readFileSync, writeFileSync } from 'node:fs'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { forms } from '../test/conformance/support.ts'
import { type Recorded, recorded } from '../test/support/record.ts'

interface Runtime {
  id: string
  label: string
  /** The command that runs the suite there. */
  command: 'conformance' | 'package' | 'browsers' | 'next'
}

const RUNTIMES: Runtime[] = [
  { id: 'node-20', label: 'Node', command: 'package' },
  { id: 'node-22', label: 'Node', command: 'package' },
  { id: 'node-24', label: 'Node', command: 'conformance' },
  { id: 'workerd', label: 'workerd', command: 'conformance' },
  { id: 'deno', label: 'Deno', command: 'conformance' },
  { id: 'bun', label: 'Bun', command: 'conformance' },
  { id: 'next-edge', label: 'Next.js edge', command: 'next' },
  { id: 'next-nodejs', label: 'Next.js Node', command: 'next' },
  { id: 'chromium', label: 'Chromium', command: 'browsers' },
  { id: 'firefox', label: 'Firefox', command: 'browsers' },
  { id: 'webkitgtk', label: 'WebKitGTK', command: 'browsers' },
]

const MARKED = /(?<=<!-- support -->\n)[\s\S]*?(?=<!-- end -->)/

const found = RUNTIMES.map((runtime) => ({ ...runtime, result: recorded(runtime.id) }))
const missing = found.filter(({ result }) => !result)
const path = fileURLToPath(new URL('../docs/support.md', import.meta.url))
const page = readFileSync(path, 'utf8')
const tables = `${tableOf('sign')}\n\n${tableOf('verify')}\n`

if (missing.length > 0) {
  for (const { id, command } of missing) console.error(`${id} was not run: npm run test:${command}`)
  process.exitCode = 1
} else if (!process.argv.includes('--check')) {
  writeFileSync(path, page.replace(MARKED, tables))
} else {
  check(MARKED.exec(page)?.[0] ?? '')
}

/** Whether the page says of every version that ran what it was seen to do. */
function check(said: string): void {
  const lines = said.split('\n')
  const wrong = tables
    .split('\n')
    .filter((line, index) => line !== lines[index] && !isOther(line, lines[index]))
  if (lines.length === tables.split('\n').length && wrong.length === 0) {
    console.log(tables)
  } else {
    console.error(`docs/support.md does not say what was run; npm run support writes it:\n\n${tables}`)
    process.exitCode = 1
  }
}

/** What a machine brings itself may be of another version there, of which the page says nothing. */
function isOther(line: string, said = ''): boolean {
  const [runtime, version] = /^\| (?:Node 2[02]|Chromium|Firefox|WebKitGTK)([^|]*)/.exec(line) ?? []
  if (runtime === undefined || said.startsWith(`${runtime}|`)) return false
  console.error(`docs/support.md names another version than${version}: ${line}`)
  return said.startsWith(runtime.slice(0, -(version as string).length))
}

function tableOf(use: 'sign' | 'verify'): string {
  const columns = forms[use]
  const rows = [
    [`to ${use}`, ...columns.map(({ form }) => form)],
    ['---', ...columns.map(() => '---')],
    ['', ...columns.map(({ algorithms }) => families(algorithms))],
    ...found.flatMap(({ label, result }) => {
      if (!result) return []
      return [[`${label} ${result.version}`, ...columns.map((column) => cellOf(use, column, result))]]
    }),
  ]
  return rows.map((row) => `| ${row.join(' | ')} |`).join('\n')
}

/** What works of what the form can have: all, none, or these. */
function cellOf(
  use: 'sign' | 'verify',
  { form, algorithms }: { form: string; algorithms: string[] },
  { support }: Recorded,
): string {
  const works = support[use][form] ?? []
  if (works.length === 0) return '–'
  return algorithms.every((name) => works.includes(name)) ? '✓' : works.join(' ')
}

/** Three of each make a family. */
function families(algorithms: string[]): string {
  return [...new Set(algorithms.map((name) => `${name.slice(0, 2)}*`))].join(' ')
}
