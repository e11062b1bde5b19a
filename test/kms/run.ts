// `npm run test:kms`: starts the servers, and runs the suite against them on every runtime.
import { execFile } from 'node:child_process'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import type { Result } from '../conformance/suite.ts'
import { bundleEntry, runInWorkerd } from '../runtimes/in-workerd.ts'
import { startCloudServer } from './cloud-server.ts'
import { createAwsKeys, createVaultKeys } from './keys.ts'
import { startServers } from './servers.ts'
import { compareWithBotocore } from './sigv4.ts'
import type { Environment } from './suite.ts'
import { checkAlgorithmTable } from './table.ts'

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
const tool = (name: string): string => here(`../../node_modules/.bin/${name}`)

const RUNTIMES: Record<string, (servers: string) => Promise<Result>> = {
  node: (servers) => runProcess(process.execPath, [here('portable.ts')], servers),
  deno: (servers) => runProcess(tool('deno'), ['run', '-A', '--no-check', here('portable.ts')], servers),
  bun: (servers) => runProcess(tool('bun'), [here('portable.ts')], servers),
  workerd: async (servers) =>
    runInWorkerd(await bundleEntry(here('workerd-entry.ts')), { KMS_SERVERS: servers }),
}

function runProcess(command: string, args: string[], servers: string): Promise<Result> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, KMS_SERVERS: servers }
    execFile(command, args, { env, maxBuffer: 1e7 }, (error, stdout, stderr) => {
      const line = stdout.trim().split('\n').at(-1) ?? ''
      if (line.startsWith('{')) resolve(JSON.parse(line))
      else reject(error ?? new Error(stderr))
    })
  })
}

/** Runs the example of docs/kms.md against the emulator. */
function runExample({ aws }: Environment): Promise<void> {
  return new Promise((resolve, reject) => {
    const env = {
      ...process.env,
      AWS_ENDPOINT_URL_KMS: aws.endpoint,
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      MEMBRANE_WORKSPACE_KEY: 'workspace-1',
    }
    execFile(process.execPath, [here('../../examples/module/kms.ts')], { env }, (error, stdout) => {
      if (error || !/^[\w-]+\.[\w-]+\.[\w-]+$/.test(stdout.trim())) reject(error ?? new Error(stdout))
      else resolve()
    })
  })
}

const [servers, cloud] = [await startServers(), await startCloudServer()]
const results: Result[] = []
try {
  const environment: Environment = {
    vault: await createVaultKeys(servers.vault),
    aws: await createAwsKeys(servers.aws),
    cloud: { address: cloud.address, serviceAccountKey: cloud.serviceAccountKey },
  }
  await compareWithBotocore()
  await runExample(environment)
  const chosen = process.argv.slice(2).filter((argument) => !argument.startsWith('--'))
  for (const [name, run] of Object.entries(RUNTIMES)) {
    if (chosen.length > 0 && !chosen.includes(name)) continue
    const result = await run(JSON.stringify(environment))
    results.push(result)
    for (const { name: test, message } of result.failures) console.error(`${name}: ${test}\n  ${message}`)
    const { runtime, version, passed, failed, total } = result
    console.log(JSON.stringify({ runtime, version, passed, failed, total }))
  }
} finally {
  servers.stop()
  cloud.stop()
}
checkAlgorithmTable(results[0]?.support.sign ?? {}, process.argv.includes('--write'))
const isComplete = results.every(
  ({ total, failed }) => failed === 0 && total > 0 && total === results[0]?.total,
)
if (!isComplete || results.length === 0) process.exitCode = 1
