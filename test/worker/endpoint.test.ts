import jwt from 'jsonwebtoken'
import { afterEach, beforeEach, describe, expect, type MockInstance, test, vi } from 'vitest'
import { type AuditEvent, apiKeys, type Caller, createTokenEndpoint, refusal } from '../../src/endpoint.ts'
import { MembraneTokenError } from '../../src/errors.ts'
import { createSigner } from '../../src/token/signer.ts'
import { expectProblem, randomKey, sha256 } from './harness.ts'

const secret = randomKey()
const signer = await createSigner({ workspaceKey: 'workspace', secret })
const service: Caller = { kind: 'service', name: 'backend', scopes: ['customer', 'admin'] }
const session: Caller = { kind: 'customer', customer: { id: 'customer-1', name: 'One' }, subject: 'user-1' }

const post = (body?: object) =>
  new Request('https://app.test/api/membrane-token', {
    method: 'POST',
    ...(body && { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) }),
  })

const handler = (caller: Caller | null, options = {}) =>
  createTokenEndpoint({ signer, authenticate: async () => caller, ...options })

async function claimsOf(response: Response): Promise<jwt.JwtPayload> {
  const { token } = (await response.json()) as { token: string }
  return jwt.verify(token, secret) as jwt.JwtPayload
}

const lifetimeOf = ({ iat, exp }: jwt.JwtPayload) => exp! - iat!

describe('access by caller', () => {
  test('an unauthenticated request is rejected', async () => {
    await expectProblem(await handler(null)(post({ id: 'c' })), 401, 'ERR_CREDENTIALS_MISSING')
  })

  test('a service gets an admin token without customer claims', async () => {
    const claims = await claimsOf(await handler(service, { kind: 'admin' })(post({})))
    expect(Object.keys(claims).sort()).toEqual(['exp', 'iat', 'isAdmin', 'iss', 'jti'])
  })

  test('a service without the scope is rejected', async () => {
    const caller: Caller = { kind: 'service', name: 'backend', scopes: ['customer'] }
    await expectProblem(await handler(caller, { kind: 'admin' })(post()), 403, 'ERR_CALLER_FORBIDDEN')
  })

  test('a session gets its own customer token, without a body', async () => {
    expect(await claimsOf(await handler(session)(post()))).toMatchObject({ id: 'customer-1', name: 'One' })
  })

  test('a session cannot get an admin token', async () => {
    await expectProblem(await handler(session, { kind: 'admin' })(post()), 403, 'ERR_CALLER_FORBIDDEN')
  })

  test.each(['id', 'name', 'fields', 'isAdmin'])('a session that sends %s is rejected', async (member) => {
    const response = await handler(session)(post({ [member]: 'customer-1' }))
    expect(await expectProblem(response, 403, 'ERR_CALLER_FORBIDDEN')).toContain(member)
  })
})

// Written without types, or with a customer that a database did not find.
describe('an authenticator that resolves to an invalid caller', () => {
  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['true', true],
    ['text', 'customer-1'],
    ['an empty object', {}],
    ['an unknown kind', { kind: 'admin', name: 'x', scopes: ['admin', 'customer'] }],
    ['a customer that is undefined', { kind: 'customer', subject: 'user-1', customer: undefined }],
    ['a customer that is null', { kind: 'customer', subject: 'user-1', customer: null }],
    ['a customer without an id', { kind: 'customer', subject: 'user-1', customer: {} }],
    ['a service without scopes', { kind: 'service', name: 'backend' }],
    ['a session with an invalid date', { ...session, expiresAt: new Date(Number.NaN) }],
    ['a session whose expiry is a string', { ...session, expiresAt: '2030-01-01' }],
  ])('%s: no token is issued', async (_, caller) => {
    const log = vi.spyOn(console, 'error').mockImplementation(() => {})
    for (const kind of ['customer', 'admin'] as const) {
      const response = await handler(caller as Caller, { kind })(post())
      expect(response.status).toBeGreaterThanOrEqual(400)
      expect(await response.text()).not.toContain('"token"')
    }
    log.mockRestore()
  })
})

