import { afterEach, beforeEach, describe, expect, type MockInstance, test, vi } from 'vitest'
import { type AuditEvent, createTokenEndpoint, type RequestHandler, refusal } from '../../src/endpoint.ts'
import { MembraneTokenError } from '../../src/index.ts'
import { createTokenService } from '../../src/service.ts'
import { ask, authenticate, keys, service, signer } from '../service/harness.ts'

const HIDDEN = 'hunter2'

let log: MockInstance<typeof console.error>
beforeEach(() => {
  log = vi.spyOn(console, 'error').mockImplementation(() => {})
})
afterEach(() => log.mockRestore())

const thrown: [string, unknown][] = [
  ['an error', new TypeError(HIDDEN)],
  ['a claim error', new MembraneTokenError('ERR_CLAIM_INVALID', HIDDEN)],
  ['a key error', new MembraneTokenError('ERR_KEY_UNAVAILABLE', HIDDEN)],
  ['text', HIDDEN],
  ['undefined', undefined],
]

describe.each(['audit', 'rateLimit', 'authenticate'] as const)('a failing %s', (hook) => {
  test.each(thrown)('that throws %s is a 500 that reveals nothing', async (_, error) => {
    const fail = () => Promise.reject(error)
    const response = await service({ [hook]: fail })(ask())
    const text = await response.text()
    expect([response.status, JSON.parse(text).code]).toEqual([500, 'ERR_INTERNAL'])
    expect(text + JSON.stringify(log.mock.calls)).not.toContain(HIDDEN)
  })
})

test.each(['rateLimit', 'authenticate'] as const)('the refusal of %s is returned', async (hook) => {
  const refuse = () => Promise.reject(refusal('ERR_RATE_LIMITED', 'Come back later.', { 'Retry-After': '7' }))
  const response = await service({ [hook]: refuse })(ask())
  expect([response.status, response.headers.get('Retry-After')]).toEqual([429, '7'])
  expect(((await response.json()) as { detail: string }).detail).toBe('Come back later.')
})

describe('repeats in the audit', () => {
  async function audited() {
    let time = Date.UTC(2026, 0)
    const events: AuditEvent[] = []
    const handler = service({ audit: (event) => void events.push(event), now: () => time })
    return {
      events,
      wait: (seconds: number) => {
        time += seconds * 1000
      },
      fail: (clientAddress?: string, request = ask('unknown')) =>
        handler(request, clientAddress === undefined ? {} : { clientAddress }),
    }
  }

  test('of one reason and network are one event a minute, with their count', async () => {
    const { events, fail, wait } = await audited()
    for (let index = 0; index < 5; index++) await fail('192.0.2.1')
    expect(events.map(({ count }) => count)).toEqual([undefined])
    wait(59.999)
    await fail('192.0.2.1')
    expect(events).toHaveLength(1)
    wait(0.001)
    await fail('192.0.2.1')
    expect(events.map(({ count }) => count)).toEqual([undefined, 6])
  })

  test('of another reason or network are events of their own', async () => {
    const { events, fail } = await audited()
    await fail('192.0.2.1')
    await fail('192.0.2.2')
    await fail('192.0.2.1', ask(keys.console))
    expect(events.map(({ code }) => code)).toEqual([
      'ERR_CREDENTIALS_INVALID',
      'ERR_CREDENTIALS_INVALID',
      'ERR_CALLER_FORBIDDEN',
    ])
  })

  test('without an address are all events', async () => {
    const { events, fail } = await audited()
    await fail()
    await fail()
    expect(events).toHaveLength(2)
  })

  test('are forgotten, the oldest first, beyond 1000 networks', async () => {
    const { events, fail } = await audited()
    for (let index = 0; index <= 1000; index++) await fail(`10.0.${index >> 8}.${index & 255}`)
    expect(events).toHaveLength(1001)
    await fail('10.0.3.232')
    expect(events).toHaveLength(1001)
    await fail('10.0.0.0')
    expect(events).toHaveLength(1002)
  })
})

describe('something that is no Request', () => {
  const handlers: [string, RequestHandler][] = [
    ['createTokenEndpoint', createTokenEndpoint({ signer, authenticate })],
    ['createTokenService', createTokenService({ signer, authenticate })],
  ]
  test.each(handlers)('%s names the adapter for Express and Fastify', async (_, handler) => {
    for (const request of [undefined, {}, { url: '/', method: 'POST', headers: { host: 'a.test' } }]) {
      await expect(handler(request as never)).rejects.toMatchObject({
        code: 'ERR_OPTION_INVALID',
        message: expect.stringMatching(/Express.*Fastify.*getRequestListener/),
      })
    }
  })
})

test.each([
  ['createTokenEndpoint', createTokenEndpoint, 'maxExpireIn', 'maxExpiresIn'],
  ['createTokenService', createTokenService, 'allowedOrigin', 'allowedOrigins'],
] as const)('%s rejects unknown options', (_, make, unknown, meant) => {
  const options = { signer, authenticate, [unknown]: undefined }
  expect(() => make(options)).toThrow(
    expect.objectContaining({ code: 'ERR_OPTION_INVALID', message: expect.stringContaining(meant) }),
  )
})

// Types alone: whoever serves the handler needs no cast.
test('the handler is assignable to the shapes of the runtimes', () => {
  const handler: RequestHandler = service()
  const deno: (request: Request, info: { remoteAddr: { hostname: string } }) => Promise<Response> = handler
  const bun: (request: Request, server: { port: number }) => Response | Promise<Response> = handler
  const next: (request: Request, context: { params: Promise<object> }) => Promise<Response> = handler
  const worker: {
    fetch(
      request: Request,
      env: object,
      context: { waitUntil(promise: Promise<unknown>): void },
    ): Promise<Response>
  } = { fetch: (request, _, context) => handler(request, context) }
  const hono: (context: { req: { raw: Request } }) => Promise<Response> = (context) =>
    handler(context.req.raw)
  for (const shape of [deno, bun, next, worker.fetch, hono]) expect(shape).toBeTypeOf('function')
})
