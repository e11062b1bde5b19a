// `npm run bench`: runs all benchmarks, and writes results.md, chart.svg, and the figures in docs/performance.md.
// `--brief` only checks that everything works; `--only=node,workerd` selects runtimes. With either, no file is written.
import { spawn } from 'node:child_process'
import { generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { availableParallelism, cpus } from 'node:os'
import process from 'node:process'
import { isDeepStrictEqual, parseArgs } from 'node:util'
import jwt from 'jsonwebtoken'
import {
  CASES,
  customerWith,
  EXPIRES_IN,
  type KeyFormats,
  type KeyMaterial,
  keyOf,
  type Runtime,
  WORKSPACE_KEY,
} from './cases.ts'
import { renderChart } from './chart.ts'
import type { GroupResult, Job, RuntimeResults } from './child.ts'
import type { EnduranceJob, EnduranceResults } from './endurance.ts'
import { measureFirstToken } from './first-token.ts'
import { measureCold } from './http/cold.ts'
import * as http from './http/measure.ts'
import type { Group } from './prepare.ts'
import { coldText, costText, renderReport, servicesTable } from './report.ts'
import type { Results } from './results.ts'
import type { Effort } from './rounds.ts'
import { COMMANDS, path } from './runtimes.ts'
import { measureSizes } from './sizes.ts'
import { measureStartUp } from './start-up.ts'
import { measureWorkerd } from './workerd.ts'

const print = (line: string) => process.stderr.write(`${line}\n`)

const RUNTIMES: readonly Runtime[] = ['workerd', 'node', 'deno', 'bun']

interface Scale extends Effort {
  readonly tokens: number
  readonly bursts: number
  readonly starts: number
  readonly cold: number
  readonly http: http.Effort
  /** The service on Node, Deno and Bun. */
  readonly services: http.Effort
}

const FULL: Scale = {
  rounds: 7,
  slice: 40,
  tokens: 1_000_000,
  bursts: 21,
  starts: 7,
  cold: 7,
  http: http.FULL,
  services: { ...http.FULL, rounds: 7, slice: 1500, warmUp: 5000, total: 0 },
}
const BRIEF: Scale = {
  rounds: 1,
  slice: 0,
  tokens: 1000,
  bursts: 1,
  starts: 1,
  cold: 1,
  http: http.BRIEF,
  services: { ...http.BRIEF, rounds: 1, total: 0 },
}

const { values } = parseArgs({ options: { brief: { type: 'boolean' }, only: { type: 'string' } } })
const scale = values.brief ? BRIEF : FULL
const runtimes = values.only
  ? RUNTIMES.filter((runtime) => values.only?.split(',').includes(runtime))
  : RUNTIMES
const isComplete = !values.brief && runtimes.length === RUNTIMES.length

async function measure(
  { tokens, bursts, starts, cold: coldRounds, http: httpEffort, services: serviceEffort, ...effort }: Scale,
  runtimes: readonly Runtime[],
): Promise<Results> {
  const material = generateKeyMaterial()
  const start = performance.now()
  const printStep = (name: string) =>
    print(`${((performance.now() - start) / 1000).toFixed(0).padStart(4)} s  ${name}`)

  const measured: Partial<Record<Runtime, RuntimeResults>> = {}
  for (const runtime of runtimes) {
    printStep(runtime)
    const job: Job = { material, effort, groups: groupsOf(runtime) }
    measured[runtime] = runtime === 'workerd' ? await measureWorkerd(job) : await runChild(runtime, job)
    for (const result of measured[runtime].groups) checkTokens(result, runtime, material)
  }
  printStep('memory and latency')
  const endurance = runtimes.includes('node') ? await runEndurance({ material, tokens, bursts }) : undefined
  printStep('HTTP')
  const load = runtimes.includes('workerd') ? await http.measureHttp(httpEffort) : undefined
  const cold = runtimes.includes('workerd') ? await measureCold(coldRounds) : undefined
  const services: Results['services'] = {}
  const firstTokens: Results['firstTokens'] = {}
  for (const runtime of runtimes) {
    if (runtime === 'workerd') continue
    printStep(`HTTP and first token, ${runtime}`)
    services[runtime] = await http.measureHttp(serviceEffort, runtime)
    firstTokens[runtime] = await measureFirstToken(runtime, material, starts)
  }
  const failures = [load, ...Object.values(services)].flatMap((results) =>
    results ? http.findFailures(results) : [],
  )
  if (failures.length > 0) throw new Error(failures.join('\n'))
  printStep('sizes and start')
  const sizes = await measureSizes()
  const startUp = await measureStartUp(starts)
  printStep('done')

  const [cpu] = cpus()
  return {
    runtimes: measured,
    endurance,
    http: load,
    services,
    cold,
    firstTokens,
    sizes,
    startUp,
    ...effort,
    versions: await versionsOf(measured),
    machine: `${cpu?.model.trim()}, ${availableParallelism()} cores, ${process.platform} ${process.arch}`,
    date: new Date().toISOString().slice(0, 10),
  }
}

function groupsOf(runtime: Runtime): Group[] {
  const scaling: Group[] = [{ task: 'field sizes' }, { task: 'many signers' }]
  return [...CASES, { task: 'key formats' }, ...(runtime === 'workerd' || runtime === 'node' ? scaling : [])]
}

function generateKeyMaterial(): KeyMaterial {
  return {
    secret: randomBytes(32).toString('hex'),
    keys: {
      'P-256': exportFormats(generateKeyPairSync('ec', { namedCurve: 'P-256' }), 'sec1'),
      'P-384': exportFormats(generateKeyPairSync('ec', { namedCurve: 'P-384' }), 'sec1'),
      RSA: exportFormats(generateKeyPairSync('rsa', { modulusLength: 2048 }), 'pkcs1'),
    },
  }
}

type Pair = { privateKey: KeyObject; publicKey: KeyObject }

function exportFormats({ privateKey, publicKey }: Pair, traditional: 'sec1' | 'pkcs1'): KeyFormats {
  return {
    pkcs8: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    spki: publicKey.export({ type: 'spki', format: 'pem' }) as string,
    traditional: privateKey.export({ type: traditional as 'pkcs1', format: 'pem' }) as string,
    jwk: privateKey.export({ format: 'jwk' }) as JsonWebKey,
  }
}

const runChild = (runtime: Exclude<Runtime, 'workerd'>, job: Job) =>
  runJson<RuntimeResults>([...COMMANDS[runtime], path('bench/child.ts')], job)

const runEndurance = (job: EnduranceJob) =>
  runJson<EnduranceResults>([process.execPath, '--expose-gc', path('bench/endurance.ts')], job)

function runJson<T>([command, ...args]: readonly [string, ...string[]], input: unknown): Promise<T> {
  const env = { ...process.env, DENO_NO_UPDATE_CHECK: '1', NODE_NO_WARNINGS: '1' }
  const child = spawn(command, args, { env, stdio: ['pipe', 'pipe', 'inherit'] })
  return new Promise((resolve, reject) => {
    let text = ''
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
    })
    child.on('error', reject)
    child.on('close', (code) => {
      if (code === 0) resolve(JSON.parse(text) as T)
      else reject(new Error(`A child process exited with code ${code}.`))
    })
    child.stdin.end(JSON.stringify(input))
  })
}

