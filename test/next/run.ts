// `npm run test:next`: builds and starts the Next.js example with the packed package, as in production, and runs the
// conformance suite in both of its runtimes.
import { createHash, randomBytes } from 'node:crypto'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import process from 'node:process'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { MembraneClient } from '@membranehq/sdk'
import jwt from 'jsonwebtoken'
import { startIdentityProvider } from '../../cli/dev/identity-provider.ts'
import { createTokenProvider } from '../../src/client.ts'
import * as lib from '../../src/index.ts'
import { bundleSuite } from '../browsers/bundle-suite.ts'
import { type RunningProcess, startProcess } from '../browsers/processes.ts'
import { modules } from '../conformance/index.ts'
import { assert, countTests, equal, type Result } from '../conformance/suite.ts'
import { install, pack } from '../package/packed-package.ts'
import { report } from '../runtimes/report.ts'
import { freePort } from '../support/free-port.ts'
import { record } from '../support/record.ts'
import { type MembraneApi, startMembraneApi } from '../worker/membrane-api.ts'

/** Milliseconds for building, for starting, and for the suite in one runtime. */
const BUILD_LIMIT = 300_000
const START_LIMIT = 60_000
const SUITE_LIMIT = 240_000
const HOST = '127.0.0.1'

const runtimes = { edge: '/api/edge/membrane-token', nodejs: '/api/membrane-token' } as const
type Runtime = keyof typeof runtimes

const WARNING = /⚠|\bwarn|Node\.js (API|module)|not supported|Critical dependency|Dynamic Code/i

/** Warnings about Next.js itself. */
const NOT_OURS = [
  /The Edge Runtime is deprecated/i,
  /Using edge runtime on a page currently disables static generation/,
  /No build cache found/,
]

const work = mkdtempSync(join(tmpdir(), 'next-example-'))
process.on('exit', () => rmSync(work, { recursive: true, force: true, maxRetries: 5 }))
const app = join(work, 'app')

const started = performance.now()
await installApp()
await buildApp()
await useApp()
console.error(`Next.js: ${Math.round((performance.now() - started) / 1000)} s`)
// The identity provider keeps running otherwise.
process.exit()

async function installApp(): Promise<void> {
  const example = fileURLToPath(new URL('../../examples/next', import.meta.url))
  const isOurs = (path: string) => !['node_modules', '.next', '.env.local'].includes(basename(path))
  cpSync(example, app, { recursive: true, filter: isOurs })
  const { tarball } = await pack(work)
  await install(app, [tarball])

  // The imports of the package are left to the bundler of Next.js.
  const suite = await bundleSuite(fileURLToPath(new URL('conformance.ts', import.meta.url)))
  writeFileSync(join(app, 'app/conformance.js'), suite)
  for (const runtime of Object.keys(runtimes) as Runtime[]) {
    const directory = join(app, 'app/api/conformance', runtime)
    mkdirSync(directory, { recursive: true })
    writeFileSync(join(directory, 'route.js'), conformanceRoute(runtime))
  }
}

function conformanceRoute(runtime: Runtime): string {
  const { version } = JSON.parse(readFileSync(join(app, 'node_modules/next/package.json'), 'utf8'))
  return `import { runConformance } from '../../../conformance.js'
export const runtime = '${runtime}'
export const dynamic = 'force-dynamic'
export async function GET() {
  const found = typeof EdgeRuntime === 'string' ? 'edge' : 'nodejs'
  if (found !== runtime) throw new Error('runs on ' + found)
  return Response.json(await runConformance('next-' + runtime, '${version}'))
}
`
}

function startNext(env: Record<string, string>, ...args: string[]): RunningProcess {
  const command = [process.execPath, join(app, 'node_modules/next/dist/bin/next'), ...args]
  return startProcess(command, {
    cwd: app,
    env: { ...process.env, NEXT_TELEMETRY_DISABLED: '1', NO_COLOR: '1', ...env },
  })
}

/** Builds without settings, as in CI: a build must not need secrets. */
async function buildApp(): Promise<void> {
  const next = startNext({ NODE_ENV: 'production' }, 'build')
  const code = await Promise.race([next.ended, wait(BUILD_LIMIT, 'timed out', { ref: false })])
  await next.stop()
  const lines = next.output().split('\n')
  const warnings = lines.filter((line) => WARNING.test(line) && !NOT_OURS.some((known) => known.test(line)))
  if (code === 0 && warnings.length === 0) return
  throw new Error(`next build: ${code}, ${warnings.length} warnings\n${next.output()}`)
}

