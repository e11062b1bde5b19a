import { type AuditEvent, apiKeys, type Caller, type TokenEndpointOptions } from '../../src/endpoint.ts'
import {
  atTime,
  backend,
  bearer,
  createTestEndpoint,
  expectGrant,
  expectProblem,
  inSilence,
  makeRequest,
  parse,
  send,
  sha256,
  type TestRequest,
  visitor,
} from './endpoint-harness.ts'
import { privateJwk } from './keys.ts'
import { assert, type ConformanceModule, equal, type Library } from './suite.ts'
import { now } from './token-fixtures.ts'
import { createTestSigner, customer, secret } from './tokens.ts'

const headers = { 'X-Request-Id': 'request-1' }

async function auditOne(
  lib: Library,
  caller: Caller | null,
  request: TestRequest,
  options: Partial<TokenEndpointOptions> = {},
): Promise<{ event: AuditEvent; jwtId: string | undefined; detail: unknown }> {
  const events: AuditEvent[] = []
  let jwtId: string | undefined
  let detail: unknown
  await atTime(now, async () => {
    const audit = (event: AuditEvent) => void events.push(event)
    const handler = await createTestEndpoint(lib, caller, { audit, ...options })
    const response = await send(handler, { ...request, headers })
    if (response.status === 200) jwtId = (await expectGrant(response)).jwtId
    else detail = parse(response.text).detail
  })
  const [event] = events
  assert(event && events.length === 1, `${events.length} events`)
  return { event, jwtId, detail }
}

export const endpointAudit: ConformanceModule = ({ test }, lib) => {
  const common = {
    time: '2026-01-01T00:00:00.000Z',
    requestId: 'request-1',
    tokenKind: 'customer',
    algorithm: 'HS512',
    duration: 0,
  }
  const service = { callerKind: 'service', callerName: 'backend' }
  const session = { callerKind: 'customer', callerName: 'user-7', customerId: customer.id }

  const issued: [string, Caller, TestRequest, Partial<TokenEndpointOptions>, object][] = [
    ['for a session', { ...visitor, method: 'session' }, {}, {}, { ...session, method: 'session' }],
    ['for a session of a custom authenticator', visitor, {}, {}, session],
    ['for a service', backend, { body: customer }, {}, { ...service, customerId: customer.id }],
    ['for an admin', backend, { body: {} }, { kind: 'admin' }, { ...service, tokenKind: 'admin' }],
  ]
  for (const [title, caller, request, options, expected] of issued) {
    test(`issued ${title}`, async () => {
      const { event, jwtId } = await auditOne(lib, caller, { method: 'POST', ...request }, options)
      equal({ ...event }, { ...common, ...expected, outcome: 'issued', jwtId })
    })
  }

  const refused: [string, Caller | null, TestRequest, string, object][] = [
    ['missing credentials', null, {}, 'ERR_CREDENTIALS_MISSING', {}],
    ['the method', backend, { method: 'PUT' }, 'ERR_METHOD_NOT_ALLOWED', {}],
    ['a session that names a customer', visitor, { body: { id: 'other' } }, 'ERR_CALLER_FORBIDDEN', session],
    ['a missing scope', { ...backend, scopes: ['admin'] }, {}, 'ERR_CALLER_FORBIDDEN', service],
    ['the body', backend, { body: '{' }, 'ERR_BODY_INVALID', service],
    ['the id', backend, { body: { id: 5 } }, 'ERR_CLAIM_INVALID', service],
  ]
  for (const [title, caller, request, code, expected] of refused) {
    test(`refused for ${title}`, async () => {
      const { event, detail } = await auditOne(lib, caller, request)
      equal({ ...event }, { ...common, ...expected, outcome: 'refused', code, detail })
    })
  }

  test('failed, with the name of the error and not its message', async () => {
    const signer = await createTestSigner(lib, { secret })
    const failing = { ...signer, signCustomerToken: () => Promise.reject(new RangeError('hunter2')) }
    await inSilence(async (lines) => {
      const { event, detail } = await auditOne(lib, visitor, {}, { signer: failing })
      const failed = { outcome: 'failed', code: 'ERR_INTERNAL', detail, error: 'RangeError' }
      equal({ ...event }, { ...common, ...session, ...failed })
      equal(lines, [], 'logged twice')
    })
  })

  test('names the key and its algorithm', async () => {
    const privateKey = await privateJwk('P-256')
    const signer = await createTestSigner(lib, { privateKey, keyId: 'key-1' })
    const events: AuditEvent[] = []
    const audit = (event: AuditEvent) => void events.push(event)
    await send(await createTestEndpoint(lib, visitor, { signer, audit }))
    equal([events[0]?.keyId, events[0]?.algorithm], ['key-1', 'ES256'])
  })

  test('contains no secret, and no name or fields of the customer', async () => {
    const apiKey = 'a-long-and-random-api-key-0123456789'
    const authenticate = apiKeys({
      keys: [{ name: 'backend', sha256: await sha256(apiKey), scopes: ['customer'] }],
    })
    const events: AuditEvent[] = []
    const audit = (event: AuditEvent) => void events.push(event)
    const handler = await createTestEndpoint(lib, authenticate, { audit })
    const Authorization = `Bearer ${apiKey}`
    const body = { id: 'c', name: 'Ada Private', fields: { card: '4111-1111' } }
    const { token } = await expectGrant(await send(handler, { body, headers: { Authorization } }))
    expectProblem(await send(handler, bearer('a-key-that-is-unknown')), 'ERR_CREDENTIALS_INVALID')
    expectProblem(await send(handler, bearer('e30.e30.AAAA')), 'ERR_CREDENTIALS_INVALID')
    const text = JSON.stringify(events)
    equal(events.length, 3)
    const confidential = [apiKey, await sha256(apiKey), token, ...token.split('.'), secret]
    for (const hidden of [...confidential, 'Ada Private', '4111-1111', 'a-key-that-is-unknown', 'e30.e30']) {
      assert(!text.includes(hidden), `the audit contains ${hidden}`)
    }
  })
}

