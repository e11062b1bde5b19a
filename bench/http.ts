// `npm run bench:http`: only the part of `npm run bench` that is about HTTP. `--brief` only shows that it works.
import { availableParallelism, cpus } from 'node:os'
import process from 'node:process'
import { BRIEF, FULL, faultsOf, measureHttp } from './http/measure.ts'
import { httpSection } from './report.ts'

const results = await measureHttp(process.argv.includes('--brief') ? BRIEF : FULL)
const machine = `${cpus()[0]?.model.trim()}, ${availableParallelism()} cores`
process.stdout.write(`${[machine, ...httpSection(results)].join('\n\n')}\n`)
for (const fault of faultsOf(results)) {
  process.stderr.write(`${fault}\n`)
  process.exitCode = 1
}