describe('the lifetime', () => {
  test('the signer’s default lifetime is limited too', async () => {
    const response = await handler(service, { maxExpiresIn: '1h' })(post({ id: 'c' }))
    expect(lifetimeOf(await claimsOf(response))).toBe(3600)
  })

  test('is at most 24 hours without maxExpiresIn', async () => {
    const response = await handler(service)(post({ id: 'c', expiresIn: '7d' }))
    expect(lifetimeOf(await claimsOf(response))).toBe(86_400)
  })

  test('never exceeds the session', async () => {
    const expiresAt = new Date(Date.now() + 600_000)
    for (const body of [{}, { expiresIn: '1h' }]) {
      const claims = await claimsOf(await handler({ ...session, expiresAt })(post(body)))
      expect(claims.exp! * 1000).toBeLessThanOrEqual(expiresAt.getTime())
      expect(lifetimeOf(claims)).toBeGreaterThan(500)
    }
  })

  test('an expired session is rejected', async () => {
    const ended = { ...session, expiresAt: new Date(Date.now() - 1) }
    await expectProblem(await handler(ended)(post()), 401, 'ERR_CREDENTIALS_INVALID')
  })
})

describe('an error', () => {
  let log: MockInstance<typeof console.error>
  beforeEach(() => {
    log = vi.spyOn(console, 'error').mockImplementation(() => {})
  })
  afterEach(() => log.mockRestore())

  const throwing = (error: unknown) =>
    createTokenEndpoint({ signer, authenticate: () => Promise.reject(error) })(
      new Request('https://app.test/', { method: 'POST', headers: { 'X-Request-Id': 'request-1' } }),
    )

  test('from refusal() becomes the response', async () => {
    const response = await throwing(refusal('ERR_CREDENTIALS_INVALID', 'Your session was ended.'))
    expect(await expectProblem(response, 401, 'ERR_CREDENTIALS_INVALID')).toBe('Your session was ended.')
    expect(log).not.toHaveBeenCalled()
  })

  test.each([
    ['an error', new TypeError(`key ${secret}`)],
    ['an error of a key', new MembraneTokenError('ERR_KEY_INVALID', `key ${secret}`)],
    [
      'an error that only looks like a refusal',
      Object.assign(new Error(secret), { name: 'Refusal', code: 'toString' }),
    ],
    ['a string', secret],
    ['nothing', undefined],
    ['null', null],
    ['an error with a hostile name', Object.assign(new Error(secret), { name: 'x\n{}' })],
  ])('that is %s becomes a 500 without details, logged once', async (_, error) => {
    const response = await throwing(error)
    expect(await response.clone().text()).not.toContain(secret)
    expect(((await response.clone().json()) as { requestId: string }).requestId).toBe('request-1')
    await expectProblem(response, 500, 'ERR_INTERNAL')
    expect(log).toHaveBeenCalledTimes(1)
    expect(log.mock.calls[0]![0]).toContain('request-1')
    expect(log.mock.calls[0]![0]).not.toContain(secret)
  })
})

