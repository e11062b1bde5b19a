// `npm run bench:http`: the HTTP benchmarks of `npm run bench` on workerd. `--brief` only checks that they work.
import { availableParallelism, cpus } from 'node:os'
import process from 'node:process'
import { BRIEF, FULL, findFailures, measureHttp } from './http/measure.ts'
import { httpSection } from './report.ts'

const results = await measureHttp(process.argv.includes('--brief') ? BRIEF : FULL)
const machine = `${cpus()[0]?.model.trim()}, ${availableParallelism()} cores`
process.stdout.write(`${[machine, ...httpSection(results)].join('\n\n')}\n`)
for (const failure of findFailures(results)) {
  process.stderr.write(`${failure}\n`)
  process.exitCode = 1
}
