import { describe, expect, test } from 'vitest'
import { claimsOf, expectProblem, makeSettings, randomKey, useStage } from './harness.ts'

const { settings, secret, apiKeys } = makeSettings()
const BACKEND = `Bearer ${apiKeys.backend}`
const CUSTOMER = { id: 'customer-42' }

const { send, raw } = useStage({ main: { bindings: settings } })

const ask = (body: unknown, headers: Record<string, string | undefined> = {}) =>
  send('/api/membrane-token', {
    headers: { Authorization: BACKEND, 'Content-Type': 'application/json', ...headers },
    body,
  })

const utf8 = (text: string) => new TextEncoder().encode(text)
const deep = (open: string, close: string, depth: number) => open.repeat(depth) + close.repeat(depth)

describe('a body', () => {
  test.each<[string, string | Uint8Array, string]>([
    ['empty', '', 'ERR_BODY_INVALID'],
    ['an empty object', '{}', 'ERR_BODY_INVALID'],
    ['not JSON', 'id=customer-42', 'ERR_BODY_INVALID'],
    ['cut off', '{"id":"customer-42"', 'ERR_BODY_INVALID'],
    ['with trailing data', '{"id":"c"}{"id":"d"}', 'ERR_BODY_INVALID'],
    ['with a comment', '{"id":"c"/**/}', 'ERR_BODY_INVALID'],
    ['with a trailing comma', '{"id":"c",}', 'ERR_BODY_INVALID'],
    ['with a trailing NUL', '{"id":"c"}\0', 'ERR_BODY_INVALID'],
    ['an array', '[{"id":"c"}]', 'ERR_BODY_INVALID'],
    ['a string', '"c"', 'ERR_BODY_INVALID'],
    ['null', 'null', 'ERR_BODY_INVALID'],
    ['true', 'true', 'ERR_BODY_INVALID'],
    ['a number', '1e999', 'ERR_BODY_INVALID'],
    ['deep arrays', deep('[', ']', 8000), 'ERR_BODY_INVALID'],
    ['deep objects', `{"id":"c","fields":${'{"a":'.repeat(2600)}1${'}'.repeat(2601)}`, 'ERR_BODY_INVALID'],
    [
      'with deeply nested arrays in fields',
      `{"id":"c","fields":{"a":${deep('[', ']', 1000)}}}`,
      'ERR_BODY_INVALID',
    ],
    ['not UTF-8', Uint8Array.of(0x7b, 0x22, 0x69, 0x22, 0x3a, 0xff, 0x7d), 'ERR_BODY_INVALID'],
    ['truncated within a character', Uint8Array.of(0x7b, 0xe2, 0x82), 'ERR_BODY_INVALID'],
    ['UTF-16', Buffer.from('{"id":"c"}', 'utf16le'), 'ERR_BODY_INVALID'],
    ['with __proto__', '{"id":"c","__proto__":{"isAdmin":true}}', 'ERR_BODY_INVALID'],
    ['with the id in __proto__', '{"__proto__":{"id":"victim"}}', 'ERR_BODY_INVALID'],
    ['with __proto__ escaped', '{"id":"c","fields":{"\\u005f_proto__":{"a":1}}}', 'ERR_BODY_INVALID'],
    ['with __proto__ in a list', '{"id":"c","fields":{"a":[{"__proto__":1}]}}', 'ERR_BODY_INVALID'],
    ['with an empty id', '{"id":""}', 'ERR_CLAIM_INVALID'],
    ['with an id that is a number', '{"id":42}', 'ERR_CLAIM_INVALID'],
    ['with an id that is null', '{"id":null}', 'ERR_CLAIM_INVALID'],
    ['with an id that is a list', '{"id":["c"]}', 'ERR_CLAIM_INVALID'],
    ['with an id that is an object', '{"id":{"toString":"c"}}', 'ERR_CLAIM_INVALID'],
    ['with ID in upper case', '{"ID":"c"}', 'ERR_BODY_INVALID'],
    ['with constructor and prototype', '{"id":"c","constructor":{"prototype":{}}}', 'ERR_BODY_INVALID'],
    ['with two ids', '{"id":"victim","id":"c"}', 'ERR_BODY_INVALID'],
    ['with two ids, one of them escaped', '{"id":"c","\\u0069d":"victim"}', 'ERR_BODY_INVALID'],
    ['with a member of fields twice', '{"id":"c","fields":{"a":{"b":1,"b":2}}}', 'ERR_BODY_INVALID'],
    ['with a name that is a number', '{"id":"c","name":1}', 'ERR_CLAIM_INVALID'],
    ['with fields that are an array', '{"id":"c","fields":[]}', 'ERR_CLAIM_INVALID'],
    ['with fields that are a string', '{"id":"c","fields":"x"}', 'ERR_CLAIM_INVALID'],
    ['with an infinite number in fields', '{"id":"c","fields":{"a":1e999}}', 'ERR_CLAIM_INVALID'],
    ['with a lifetime of zero', '{"id":"c","expiresIn":0}', 'ERR_LIFETIME_INVALID'],
    ['with a negative lifetime', '{"id":"c","expiresIn":-1}', 'ERR_LIFETIME_INVALID'],
    ['with a fractional lifetime', '{"id":"c","expiresIn":1.5}', 'ERR_LIFETIME_INVALID'],
    ['with a lifetime that is infinite', '{"id":"c","expiresIn":1e999}', 'ERR_LIFETIME_INVALID'],
    ['with a lifetime without a unit', '{"id":"c","expiresIn":"7200"}', 'ERR_LIFETIME_INVALID'],
    ['with a lifetime that is null', '{"id":"c","expiresIn":null}', 'ERR_LIFETIME_INVALID'],
    ['with a lifetime that is a list', '{"id":"c","expiresIn":["2h"]}', 'ERR_LIFETIME_INVALID'],
    ['with a lifetime that is an object', '{"id":"c","expiresIn":{"valueOf":1}}', 'ERR_LIFETIME_INVALID'],
    ['that makes the token too large', `{"id":"c","name":"${'n'.repeat(9000)}"}`, 'ERR_TOKEN_TOO_LARGE'],
  ])('%s gets 400', async (_, body, code) => {
    await expectProblem(await ask(body), 400, code)
  })

  test.each([
    ['with the same name in two objects', '{"id":"c","fields":{"id":"{\\"id\\":1}","a":{"id":2}}}', {}],
    ['with names of Object.prototype in fields', '{"id":"c","fields":{"toString":1,"constructor":2}}', {}],
  ])('%s', async (_, body, claims) => {
    const token = await claimsOf(await ask(body), secret)
    const { fields, id } = JSON.parse(body)
    expect(token).toEqual({
      id,
      ...(fields && { fields }),
      ...claims,
      iss: settings.MEMBRANE_WORKSPACE_KEY,
      jti: expect.any(String),
      iat: expect.any(Number),
      exp: expect.any(Number),
    })
    expect((await claimsOf(await ask(CUSTOMER), secret)).isAdmin).toBeUndefined()
  })

  test('is not echoed in the response', async () => {
    const marker = randomKey()
    for (const body of [`{"id":"${marker}`, { id: 1, name: marker }, { id: 'c', expiresIn: marker }]) {
      expect(await (await ask(body)).text()).not.toContain(marker)
    }
  })

  test('of 16 KiB is accepted, one byte more is rejected', async () => {
    const fill = (size: number) => '{"id":"c"}'.padEnd(size)
    expect((await ask(fill(16_384))).status).toBe(200)
    await expectProblem(await ask(fill(16_385)), 413, 'ERR_BODY_TOO_LARGE')
  })

  test.each<[string, unknown]>([
    ['of multi-byte characters', { id: 'c', name: '🦊'.repeat(4096) }],
    ['of two megabytes', ' '.repeat(2 ** 21)],
    ['in chunks, never finished', Array.from({ length: 5 }, () => new Uint8Array(4096).fill(0x20))],
  ])('%s gets 413', async (_, body) => {
    await expectProblem(await ask(body), 413, 'ERR_BODY_TOO_LARGE')
  })

  test('with too large a Content-Length gets 413 before it is complete', async () => {
    const answer = await raw(
      `POST /api/membrane-token HTTP/1.1\r\nHost: worker.test\r\nConnection: close\r\nAuthorization: ${BACKEND}\r\nContent-Type: application/json\r\nContent-Length: 99999\r\n\r\n{}`,
    )
    expect(answer).toMatch(/^HTTP\/1\.1 413 .*ERR_BODY_TOO_LARGE/s)
  })

  test('in chunks that split characters is decoded correctly', async () => {
    const bytes = utf8(JSON.stringify({ id: 'клиент' }))
    const chunks = Array.from(bytes, (byte) => `1\r\n${String.fromCharCode(byte)}\r\n`).join('')
    const answer = await raw(
      `POST /api/membrane-token HTTP/1.1\r\nHost: worker.test\r\nConnection: close\r\nAuthorization: ${BACKEND}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}0\r\n\r\n`,
    )
    const { token } = JSON.parse(answer.split('\r\n\r\n')[1]!)
    expect(JSON.parse(Buffer.from(token.split('.')[1], 'base64url').toString()).id).toBe('клиент')
  })

  test.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/json; charset=utf-16',
    'application/json; charset=iso-8859-1',
    'application/json; charset=utf-7',
    'application/json; boundary=x',
    'application/json, text/plain',
    'text/plain; application/json',
    'application/jsonp',
    'text/json',
    'application/vnd.api+json',
    'json',
    ' ',
  ])('of type %s gets 415', async (type) => {
    await expectProblem(await ask(CUSTOMER, { 'Content-Type': type }), 415, 'ERR_CONTENT_TYPE_UNSUPPORTED')
  })

  test('without Content-Type gets 415', async () => {
    const response = await ask(CUSTOMER, { 'Content-Type': undefined })
    await expectProblem(response, 415, 'ERR_CONTENT_TYPE_UNSUPPORTED')
  })

  test('that is compressed is not decompressed', async () => {
    const response = await ask(Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3), {
      'Content-Encoding': 'gzip',
    })
    await expectProblem(response, 400, 'ERR_BODY_INVALID')
  })
})