export const endpointBrokenAudit: ConformanceModule = ({ test }, lib) => {
  const failing = () => {
    throw new TypeError('hunter2')
  }

  test('no token is issued if the audit fails', async () => {
    for (const [caller, options] of [
      [visitor, { audit: failing }],
      [visitor, { audit: async () => failing() }],
      [backend, { kind: 'admin', audit: failing }],
    ] as const) {
      await inSilence(async (lines) => {
        const handler = await createTestEndpoint(lib, caller, options)
        for (const accept of ['application/json', 'application/jwt']) {
          const response = await send(handler, {
            method: 'POST',
            headers: { ...headers, Accept: accept },
          })
          expectProblem(response, 'ERR_INTERNAL')
          assert(!`${response.text}${lines.join()}`.includes('hunter2'), 'the detail is revealed')
        }
        equal(lines.length, 2)
        assert(
          lines.every((line) => line.includes('request-1') && line.includes('TypeError')),
          'the failure is not logged',
        )
      })
    }
  })

  test('the failure is audited if the hook recovers', async () => {
    const events: AuditEvent[] = []
    const audit = (event: AuditEvent) => {
      if (event.outcome === 'issued') failing()
      events.push(event)
    }
    await inSilence(async (lines) => {
      expectProblem(await send(await createTestEndpoint(lib, visitor, { audit })), 'ERR_INTERNAL')
      equal([events.length, events[0]?.outcome, events[0]?.error, lines], [1, 'failed', 'TypeError', []])
    })
  })

  test('a rejection is returned unchanged if the audit fails', async () => {
    await inSilence(async (lines) => {
      const handler = await createTestEndpoint(lib, null, { audit: failing })
      expectProblem(await send(handler, makeRequest({ headers })), 'ERR_CREDENTIALS_MISSING')
      equal([lines.length, lines[0]?.includes('ERR_CREDENTIALS_MISSING')], [1, true])
    })
  })
}
