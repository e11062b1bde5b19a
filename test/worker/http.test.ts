import { request as httpRequest } from 'node:http'
import jwt from 'jsonwebtoken'
import type { Miniflare } from 'miniflare'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { expectProblem, makeSettings, randomKey, startWorker } from './harness.ts'

const { settings, secret, apiKeys } = makeSettings()
const BACKEND = `Bearer ${apiKeys.backend}`
const CUSTOMER = { id: 'customer-42', name: 'Acme Inc.', fields: { plan: 'trial' } }

let miniflare: Miniflare
let logged: string[]

beforeAll(async () => {
  ;({ miniflare, logged } = await startWorker(settings))
})
afterAll(async () => {
  await miniflare?.dispose()
})

type Init = { method?: string; headers?: Record<string, string>; body?: string | Uint8Array | ReadableStream }

const send = (path: string, init: Init = {}) =>
  miniflare.dispatchFetch(`http://worker.test${path}`, {
    ...init,
    ...(init.body instanceof ReadableStream && { duplex: 'half' as const }),
  } as Parameters<Miniflare['dispatchFetch']>[1])

const ask = (body: Init['body'] | object, headers: Record<string, string | undefined> = {}) => {
  const raw = typeof body === 'string' || body instanceof Uint8Array || body instanceof ReadableStream
  const all = { Authorization: BACKEND, 'Content-Type': 'application/json', ...headers }
  return send('/api/membrane-token', {
    method: 'POST',
    headers: Object.fromEntries(
      Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined),
    ),
    body: raw ? body : JSON.stringify(body),
  })
}

interface TokenBody {
  token: string
  expiresAt: string
  expiresIn: number
}

function verify(token: string): jwt.JwtPayload {
  return jwt.verify(token, secret, {
    algorithms: ['HS512'],
    issuer: 'workspace-under-test',
  }) as jwt.JwtPayload
}

