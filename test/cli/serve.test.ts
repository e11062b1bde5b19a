import { createHash, randomBytes } from 'node:crypto'
import { connect } from 'node:net'
import jwt from 'jsonwebtoken'
import { describe, expect, test } from 'vitest'
import { createClientFinder } from '../../cli/serve/proxies.ts'
import { createRateLimiter } from '../../cli/serve/rate-limiter.ts'
import { RUNTIMES, useCommand } from './harness.ts'

const { run, start, keep, write, expectWrongUsage } = useCommand()

const secret = keep(randomBytes(32).toString('base64url'))
const apiKey = keep(randomBytes(32).toString('base64url'))
const sha256 = createHash('sha256').update(apiKey).digest('hex')
const env = {
  MEMBRANE_WORKSPACE_KEY: 'workspace-1',
  MEMBRANE_WORKSPACE_SECRET: secret,
  API_KEYS: JSON.stringify([{ name: 'backend', sha256, scopes: ['customer'] }]),
}
const headers = { Authorization: `Bearer ${apiKey}`, 'Content-Type': 'application/json' }
const HSTS = 'Strict-Transport-Security'

async function serve(call: Parameters<typeof start>[1]) {
  const service = await start(['serve', '--port=0'], call)
  const [, origin] = await service.says(/"url":"(http:\/\/127\.0\.0\.1:\d+)"/)
  return { ...service, origin: origin! }
}

describe.each(RUNTIMES)('serve on $name', (runtime) => {
  test('issues tokens, and writes one JSON audit event for each', async () => {
    const { origin, stdout, stop } = await serve({ env, runtime })
    const response = await fetch(`${origin}/api/membrane-token`, {
      method: 'POST',
      headers,
      body: '{"id":"c-1"}',
    })
    expect(response.status).toBe(200)
    expect(response.headers.get(HSTS)).toBe('max-age=31536000')
    const { token } = (await response.json()) as { token: string }
    expect(jwt.verify(token, secret, { algorithms: ['HS512'] })).toMatchObject({
      iss: 'workspace-1',
      id: 'c-1',
    })
    expect(await (await fetch(`${origin}/health`)).json()).toEqual({ status: 'ok' })
    expect(await stop()).toBe(0)
    const events = stdout()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(events).toEqual([
      expect.objectContaining({ outcome: 'issued', callerName: 'backend', customerId: 'c-1' }),
    ])
  })

  test('rejects a body that is too large and keeps running', async () => {
    const { origin, stop } = await serve({ env, runtime })
    const body = JSON.stringify({ id: 'c-1', name: 'x'.repeat(20_000) })
    const response = await fetch(`${origin}/api/membrane-token`, { method: 'POST', headers, body })
    expect(response.status).toBe(413)
    await fetch(`${origin}/api/membrane-token`, {
      method: 'POST',
      headers,
      body: 'x'.repeat(3_000_000),
    }).then(
      ({ status }) => expect(status).toBe(413),
      // The connection may be closed before the whole body is sent.
      () => {},
    )
    expect((await fetch(`${origin}/health`)).status).toBe(200)
    expect(await stop()).toBe(0)
  })

  test('trusts X-Forwarded-Proto of trusted proxies only', async () => {
    const get = async (trusted: string) => {
      const { origin, stop } = await serve({ env: { ...env, TRUSTED_PROXIES: trusted }, runtime })
      const response = await fetch(`${origin}/health`, { headers: { 'X-Forwarded-Proto': 'http' } })
      await stop()
      return response.headers.get(HSTS)
    }
    expect(await get('10.0.0.0/8')).toBe('max-age=31536000')
    expect(await get('10.0.0.0/8, 127.0.0.0/8')).toBe(null)
  })

  test('completes the request in flight before it shuts down', async () => {
    const { origin, says, stop } = await serve({ env, runtime })
    const body = '{"id":"c-1"}'
    const lines = [
      'POST /api/membrane-token HTTP/1.1',
      `Host: ${new URL(origin).host}`,
      `Authorization: Bearer ${apiKey}`,
      'Content-Type: application/json',
      `Content-Length: ${body.length}`,
    ]
    const socket = connect(Number(new URL(origin).port), '127.0.0.1')
    let response = ''
    const closed = new Promise((resolve) => socket.once('close', resolve))
    socket.setEncoding('utf8').on('data', (text) => {
      response += text
    })
    socket.write(`${lines.join('\r\n')}\r\n\r\n${body.slice(0, 5)}`)
    // Once the server has responded to a later request, it has accepted this connection.
    await fetch(`${origin}/health`)
    const ended = stop()
    await says(/shutting down/)
    socket.write(body.slice(5))
    expect(await ended).toBe(0)
    await closed
    expect(response).toMatch(/^HTTP\/1\.1 200 /)
    expect(response).toContain('"token"')
  })

  test('names every invalid setting, and exits', async () => {
    const wrong = { ...env, MEMBRANE_WORKSPACE_KEY: '<WORKSPACE_KEY>', TOKEN_EXPIRES_IN: 'soon' }
    const { status, stdout, stderr } = await run(['serve', '--port=0'], { env: wrong, runtime })
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
    expect(stderr).toContain('  MEMBRANE_WORKSPACE_KEY ')
    expect(stderr).toContain('  TOKEN_EXPIRES_IN ')
  })

  test('names a port that is in use', async () => {
    const { origin, stop } = await serve({ env, runtime })
    const { port } = new URL(origin)
    expect(await run(['serve', '--port', port], { env, runtime })).toEqual({
      status: 2,
      stdout: '',
      stderr: expect.stringContaining(`Port ${port} is in use`),
    })
    await stop()
  })
})

