import { describe, expect, test } from 'vitest'
import { type AuditEvent, createTokenEndpoint, type RequestHandler } from '../../src/endpoint.ts'
import { createTokenService } from '../../src/service.ts'
import { authenticate, keys, service, signer, tokenRequest } from '../service/harness.ts'

describe('repeated failures', () => {
  function audited() {
    let time = Date.UTC(2026, 0)
    const events: AuditEvent[] = []
    const handler = service({ audit: (event) => void events.push(event), now: () => time })
    return {
      events,
      wait: (seconds: number) => {
        time += seconds * 1000
      },
      fail: (clientAddress?: string, request = tokenRequest('unknown')) =>
        handler(request, clientAddress === undefined ? {} : { clientAddress }),
    }
  }

  test('with one reason and network are one audit event a minute, with their count', async () => {
    const { events, fail, wait } = audited()
    for (let index = 0; index < 5; index++) await fail('192.0.2.1')
    expect(events.map(({ count }) => count)).toEqual([undefined])
    wait(59.999)
    await fail('192.0.2.1')
    expect(events).toHaveLength(1)
    wait(0.001)
    await fail('192.0.2.1')
    expect(events.map(({ count }) => count)).toEqual([undefined, 6])
  })

  test('with another reason or network are separate events', async () => {
    const { events, fail } = audited()
    await fail('192.0.2.1')
    await fail('192.0.2.2')
    await fail('192.0.2.1', tokenRequest(keys.console))
    expect(events.map(({ code }) => code)).toEqual([
      'ERR_CREDENTIALS_INVALID',
      'ERR_CREDENTIALS_INVALID',
      'ERR_CALLER_FORBIDDEN',
    ])
  })

  test('without an address are separate events', async () => {
    const { events, fail } = audited()
    await fail()
    await fail()
    expect(events).toHaveLength(2)
  })

  test('beyond 1000 networks are forgotten, the oldest first', async () => {
    const { events, fail } = audited()
    for (let index = 0; index <= 1000; index++) await fail(`10.0.${index >> 8}.${index & 255}`)
    expect(events).toHaveLength(1001)
    await fail('10.0.3.232')
    expect(events).toHaveLength(1001)
    await fail('10.0.0.0')
    expect(events).toHaveLength(1002)
  })
})

test.each<[string, RequestHandler]>([
  ['createTokenEndpoint', createTokenEndpoint({ signer, authenticate })],
  ['createTokenService', createTokenService({ signer, authenticate })],
])(
  '%s: for another kind of request, the error names the adapter for Express and Fastify',
  async (_, handler) => {
    for (const request of [undefined, {}, { url: '/', method: 'POST', headers: { host: 'a.test' } }]) {
      await expect(handler(request as never)).rejects.toMatchObject({
        code: 'ERR_OPTION_INVALID',
        message: expect.stringMatching(/Express.*Fastify.*getRequestListener/),
      })
    }
  },
)

test.each([
  ['createTokenEndpoint', createTokenEndpoint, 'maxExpireIn', 'maxExpiresIn'],
  ['createTokenService', createTokenService, 'allowedOrigin', 'allowedOrigins'],
] as const)('%s rejects unknown options', (_, make, unknown, meant) => {
  const options = { signer, authenticate, [unknown]: undefined }
  expect(() => make(options)).toThrow(
    expect.objectContaining({ code: 'ERR_OPTION_INVALID', message: expect.stringContaining(meant) }),
  )
})

// Checked by the compiler: no runtime needs a cast.
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
