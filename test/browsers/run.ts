// `npm run test:browsers`: runs the conformance suite with the packed package in three browser engines.
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { text } from 'node:stream/consumers'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import * as lib from '../../src/index.ts'
import { modules } from '../conformance/index.ts'
import { countTests, type Result } from '../conformance/suite.ts'
import { installPacked } from '../package/packed-package.ts'
import { report } from '../runtimes/report.ts'
import { record } from '../support/record.ts'
import { bundleSuite } from './bundle-suite.ts'
import { type Engine, engines } from './engines.ts'
import { type RunningProcess, startProcess } from './processes.ts'

/** Milliseconds for one engine. */
const TIME_LIMIT = 240_000
const HOST = '127.0.0.1'
const HTML =
  '<!doctype html><meta charset="utf-8"><title>Conformance</title><script type="module" src="/page.js"></script>'

interface Visit {
  origin: string
  isSecureContext: boolean
  result: Result
}

const work = mkdtempSync(join(tmpdir(), 'membrane-token-browsers-'))
process.on('exit', () => rmSync(work, { recursive: true, force: true, maxRetries: 5 }))

const names = process.argv.slice(2)
const project = await installPacked()
const script = await bundleSuite(fileURLToPath(new URL('page.ts', import.meta.url)), project.directory)
project.remove()
/** The number of tests on Node. */
const expected = countTests(modules, lib)

for (const engine of engines.filter(({ runtime }) => names.length === 0 || names.includes(runtime))) {
  try {
    const problems = await runEngine(engine)
    for (const problem of problems) console.error(`${engine.runtime}: ${problem}`)
    if (problems.length > 0) process.exitCode = 1
  } catch (error) {
    console.error(`${engine.runtime}: ${(error as Error).message}`)
    process.exitCode = 1
  }
}

/** Runs the suite in an engine, prints its result, and returns the other problems. */
async function runEngine(engine: Engine): Promise<string[]> {
  const version = versionOf(engine)
  const [secure, insecure] = await visitPages(engine)
  const userAgent = secure.result.version
  const problems = [
    !engine.userAgent.test(userAgent) && `unexpected user agent: ${userAgent}`,
    !secure.isSecureContext && `${secure.origin} is not a secure context`,
    insecure.isSecureContext && `${insecure.origin} is a secure context`,
    secure.result.total !== expected && `${secure.result.total} tests ran, but ${expected} on Node`,
    ...insecure.result.failures.map(({ name, message }) => `${name}\n  ${message}`),
  ].filter((problem) => problem !== false)
  const result = record({ ...secure.result, runtime: engine.runtime, version })
  if (report(result) !== 0) problems.push('tests failed')
  return problems
}

/** User agents contain only the major version or, in WebKit, none. */
function versionOf({ wrapper = [], binary, packages }: Engine): string {
  try {
    const [command = '', ...args] = [...wrapper, binary, '--version']
    const output = execFileSync(command, args, {
      encoding: 'utf8',
      env: environment(work),
      timeout: 30_000,
    })
    return /\d+(\.\w+)+/.exec(output)?.[0] ?? output.trim()
  } catch (error) {
    throw new Error(`${binary} cannot be started. On Debian: apt-get install ${packages}`, { cause: error })
  }
}

async function visitPages(engine: Engine): Promise<[Visit, Visit]> {
  const visits: Visit[] = []
  let done = () => {}
  const finished = new Promise<void>((resolve) => {
    done = resolve
  })
  // Serves both pages: localhost directly, insecure.test as the browser's proxy.
  const server = createServer(async (request, response) => {
    const { host, origin, pathname } = new URL(request.url ?? '', `http://${request.headers.host}`)
    if (!['insecure.test', `localhost:${port}`].includes(host)) return response.writeHead(403).end()
    if (pathname === '/') return response.writeHead(200, { 'Content-Type': 'text/html' }).end(HTML)
    if (pathname === '/page.js') {
      return response.writeHead(200, { 'Content-Type': 'text/javascript; charset=utf-8' }).end(script)
    }
    if (pathname !== '/result' || request.method !== 'POST') return response.writeHead(404).end()
    visits.push({ origin, ...(JSON.parse(await text(request)) as Omit<Visit, 'origin'>) })
    response.writeHead(204).end()
    if (visits.length === 2) done()
    return response
  })
  server.on('connect', (_, socket) => socket.destroy())
  server.listen(0, HOST)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo

  const browser = startBrowser(engine, port)
  try {
    await Promise.race([finished, earlyExit(browser), timeLimit(visits)])
    return visits as [Visit, Visit]
  } finally {
    await browser.stop()
    server.closeAllConnections()
    server.close()
  }
}

async function earlyExit({ ended, output }: RunningProcess): Promise<never> {
  const code = await ended
  throw new Error(`exited with ${code} before its pages finished:\n${output()}`)
}

async function timeLimit(visits: Visit[]): Promise<never> {
  await wait(TIME_LIMIT, undefined, { ref: false })
  throw new Error(`only ${visits.length} of 2 pages finished within ${TIME_LIMIT / 1000} s`)
}

function startBrowser(engine: Engine, port: number): RunningProcess {
  const home = join(work, engine.runtime)
  const profile = join(home, 'profile')
  mkdirSync(profile, { recursive: true })
  const args = engine.arguments(profile, { host: HOST, port }, `http://localhost:${port}/`)
  const command = [...(engine.wrapper ?? []), engine.binary, ...args]
  return startProcess(command, { env: { ...environment(home), ...engine.env } })
}

/** Keeps profiles, caches and temporary files out of the user's directories. */
function environment(home: string): NodeJS.ProcessEnv {
  const { XDG_CONFIG_HOME: _, XDG_CACHE_HOME: __, XDG_DATA_HOME: ___, ...env } = process.env
  return { ...env, HOME: home, TMPDIR: home, XDG_RUNTIME_DIR: home }
}