async function useApp(): Promise<void> {
  const apiKey = randomBytes(32).toString('base64url')
  const secret = randomBytes(32).toString('base64url')
  const workspaceKey = 'workspace-1'
  const [identityPort, port] = [await freePort(), await freePort()]
  const origin = `http://${HOST}:${port}`
  const identityProvider = await startIdentityProvider(HOST, identityPort, [])
  const membraneApi = await startMembraneApi(workspaceKey, { secret }, 'HS512')
  const next = startNext(
    {
      NODE_ENV: 'production',
      MEMBRANE_WORKSPACE_KEY: workspaceKey,
      MEMBRANE_WORKSPACE_SECRET: secret,
      SESSION_ISSUER: identityProvider.issuer,
      SESSION_AUDIENCE: identityProvider.audience,
      SESSION_CUSTOMER_ID_CLAIM: 'org_id',
      OAUTH_ISSUER: origin,
      API_KEYS: JSON.stringify([
        {
          name: 'backend',
          sha256: createHash('sha256').update(apiKey).digest('hex'),
          scopes: ['customer', 'admin'],
        },
      ]),
    },
    'start',
    '--hostname',
    HOST,
    '--port',
    String(port),
  )
  try {
    await waitFor(origin, next)
    const session = await identityProvider.signIn({ sub: 'user-1', org_id: 'customer-7', name: 'Ada' })
    for (const path of [
      '/health',
      '/ready',
      '/.well-known/jwks.json',
      '/.well-known/oauth-authorization-server',
    ]) {
      equal((await fetch(origin + path)).status, 200, path)
    }
    const granted = await fetch(`${origin}/oauth/token`, {
      method: 'POST',
      headers: { Authorization: `Basic ${btoa(`backend:${apiKey}`)}` },
      body: new URLSearchParams({ grant_type: 'client_credentials', scope: 'admin' }),
    })
    equal(granted.status, 200, '/oauth/token')
    for (const [runtime, path] of Object.entries(runtimes)) {
      const url = origin + path
      await callAsService(url, apiKey, (token) => jwt.verify(token, secret, { algorithms: ['HS512'] }))
      await callAsUser(url, session, membraneApi)
      await runInside(`${origin}/api/conformance/${runtime}`)
    }
  } catch (error) {
    console.error(`${(error as Error).stack}\nOutput of next start:\n${next.output()}`)
    process.exitCode = 1
  } finally {
    await Promise.all([next.stop(), membraneApi.close()])
  }
}

async function callAsService(url: string, key: string, verify: (token: string) => unknown): Promise<void> {
  const unauthenticated = await fetch(url)
  equal(
    [unauthenticated.status, unauthenticated.headers.get('WWW-Authenticate')?.startsWith('Bearer')],
    [401, true],
  )

  const customer = { id: 'customer-42', name: 'Zoë', fields: { plan: 'trial' } }
  const response = await fetch(url, {
    method: 'POST',
    headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ ...customer, expiresIn: 60 }),
  })
  const body = (await response.json()) as { token: string }
  equal(response.status, 200, JSON.stringify(body))
  const { iat, exp, jti: _, ...claims } = verify(body.token) as Record<string, number>
  equal(claims, { ...customer, iss: 'workspace-1' })
  equal(exp! - iat!, 60)
}

async function callAsUser(
  url: string,
  session: string,
  { url: apiUri, requests }: MembraneApi,
): Promise<void> {
  const fetchToken = createTokenProvider({ url, headers: () => ({ Authorization: `Bearer ${session}` }) })
  const membrane = new MembraneClient({ apiUri, fetchToken })
  equal((await membrane.self.get()).id, 'customer-7')
  assert((await membrane.integrations.find()).items.length > 0, 'no integrations')
  const calls = requests.splice(0).map(({ path, claims }) => [path, claims?.id])
  equal(calls, [
    ['/self', 'customer-7'],
    ['/integrations', 'customer-7'],
  ])
}

/** Runs the suite in a runtime and prints its result. */
async function runInside(url: string): Promise<void> {
  const response = await fetch(url, { signal: AbortSignal.timeout(SUITE_LIMIT) })
  equal(response.status, 200)
  const result = (await response.json()) as Result
  if (report(record(result)) !== 0) process.exitCode = 1
  equal(result.total, countTests(modules, lib), 'number of tests')
}

async function waitFor(origin: string, next: RunningProcess): Promise<void> {
  const end = Date.now() + START_LIMIT
  let ended = false
  next.ended
    .catch(() => {})
    .finally(() => {
      ended = true
    })
  while (!(await fetch(origin).catch(() => undefined))) {
    if (ended || Date.now() > end) throw new Error('next start does not respond')
    await wait(200)
  }
}
