// `npm run support`: writes docs/support.md from the results of the last conformance runs. With `--check`, as in CI, it only
// compares.
import { readFileSync, writeFileSync } from 'node:fs'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { forms } from '../test/conformance/support.ts'
import { readRecord, type SupportRecord } from '../test/support/record.ts'

interface Runtime {
  id: string
  label: string
  /** The script that runs the suite there: `npm run test:…`. */
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

const TABLES_BLOCK = /(?<=<!-- support -->\n)[\s\S]*?(?=<!-- end -->)/

const runtimes = RUNTIMES.map((runtime) => ({ ...runtime, result: readRecord(runtime.id) }))
const missing = runtimes.filter(({ result }) => !result)
const path = fileURLToPath(new URL('../docs/support.md', import.meta.url))
const page = readFileSync(path, 'utf8')
const tables = `${tableOf('sign')}\n\n${tableOf('verify')}\n`

if (missing.length > 0) {
  for (const { id, command } of missing) console.error(`No result for ${id}: run npm run test:${command}`)
  process.exitCode = 1
} else if (!process.argv.includes('--check')) {
  writeFileSync(path, page.replace(TABLES_BLOCK, tables))
} else {
  check(TABLES_BLOCK.exec(page)?.[0] ?? '')
}

/** Checks that the page has these tables, except for runtimes whose version differs from the page. */
function check(block: string): void {
  const lines = block.split('\n')
  const outdated = tables
    .split('\n')
    .filter((line, index) => line !== lines[index] && !isOtherVersion(line, lines[index]))
  if (lines.length === tables.split('\n').length && outdated.length === 0) {
    console.log(tables)
  } else {
    console.error(`docs/support.md is outdated; run npm run support:\n\n${tables}`)
    process.exitCode = 1
  }
}

/** Whether a line differs because this machine has another version of a browser, or of an old Node. */
function isOtherVersion(line: string, pageLine = ''): boolean {
  const [runtime, version] = /^\| (?:Node 2[02]|Chromium|Firefox|WebKitGTK)([^|]*)/.exec(line) ?? []
  if (runtime === undefined || pageLine.startsWith(`${runtime}|`)) return false
  console.error(`docs/support.md has another version than this machine: ${line}`)
  return pageLine.startsWith(runtime.slice(0, -(version as string).length))
}

function tableOf(use: 'sign' | 'verify'): string {
  const columns = forms[use]
  const rows = [
    [`to ${use}`, ...columns.map(({ form }) => form)],
    ['---', ...columns.map(() => '---')],
    ['', ...columns.map(({ algorithms }) => families(algorithms))],
    ...runtimes.flatMap(({ label, result }) => {
      if (!result) return []
      return [[`${label} ${result.version}`, ...columns.map((column) => cellOf(use, column, result))]]
    }),
  ]
  return rows.map((row) => `| ${row.join(' | ')} |`).join('\n')
}

/** The algorithms that work with a key format: all, none, or a list. */
function cellOf(
  use: 'sign' | 'verify',
  { form, algorithms }: { form: string; algorithms: string[] },
  { support }: SupportRecord,
): string {
  const works = support[use][form] ?? []
  if (works.length === 0) return '–'
  return algorithms.every((name) => works.includes(name)) ? '✓' : works.join(' ')
}

/** Abbreviates algorithms: RS256, RS384 and RS512 become RS*. */
function families(algorithms: string[]): string {
  return [...new Set(algorithms.map((name) => `${name.slice(0, 2)}*`))].join(' ')
}
