import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { MembraneClient } from '@membranehq/sdk'
import jwt from 'jsonwebtoken'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createTokenProvider } from '../../src/client.ts'
import { createSigner } from '../../src/index.ts'
import { secret, workspaceKey } from '../conformance/tokens.ts'

const servers: Server[] = []

async function listen(handle: RequestListener): Promise<string> {
  const server = createServer(handle).listen(0, '127.0.0.1')
  servers.push(server)
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

beforeEach(() => {
  // No delay between two attempts.
  vi.spyOn(Math, 'random').mockReturnValue(0)
})

afterEach(async () => {
  vi.restoreAllMocks()
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
})

/** A token endpoint whose first responses are `failures`. */
async function listenForTokens(failures: RequestListener[] = []) {
  const signer = await createSigner({ workspaceKey, secret })
  const endpoint = { url: '', requests: 0 }
  const origin = await listen(async (request, response) => {
    const failure = failures[endpoint.requests++]
    if (failure) return failure(request, response)
    const { token, expiresAt } = await signer.signCustomerToken({ id: 'customer-42' })
    response.setHeader('Content-Type', 'application/json')
    response.end(JSON.stringify({ token, expiresAt, expiresIn: 7200 }))
  })
  endpoint.url = `${origin}/api/membrane-token`
  return endpoint
}

describe('over HTTP', () => {
  test('retries when a connection breaks and when the server is down', async () => {
    const endpoint = await listenForTokens([
      (request) => request.socket.destroy(),
      (_, response) => {
        response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': '100' })
        response.write('{"token":')
        setImmediate(() => response.destroy())
      },
      (_, response) => response.writeHead(503, { 'Retry-After': '0' }).end(),
    ])
    const token = await createTokenProvider({ url: endpoint.url })()
    expect(jwt.verify(token, secret)).toMatchObject({ id: 'customer-42' })
    expect(endpoint.requests).toBe(4)
  })

  test('a refused connection is named as the cause', async () => {
    const url = await listen(() => {})
    servers.pop()?.close()
    await expect(createTokenProvider({ url })()).rejects.toMatchObject({
      name: 'MembraneTokenError',
      code: 'ERR_TOKEN_REQUEST_FAILED',
      cause: { name: 'TypeError', code: 'ECONNREFUSED' },
    })
  })

  test('a redirect is not followed, even with custom headers', async () => {
    const other = await listenForTokens()
    const endpoint = await listenForTokens([
      (_, response) => response.writeHead(302, { Location: other.url }).end(),
    ])
    const headers = () => ({ 'X-Session-Token': 'session' })
    await expect(createTokenProvider({ url: endpoint.url, headers })()).rejects.toMatchObject({
      code: 'ERR_TOKEN_REQUEST_FAILED',
      message: 'The token endpoint returned 302, a redirect or no token; check url and sign-in.',
    })
    expect([endpoint.requests, other.requests]).toEqual([1, 0])
  })
})

describe('with Membrane’s SDK', () => {
  async function callThirtyTimes(wrap: (url: string) => () => Promise<string>) {
    const endpoint = await listenForTokens()
    const tokens = new Set<string>()
    const apiUri = await listen((request, response) => {
      const token = request.headers.authorization?.replace('Bearer ', '') ?? ''
      response.setHeader('Content-Type', 'application/json')
      try {
        jwt.verify(token, secret, { issuer: workspaceKey })
        tokens.add(token)
        response.end(JSON.stringify({ id: 'customer-42' }))
      } catch {
        response.writeHead(401).end(JSON.stringify({ type: 'bad_request', key: 'not_authenticated' }))
      }
    })
    const client = new MembraneClient({ apiUri, fetchToken: wrap(endpoint.url) })
    const customers = await Promise.all(Array.from({ length: 30 }, () => client.self.get()))
    expect(new Set(customers.map(({ id }) => id))).toEqual(new Set(['customer-42']))
    return { requests: endpoint.requests, tokens: tokens.size }
  }

  test('thirty concurrent calls make one token request', async () => {
    expect(await callThirtyTimes((url) => createTokenProvider({ url }))).toEqual({ requests: 1, tokens: 1 })
  })

  test('without the provider, the SDK makes several', async () => {
    const { requests } = await callThirtyTimes((url) => async () => {
      const response = await fetch(url)
      return ((await response.json()) as { token: string }).token
    })
    expect(requests).toBeGreaterThan(1)
  })
})
