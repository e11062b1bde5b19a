// `npm run bench`: measures everything in one run, and writes results.md, chart.svg, and the figures in docs/performance.md.
// `--brief` only shows that all of it works; `--only=node,workerd` leaves runtimes out. Neither writes files.
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
  type KeyForms,
  keyOf,
  type Material,
  type Runtime,
  WORKSPACE_KEY,
} from './cases.ts'
import { renderChart } from './chart.ts'
import type { Job, Measured, RuntimeResults } from './child.ts'
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
const wanted = values.only
  ? RUNTIMES.filter((runtime) => values.only?.split(',').includes(runtime))
  : RUNTIMES
const complete = !values.brief && wanted.length === RUNTIMES.length

async function measure(
  { tokens, bursts, starts, cold: coldRounds, http: httpEffort, services: serviceEffort, ...effort }: Scale,
  runtimes: readonly Runtime[],
): Promise<Results> {
  const material = makeMaterial()
  const began = performance.now()
  const step = (name: string) =>
    print(`${((performance.now() - began) / 1000).toFixed(0).padStart(4)} s  ${name}`)

  const measured: Partial<Record<Runtime, RuntimeResults>> = {}
  for (const runtime of runtimes) {
    step(runtime)
    const job: Job = { material, effort, groups: groupsOf(runtime) }
    measured[runtime] = runtime === 'workerd' ? await measureWorkerd(job) : await runChild(runtime, job)
    for (const each of measured[runtime].measured) checkTokens(each, runtime, material)
  }
  step('memory and latency')
  const endurance = runtimes.includes('node') ? await runEndurance({ material, tokens, bursts }) : undefined
  step('HTTP')
  const load = runtimes.includes('workerd') ? await http.measureHttp(httpEffort) : undefined
  const cold = runtimes.includes('workerd') ? await measureCold(coldRounds) : undefined
  const services: Results['services'] = {}
  const firstTokens: Results['firstTokens'] = {}
  for (const runtime of runtimes) {
    if (runtime === 'workerd') continue
    step(`HTTP and first token, ${runtime}`)
    services[runtime] = await http.measureHttp(serviceEffort, runtime)
    firstTokens[runtime] = await measureFirstToken(runtime, material, starts)
  }
  const faults = [load, ...Object.values(services)].flatMap((each) => (each ? http.faultsOf(each) : []))
  if (faults.length > 0) throw new Error(faults.join('\n'))
  step('sizes and start')
  const sizes = await measureSizes()
  const startUp = await measureStartUp(starts)
  step('done')

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
  const grown: Group[] = [{ task: 'size of fields' }, { task: 'signers held' }]
  return [...CASES, { task: 'key forms' }, ...(runtime === 'workerd' || runtime === 'node' ? grown : [])]
}

function makeMaterial(): Material {
  return {
    secret: randomBytes(32).toString('hex'),
    keys: {
      'P-256': formsOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }), 'sec1'),
      'P-384': formsOf(generateKeyPairSync('ec', { namedCurve: 'P-384' }), 'sec1'),
      RSA: formsOf(generateKeyPairSync('rsa', { modulusLength: 2048 }), 'pkcs1'),
    },
  }
}

type Pair = { privateKey: KeyObject; publicKey: KeyObject }

function formsOf({ privateKey, publicKey }: Pair, traditional: 'sec1' | 'pkcs1'): KeyForms {
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
      else reject(new Error(`a process of the benchmark ended with ${code}`))
    })
    child.stdin.end(JSON.stringify(input))
  })
}

/** Whether every contender signed what all were asked to sign: not a claim more or less, genuinely. */
function checkTokens({ group, tokens, failures }: Measured, runtime: string, material: Material): void {
  for (const name of ['membrane-token', 'raw crypto.subtle']) {
    if (failures[name]) throw new Error(`${name} in ${runtime}: ${failures[name]}`)
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
    const same = isDeepStrictEqual(claims, { ...customerWith(fields), iss: WORKSPACE_KEY })
    if (!same || exp - iat !== EXPIRES_IN || lengths.size > 1) {
      throw new Error(`${name} in ${runtime} signs other claims with ${algorithm}`)
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

const results = await measure(scale, wanted)
const report = renderReport(results)
const chart = renderChart(results)
if (complete) {
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
  print('bench/results.md, bench/chart.svg and the figures in docs/performance.md are written')
} else {
  process.stdout.write(report)
}
