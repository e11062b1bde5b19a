import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { MembraneClient } from '@membranehq/sdk'
import { build } from 'esbuild'
import jwt from 'jsonwebtoken'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createTokenProvider } from '../../src/client.ts'
import { createSigner } from '../../src/index.ts'

const workspaceKey = '4f9b5f5b-6f3c-4d0e-9d0b-5d5e7f1a2b3c'
const secret = 'correct horse battery staple, said the membrane; 64 bytes or more.'

const servers: Server[] = []

async function listen(handle: RequestListener): Promise<string> {
  const server = createServer(handle).listen(0, '127.0.0.1')
  servers.push(server)
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

beforeEach(() => {
  // The waits between two attempts are then none.
  vi.spyOn(Math, 'random').mockReturnValue(0)
})

afterEach(async () => {
  vi.restoreAllMocks()
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
})

/** A token endpoint that gives a customer's token, after failing as often as it is told. */
async function listenForTokens(failures: RequestListener[] = []) {
  const signer = await createSigner({ workspaceKey, secret })
  const requests: { method: string | undefined; headers: Record<string, unknown> }[] = []
  const origin = await listen(async (request, response) => {
    requests.push({ method: request.method, headers: request.headers })
    const failure = failures[requests.length - 1]
    if (failure) return failure(request, response)
    const { token, expiresAt } = await signer.signCustomerToken({ id: 'customer-42', name: 'Zoë' })
    response.setHeader('Content-Type', 'application/json')
    response.end(JSON.stringify({ token, expiresAt, expiresIn: 7200 }))
  })
  return { url: `${origin}/api/membrane-token`, requests }
}

describe('over HTTP', () => {
  test('thirty callers, one request', async () => {
    const { url, requests } = await listenForTokens()
    const provide = createTokenProvider({ url, headers: () => ({ Authorization: 'Bearer session' }) })
    const tokens = new Set(await Promise.all(Array.from({ length: 30 }, () => provide())))
    tokens.add(await provide())
    expect(tokens.size).toBe(1)
    expect(jwt.verify([...tokens][0]!, secret)).toMatchObject({ id: 'customer-42', name: 'Zoë' })
    expect(requests).toHaveLength(1)
    expect(requests[0]).toMatchObject({
      method: 'GET',
      headers: { accept: 'application/json', authorization: 'Bearer session' },
    })
  })

  test('connections that break and servers that are down', async () => {
    const { url, requests } = await listenForTokens([
      (request) => request.socket.destroy(),
      (_, response) => {
        response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': '100' })
        response.write('{"token":')
        setImmediate(() => response.destroy())
      },
      (_, response) => response.writeHead(503, { 'Retry-After': '0' }).end(),
    ])
    expect(jwt.verify(await createTokenProvider({ url })(), secret)).toMatchObject({ id: 'customer-42' })
    expect(requests).toHaveLength(4)
  })

  test('unreachable', async () => {
    const origin = await listen(() => {})
    servers.pop()?.close()
    await expect(createTokenProvider({ url: origin })()).rejects.toMatchObject({
      name: 'MembraneTokenError',
      code: 'ERR_TOKEN_REQUEST_FAILED',
      cause: { name: 'TypeError', code: 'ECONNREFUSED' },
    })
  })

  test('a redirect is not followed, to whatever origin', async () => {
    const elsewhere = await listenForTokens()
    const { url, requests } = await listenForTokens([
      (_, response) => response.writeHead(302, { Location: elsewhere.url }).end(),
    ])
    const headers = () => ({ 'X-Session-Token': 'session' })
    await expect(createTokenProvider({ url, headers })()).rejects.toMatchObject({
      code: 'ERR_TOKEN_REQUEST_FAILED',
      message: 'The token endpoint returned 302, a redirect or no token; check url and sign-in.',
    })
    expect([requests.length, elsewhere.requests.length]).toEqual([1, 0])
  })

  test('a session that has ended', async () => {
    const { url, requests } = await listenForTokens([(_, response) => response.writeHead(401).end()])
    const provide = createTokenProvider({ url })
    await expect(provide()).rejects.toMatchObject({ code: 'ERR_TOKEN_REQUEST_REFUSED' })
    expect(requests).toHaveLength(1)
    await expect(provide()).resolves.toMatch(/^eyJ/)
  })
})

describe('with Membrane’s SDK', () => {
  async function callThirtyTimes(wrap: (url: string) => () => Promise<string>) {
    const { url, requests } = await listenForTokens()
    const seen = new Set<string>()
    const apiUri = await listen((request, response) => {
      const token = request.headers.authorization?.replace('Bearer ', '') ?? ''
      response.setHeader('Content-Type', 'application/json')
      try {
        jwt.verify(token, secret, { issuer: workspaceKey })
        seen.add(token)
        response.end(JSON.stringify({ id: 'customer-42' }))
      } catch {
        response.writeHead(401).end(JSON.stringify({ type: 'bad_request', key: 'not_authenticated' }))
      }
    })
    const client = new MembraneClient({ apiUri, fetchToken: wrap(url) })
    const answers = await Promise.all(Array.from({ length: 30 }, () => client.self.get()))
    expect(answers).toHaveLength(30)
    expect(answers.every((answer) => (answer as { id?: string }).id === 'customer-42')).toBe(true)
    return { requests: requests.length, tokens: seen.size }
  }

  test('thirty first calls make one token request', async () => {
    expect(await callThirtyTimes((url) => createTokenProvider({ url }))).toEqual({ requests: 1, tokens: 1 })
  })

  test('which is more than the SDK does by itself', async () => {
    const { requests } = await callThirtyTimes((url) => async () => {
      const response = await fetch(url)
      return ((await response.json()) as { token: string }).token
    })
    expect(requests).toBeGreaterThan(1)
  })
})

test('weighs at most 1.7 kB', async () => {
  const { outputFiles, metafile } = await build({
    entryPoints: [new URL('../../src/client.ts', import.meta.url).pathname],
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    metafile: true,
    write: false,
  })
  expect(
    Object.keys(metafile.inputs)
      .map((path) => path.replace(/.*\//, ''))
      .sort(),
  ).toEqual(['client.ts', 'countdown.ts', 'errors.ts', 'retry.ts', 'token-provider.ts', 'token-request.ts'])
  expect(gzipSync(outputFiles[0]!.text, { level: 9 }).length).toBeLessThanOrEqual(1741)
})
