import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import {
  createSigner,
  createVerifier,
  generateKeyPair,
  type KeyPair,
  type MembraneTokenErrorCode,
  type Verifier,
  type VerifierOptions,
} from '../../src/index.ts'

const workspaceKey = '4f9b5f5b-6f3c-4d0e-9d0b-5d5e7f1a2b3c'
const SECOND = 1000
const HOUR = 3600 * SECOND

type Handler = (request: IncomingMessage, response: ServerResponse) => void

let answer: Handler
let requests: IncomingMessage[]
let time: number

const server = createServer((request, response) => {
  requests.push(request)
  answer(request, response)
})
let port = 0

async function start(): Promise<void> {
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  port = (server.address() as AddressInfo).port
}

async function stop(): Promise<void> {
  if (!server.listening) return
  server.close()
  server.closeAllConnections()
  await once(server, 'close')
}

let [old, young]: KeyPair[] = []

beforeAll(async () => {
  ;[old, young] = await Promise.all([generateKeyPair('ES256'), generateKeyPair('ES256')])
  await start()
})

afterAll(stop)

beforeEach(() => {
  requests = []
  time = Date.UTC(2026, 0, 1)
  answer = publish(old!)
})

afterEach(() => {
  vi.restoreAllMocks()
})

function publish(...pairs: KeyPair[]): Handler {
  return send(JSON.stringify({ keys: pairs.map(({ publicJwk }) => publicJwk) }))
}

function send(body: string | Buffer, status = 200, headers: Record<string, string> = {}): Handler {
  return (_, response) => response.writeHead(status, headers).end(body)
}

function connect(options: Partial<VerifierOptions> = {}): Promise<Verifier> {
  const jwks = new URL(`http://127.0.0.1:${port}/jwks.json`)
  return createVerifier({ workspaceKey, jwks, now: () => time, ...options })
}

/** A token that lives as long as the test's clock may run. */
async function sign({ privateKey, keyId }: KeyPair, id = 'customer-42'): Promise<string> {
  const signer = await createSigner({ workspaceKey, privateKey, keyId, now: () => time })
  return (await signer.signCustomerToken({ id }, { expiresIn: '30d' })).token
}

async function expectRefusal(verifying: Promise<unknown>, code: MembraneTokenErrorCode): Promise<void> {
  await expect(verifying).rejects.toMatchObject({ name: 'MembraneTokenError', code })
}

describe('a set that can be had', () => {
  test('is fetched when the first token comes, once however many wait, and kept', async () => {
    const verifier = await connect()
    const token = await sign(old!)
    expect(requests).toHaveLength(0)
    await Promise.all(Array.from({ length: 10 }, () => verifier.verify(token)))
    await verifier.verify(token)
    expect(requests).toHaveLength(1)
    expect(requests[0]).toMatchObject({ method: 'GET', url: '/jwks.json' })
    // Nothing of the token, the workspace or the caller goes to whoever publishes the set.
    expect(Object.keys(requests[0]!.headers)).not.toContain('authorization')
    expect(requests[0]!.headers.accept).toContain('application/jwk-set+json')
  })

  test('is refetched when it is old', async () => {
    const verifier = await connect()
    const token = await sign(old!)
    await verifier.verify(token)
    time += HOUR
    await Promise.all([verifier.verify(token), verifier.verify(token)])
    await verifier.verify(token)
    expect(requests).toHaveLength(2)
  })

  test('a rotation rejects no token, and a retired key is dropped with its set', async () => {
    const verifier = await connect()
    const oldToken = await sign(old!)
    await verifier.verify(oldToken)

    answer = publish(old!, young!)
    time += 60 * SECOND
    const youngToken = await sign(young!)
    for (const [token, { keyId }] of [
      [youngToken, young!],
      [oldToken, old!],
      [youngToken, young!],
    ] as const) {
      expect(await verifier.verify(token)).toMatchObject({ kind: 'customer', keyId })
    }
    expect(requests).toHaveLength(2)

    answer = publish(young!)
    time += HOUR
    await verifier.verify(youngToken)
    await expectRefusal(verifier.verify(oldToken), 'ERR_KEY_NOT_FOUND')
  })

  test('concurrent tokens of a new key wait for the set that has it', async () => {
    const verifier = await connect()
    await verifier.verify(await sign(old!))
    answer = publish(old!, young!)
    time += 60 * SECOND
    const token = await sign(young!)
    const outcomes = await Promise.allSettled(Array.from({ length: 5 }, () => verifier.verify(token)))
    expect(outcomes.map(({ status }) => status)).toEqual(outcomes.map(() => 'fulfilled'))
    expect(requests).toHaveLength(2)
  })

  test('unknown key ids cost at most one request per cool-down', async () => {
    const verifier = await connect()
    const token = await sign(old!)
    await verifier.verify(token)
    const strangers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => sign({ ...young!, keyId: `stranger-${index}` })),
    )
    const attack = async () => {
      for (const stranger of strangers) await expectRefusal(verifier.verify(stranger), 'ERR_KEY_NOT_FOUND')
      await Promise.all(strangers.map((one) => expectRefusal(verifier.verify(one), 'ERR_KEY_NOT_FOUND')))
    }
    await attack()
    expect(requests.length).toBeLessThanOrEqual(2)
    const count = requests.length
    time += 60 * SECOND
    await attack()
    expect(requests).toHaveLength(count + 1)

    // The attack delays a rotation by no more than the cool-down.
    answer = publish(old!, young!)
    time += 60 * SECOND
    await verifier.verify(await sign(young!))
    await verifier.verify(token)
  })

  test('the URL is that of the moment at which the verifier was made', async () => {
    const jwks = new URL(`http://127.0.0.1:${port}/first`)
    const verifier = await connect({ jwks })
    jwks.pathname = '/second'
    await verifier.verify(await sign(old!))
    expect(requests.map(({ url }) => url)).toEqual(['/first'])
  })

  test('the algorithms are pinned before anything is fetched', async () => {
    const verifier = await connect({ algorithms: ['ES384'] })
    await expectRefusal(verifier.verify(await sign(old!)), 'ERR_TOKEN_ALGORITHM_NOT_ALLOWED')
    await expectRefusal(verifier.verify('no.token.'), 'ERR_TOKEN_MALFORMED')
    expect(requests).toHaveLength(0)
  })
})

