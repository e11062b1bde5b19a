// `npm run readme`: writes the examples, and the tables that are data in the code, into README.md.
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { PROBLEMS } from '../src/inspect/problems.ts'
import { SETTINGS } from '../src/service/settings.ts'

const root = fileURLToPath(new URL('..', import.meta.url))

/** README as it must be, from README as it is. */
export function renderReadme(readme: string): string {
  return readme
    .replace(/<!-- (examples\/\S+) -->\n```(\w+)\n[\s\S]*?```/g, (_, path: string, language: string) => {
      return `<!-- ${path} -->\n\`\`\`${language}\n${readFileSync(root + path, 'utf8')}\`\`\``
    })
    .replace(/<!-- (\w+) table -->[\s\S]*?<!-- end -->/g, (_, name: keyof typeof TABLES) => {
      return `<!-- ${name} table -->\n${TABLES[name]()}\n<!-- end -->`
    })
}

const TABLES = { problems: problemsTable, settings: settingsTable }

function settingsTable(): string {
  const rows = Object.entries(SETTINGS).map(([name, { description, default: fallback }]) => {
    return `| \`${name}\` | ${description} | ${fallback === undefined ? '' : `\`${fallback}\``} |`
  })
  return ['| setting | meaning | default |', '|---|---|---|', ...rows].join('\n')
}

function problemsTable(): string {
  const rows = Object.entries(PROBLEMS).map(
    ([code, { severity, message, fix }]) => `| \`${code}\` | ${severity} | ${message} | ${fix} |`,
  )
  return ['| code | severity | what it is | how to mend it |', '|---|---|---|---|', ...rows].join('\n')
}

if (import.meta.main)
  writeFileSync(`${root}README.md`, renderReadme(readFileSync(`${root}README.md`, 'utf8')))
