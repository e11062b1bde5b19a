import { createHash, randomBytes } from 'node:crypto'
import { exportJWK, generateKeyPair as generateJoseKeyPair } from 'jose'
import { apiKeys } from 'membrane-token/endpoint'
import { createTokenService } from 'membrane-token/service'
import { beforeEach, describe, expect, test } from 'vitest'
import { listen } from '../../cli/serve/node.ts'
import { createSigner, generateKeyPair } from '../../src/index.ts'
import { RUNTIMES, useCommand } from './harness.ts'
import { type Handle, startServer } from './server.ts'

const { run, keep, write, expectWrongUsage } = useCommand()
const { origin, handle } = await startServer()

const apiKey = keep(randomBytes(32).toString('base64url'))
const { privateKey, keyId } = await generateKeyPair()
const another = await generateKeyPair()
const ORIGIN = 'https://app.example.com'
const service = createTokenService({
  signer: await createSigner({ workspaceKey: 'workspace-1', privateKey, keyId }),
  authenticate: apiKeys({
    keys: [
      { name: 'backend', sha256: createHash('sha256').update(apiKey).digest('hex'), scopes: ['customer'] },
    ],
  }),
  allowedOrigins: [ORIGIN],
})
beforeEach(() => handle((request) => service(request)))

const env = { MEMBRANE_TOKEN_CREDENTIAL: apiKey, MEMBRANE_WORKSPACE_KEY: 'workspace-1' }
const everything = ['doctor', origin, '--origin', ORIGIN, '--customer', 'c-1']

interface Finding {
  check: string
  status: string
  message: string
  fix?: string
}

async function findings(args: readonly string[], call: Parameters<typeof run>[1] = { env }) {
  const { status, stdout } = await run([...args, '--json'], call)
  const found = JSON.parse(stdout) as Finding[]
  expect(status).toBe(found.some(({ status }) => status === 'error') ? 1 : 0)
  for (const { status, fix } of found) expect(fix === undefined).toBe(status === 'ok')
  return found
}

/** The service with the responses of one path changed, as by a faulty deployment. */
const changed =
  (path: string, change: (response: Response) => Response | Promise<Response>): Handle =>
  async (request) => {
    const response = await service(request)
    return new URL(request.url).pathname === path ? change(response) : response
  }

const withHeaders = (headers: Record<string, string | null>) => (response: Response) => {
  for (const [name, value] of Object.entries(headers)) {
    if (value === null) response.headers.delete(name)
    else response.headers.set(name, value)
  }
  return response
}

const withClock = (seconds: number) => (response: Response) =>
  withHeaders({ Date: new Date(Date.now() + seconds * 1000).toUTCString() })(response)

const TOKEN = '/api/membrane-token'
const KEYS = '/.well-known/jwks.json'

test.each(RUNTIMES)('a correct service passes all checks, on $name', async (runtime) => {
  const found = await findings(everything, { env, runtime })
  expect(found.map(({ check, status }) => `${check}: ${status}`)).toEqual([
    'reachable: ok',
    'ready: ok',
    'key set: ok',
    'headers: ok',
    'clock: ok',
    'origin: ok',
    'token: ok',
  ])
})

test('prints one line for each finding, with its fix', async () => {
  const { status, stdout, stderr } = await run([
    'doctor',
    `${origin}${TOKEN}`,
    '--origin=https://other.example',
  ])
  expect({ status, stderr }).toEqual({ status: 1, stderr: '' })
  expect(stdout).toContain(`ok       reachable: The service responds at ${origin}/`)
  expect(stdout).toContain(
    'error    origin: Pages of https://other.example cannot request tokens.\n         Fix: Add https://other.example to ALLOWED_ORIGINS',
  )
})

const privateJwk = async () =>
  exportJWK((await generateJoseKeyPair('ES256', { extractable: true })).privateKey)

