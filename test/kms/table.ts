// The table of docs/kms.md: which service signs which algorithm, as the suite saw it.
import { readFileSync, writeFileSync } from 'node:fs'
import process from 'node:process'
import { ALGORITHMS } from '../../src/algorithms.ts'

const page = new URL('../../docs/kms.md', import.meta.url)
const MARKED = /(?<=<!-- kms -->\n)[\s\S]*?(?=<!-- end -->)/

/** The services, and what each is known to sign that its test server cannot show. */
const SERVICES: Readonly<Record<string, readonly string[]>> = {
  Vault: [],
  // The emulator salts PSS signatures otherwise than AWS does.
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
      `docs/kms.md does not say what was seen; npm run test:kms -- --write writes it:\n\n${table}`,
    )
    process.exitCode = 1
  }
}