describe('a method', () => {
  const line = (method: string) =>
    `${method} /api/membrane-token HTTP/1.1\r\nHost: worker.test\r\nConnection: close\r\nAuthorization: ${BACKEND}\r\n`

  test.each([
    'HEAD',
    'OPTIONS',
    'PUT',
    'DELETE',
    'PATCH',
    'TRACE',
    'PURGE',
    'PROPFIND',
    'FOO',
    'post',
    'GETPOST',
  ])('%s gets no token and no 500', async (method) => {
    const answer = await raw(`${line(method)}X-HTTP-Method-Override: POST\r\nX-Echo: marker\r\n\r\n`)
    expect(answer).toMatch(/^HTTP\/1\.1 (405|501|400) /)
    expect(answer).not.toMatch(/marker|"token"/)
  })

  test.each(['X-HTTP-Method-Override', 'X-HTTP-Method', 'X-Method-Override', '_method'])(
    '%s changes nothing',
    async (name) => {
      const response = await send('/api/membrane-admin-token', {
        method: 'GET',
        headers: { Authorization: `Bearer ${apiKeys.console}`, [name]: 'POST' },
      })
      await expectProblem(response, 405, 'ERR_METHOD_NOT_ALLOWED')
    },
  )

  test('HEAD has no body', async () => {
    expect((await raw(`${line('HEAD')}\r\n`)).split('\r\n\r\n')[1]).toBe('')
  })
})