/** Checks that every contender signed exactly the same claims, with a valid signature. */
function checkTokens({ group, tokens, failures }: GroupResult, runtime: string, material: KeyMaterial): void {
  for (const name of ['membrane-token', 'raw crypto.subtle']) {
    if (failures[name]) throw new Error(`${name} on ${runtime}: ${failures[name]}`)
  }
  if (group.task !== 'sign') return
  const { algorithm, fields } = group
  const key = algorithm.startsWith('HS') ? material.secret : keyOf(material, algorithm).spki
  const lengths = new Set(Object.values(tokens).map(({ length }) => length))
  for (const [name, token] of Object.entries(tokens)) {
    const { iat, exp, ...claims } = jwt.verify(token, key, {
      algorithms: [algorithm],
      ignoreExpiration: true,
    }) as {
      iat: number
      exp: number
    }
    const hasClaims = isDeepStrictEqual(claims, { ...customerWith(fields), iss: WORKSPACE_KEY })
    if (!hasClaims || exp - iat !== EXPIRES_IN || lengths.size > 1) {
      throw new Error(`${name} on ${runtime} signs other claims with ${algorithm}`)
    }
  }
}

const PACKAGES = ['jose', 'jsonwebtoken', 'fast-jwt', '@tsndr/cloudflare-worker-jwt', 'hono', 'esbuild']

async function versionsOf(measured: Results['runtimes']): Promise<Record<string, string>> {
  const versionOf = async (folder: string) =>
    (JSON.parse(await readFile(path(`${folder}package.json`), 'utf8')) as { version: string }).version
  const packages = PACKAGES.map(async (name) => [name, await versionOf(`node_modules/${name}/`)])
  return Object.fromEntries([
    ['membrane-token', await versionOf('')],
    ...Object.entries(measured).map(([runtime, { version }]) => [runtime, version]),
    ...(await Promise.all(packages)),
  ])
}

const results = await measure(scale, runtimes)
const report = renderReport(results)
const chart = renderChart(results)
if (isComplete) {
  await writeFile(path('bench/results.md'), report)
  await writeFile(path('bench/chart.svg'), chart)
  const blocks: Record<string, string> = {
    ...(results.http && { cost: costText(results.http) }),
    ...(results.cold && { cold: coldText(results.cold) }),
    services: servicesTable(results),
  }
  let page = await readFile(path('docs/performance.md'), 'utf8')
  for (const [name, text] of Object.entries(blocks)) {
    const block = new RegExp(`(?<=<!-- ${name} -->\\n)[\\s\\S]*?(?=<!-- end -->)`)
    page = page.replace(block, () => `${text}\n`)
  }
  await writeFile(path('docs/performance.md'), page)
  print('Wrote bench/results.md, bench/chart.svg and the figures in docs/performance.md.')
} else {
  process.stdout.write(report)
}
