// Compares the page's samples and the libraries of six languages with this module, in both directions.
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { ALGORITHMS, type Algorithm } from '../../src/algorithms.ts'
import { hasVectors } from '../unit/vectors.ts'
import {
  type Check,
  type Direction,
  localTimeChecks,
  missingExpChecks,
  sampleChecks,
  samplePair,
  sec1Checks,
  signingChecks,
  vectorChecks,
  verificationChecks,
} from './checks.ts'
import { createKeys } from './fixtures.ts'
import { type Language, languages } from './languages.ts'
import { runJobs } from './program.ts'
import { compareWithPage, fillIn } from './samples.ts'

interface Outcome {
  language: Language
  /** Name and version. */
  library?: string
  notRun?: string
  /** Of checks outside the table. */
  lines: string[]
  marks: Map<string, string>
}

const legend = {
  '✓': 'works',
  '✗': 'fails',
  '–': 'not supported by the library',
  '·': 'not run',
  v: "tokens signed earlier (../shared/vectors/foreign), because PHP's library cannot be installed here",
  r: 'rejected, also by jsonwebtoken: the salt of dgrijalva/jwt-go violates RFC 7518 section 3.5',
}

const folder = mkdtempSync(join(tmpdir(), 'membrane-token-interop-'))
const keysOf = createKeys(folder)
let passed = 0
const failures: string[] = []

async function run(
  check: Check,
  { language, library = language.library, lines, marks }: Outcome,
): Promise<void> {
  const { title, cell, verify } = check
  const key = cell && keyOf(cell.algorithm, cell.direction)
  let mark = cell?.mark ?? '✓'
  try {
    await verify()
    passed += 1
  } catch (error) {
    mark = '✗'
    failures.push(`${language.name}, ${library} ${title}: ${messageOf(error)}`)
  }
  if (!key) lines.push(`${mark} ${title}`)
  else if (marks.get(key) !== '✗') marks.set(key, mark)
}

const keyOf = (algorithm: Algorithm, direction: Direction): string => `${algorithm} ${direction}`
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

// Both Go libraries are in one program, which is installed and built once.
const started = new Map<string, Promise<unknown>>()

function once<Result>(name: string, start: () => Promise<Result>): Promise<Result> {
  const known = (started.get(name) as Promise<Result> | undefined) ?? start()
  started.set(name, known)
  return known
}

/** Copies the language's folder, fills in the samples and installs the libraries. */
async function install(language: Language): Promise<string> {
  const copy = join(folder, language.folder)
  cpSync(fileURLToPath(new URL(language.folder, import.meta.url)), copy, { recursive: true })
  const key = samplePair('key', keysOf, language.sampleForm)
  fillIn(copy, language, samplePair('secret', keysOf).text, key.text)
  await language.install(copy)
  return copy
}

async function runLanguage(language: Language): Promise<Outcome> {
  const outcome: Outcome = { language, lines: [], marks: new Map() }
  for (const check of vectorChecks(language)) await run(check, outcome)
  let copy: string
  try {
    copy = await once(`install ${language.folder}`, () => install(language))
  } catch (error) {
    outcome.notRun = messageOf(error)
    return outcome
  }
  const jobChecks = [
    ...signingChecks(language, keysOf),
    ...(await verificationChecks(language, keysOf)),
    ...missingExpChecks(language, keysOf),
    ...(language.folder === 'go' ? sec1Checks(folder) : []),
  ]
  try {
    await once(`build ${language.folder}`, async () => language.build?.(copy))
    const jobs = jobChecks.map(({ job }) => job)
    const output = await runJobs(language.command(copy), copy, jobs, language.env)
    outcome.library = output.library
    for (const check of sampleChecks(language, output, keysOf)) await run(check, outcome)
    for (const [at, { verify, ...check }] of jobChecks.entries()) {
      await run({ ...check, verify: () => verify(output.results[at]!) }, outcome)
    }
    if (language.folder === 'python') {
      for (const check of localTimeChecks(language, copy, keysOf)) await run(check, outcome)
    }
  } catch (error) {
    failures.push(`${language.name}, ${language.library}: ${messageOf(error)}`)
    for (const { cell } of jobChecks) if (cell) outcome.marks.set(keyOf(cell.algorithm, cell.direction), '✗')
  }
  return outcome
}

function printTable(outcomes: readonly Outcome[]): void {
  const algorithms = Object.keys(ALGORITHMS) as Algorithm[]
  const rows = outcomes.flatMap(({ language, library = language.library, notRun, marks }) => {
    const blank = (direction: Direction, algorithm: Algorithm) => {
      if (direction === 'theirs' && language.vectors) return hasVectors ? '–' : '·'
      return notRun !== undefined && language.algorithms.includes(algorithm) ? '·' : '–'
    }
    return (['theirs', 'ours'] as const).map((direction) => [
      language.name,
      direction === 'theirs' ? (language.vectors?.library ?? library) : library,
      direction === 'theirs' ? 'they sign, we verify' : 'we sign, they verify',
      ...algorithms.map((algorithm) => marks.get(keyOf(algorithm, direction)) ?? blank(direction, algorithm)),
    ])
  })
  const table = [['language', 'library', 'direction', ...algorithms], ...rows]
  const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => row[column]!.length)))
  const lines = table.map(
    (row) => `| ${row.map((cell, column) => cell.padEnd(widths[column]!)).join(' | ')} |`,
  )
  lines.splice(1, 0, `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`)
  const used = Object.entries(legend).filter(([mark]) => rows.some((row) => row.includes(mark)))
  console.log(`${lines.join('\n')}\n\n${used.map(([mark, meaning]) => `${mark}  ${meaning}`).join('\n')}\n`)
}

function comparePage(): void {
  const comparisons = compareWithPage()
  if (!comparisons)
    console.log('The page is not next to the checkout, so the samples were not compared with it.')
  if (comparisons) console.log('The samples, compared with the page')
  for (const { title, missing } of comparisons ?? []) {
    console.log(`  ${missing.length === 0 ? '✓' : '✗'} ${title}`)
    if (missing.length === 0) passed += 1
    else failures.push(`${title} lacks lines of the page: ${missing.join(' ')}`)
  }
}

try {
  const outcomes = await Promise.all(languages.map(runLanguage))
  printTable(outcomes)
  for (const { language, lines, library = language.library } of outcomes) {
    if (lines.length > 0)
      console.log(`${language.name}, ${library}\n${lines.map((line) => `  ${line}`).join('\n')}`)
  }
  comparePage()
  for (const { language, notRun } of outcomes.filter(({ notRun }) => notRun !== undefined)) {
    const line = `not run: ${language.name}, ${language.library}: ${notRun}`
    if (process.env.CI) failures.push(line)
    else console.log(line)
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}

for (const failure of failures) console.log(`✗ ${failure}`)
console.log(`${passed} passed, ${failures.length} failed`)
if (failures.length > 0) process.exitCode = 1
