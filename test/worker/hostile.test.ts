import { describe, expect, test } from 'vitest'
import { expectProblem, makeSettings, useStage } from './harness.ts'

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

// What a body may say is proven in conformance/endpoint-requests.ts; here it is how it arrives.
describe('a body', () => {
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
    ['a percent-encoded line break', 'a%0d%0aSet-Cookie:x=1'],
    ['non-ASCII letters', 'caf\u00e9'],
  ])('X-Request-Id with %s is not repeated', async (_, odd) => {
    const response = await ask('{', { 'X-Request-Id': odd })
    expect(response.headers.get('X-Request-Id')).toMatch(/^[0-9a-f-]{36}$/)
    expect(response.headers.get('Set-Cookie')).toBeNull()
    expect(((await response.json()) as { requestId: string }).requestId).toMatch(/^[0-9a-f-]{36}$/)
  })

  test.each<[string, string]>([
    ['without a token', 'Bearer'],
    ['with two words', `${BACKEND} ${BACKEND.slice(7)}`],
    ['with a tab before the key', `Bearer\t${BACKEND.slice(7)}`],
    ['with non-ASCII letters', 'Bearer \u00ff\u00fe'],
    ['with the digest of an API key', `Bearer ${JSON.parse(settings.API_KEYS!)[0].sha256}`],
    ['with the workspace secret', `Bearer ${secret}`],
  ])('Authorization %s gets 401 invalid_token', async (_, Authorization) => {
    await expectProblem(await ask(CUSTOMER, { Authorization }), 401, 'ERR_CREDENTIALS_INVALID')
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
    '/',
    '/api',
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
