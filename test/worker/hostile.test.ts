import { describe, expect, test } from 'vitest'
import { expectProblem, makeSettings, useWorkers } from './harness.ts'

// The contents of bodies are tested in conformance/endpoint-requests.ts, their transport here.

const { settings, secret, apiKeys } = makeSettings()
const BACKEND = `Bearer ${apiKeys.backend}`
const CUSTOMER = { id: 'customer-42' }

const { send, raw } = useWorkers({ main: { bindings: settings } })

const requestToken = (body: unknown, headers: Record<string, string | undefined> = {}) =>
  send('/api/membrane-token', {
    headers: { Authorization: BACKEND, 'Content-Type': 'application/json', ...headers },
    body,
  })

const AUTHORIZED = `Authorization: ${BACKEND}\r\n`

/** Sends a token request as raw bytes. @param lines Further header lines, each with its line break */
const sendRaw = (method: string, lines: string, body = '') =>
  raw(
    `${method} /api/membrane-token HTTP/1.1\r\nHost: worker.test\r\nConnection: close\r\n${lines}\r\n${body}`,
  )

describe('a body', () => {
  const JSON_TYPE = 'Content-Type: application/json\r\n'

  test('of 16 KiB is accepted, one byte more is rejected', async () => {
    const fill = (size: number) => '{"id":"c"}'.padEnd(size)
    expect((await requestToken(fill(16_384))).status).toBe(200)
    await expectProblem(await requestToken(fill(16_385)), 413, 'ERR_BODY_TOO_LARGE')
  })

  test.each<[string, unknown]>([
    ['of multi-byte characters', { id: 'c', name: '🦊'.repeat(4096) }],
    ['of two megabytes', ' '.repeat(2 ** 21)],
    ['in chunks, never finished', Array.from({ length: 5 }, () => new Uint8Array(4096).fill(0x20))],
  ])('%s gets 413', async (_, body) => {
    await expectProblem(await requestToken(body), 413, 'ERR_BODY_TOO_LARGE')
  })

  test('with too large a Content-Length gets 413 before it is complete', async () => {
    const response = await sendRaw('POST', `${AUTHORIZED}${JSON_TYPE}Content-Length: 99999\r\n`, '{}')
    expect(response).toMatch(/^HTTP\/1\.1 413 .*ERR_BODY_TOO_LARGE/s)
  })

  test('in chunks that split characters is decoded correctly', async () => {
    const bytes = new TextEncoder().encode(JSON.stringify({ id: 'клиент' }))
    const chunks = Array.from(bytes, (byte) => `1\r\n${String.fromCharCode(byte)}\r\n`).join('')
    const lines = `${AUTHORIZED}${JSON_TYPE}Transfer-Encoding: chunked\r\n`
    const response = await sendRaw('POST', lines, `${chunks}0\r\n\r\n`)
    const { token } = JSON.parse(response.split('\r\n\r\n')[1]!)
    expect(JSON.parse(Buffer.from(token.split('.')[1], 'base64url').toString()).id).toBe('клиент')
  })

  test.each([
    ['with a length', 'Content-Length: 2\r\n', '{]'],
    ['in chunks', 'Transfer-Encoding: chunked\r\n', '2\r\n{]\r\n0\r\n\r\n'],
  ])('of a GET request, %s, is not ignored', async (_, lines, body) => {
    const response = await sendRaw('GET', `${AUTHORIZED}${JSON_TYPE}${lines}`, body)
    expect(response).toMatch(/^HTTP\/1\.1 400 .*not valid JSON/s)
  })

  test('that is compressed is not decompressed', async () => {
    const gzip = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3)
    const response = await requestToken(gzip, { 'Content-Encoding': 'gzip' })
    await expectProblem(response, 400, 'ERR_BODY_INVALID')
  })
})

