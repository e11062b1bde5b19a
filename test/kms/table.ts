// The table of docs/kms.md: the algorithms that the suite has signed with, by service.
import { readFileSync, writeFileSync } from 'node:fs'
import process from 'node:process'
import { ALGORITHMS } from '../../src/algorithms.ts'

const page = new URL('../../docs/kms.md', import.meta.url)
const MARKED = /(?<=<!-- kms -->\n)[\s\S]*?(?=<!-- end -->)/

/** The services, with the documented algorithms that their test servers lack. */
const SERVICES: Readonly<Record<string, readonly string[]>> = {
  Vault: [],
  // The emulator uses another salt length for PSS than AWS.
  'AWS KMS': ['PS256', 'PS384', 'PS512'],
  'Google Cloud KMS': ['RS512', 'PS512'],
  'Azure Key Vault': [],
}

export function checkAlgorithmTable(
  seen: Readonly<Record<string, readonly string[]>>,
  isWritten: boolean,
): void {
  const names = Object.entries(ALGORITHMS).flatMap(([name, { kty }]) => (kty === 'oct' ? [] : [name]))
  const rows = Object.entries(SERVICES).map(([service, documented]) => {
    const cells = names.map((name) => {
      if (seen[service]?.includes(name)) return '✓'
      return documented.includes(name) ? '(✓)' : '–'
    })
    return `| ${[service, ...cells].join(' | ')} |`
  })
  const table = `${[`| | ${names.join(' | ')} |`, `|${'---|'.repeat(names.length + 1)}`, ...rows].join('\n')}\n`
  const text = readFileSync(page, 'utf8')
  if (isWritten) writeFileSync(page, text.replace(MARKED, table))
  else if (MARKED.exec(text)?.[0] !== table) {
    console.error(
      `The table of docs/kms.md is out of date; npm run test:kms -- --write updates it:\n\n${table}`,
    )
    process.exitCode = 1
  }
}
