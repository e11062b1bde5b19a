// Starts each example as its README says, in a new project with the packed package, and compares its responses with those of
// the service in this process.
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { cpSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import process from 'node:process'
import jwt from 'jsonwebtoken'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createTokenServiceFromEnv } from '../../src/service.ts'
import { bin, installPacked, type Project } from '../package/packed-package.ts'
import { root } from '../support/sources.ts'
import { callHandler, EXCHANGES, type Exchange, exchange, normalize, secret, settings } from './exchanges.ts'

const SERVERS: [example: string, tool: 'deno' | 'bun' | 'node' | 'wrangler'][] = [
  ['deno', 'deno'],
  ['bun', 'bun'],
  ['node', 'node'],
  ['express', 'node'],
  ['fastify', 'node'],
  ['hono', 'bun'],
  ['worker-in-worker', 'wrangler'],
]

/** Examples in which the service is part of an app. */
const APPS = ['express', 'fastify', 'hono', 'worker-in-worker']

/** Other packages that the examples import; they are linked, not installed. */
const DEPENDENCIES = ['@hono/node-server', 'better-auth', 'express', 'fastify', 'hono']

let project: Project

beforeAll(async () => {
  project = await installPacked()
  cpSync(join(root, 'examples'), join(project.directory, 'examples'), {
    recursive: true,
    filter: (path) => !path.includes('/next'),
  })
  for (const name of DEPENDENCIES) {
    const link = join(project.directory, 'node_modules', name)
    mkdirSync(dirname(link), { recursive: true })
    symlinkSync(join(root, 'node_modules', name), link)
  }
}, 240_000)

afterAll(() => project?.remove())

/** The command in the README that starts the server, without the tool itself. */
function commandOf(example: string, tool: string): string[] {
  const readme = readFileSync(join(root, 'examples', example, 'README.md'), 'utf8')
  const line = new RegExp(
    `^(?:\\S+=\\S+ )*(?:npx )?${tool} ((?!add|install|node_modules).*?)(?: +#.*)?$`,
    'm',
  ).exec(readme)?.[1]
  expect(line, `the README of ${example} has no start command`).toBeDefined()
  return line!.split(' ')
}

const OPTIONS: Readonly<Record<string, string[]>> = {
  deno: ['--no-prompt', '--no-remote', '--cached-only', '--no-lock', '--node-modules-dir=manual'],
  bun: ['--no-install'],
  node: ['--no-warnings'],
  wrangler: [],
}

interface Server {
  readonly origin: string
  stop(): Promise<void>
}

async function start(example: string, tool: string, env: Record<string, string>): Promise<Server> {
  const [first = '', ...rest] = commandOf(example, tool)
  const args =
    tool === 'deno' || tool === 'wrangler'
      ? [first, ...OPTIONS[tool]!, ...rest]
      : [...OPTIONS[tool]!, first, ...rest]
  if (tool === 'wrangler') {
    args.push('--port', '0', '--ip', '127.0.0.1', '--show-interactive-dev-session=false')
    for (const [name, value] of Object.entries(env)) args.push('--var', `${name}:${value}`)
  }
  const { HOME = '', PATH = '' } = process.env
  const child = spawn(tool === 'node' ? process.execPath : bin(tool), args, {
    cwd: join(project.directory, 'examples', example),
    env: {
      HOME,
      PATH,
      ...env,
      PORT: '0',
      NO_COLOR: '1',
      DENO_NO_UPDATE_CHECK: '1',
      WRANGLER_SEND_METRICS: 'false',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  return {
    origin: await originOf(child),
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return
      // The whole process group, because wrangler starts workerd.
      process.kill(-child.pid!, 'SIGKILL')
      await once(child, 'exit')
    },
  }
}

/** Reads a server's port from its output. */
function originOf({ stdout, stderr }: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = ''
    let openStreams = 2
    for (const stream of [stdout!, stderr!]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text
        const port = /https?:\/\/[^\s/]+:(\d+)/.exec(output)?.[1] ?? /port: (\d+)/.exec(output)?.[1]
        if (port && port !== '0') resolve(`http://127.0.0.1:${port}`)
      })
      stream.on('end', () => {
        if (--openStreams === 0) reject(new Error(`The server exited before it listened:\n${output}`))
      })
    }
  })
}

const reference = createTokenServiceFromEnv(settings, { audit: () => {} })

describe.each(SERVERS)('examples/%s on %s', (example, tool) => {
  let server: Server

  beforeAll(async () => {
    const env = Object.fromEntries(
      Object.entries(settings).map(([name, value]) => [
        example === 'worker-in-worker' ? `TOKENS_${name}` : name,
        value,
      ]),
    )
    server = await start(example, tool, env)
  }, 120_000)
  afterAll(() => server?.stop())

  test.each(Object.entries(EXCHANGES))('%s', async (_, sent: Exchange) => {
    const response = await exchange(server.origin, sent)
    expect(normalize(response)).toEqual(normalize(await callHandler(reference, sent)))
  })

  test('issues a valid token', async () => {
    const { body } = await exchange(server.origin, EXCHANGES['a customer token']!)
    const { token } = JSON.parse(body) as { token: string }
    expect(jwt.verify(token, secret, { algorithms: ['HS512'] })).toMatchObject({
      iss: settings.MEMBRANE_WORKSPACE_KEY,
      id: 'customer-42',
      name: 'Zoë & Söhne',
    })
  })

  if (APPS.includes(example)) {
    test('keeps the other routes of the app', async () => {
      expect((await exchange(server.origin, { path: '/' })).body).toBe('Your app')
    })
  }
})

describe('examples/cookie-session', () => {
  let server: Server
  let cookie = ''
  const requestToken = (headers: Record<string, string>) =>
    exchange(server.origin, { path: '/api/membrane-token', headers: { Cookie: cookie, ...headers } })

  beforeAll(async () => {
    const BETTER_AUTH_SECRET = randomBytes(32).toString('base64')
    server = await start('cookie-session', 'node', { ...settings, BETTER_AUTH_SECRET })
    const user = { email: 'ada@example.com', password: 'correct horse battery', name: 'Ada' }
    const response = await exchange(server.origin, {
      method: 'POST',
      path: '/api/auth/sign-up/email',
      headers: { 'Content-Type': 'application/json', Origin: 'http://localhost:0' },
      body: JSON.stringify(user),
    })
    expect(response.status, response.body).toBe(200)
    cookie = (response.headers['set-cookie'] ?? '').split(';')[0]!
  }, 60_000)
  afterAll(() => server?.stop())

  test('issues a token for the signed-in user to a same-origin request', async () => {
    const { status, body } = await requestToken({ 'Sec-Fetch-Site': 'same-origin' })
    expect(status, body).toBe(200)
    const claims = jwt.verify((JSON.parse(body) as { token: string }).token, secret) as jwt.JwtPayload
    expect(claims).toMatchObject({ name: 'Ada', id: expect.stringMatching(/\w/) })
  })

  test.each([
    ['a cross-site request', { 'Sec-Fetch-Site': 'cross-site' }],
    ['a same-site request from another origin', { 'Sec-Fetch-Site': 'same-site' }],
    ['a request from another origin', { Origin: 'https://evil.example' }],
    ['a request without Sec-Fetch-Site and Origin', {}],
  ])('rejects %s', async (_, headers) => {
    expect((await requestToken(headers)).status).toBe(403)
  })

  test('rejects a forged session cookie', async () => {
    const headers = { Cookie: 'better-auth.session_token=forged', 'Sec-Fetch-Site': 'same-origin' }
    expect((await requestToken(headers)).status).toBe(401)
  })
})