describe('a header', () => {
  test.each<[string, string]>([
    ['a script', '<script>alert(1)</script>'],
    ['a space', 'a b'],
    ['a dot', 'a.b'],
    ['a percent-encoded line break', 'a%0d%0aSet-Cookie:x=1'],
    ['JSON', '","code":"ERR"'],
    ['non-ASCII letters', 'caf\u00e9'],
    ['256 characters', 'x'.repeat(256)],
    ['nothing', ''],
  ])('X-Request-Id with %s is not repeated', async (_, odd) => {
    const response = await ask('{', { 'X-Request-Id': odd })
    expect(response.headers.get('X-Request-Id')).toMatch(/^[0-9a-f-]{36}$/)
    expect(response.headers.get('Set-Cookie')).toBeNull()
    expect(((await response.json()) as { requestId: string }).requestId).toMatch(/^[0-9a-f-]{36}$/)
  })

  test.each<[string, string]>([
    ['of 7000 characters', `Bearer ${'k'.repeat(7000)}`],
    ['without a token', 'Bearer'],
    ['with two words', `${BACKEND} ${BACKEND.slice(7)}`],
    ['with quotes', `Bearer "${BACKEND.slice(7)}"`],
    ['with a tab before the key', `Bearer\t${BACKEND.slice(7)}`],
    ['with non-ASCII letters', 'Bearer \u00ff\u00fe'],
    ['with half a key', BACKEND.slice(0, -20)],
    ['with an extra character after the key', `${BACKEND}x`],
    ['with padding after the key', `${BACKEND}==`],
    ['with the digest of an API key', `Bearer ${JSON.parse(settings.API_KEYS!)[0].sha256}`],
    ['with the workspace secret', `Bearer ${secret}`],
  ])('Authorization %s gets 401 invalid_token', async (_, Authorization) => {
    await expectProblem(await ask(CUSTOMER, { Authorization }), 401, 'ERR_CREDENTIALS_INVALID')
  })

  test.each<[string, string | undefined]>([
    ['left out', undefined],
    ['empty', ''],
    ['with another scheme', 'Basic dXNlcjpwYXNz'],
    ['with a scheme that starts with Bearer', `Bearerish ${BACKEND.slice(7)}`],
    ['with the API key alone', BACKEND.slice(7)],
  ])('Authorization %s gets 401 and a bare challenge', async (_, Authorization) => {
    await expectProblem(await ask(CUSTOMER, { Authorization }), 401, 'ERR_CREDENTIALS_MISSING')
  })

  test.each<[string, string, Record<string, string>]>([
    ['the query', `?access_token=${apiKeys.backend}&Authorization=${apiKeys.backend}`, {}],
    ['a cookie', '', { Cookie: `Authorization=${apiKeys.backend}; CF_Authorization=${apiKeys.backend}` }],
    ['X-Api-Key', '', { 'X-Api-Key': apiKeys.backend! }],
    ['Proxy-Authorization', '', { 'Proxy-Authorization': BACKEND }],
  ])('credentials in %s are ignored', async (_, query, headers) => {
    const response = await send(`/api/membrane-token${query}`, {
      headers: { 'Content-Type': 'application/json', ...headers },
      body: { ...CUSTOMER, access_token: apiKeys.backend },
    })
    await expectProblem(response, 401, 'ERR_CREDENTIALS_MISSING')
  })

  test.each([
    ['too many', Array.from({ length: 500 }, (_, index) => `X-${index}: x\r\n`).join('')],
    ['of 200 kB', `X-Long: ${'x'.repeat(200_000)}\r\n`],
    ['with a NUL', 'X-Odd: a\0b\r\n'],
    ['with a bare line feed', 'X-Odd: a\nX-Request-Id: injected\r\n'],
    ['without a name', ': x\r\n'],
    ['with a space in its name', 'X Odd: x\r\n'],
    ['with two Content-Length headers', 'Content-Length: 2\r\nContent-Length: 200\r\n'],
    ['with Content-Length and chunked encoding', 'Content-Length: 2\r\nTransfer-Encoding: chunked\r\n'],
  ])('%s makes no token and no 500', async (_, lines) => {
    const answer = await raw(
      `POST /api/membrane-token HTTP/1.1\r\nHost: worker.test\r\nConnection: close\r\n${lines}\r\n0\r\n\r\n`,
    )
    expect(answer).not.toMatch(/"token"|^HTTP\/1\.1 500/)
  })
})

describe('a path', () => {
  test.each([
    '//api/membrane-token',
    '/api//membrane-token',
    '/api/membrane-token/',
    '/api/membrane-token;x=1',
    '/api/membrane-token%20',
    '/api/membrane-token%00',
    '/api/membrane-token%',
    '/api/membrane%2Dadmin-token',
    '/api/membrane-admin-tok%65n',
    '/api/membrane-token%0d%0a',
    '/api%2fmembrane-token',
    '/api%5cmembrane-token',
    '/api\\membrane-token',
    '/api/%252e%252e/api/membrane-token',
    '/API/membrane-token',
    '/api/Membrane-Token',
    '/api/membrane\u00ad-token',
    '/%ff',
    '/*',
  ])('%s gets 404', async (path) => {
    const response = await send(encodeURI(path).replaceAll('%25', '%'), {
      headers: { Authorization: BACKEND, 'Content-Type': 'application/json' },
      body: CUSTOMER,
    })
    await expectProblem(response, 404, 'ERR_NOT_FOUND')
  })

  test('of 8000 characters gets 404', async () => {
    await expectProblem(await send(`/${'a'.repeat(8000)}`), 404, 'ERR_NOT_FOUND')
  })
})