describe('an audit', () => {
  let log: MockInstance<typeof console.error>
  beforeEach(() => {
    log = vi.spyOn(console, 'error').mockImplementation(() => {})
  })
  afterEach(() => log.mockRestore())

  const linesOf = (spy: MockInstance<typeof console.error>) =>
    spy.mock.calls.map(([line]) => JSON.parse(line as string) as AuditEvent)

  test.each<[string, Caller | null, object, Partial<AuditEvent>]>([
    ['a token', service, { id: 'c', fields: { plan: 'trial' } }, { outcome: 'issued', customerId: 'c' }],
    ['a refusal', null, {}, { outcome: 'refused', code: 'ERR_CREDENTIALS_MISSING' }],
    ['an invalid request', service, {}, { outcome: 'refused', code: 'ERR_BODY_INVALID' }],
    ['a method of your own', { ...session, method: 'mtls' }, {}, { outcome: 'issued', method: 'mtls' }],
  ])('is called once for %s, and nothing is logged', async (_, caller, body, members) => {
    const events: AuditEvent[] = []
    await handler(caller, { audit: (event: AuditEvent) => events.push(event) })(post(body))
    expect(events).toEqual([expect.objectContaining(members)])
    expect(JSON.stringify(events)).not.toMatch(/trial|eyJ/)
    expect(log).not.toHaveBeenCalled()
  })

  test('that throws prevents the token, and is logged once', async () => {
    const audit = vi.fn(() => {
      throw new RangeError(`the log is full of ${secret}`)
    })
    const response = await handler(service, { audit })(post({ id: 'c' }))
    expect(await response.clone().text()).not.toMatch(/eyJ|full/)
    const { requestId } = (await response.clone().json()) as { requestId: string }
    await expectProblem(response, 500, 'ERR_INTERNAL')
    expect(linesOf(log)).toEqual([
      expect.objectContaining({ requestId, code: 'ERR_INTERNAL', error: 'RangeError' }),
    ])
    expect(JSON.stringify(log.mock.calls)).not.toContain(secret)
  })

  test('that throws once receives its own failure', async () => {
    const events: AuditEvent[] = []
    const audit = (event: AuditEvent) => {
      events.push(event)
      if (event.outcome === 'issued') throw new TypeError(secret)
    }
    await expectProblem(await handler(service, { audit })(post({ id: 'c' })), 500, 'ERR_INTERNAL')
    expect(events.map(({ outcome }) => outcome)).toEqual(['issued', 'failed'])
    expect(log).not.toHaveBeenCalled()
  })

  test('that throws on a rejection does not change it, and the event is still logged', async () => {
    const audit = () => {
      throw new Error(secret)
    }
    await expectProblem(await handler(null, { audit })(post()), 401, 'ERR_CREDENTIALS_MISSING')
    expect(linesOf(log)).toEqual([expect.objectContaining({ code: 'ERR_CREDENTIALS_MISSING' })])
  })

  test('that rejects asynchronously prevents the token too', async () => {
    const rejections: unknown[] = []
    const listener = (error: unknown) => rejections.push(error)
    const others = process.listeners('unhandledRejection')
    process.removeAllListeners('unhandledRejection').on('unhandledRejection', listener)
    const audit = async () => {
      throw new Error('the log cannot be reached')
    }
    const response = await handler(service, { audit })(post({ id: 'c' }))
    // Node tells of a rejection that nobody handles once it has nothing else to do.
    await new Promise((resolve) => setImmediate(resolve))
    process.removeListener('unhandledRejection', listener)
    for (const other of others) process.on('unhandledRejection', other)
    expect(rejections).toEqual([])
    await expectProblem(response, 500, 'ERR_INTERNAL')
  })
})

describe('options', () => {
  const authenticate = async () => null

  test.each<[string, object, string]>([
    ['no signer', { authenticate }, 'ERR_OPTION_INVALID'],
    ['no authenticator', { signer }, 'ERR_OPTION_INVALID'],
    ['an unknown kind', { signer, authenticate, kind: 'toString' }, 'ERR_OPTION_INVALID'],
    ['an invalid limit', { signer, authenticate, maxExpiresIn: '24' }, 'ERR_LIFETIME_INVALID'],
  ])('%s: refused', (_, options, code) => {
    expect(() => createTokenEndpoint(options as never)).toThrow(expect.objectContaining({ code }))
  })

  const key = { name: 'backend', sha256: sha256('key'), scopes: ['customer'] }
  test.each<[string, object[]]>([
    ['without a name', [{ ...key, name: '' }]],
    ['without a digest', [{ ...key, sha256: undefined }]],
    ['as plaintext', [{ ...key, sha256: 'key' }]],
    ['without scopes', [{ ...key, scopes: [] }]],
    ['with an unknown scope', [{ ...key, scopes: ['root'] }]],
    ['twice, in different case', [key, { ...key, sha256: key.sha256.toUpperCase() }]],
  ])('API key %s: refused', (_, keys) => {
    expect(() => apiKeys({ keys: keys as never })).toThrow(
      expect.objectContaining({ name: 'MembraneTokenError', code: 'ERR_OPTION_INVALID' }),
    )
  })

  test('without API keys, every key is rejected', async () => {
    const authenticate = apiKeys({ keys: [] })
    const headers = { Authorization: 'Bearer key' }
    const response = await createTokenEndpoint({ signer, authenticate })(
      new Request('https://app.test/', { method: 'POST', headers }),
    )
    await expectProblem(response, 401, 'ERR_CREDENTIALS_INVALID')
  })
})