describe('serve', () => {
  test('reads its settings and the port from a file', async () => {
    write(
      'serve.env',
      Object.entries({ ...env, PORT: '0' })
        .map(([name, value]) => `${name}='${value}'`)
        .join('\n'),
    )
    const service = await start(['serve', '--env-file=serve.env'])
    await service.says(/"message":"listening"/)
    expect(await service.stop('SIGINT')).toBe(0)
  })

  test.each([
    [['--port=x'], {}, '--port must be a number'],
    [['--port=70000'], {}, '--port must be a number'],
    [['now'], {}, 'takes no arguments'],
    [['--hst=x'], {}, 'did you mean --host?'],
    [['--port=0'], { TRUSTED_PROXIES: '10.0.0.0/33' }, 'TRUSTED_PROXIES must be networks'],
  ])('%j with %j is wrong usage', (args, more, reason) =>
    expectWrongUsage(['serve', ...args], reason, { env: { ...env, ...more } }),
  )
})

describe('the client of a request', () => {
  const trusted = '10.0.0.0/8, 192.0.2.7, fd00::/8'
  test.each([
    ['connects directly', '198.51.100.1', {}, '198.51.100.1', undefined],
    [
      'cannot set its own address',
      '198.51.100.1',
      { 'X-Forwarded-For': '1.2.3.4', 'X-Forwarded-Proto': 'https' },
      '198.51.100.1',
      undefined,
    ],
    [
      'is named by a trusted proxy',
      '10.1.2.3',
      { 'X-Forwarded-For': '1.2.3.4', 'X-Forwarded-Proto': 'https' },
      '1.2.3.4',
      'https',
    ],
    [
      'is the last address that is not a trusted proxy',
      '192.0.2.7',
      { 'X-Forwarded-For': '6.6.6.6, 1.2.3.4, 10.0.0.1' },
      '1.2.3.4',
      undefined,
    ],
    [
      'has an IPv4-mapped address',
      '::ffff:10.0.0.1',
      { 'X-Forwarded-For': '::ffff:1.2.3.4' },
      '1.2.3.4',
      undefined,
    ],
    ['has a port', 'fd00::1', { 'X-Forwarded-For': '[2001:db8::1]:443' }, '2001:db8::1', undefined],
    ['has an IPv4 port', 'fd00::1', { 'X-Forwarded-For': '1.2.3.4:5' }, '1.2.3.4', undefined],
    ['is a proxy without a client address', '10.0.0.1', {}, '10.0.0.1', undefined],
    [
      'is a proxy with an invalid client address',
      '10.0.0.1',
      { 'X-Forwarded-For': '1.2.3.4, unknown' },
      '10.0.0.1',
      undefined,
    ],
    ['is unknown', undefined, { 'X-Forwarded-For': '1.2.3.4' }, undefined, undefined],
  ])('%s', (_, peer, headers, address, protocol) => {
    expect(createClientFinder(trusted)(peer, new Headers(headers as Record<string, string>))).toEqual({
      address,
      protocol,
    })
  })

  test.each(['10.0.0.0/33', '::/129', '10.0.0/8', 'proxy', '10.0.0.0/', '10.0.0.0/8/8', '10.0.0.0/x'])(
    '%s is not a network',
    (networks) => {
      expect(() => createClientFinder(networks)).toThrow('TRUSTED_PROXIES must be networks')
    },
  )
})

test('the rate limiter counts by key, for one minute', async () => {
  let time = 0
  const limiter = createRateLimiter(2, () => time)
  const succeeds = async (key: string) => (await limiter.limit({ key })).success
  expect([await succeeds('a'), await succeeds('a'), await succeeds('a'), await succeeds('b')]).toEqual([
    true,
    true,
    false,
    true,
  ])
  time = 60_000
  expect(await succeeds('a')).toBe(true)
})

test('the rate limiter resets when the clock goes back', async () => {
  let time = 86_400_000
  const limiter = createRateLimiter(1, () => time)
  await limiter.limit({ key: 'a' })
  expect(await limiter.limit({ key: 'a' })).toEqual({ success: false })
  time = 0
  expect(await limiter.limit({ key: 'a' })).toEqual({ success: true })
})