describe('finds', () => {
  test.each<[string, Handle, string, RegExp]>([
    ['a page instead of the service', () => new Response('<html>'), 'reachable', /returned 200/],
    ['a wrong path', () => undefined, 'reachable', /returned 404/],
    [
      'a redirect',
      () => Response.redirect('https://www.example.com/'),
      'reachable',
      /redirects \(302\) to https:\/\/www/,
    ],
    [
      'Access in front',
      () => Response.redirect('https://x.cloudflareaccess.com/login'),
      'reachable',
      /Cloudflare Access/,
    ],
    [
      'invalid settings',
      () => Response.json({ code: 'ERR_SETTING_INVALID', detail: 'API_KEYS is not JSON.' }, { status: 503 }),
      'settings',
      /API_KEYS is not JSON/,
    ],
    [
      'a service that is not ready',
      changed('/ready', () => Response.json({ detail: 'No.' }, { status: 503 })),
      'ready',
      /not ready: 503 No\./,
    ],
    ['a key set behind a sign-in', changed(KEYS, () => new Response('<html>')), 'key set', /cannot be read/],
    [
      'a private key',
      changed(KEYS, async () => Response.json({ keys: [await privateJwk()] })),
      'key set',
      /contains a private key/,
    ],
    [
      'a key that no algorithm can use',
      changed(KEYS, () => Response.json({ keys: [{ kty: 'OKP', crv: 'Ed25519', x: 'AA' }] })),
      'key set',
      /cannot be used/,
    ],
    [
      'another key',
      changed(KEYS, () => Response.json({ keys: [another.publicJwk] })),
      'token',
      /does not verify with the published keys/,
    ],
    ['a clock ahead', changed(TOKEN, withClock(60)), 'clock', /(59|60) seconds ahead/],
    ['a clock behind', changed(TOKEN, withClock(-60)), 'clock', /(59|60|61) seconds behind/],
    [
      'tokens for every origin',
      changed(TOKEN, withHeaders({ 'Access-Control-Allow-Origin': '*' })),
      'origin',
      /every origin/,
    ],
    [
      'admin tokens for pages',
      changed('/api/membrane-admin-token', withHeaders({ 'Access-Control-Allow-Origin': ORIGIN })),
      'origin',
      /admin tokens/,
    ],
    [
      'tokens without authentication',
      changed(TOKEN, () => Response.json({ token: 'a.b.c' })),
      'authentication',
      /without credentials/,
    ],
  ])('%s', async (_, handler, check, message) => {
    handle(handler)
    const found = await findings(everything)
    expect(found).toContainEqual({
      check,
      status: 'error',
      message: expect.stringMatching(message),
      fix: expect.any(String),
    })
  })

  test.each(RUNTIMES)('an unreachable service, and why, on $name', async (runtime) => {
    const closed = await listen(async () => new Response(), { host: '127.0.0.1', port: 0 })
    await closed.close()
    const [finding] = await findings(['doctor', `http://127.0.0.1:${closed.port}`], { runtime })
    expect(finding).toMatchObject({
      check: 'reachable',
      status: 'error',
      message: expect.stringMatching(/cannot be reached: .*refused/i),
      fix: expect.stringContaining('Nothing listens there'),
    })
  })

  test('plain http, and sends no credentials there', async () => {
    // A name that does not resolve: the test is about what is not sent.
    const found = await findings(['doctor', 'http://token.invalid', '--customer=c'])
    expect(found).toMatchObject([{ check: 'reachable', status: 'error' }])
  })

  test('headers that a proxy removed', async () => {
    handle(changed(TOKEN, withHeaders({ 'Cache-Control': 'public', 'X-Frame-Options': null })))
    const found = await findings(['doctor', origin], {})
    expect(found).toContainEqual({
      check: 'headers',
      status: 'warning',
      message: 'Missing or changed: Cache-Control, X-Frame-Options.',
      fix: expect.any(String),
    })
  })

  test('a degraded setting', async () => {
    handle(changed('/ready', () => Response.json({ status: 'ok', degraded: ['SESSION_ISSUER'] })))
    expect(await findings(['doctor', origin], {})).toContainEqual(
      expect.objectContaining({
        check: 'ready',
        status: 'warning',
        message: expect.stringContaining('SESSION_ISSUER'),
      }),
    )
  })

  test('another workspace', async () => {
    const found = await findings([...everything, '--workspace-key=workspace-2'])
    expect(found).toContainEqual(
      expect.objectContaining({
        check: 'token',
        message: 'The token is for workspace workspace-1, not workspace-2.',
      }),
    )
  })

  test('a credential that is rejected, without showing it', async () => {
    write('wrong-key', keep(randomBytes(32).toString('base64url')))
    const found = await findings([...everything, '--credential-file=wrong-key'])
    expect(found).toContainEqual(
      expect.objectContaining({ check: 'token', status: 'error', message: expect.stringContaining('401') }),
    )
  })

  test('a workers.dev address that also serves tokens', async () => {
    const open = await findings(['doctor', origin, '--workers-dev', origin], {})
    expect(open).toContainEqual(expect.objectContaining({ check: 'workers.dev', status: 'error' }))
    const closed = await findings(['doctor', origin, '--workers-dev', 'http://127.0.0.1:1'], {})
    expect(closed).toContainEqual(expect.objectContaining({ check: 'workers.dev', status: 'ok' }))
  })
})

test.each([
  [['doctor'], 'Pass the address'],
  [['doctor', 'x'], 'must be a URL'],
  [['doctor', origin, '--origin=https://app.example.com/'], '--origin must be an origin'],
  [['doctor', origin, '--api-key=x'], 'Secrets are not taken as arguments'],
  [['doctor', origin, '--orgin=x'], 'did you mean --origin?'],
])('%j is wrong usage', expectWrongUsage)