describe('a token', () => {
  test('is given to a service, for the customer it names', async () => {
    const response = await ask(CUSTOMER)
    expect(response.status).toBe(200)
    expect(response.headers.get('Content-Type')).toBe('application/json')
    expect(response.headers.get('Cache-Control')).toBe('no-store')
    expect(response.headers.get('X-Content-Type-Options')).toBe('nosniff')

    const body = (await response.json()) as TokenBody
    expect(Object.keys(body)).toEqual(['token', 'expiresAt', 'expiresIn'])
    const claims = verify(body.token)
    expect(claims).toEqual({
      ...CUSTOMER,
      iss: 'workspace-under-test',
      iat: expect.any(Number),
      exp: claims.iat! + 7200,
    })
    expect(body.expiresIn).toBe(7200)
    expect(body.expiresAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
    expect(Date.parse(body.expiresAt)).toBe(claims.exp! * 1000)
  })

  test('needs no more than an id', async () => {
    const { token } = (await (await ask({ id: 'c' })).json()) as TokenBody
    expect(Object.keys(verify(token))).toEqual(['id', 'iat', 'exp', 'iss'])
  })

  test.each([
    ['seconds', 90, 90],
    ['a duration', '30m', 1800],
    ['the limit', '24h', 86_400],
    ['more than the limit', '25h', 86_400],
    ['far more than the limit', '500w', 86_400],
  ])('lives as long as wished: %s', async (_, expiresIn, seconds) => {
    const body = (await (await ask({ id: 'c', expiresIn })).json()) as TokenBody
    const claims = verify(body.token)
    expect(body.expiresIn).toBe(seconds)
    expect(claims.exp! - claims.iat!).toBe(seconds)
  })

  test('comes from either of two live keys, whatever the case of digest and scheme', async () => {
    expect((await ask(CUSTOMER, { Authorization: `Bearer ${apiKeys.backendNext}` })).status).toBe(200)
    expect((await ask(CUSTOMER, { Authorization: `bearer ${apiKeys.backend}` })).status).toBe(200)
    expect((await ask(CUSTOMER, { Authorization: `BEARER  ${apiKeys.backend}` })).status).toBe(200)
  })

  test.each([
    'application/jwt',
    'application/jwt, */*;q=0.1',
    'application/json;q=0.5, application/jwt',
    'APPLICATION/JWT',
  ])('comes bare for Accept: %s', async (Accept) => {
    const response = await ask(CUSTOMER, { Accept })
    expect(response.headers.get('Content-Type')).toBe('application/jwt')
    expect(response.headers.get('Cache-Control')).toBe('no-store')
    expect(verify(await response.text()).id).toBe(CUSTOMER.id)
  })

  test.each([
    '*/*',
    'application/json',
    'application/json, application/jwt',
    'text/html',
    'application/jwt;q=0',
    '',
  ])('comes as JSON for Accept: %s', async (Accept) => {
    const response = await ask(CUSTOMER, { Accept })
    expect(response.headers.get('Content-Type')).toBe('application/json')
    expect(verify(((await response.json()) as TokenBody).token).id).toBe(CUSTOMER.id)
  })

  test.each([
    'application/json; charset=utf-8',
    'application/json;charset=UTF-8',
    'Application/JSON ; charset="utf-8"',
  ])('is given for Content-Type: %s', async (type) => {
    expect((await ask(CUSTOMER, { 'Content-Type': type })).status).toBe(200)
  })

  test('holds what the body said, in any script, and nothing it did not ask for', async () => {
    const customer = { id: 'клиент-42', name: '株式会社 🦊', fields: { 'ключ"': ['\u0000', 1.5, null] } }
    const { token } = (await (
      await ask({ ...customer, isAdmin: true, iss: 'x', exp: 1 })
    ).json()) as TokenBody
    const claims = verify(token)
    expect(claims).toMatchObject(customer)
    expect(claims).not.toHaveProperty('isAdmin')
  })
})

describe('a caller', () => {
  test.each([
    ['no credentials', undefined],
    ['another scheme', 'Basic dXNlcjpwYXNz'],
    ['a scheme that only begins alike', 'Bearerish abc'],
  ])('with %s gets 401 and a bare challenge', async (_, Authorization) => {
    const response = await ask(CUSTOMER, { Authorization })
    expect(response.headers.get('WWW-Authenticate')).toBe('Bearer')
    await expectProblem(response, 401, 'ERR_CREDENTIALS_MISSING')
  })

  test.each([
    ['an unknown key', `Bearer ${randomKey()}`],
    ['a digest instead of a key', `Bearer ${JSON.parse(settings.API_KEYS!)[0].sha256}`],
    ['half a key', BACKEND.slice(0, -20)],
    ['a key and more', `${BACKEND}x`],
    ['a key of 7000 characters', `Bearer ${'k'.repeat(7000)}`],
    ['no key', 'Bearer'],
    ['two words', `${BACKEND} ${apiKeys.backend}`],
    ['two keys in one header', `${BACKEND}, ${BACKEND}`],
    ['a quoted key', `Bearer "${apiKeys.backend}"`],
    ['characters that no key has', 'Bearer ключ'.replace(/[^\x20-\x7e]/g, '\u00ff')],
  ])('with %s gets 401 invalid_token', async (_, Authorization) => {
    const response = await ask(CUSTOMER, { Authorization })
    expect(response.headers.get('WWW-Authenticate')).toBe('Bearer error="invalid_token"')
    await expectProblem(response, 401, 'ERR_CREDENTIALS_INVALID')
  })

  test('with two Authorization headers gets 401, even when both are good', async () => {
    const { hostname, port } = await miniflare.ready
    const body = JSON.stringify(CUSTOMER)
    const status = await new Promise((resolve, reject) => {
      const headers = [
        'Host',
        'worker.test',
        'Content-Type',
        'application/json',
        'Content-Length',
        `${body.length}`,
      ]
      httpRequest({
        hostname,
        port,
        path: '/api/membrane-token',
        method: 'POST',
        headers: [...headers, 'Authorization', BACKEND, 'Authorization', BACKEND],
      })
        .on('response', (response) => resolve([response.statusCode, response.headers['www-authenticate']]))
        .on('error', reject)
        .end(body)
    })
    expect(status).toEqual([401, 'Bearer error="invalid_token"'])
  })

  test('without the scope gets 403', async () => {
    await expectProblem(
      await ask(CUSTOMER, { Authorization: `Bearer ${apiKeys.console}` }),
      403,
      'ERR_CALLER_FORBIDDEN',
    )
  })

  test('is refused before the body is looked at', async () => {
    await expectProblem(await ask('{', { Authorization: undefined }), 401, 'ERR_CREDENTIALS_MISSING')
  })
})

const deep = (open: string, close: string, depth: number) => open.repeat(depth) + close.repeat(depth)

describe('a body', () => {
  test.each<[string, string | Uint8Array, string]>([
    ['empty', '', 'ERR_CLAIM_INVALID'],
    ['an empty object', '{}', 'ERR_CLAIM_INVALID'],
    ['not JSON', 'id=customer-42', 'ERR_BODY_INVALID'],
    ['cut off', '{"id":"customer-42"', 'ERR_BODY_INVALID'],
    ['with more behind it', '{"id":"c"}{"id":"d"}', 'ERR_BODY_INVALID'],
    ['an array', '[{"id":"c"}]', 'ERR_BODY_INVALID'],
    ['a string', '"c"', 'ERR_BODY_INVALID'],
    ['null', 'null', 'ERR_BODY_INVALID'],
    ['a number', '1e999', 'ERR_BODY_INVALID'],
    ['deep arrays', deep('[', ']', 8000), 'ERR_BODY_INVALID'],
    [
      'deep objects',
      `{"id":"c","fields":${deep('{"a":', '', 2600)}1${'}'.repeat(2601)}`,
      'ERR_CLAIM_INVALID',
    ],
    ['deep arrays in fields', `{"id":"c","fields":{"a":${deep('[', ']', 1000)}}}`, 'ERR_CLAIM_INVALID'],
    [
      'not UTF-8',
      Uint8Array.of(0x7b, 0x22, 0x69, 0x64, 0x22, 0x3a, 0x22, 0xff, 0x22, 0x7d),
      'ERR_BODY_INVALID',
    ],
    ['cut off within a character', Uint8Array.of(0x7b, 0xe2, 0x82), 'ERR_BODY_INVALID'],
    ['UTF-16', Uint8Array.from(Buffer.from('{"id":"c"}', 'utf16le')), 'ERR_BODY_INVALID'],
    ['with __proto__', '{"id":"c","__proto__":{"isAdmin":true}}', 'ERR_BODY_INVALID'],
    ['with the id in __proto__', '{"__proto__":{"id":"victim"}}', 'ERR_BODY_INVALID'],
    ['with __proto__ escaped', '{"id":"c","fields":{"\\u005f_proto__":{"a":1}}}', 'ERR_BODY_INVALID'],
    ['with an empty id', '{"id":""}', 'ERR_CLAIM_INVALID'],
    ['with an id that is a number', '{"id":42}', 'ERR_CLAIM_INVALID'],
    ['with an id that is null', '{"id":null}', 'ERR_CLAIM_INVALID'],
    ['with an id that is an object', '{"id":{"toString":"c"}}', 'ERR_CLAIM_INVALID'],
    ['with a name that is a number', '{"id":"c","name":1}', 'ERR_CLAIM_INVALID'],
    ['with fields that are an array', '{"id":"c","fields":[]}', 'ERR_CLAIM_INVALID'],
    ['with fields that are a string', '{"id":"c","fields":"x"}', 'ERR_CLAIM_INVALID'],
    ['with a lifetime of zero', '{"id":"c","expiresIn":0}', 'ERR_LIFETIME_INVALID'],
    ['with a negative lifetime', '{"id":"c","expiresIn":-1}', 'ERR_LIFETIME_INVALID'],
    ['with a broken lifetime', '{"id":"c","expiresIn":1.5}', 'ERR_LIFETIME_INVALID'],
    ['with a lifetime that is infinite', '{"id":"c","expiresIn":1e999}', 'ERR_LIFETIME_INVALID'],
    ['with a lifetime without a unit', '{"id":"c","expiresIn":"7200"}', 'ERR_LIFETIME_INVALID'],
    ['with a lifetime that is null', '{"id":"c","expiresIn":null}', 'ERR_LIFETIME_INVALID'],
    ['with a lifetime that is a list', '{"id":"c","expiresIn":["2h"]}', 'ERR_LIFETIME_INVALID'],
    [
      'that makes the token too large',
      JSON.stringify({ id: 'c', name: 'n'.repeat(9000) }),
      'ERR_TOKEN_TOO_LARGE',
    ],
  ])('%s gets 400', async (_, body, code) => {
    await expectProblem(await ask(body), 400, code)
  })

  test('is not quoted in the answer', async () => {
    const marker = randomKey()
    expect(await (await ask(`{"id":"${marker}`)).text()).not.toContain(marker)
    expect(await (await ask({ id: 1, name: marker })).text()).not.toContain(marker)
    expect(await (await ask({ id: 'c', expiresIn: marker })).text()).not.toContain(marker)
  })

  test('of 16 KiB is read, one byte more is not', async () => {
    const filler = (size: number) => {
      const frame = JSON.stringify({ id: 'c', ignored: '' }).length
      return JSON.stringify({ id: 'c', ignored: 'x'.repeat(size - frame) })
    }
    expect((await ask(filler(16_384))).status).toBe(200)
    await expectProblem(await ask(filler(16_385)), 413, 'ERR_BODY_TOO_LARGE')
  })

  test('is counted in bytes, not characters', async () => {
    await expectProblem(await ask({ id: 'c', name: '🦊'.repeat(4096) }), 413, 'ERR_BODY_TOO_LARGE')
  })

  test('without a length is counted while it is read, and its end not waited for', async () => {
    const endless = new ReadableStream({
      start(controller) {
        for (let chunk = 0; chunk < 5; chunk += 1) controller.enqueue(new Uint8Array(4096).fill(0x20))
      },
    })
    await expectProblem(await ask(endless), 413, 'ERR_BODY_TOO_LARGE')
  })

  test('in chunks that split characters is put together', async () => {
    const bytes = new TextEncoder().encode(JSON.stringify({ id: 'клиент' }))
    const body = new ReadableStream({
      start(controller) {
        for (const byte of bytes) controller.enqueue(Uint8Array.of(byte))
        controller.close()
      },
    })
    const { token } = (await (await ask(body)).json()) as TokenBody
    expect(verify(token).id).toBe('клиент')
  })

  test.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/json; charset=utf-16',
    'application/json; charset=iso-8859-1',
    'application/json, text/plain',
    'application/jsonp',
    'text/json',
    'application/vnd.api+json',
    'json',
    ' ',
  ])('of type %s gets 415', async (type) => {
    await expectProblem(await ask(CUSTOMER, { 'Content-Type': type }), 415, 'ERR_CONTENT_TYPE_UNSUPPORTED')
  })

  test('of no type gets 415', async () => {
    const body = new TextEncoder().encode(JSON.stringify(CUSTOMER))
    await expectProblem(await ask(body, { 'Content-Type': undefined }), 415, 'ERR_CONTENT_TYPE_UNSUPPORTED')
  })
})