const good = () => JSON.stringify({ keys: [old!.publicJwk] })

test.each(['text/plain', 'application/octet-stream', 'text/html'])(
  'a set is accepted as %s: many are static files',
  async (type) => {
    answer = send(good(), 200, { 'content-type': type })
    const verifier = await connect()
    expect(await verifier.verify(await sign(old!))).toMatchObject({ kind: 'customer' })
  },
)

test('a set that holds a key twice is accepted', async () => {
  answer = publish(old!, old!)
  const verifier = await connect()
  expect(await verifier.verify(await sign(old!))).toMatchObject({ kind: 'customer' })
})

const answers: [name: string, code: MembraneTokenErrorCode, make: () => Handler][] = [
  ['500', 'ERR_JWKS_UNAVAILABLE', () => send(good(), 500)],
  ['404', 'ERR_JWKS_UNAVAILABLE', () => send(good(), 404)],
  ['204', 'ERR_JWKS_UNAVAILABLE', () => send('', 204)],
  ['304', 'ERR_JWKS_UNAVAILABLE', () => send('', 304)],
  [
    'HTML',
    'ERR_JWKS_UNAVAILABLE',
    () => send('<!doctype html><p>Log in</p>', 200, { 'content-type': 'text/html' }),
  ],
  ['nothing', 'ERR_JWKS_UNAVAILABLE', () => send('')],
  ['half a set', 'ERR_JWKS_UNAVAILABLE', () => send(good().slice(0, -10))],
  [
    'a body shorter than announced',
    'ERR_JWKS_UNAVAILABLE',
    () => (_, response) => {
      response.writeHead(200, { 'content-length': '1000' })
      response.write(good(), () => response.destroy())
    },
  ],
  ['a broken connection', 'ERR_JWKS_UNAVAILABLE', () => (_, response) => response.destroy()],
  ['a huge set', 'ERR_JWKS_UNAVAILABLE', () => send(good() + ' '.repeat(10_000_000))],
  [
    'a huge set in a few kilobytes of gzip',
    'ERR_JWKS_UNAVAILABLE',
    () => send(gzipSync(good() + ' '.repeat(10_000_000)), 200, { 'content-encoding': 'gzip' }),
  ],
  ['data that is not gzip', 'ERR_JWKS_UNAVAILABLE', () => send(good(), 200, { 'content-encoding': 'gzip' })],
  ['null', 'ERR_KEY_INVALID', () => send('null')],
  ['a list', 'ERR_KEY_INVALID', () => send('[]')],
  ['an error in JSON', 'ERR_KEY_INVALID', () => send('{"error":"unauthorized"}')],
  [
    'a private key',
    'ERR_KEY_FORMAT_UNSUPPORTED',
    () => send(JSON.stringify({ keys: [{ ...old!.publicJwk, d: 'AQ' }] })),
  ],
  [
    'a symmetric key',
    'ERR_KEY_FORMAT_UNSUPPORTED',
    () => send(JSON.stringify({ keys: [old!.publicJwk, { kty: 'oct', k: 'AQ' }] })),
  ],
]

