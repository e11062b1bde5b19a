// Runs the suite on Node, Deno or Bun; prints one JSON line.
import process from 'node:process'
import { runKmsSuite } from './run-suite.ts'

const { bun, deno, node } = process.versions as Record<string, string | undefined>
const [runtime, version] = bun ? ['bun', bun] : deno ? ['deno', deno] : ['node', node]
console.log(
  JSON.stringify(
    await runKmsSuite(JSON.parse(process.env.KMS_SERVERS ?? ''), runtime as string, version ?? ''),
  ),
)
