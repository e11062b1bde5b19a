// `npm run docs`: copies the examples, and the tables generated from code, into README.md and docs/.
import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { WORKLOAD_PRESETS, type WorkloadPresetName } from '../src/endpoint/auth/workload-presets.ts'
import { PROBLEMS } from '../src/inspect/problems.ts'
import { SETTINGS } from '../src/service/setting-descriptions.ts'
import { WORKLOAD_ADVICE } from './workload-advice.ts'

export const root: string = fileURLToPath(new URL('..', import.meta.url))

/** Paths of all pages, relative to the root. */
export function listPages(): string[] {
  return ['README.md', ...globSync('docs/**/*.md', { cwd: root, exclude: ['docs/api/**'] })].sort()
}

export const readPage = (page: string): string => readFileSync(root + page, 'utf8')

/** Updates the examples and tables of a page. */
export function renderPage(text: string): string {
  return text
    .replace(/<!-- (examples\/\S+) -->\n```(\w+)\n[\s\S]*?```/g, (_, path: string, language: string) => {
      return `<!-- ${path} -->\n\`\`\`${language}\n${readFileSync(root + path, 'utf8').trimEnd()}\n\`\`\``
    })
    .replace(/<!-- (\w+) table -->[\s\S]*?<!-- end -->/g, (_, name: string) => {
      const table = TABLES[name]
      if (!table) throw new Error(`Unknown table ${name}.`)
      return `<!-- ${name} table -->\n${table()}\n<!-- end -->`
    })
}

const TABLES: Readonly<Record<string, () => string>> = {
  problems: problemsTable,
  settings: settingsTable,
  workloads: workloadsTable,
}

function settingsTable(): string {
  const rows = Object.entries(SETTINGS).map(([name, { description, default: value }]) => {
    return `| \`${name}\` | ${description} | ${value === undefined ? '' : `\`${value}\``} |`
  })
  return ['| setting | meaning | default |', '|---|---|---|', ...rows].join('\n')
}

function problemsTable(): string {
  const rows = Object.entries(PROBLEMS).map(
    ([code, { severity, message, fix }]) => `| \`${code}\` | ${severity} | ${message} | ${fix} |`,
  )
  return ['| code | severity | what it is | how to fix it |', '|---|---|---|---|', ...rows].join('\n')
}

function workloadsTable(): string {
  const rows = Object.entries(WORKLOAD_PRESETS).map(([name, { title, issuer, immutable }]) => {
    const advice = WORKLOAD_ADVICE[name as WorkloadPresetName]
    const claims = immutable.map((path) => `\`${path.join('.')}\``).join(', ')
    return `| ${title}: \`${name}\` | ${issuer ? `\`${issuer}\`` : 'your own'} | ${claims} | ${advice.join(' ')} |`
  })
  return ['| platform, `preset` | issuer | ids to list | notes |', '|---|---|---|---|', ...rows].join('\n')
}

if (import.meta.main) {
  for (const page of listPages()) {
    const text = readPage(page)
    const rendered = renderPage(text)
    if (rendered !== text) writeFileSync(root + page, rendered)
  }
}