describe.each(answers)('an answer of %s', (_, code, make) => {
  test(`is ${code}, and forgotten once there is a set`, async () => {
    answer = make()
    const verifier = await connect()
    const token = await sign(old!)
    await expectRefusal(verifier.verify(token), code)
    await expectRefusal(Promise.all([verifier.verify(token), verifier.verify(token)]), code)
    answer = publish(old!)
    time += 60 * SECOND
    await verifier.verify(token)
  })

  test('leaves known keys good for a bounded time', async () => {
    const verifier = await connect()
    const [token, stranger] = [await sign(old!), await sign(young!)]
    await verifier.verify(token)
    answer = make()
    time += HOUR
    await verifier.verify(token)
    const count = requests.length
    // While the cool-down lasts, the failing server is left alone.
    await verifier.verify(token)
    await expectRefusal(verifier.verify(stranger), code)
    expect(requests).toHaveLength(count)
    time += 60 * SECOND
    await expectRefusal(verifier.verify(stranger), code)
    await verifier.verify(token)
    time += 7 * 24 * HOUR
    await expectRefusal(verifier.verify(token), code)
    answer = publish(old!)
    time += 60 * SECOND
    await verifier.verify(token)
  })
})

test.each([301, 302, 303, 307, 308])('a redirect with %i is not followed', async (status) => {
  const target = `http://127.0.0.1:${port}/elsewhere`
  answer = (request, response) =>
    request.url === '/elsewhere'
      ? publish(old!)(request, response)
      : send(good(), status, { location: target })(request, response)
  const verifier = await connect()
  await expectRefusal(verifier.verify(await sign(old!)), 'ERR_JWKS_UNAVAILABLE')
  expect(requests.map(({ url }) => url)).toEqual(['/jwks.json'])
})

test('an endless body is broken off', async () => {
  let sent = 0
  let ended: Promise<unknown> | undefined
  answer = (_, response) => {
    ended = once(response, 'close')
    const write = (): void => {
      if (response.destroyed) return
      sent += 16_384
      response.write(' '.repeat(16_384)) ? setImmediate(write) : response.once('drain', write)
    }
    write()
  }
  const verifier = await connect()
  await expectRefusal(verifier.verify(await sign(old!)), 'ERR_JWKS_UNAVAILABLE')
  await ended
  // Buffers on the way fill up too; what counts is that it ends.
  expect(sent).toBeLessThan(20_000_000)
})

describe('a server that takes its time', () => {
  const slow: [string, Handler][] = [
    ['never answers', () => {}],
    ['never begins with the body', (_, response) => response.writeHead(200).flushHeaders()],
    [
      'never ends the body',
      (_, response) => {
        response.writeHead(200)
        const drip = setInterval(() => response.write(' '), 10)
        response.once('close', () => clearInterval(drip))
      },
    ],
  ]

  test.each(slow)('and %s runs into the time-out', async (_, handler) => {
    // The real one counts inside the engine, where no fake timer reaches it; this one only counts faster.
    const { timeout } = AbortSignal
    const spy = vi.spyOn(AbortSignal, 'timeout').mockImplementation(() => timeout.call(AbortSignal, 100))
    answer = handler
    const verifier = await connect()
    const token = await sign(old!)
    await expectRefusal(verifier.verify(token), 'ERR_JWKS_UNAVAILABLE')
    const [milliseconds] = spy.mock.calls[0]!
    expect(milliseconds).toBeGreaterThanOrEqual(1 * SECOND)
    expect(milliseconds).toBeLessThanOrEqual(10 * SECOND)

    answer = publish(old!)
    time += 60 * SECOND
    await verifier.verify(token)
    answer = handler
    time += HOUR
    await verifier.verify(token)
  })
})

test('a server that is down: known keys stay good for a bounded time, and it may come back', async () => {
  const verifier = await connect()
  const late = await connect()
  const token = await sign(old!)
  await verifier.verify(token)
  await stop()
  try {
    await expectRefusal(late.verify(token), 'ERR_JWKS_UNAVAILABLE')
    time += HOUR
    await verifier.verify(token)
    await expectRefusal(verifier.verify(await sign(young!)), 'ERR_JWKS_UNAVAILABLE')
    time += 7 * 24 * HOUR
    await expectRefusal(verifier.verify(token), 'ERR_JWKS_UNAVAILABLE')
  } finally {
    await start()
  }
  time += 60 * SECOND
  await verifier.verify(token)
  await late.verify(token)
})

test.each([
  'http://example.com/jwks.json',
  'ftp://127.0.0.1/jwks.json',
  'file:///etc/jwks.json',
  'data:application/json,{"keys":[]}',
  'https://user:password@example.com/jwks.json',
  'http://127.0.0.1.example.com/jwks.json',
  'http://localhost.example.com/jwks.json',
])('%s is rejected as a URL', async (url) => {
  await expectRefusal(connect({ jwks: new URL(url) }), 'ERR_OPTION_INVALID')
})