describe('a method', () => {
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
    const override = 'X-HTTP-Method-Override: POST\r\nX-Echo: marker\r\n'
    const response = await sendRaw(method, AUTHORIZED + override)
    expect(response).toMatch(/^HTTP\/1\.1 (405|501|400) /)
    expect(response).not.toMatch(/marker|"token"/)
  })

  test.each(['X-HTTP-Method-Override', 'X-HTTP-Method', 'X-Method-Override', '_method'])(
    '%s has no effect',
    async (name) => {
      const response = await send('/api/membrane-admin-token', {
        method: 'GET',
        headers: { Authorization: `Bearer ${apiKeys.console}`, [name]: 'POST' },
      })
      await expectProblem(response, 405, 'ERR_METHOD_NOT_ALLOWED')
    },
  )

  test('HEAD has no body', async () => {
    expect((await sendRaw('HEAD', AUTHORIZED)).split('\r\n\r\n')[1]).toBe('')
  })
})

describe('a header', () => {
  test.each<[string, string]>([
    ['a script', '<script>alert(1)</script>'],
    ['a percent-encoded line break', 'a%0d%0aSet-Cookie:x=1'],
    ['non-ASCII letters', 'caf\u00e9'],
  ])('X-Request-Id with %s is replaced', async (_, invalid) => {
    const response = await requestToken('{', { 'X-Request-Id': invalid })
    expect(response.headers.get('Set-Cookie')).toBeNull()
    const requestId = response.headers.get('X-Request-Id')
    expect(requestId).toMatch(/^[0-9a-f-]{36}$/)
    expect(await response.json()).toMatchObject({ requestId })
  })

  test('an unsupported Content-Type is not quoted', async () => {
    const response = await requestToken(CUSTOMER, { 'Content-Type': 'text/marker' })
    expect(response.headers.get('Accept')).toBe('application/json')
    const detail = await expectProblem(response, 415, 'ERR_CONTENT_TYPE_UNSUPPORTED')
    expect(detail).not.toContain('marker')
  })

  test.each<[string, string]>([
    ['without a token', 'Bearer'],
    ['with two words', `${BACKEND} ${BACKEND.slice(7)}`],
    ['with a tab before the key', `Bearer\t${BACKEND.slice(7)}`],
    ['with non-ASCII letters', 'Bearer \u00ff\u00fe'],
    ['with the workspace secret', `Bearer ${secret}`],
  ])('Authorization %s gets 401 invalid_token', async (_, Authorization) => {
    await expectProblem(await requestToken(CUSTOMER, { Authorization }), 401, 'ERR_CREDENTIALS_INVALID')
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
    ['500 headers', Array.from({ length: 500 }, (_, index) => `X-${index}: x\r\n`).join('')],
    ['a header of 200 kB', `X-Long: ${'x'.repeat(200_000)}\r\n`],
    ['a NUL in a header', 'X-Odd: a\0b\r\n'],
    ['a bare line feed in a header', 'X-Odd: a\nX-Request-Id: injected\r\n'],
    ['a header without a name', ': x\r\n'],
    ['a space in the name of a header', 'X Odd: x\r\n'],
    ['two Content-Length headers', 'Content-Length: 2\r\nContent-Length: 200\r\n'],
    ['Content-Length and chunked encoding', 'Content-Length: 2\r\nTransfer-Encoding: chunked\r\n'],
  ])('a request with %s gets no token and no 500', async (_, lines) => {
    expect(await sendRaw('POST', lines, '0\r\n\r\n')).not.toMatch(/"token"|^HTTP\/1\.1 500/)
  })
})

describe('a path', () => {
  test.each([
    '/',
    '/api',
    '/api/',
    '/api/membrane-tokens',
    '/api/membrane-token/customer-42',
    '/.dev.vars',
    '/.env',
    '/favicon.ico',
    '/.well-known/jwks',
    '/.well-known/openid-configuration',
    '/healthz/',
    '/oauth/token',
    '/.well-known/oauth-authorization-server',
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
    const encoded = encodeURI(path).replaceAll('%25', '%')
    const headers = { Authorization: BACKEND, 'Content-Type': 'application/json' }
    await expectProblem(await send(encoded, { headers, body: CUSTOMER }), 404, 'ERR_NOT_FOUND')
    await expectProblem(await send(encoded), 404, 'ERR_NOT_FOUND')
  })

  test('of 8000 characters gets 404', async () => {
    await expectProblem(await send(`/${'a'.repeat(8000)}`), 404, 'ERR_NOT_FOUND')
  })
})
