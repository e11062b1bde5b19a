import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import {
  createSigner,
  createVerifier,
  generateKeyPair,
  type KeyPair,
  type MembraneTokenErrorCode,
  type Verifier,
  type VerifierOptions,
} from '../../src/index.ts'
import { workspaceKey } from '../conformance/tokens.ts'

/** Key sets over real connections. Caching, rotation and the choice of a key are in the portable suite. */

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const START = Date.UTC(2026, 0, 1)

type Handler = (request: IncomingMessage, response: ServerResponse) => void

let respond: Handler
let requests: IncomingMessage[]
let time: number
let pair: KeyPair
let token: string
let port = 0

const server = createServer((request, response) => {
  requests.push(request)
  respond(request, response)
})

async function start(): Promise<void> {
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  port = (server.address() as AddressInfo).port
}

async function stop(): Promise<void> {
  server.close()
  server.closeAllConnections()
  await once(server, 'close')
}

beforeAll(async () => {
  pair = await generateKeyPair('ES256')
  const { privateKey, keyId } = pair
  const signer = await createSigner({ workspaceKey, privateKey, keyId, now: () => START })
  // Valid for longer than the tests move the clock.
  token = (await signer.signCustomerToken({ id: 'customer-42' }, { expiresIn: '30d' })).token
  await start()
})

afterAll(stop)

beforeEach(() => {
  requests = []
  time = START
  respond = send(keySet())
})

afterEach(() => {
  vi.restoreAllMocks()
})

const keySet = () => JSON.stringify({ keys: [pair.publicJwk] })

function send(body: string | Buffer, status = 200, headers: Record<string, string> = {}): Handler {
  return (_, response) => response.writeHead(status, headers).end(body)
}

function connect(options: Partial<VerifierOptions> = {}): Promise<Verifier> {
  const jwks = new URL(`http://127.0.0.1:${port}/jwks.json`)
  return createVerifier({ workspaceKey, jwks, now: () => time, ...options })
}

async function expectRejection(verifying: Promise<unknown>, code: MembraneTokenErrorCode): Promise<void> {
  await expect(verifying).rejects.toMatchObject({ name: 'MembraneTokenError', code })
}

test('concurrent tokens cause one request, without credentials', async () => {
  const verifier = await connect()
  await Promise.all(Array.from({ length: 10 }, () => verifier.verify(token)))
  expect(requests).toHaveLength(1)
  const [{ method, url, headers }] = requests as [IncomingMessage]
  expect([method, url, headers.authorization]).toEqual(['GET', '/jwks.json', undefined])
  expect(headers.accept).toContain('application/jwk-set+json')
})

test('nothing is fetched for an algorithm that is not allowed', async () => {
  const verifier = await connect({ algorithms: ['ES384'] })
  await expectRejection(verifier.verify(token), 'ERR_TOKEN_ALGORITHM_NOT_ALLOWED')
  expect(requests).toHaveLength(0)
})

test.each(['application/octet-stream', 'text/html'])('a key set is accepted as %s', async (type) => {
  respond = send(keySet(), 200, { 'content-type': type })
  const verifier = await connect()
  expect(await verifier.verify(token)).toMatchObject({ kind: 'customer' })
})

const failures: [title: string, code: MembraneTokenErrorCode, make: () => Handler][] = [
  ['304', 'ERR_JWKS_UNAVAILABLE', () => send('', 304)],
  [
    'a body shorter than its Content-Length',
    'ERR_JWKS_UNAVAILABLE',
    () => (_, response) => {
      response.writeHead(200, { 'content-length': '1000' })
      response.write(keySet(), () => response.destroy())
    },
  ],
  ['a closed connection', 'ERR_JWKS_UNAVAILABLE', () => (_, response) => response.destroy()],
  ['10 MB', 'ERR_JWKS_UNAVAILABLE', () => send(keySet().padEnd(10_000_000))],
  [
    '10 MB in a few kilobytes of gzip',
    'ERR_JWKS_UNAVAILABLE',
    () => send(gzipSync(keySet().padEnd(10_000_000)), 200, { 'content-encoding': 'gzip' }),
  ],
  ['invalid gzip', 'ERR_JWKS_UNAVAILABLE', () => send(keySet(), 200, { 'content-encoding': 'gzip' })],
  ['null', 'ERR_KEY_INVALID', () => send('null')],
  ['a list', 'ERR_KEY_INVALID', () => send('[]')],
  ['a JSON error', 'ERR_KEY_INVALID', () => send('{"error":"unauthorized"}')],
]

test.each(failures)('%s is %s, and does not affect known keys', async (_, code, make) => {
  const verifier = await connect()
  respond = make()
  await expectRejection(verifier.verify(token), code)
  respond = send(keySet())
  time += MINUTE
  await verifier.verify(token)
  respond = make()
  time += HOUR
  await verifier.verify(token)
  expect(requests).toHaveLength(3)
})

test.each([301, 302, 303, 307, 308])('a redirect with %i is not followed', async (status) => {
  respond = send(keySet(), status, { location: '/elsewhere' })
  const verifier = await connect()
  await expectRejection(verifier.verify(token), 'ERR_JWKS_UNAVAILABLE')
  expect(requests.map(({ url }) => url)).toEqual(['/jwks.json'])
})

test('an endless body is cancelled', async () => {
  let sent = 0
  let closed: Promise<unknown> | undefined
  respond = (_, response) => {
    closed = once(response, 'close')
    const write = (): void => {
      if (response.destroyed) return
      sent += 16_384
      response.write(' '.repeat(16_384)) ? setImmediate(write) : response.once('drain', write)
    }
    write()
  }
  const verifier = await connect()
  await expectRejection(verifier.verify(token), 'ERR_JWKS_UNAVAILABLE')
  await closed
  // Socket buffers are filled too.
  expect(sent).toBeLessThan(20_000_000)
})

test.each<[string, Handler]>([
  ['never responds', () => {}],
  ['never sends the body', (_, response) => response.writeHead(200).flushHeaders()],
  [
    'never ends the body',
    (_, response) => {
      response.writeHead(200)
      const timer = setInterval(() => response.write(' '), 10)
      response.once('close', () => clearInterval(timer))
    },
  ],
])('a server that %s times out', async (_, handler) => {
  // Fake timers do not reach AbortSignal.timeout, so this one is only shorter.
  const { timeout } = AbortSignal
  const spy = vi.spyOn(AbortSignal, 'timeout').mockImplementation(() => timeout.call(AbortSignal, 100))
  const verifier = await connect()
  respond = handler
  await expectRejection(verifier.verify(token), 'ERR_JWKS_UNAVAILABLE')
  const [milliseconds] = spy.mock.calls[0]!
  expect(milliseconds).toBeGreaterThanOrEqual(1000)
  expect(milliseconds).toBeLessThanOrEqual(10_000)

  respond = send(keySet())
  time += MINUTE
  await verifier.verify(token)
  respond = handler
  time += HOUR
  await verifier.verify(token)
})

test('known keys outlive a server that is down, and are refetched when it is back', async () => {
  const verifier = await connect()
  const late = await connect()
  await verifier.verify(token)
  await stop()
  try {
    await expectRejection(late.verify(token), 'ERR_JWKS_UNAVAILABLE')
    time += HOUR
    await verifier.verify(token)
    time += 7 * 24 * HOUR
    await expectRejection(verifier.verify(token), 'ERR_JWKS_UNAVAILABLE')
  } finally {
    await start()
  }
  time += MINUTE
  await verifier.verify(token)
  await late.verify(token)
})
