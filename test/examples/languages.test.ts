// Runs the example in each language of Membrane's documentation, which gets a token from the service.
import { execFile } from 'node:child_process'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import process from 'node:process'
import { promisify } from 'node:util'
import { getRequestListener } from '@hono/node-server'
import jwt from 'jsonwebtoken'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTokenServiceFromEnv } from '../../src/service.ts'
import { root } from '../support/sources.ts'
import { API_KEY, secret, settings } from './exchanges.ts'

const execute = promisify(execFile)
let server: Server

beforeAll(async () => {
  const service = createTokenServiceFromEnv(settings, { audit: () => {} })
  server = createServer(getRequestListener((request) => service(request), { overrideGlobalObjects: false }))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})
afterAll(() => server.close())

test.each([
  ['node', process.execPath, 'token.mjs'],
  ['Python', 'python3', 'token.py'],
  ['Ruby', 'ruby', 'token.rb'],
  ['Go', 'go', 'run', 'token.go'],
  ['Java', 'java', 'Token.java'],
  ['PHP', 'php', 'token.php'],
])(
  '%s',
  async (_, command, ...args) => {
    const { port } = server.address() as AddressInfo
    const env = { ...process.env, TOKEN_URL: `http://127.0.0.1:${port}/api/membrane-token`, API_KEY }
    const { stdout } = await execute(command, args, { cwd: `${root}examples/languages`, env })
    expect(jwt.verify(stdout.trim(), secret)).toMatchObject({ id: 'customer-42', name: 'Acme Inc.' })
  },
  120_000, // compiling Go and Java is slow on a busy machine
)
