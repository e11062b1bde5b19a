// Each example as its README starts it, in a project of its own, with the package as npm installs it.
import { type ChildProcess, spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { cpSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import jwt from 'jsonwebtoken'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { bin, installPacked, type Project, run } from '../package/packed-package.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const apiKey = randomBytes(32).toString('base64url')
const settings = {
  MEMBRANE_WORKSPACE_KEY: crypto.randomUUID(),
  MEMBRANE_WORKSPACE_SECRET: randomBytes(32).toString('hex'),
  API_KEY_SHA256: createHash('sha256').update(apiKey).digest('hex'),
  PORT: '0', // A free one: the server says which.
}
const denoOptions = ['--no-prompt', '--no-remote', '--cached-only', '--no-lock', '--node-modules-dir=manual']

const SERVERS: [example: string, tool: string][] = [
  ['deno', 'deno'],
  ['bun', 'bun'],
  ['hono', 'bun'],
]

let project: Project
let child: ChildProcess | undefined

beforeAll(async () => {
  project = await installPacked()
  for (const [example] of SERVERS) {
    cpSync(join(root, 'examples', example), join(project.directory, 'examples', example), { recursive: true })
  }
  symlinkSync(join(root, 'node_modules/hono'), join(project.directory, 'node_modules/hono'))
}, 240_000)

afterEach(async () => {
  if (child?.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGKILL')
  await once(child, 'exit')
})

afterAll(() => project?.remove())

/** The command after `tool` in an example's README; what it says of the port becomes "any". */
function commandOf(example: string, tool: string): string[] {
  const readme = readFileSync(join(root, 'examples', example, 'README.md'), 'utf8')
  const [, line = ''] = readme.match(new RegExp(`^${tool} (.*\\.ts)$`, 'm')) ?? []
  return line.replace(/:\d+/, ':0').split(' ')
}

function start(example: string, tool: string, args: string[]): ChildProcess {
  const { HOME = '', PATH = '' } = process.env
  const env = { HOME, PATH, ...settings, NO_COLOR: '1', DENO_NO_UPDATE_CHECK: '1' }
  const cwd = join(project.directory, 'examples', example)
  child = spawn(bin(tool), args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
  return child
}

/** What a server says until it names its address; or until its end, as an error. */
async function addressOf({ stdout, stderr }: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = ''
    let open = 2
    for (const stream of [stdout!, stderr!]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        said += text
        const [, port] = said.match(/http:\/\/[^\s/]+:(\d+)\/?\s/) ?? []
        if (port) resolve(`http://127.0.0.1:${port}`)
      })
      stream.on('end', () => --open === 0 && reject(new Error(`It ended before it listened:\n${said}`)))
    }
  })
}

test.each(SERVERS)('examples/%s, as its README starts it', async (example, tool) => {
  const [first = '', ...rest] = commandOf(example, tool)
  const args = tool === 'deno' ? [first, ...denoOptions, ...rest] : ['--no-install', first, ...rest]
  const url = `${await addressOf(start(example, tool, args))}/api/membrane-token`
  const ask = (authorization?: string, method = 'POST') =>
    fetch(url, {
      method,
      headers: { 'Content-Type': 'application/json', ...(authorization && { Authorization: authorization }) },
      ...(method === 'POST' && { body: JSON.stringify({ id: 'customer-42', name: 'Zoë & Söhne' }) }),
    })

  const answer = await ask(`Bearer ${apiKey}`)
  expect([answer.status, answer.headers.get('Cache-Control')]).toEqual([200, 'no-store'])
  const { token, expiresIn } = (await answer.json()) as { token: string; expiresIn: number }
  expect(expiresIn).toBe(7200)
  expect(jwt.verify(token, settings.MEMBRANE_WORKSPACE_SECRET, { algorithms: ['HS512'] })).toMatchObject({
    iss: settings.MEMBRANE_WORKSPACE_KEY,
    id: 'customer-42',
    name: 'Zoë & Söhne',
  })

  for (const authorization of [undefined, 'Bearer wrong']) {
    const refused = await ask(authorization)
    expect([refused.status, refused.headers.get('Content-Type')]).toEqual([401, 'application/problem+json'])
    expect(refused.headers.get('WWW-Authenticate')).toMatch(/^Bearer/)
  }
  const wrong = await ask(`Bearer ${apiKey}`, 'DELETE')
  expect([wrong.status, wrong.headers.get('Allow')]).toEqual([405, 'GET, POST'])
  expect((await fetch(new URL('/api/other', url))).status).toBe(404)
  const home = await fetch(new URL('/', url))
  expect(await home.text()).toBe(example === 'hono' ? 'The app as it was' : '')
})

describe('Deno', () => {
  const [verb = '', allowNet = '', allowEnv = '', file = ''] = commandOf('deno', 'deno')

  test('its types are right', async () => {
    const directory = join(project.directory, 'examples/deno')
    await run(directory, bin('deno'), 'check', '--no-remote', '--no-lock', '--node-modules-dir=manual', file)
  })

  const names = allowEnv.replace('--allow-env=', '').split(',')
  test.each([
    ['the network', [allowEnv]],
    ...names.map((name): [string, string[]] => {
      const others = names.filter((other) => other !== name)
      return [name, [allowNet, `--allow-env=${others}`]]
    }),
  ])('it needs its permission for %s', async (_, permissions) => {
    const server = start('deno', 'deno', [verb, ...denoOptions, ...permissions, file])
    await expect(addressOf(server)).rejects.toThrow('NotCapable')
  })
})