describe('routes', () => {
  test.each([
    ['GET', '/api/membrane-token', 'POST'],
    ['PUT', '/api/membrane-token', 'POST'],
    ['DELETE', '/api/membrane-token', 'POST'],
    ['PATCH', '/api/membrane-token', 'POST'],
    ['OPTIONS', '/api/membrane-token', 'POST'],
    ['POST', '/healthz', 'GET, HEAD'],
  ])('%s %s gets 405', async (method, path, allow) => {
    const response = await send(path, { method, headers: { Authorization: BACKEND } })
    expect(response.headers.get('Allow')).toBe(allow)
    await expectProblem(response, 405, 'ERR_METHOD_NOT_ALLOWED')
  })

  test.each([
    '/',
    '/api',
    '/api/membrane-token/',
    '/api//membrane-token',
    '/API/membrane-token',
    '/api/membrane-admin-token',
    '/api/membrane-token%00',
    '/.dev.vars',
    '/favicon.ico',
  ])('%s gets 404', async (path) => {
    const response = await send(path, {
      method: 'POST',
      headers: { Authorization: BACKEND, 'Content-Type': 'application/json' },
      body: JSON.stringify(CUSTOMER),
    })
    await expectProblem(response, 404, 'ERR_NOT_FOUND')
  })

  test('/healthz says ok', async () => {
    const response = await send('/healthz')
    expect([response.status, await response.json()]).toEqual([200, { status: 'ok' }])
    expect(response.headers.get('Cache-Control')).toBe('no-store')
    expect((await send('/healthz', { method: 'HEAD' })).status).toBe(200)
  })
})

