import { execFile } from 'node:child_process'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import type { Result } from '../conformance/suite.ts'
import { record } from '../support/record.ts'

type Summary = Omit<Result, 'failures'>

const bin = (name: string) => fileURLToPath(new URL(`../../node_modules/.bin/${name}`, import.meta.url))
const runner = (name: string) => fileURLToPath(new URL(`${name}.ts`, import.meta.url))

// Without `--allow-*`, Deno grants no permissions. It loads no modules over the network either.
const deno = ['run', '--no-prompt', '--no-remote', '--cached-only', '--no-lock', '--node-modules-dir=manual']

const commands: Record<string, [string, ...string[]]> = {
  node: [process.execPath, runner('node')],
  workerd: [process.execPath, runner('workerd')],
  deno: [bin('deno'), ...deno, runner('deno')],
  bun: [bin('bun'), '--no-install', runner('bun')],
}

function run(name: string, [command, ...args]: [string, ...string[]]): Promise<Summary | undefined> {
  const env = { ...process.env, DENO_NO_UPDATE_CHECK: '1' }
  return new Promise((resolve) => {
    execFile(command, args, { env, timeout: 240_000, maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
      process.stderr.write(stderr)
      const line = stdout.trim()
      const summary = line.startsWith('{"runtime":') ? (JSON.parse(line) as Summary) : undefined
      if (summary) console.log(JSON.stringify(record(summary)))
      else console.error(`${name} printed no result${error ? `: ${error.message}` : ''}`)
      // Ignore a passing result if the process itself failed.
      resolve(error && summary?.failed === 0 ? undefined : summary)
    })
  })
}

const results: (Summary | undefined)[] = []
for (const [name, command] of Object.entries(commands)) results.push(await run(name, command))

const totals = new Set(results.map((result) => result?.total))
const problems = [
  results.some((result) => !result) && 'a runtime did not finish',
  results.some((result) => result?.failed) && 'tests failed',
  totals.has(0) && 'no tests ran',
  totals.size > 1 && `totals differ: ${[...totals].join(', ')}`,
].filter(Boolean)

if (problems.length > 0) {
  console.error(problems.join('; '))
  process.exitCode = 1
}