describe('every answer', () => {
  test('has secure headers', async () => {
    for (const response of [
      await ask(CUSTOMER),
      await ask('{'),
      await send('/nowhere'),
      await send('/healthz'),
    ]) {
      expect(response.headers.get('Strict-Transport-Security')).toMatch(/max-age=\d+/)
      expect(response.headers.get('X-Content-Type-Options')).toBe('nosniff')
      expect(response.headers.get('X-Frame-Options')).toBe('DENY')
      expect(response.headers.get('Referrer-Policy')).toBe('no-referrer')
      expect(response.headers.get('Content-Security-Policy')).toBe(
        "default-src 'none'; frame-ancestors 'none'",
      )
      expect(response.headers.get('Cache-Control')).toBe('no-store')
    }
  })

  test('has a request id, the same in header and body', async () => {
    const fresh = await ask('{')
    expect(fresh.headers.get('X-Request-Id')).toMatch(/^[0-9a-f-]{36}$/)
    expect(((await fresh.json()) as { requestId: string }).requestId).toBe(fresh.headers.get('X-Request-Id'))
    expect((await ask(CUSTOMER)).headers.get('X-Request-Id')).toMatch(/^[0-9a-f-]{36}$/)

    for (const path of ['/api/membrane-token', '/nowhere']) {
      const given = await send(path, { method: 'POST', headers: { 'X-Request-Id': 'from-the-proxy_1' } })
      expect(given.headers.get('X-Request-Id')).toBe('from-the-proxy_1')
      expect(((await given.json()) as { requestId: string }).requestId).toBe('from-the-proxy_1')
    }
  })

  test.each(['<script>', 'a b', 'a.b', 'x'.repeat(256), ''])('repeats no odd request id: %s', async (odd) => {
    const response = await ask('{', { 'X-Request-Id': odd })
    expect(response.headers.get('X-Request-Id')).toMatch(/^[0-9a-f-]{36}$/)
    expect(((await response.json()) as { requestId: string }).requestId).toMatch(/^[0-9a-f-]{36}$/)
  })

  test('to many at once is its own', async () => {
    const ids = Array.from({ length: 50 }, (_, index) => `customer-${index}`)
    const responses = await Promise.all(ids.map((id) => ask({ id })))
    const bodies = (await Promise.all(responses.map((response) => response.json()))) as TokenBody[]
    expect(bodies.map(({ token }) => verify(token).id)).toEqual(ids)
  })

  test('leaves nothing in the log', () => {
    expect(logged).toEqual([])
  })
})
