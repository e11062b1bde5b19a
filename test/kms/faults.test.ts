// Failures on the way to a KMS, caused by a proxy in front of a server that signs.
import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createSigner, createVerifier } from '../../src/index.ts'
import { azureKeyVault } from '../../src/kms.ts'
import { createTokenServiceFromEnv } from '../../src/service.ts'
import { type CloudServer, startCloudServer } from './cloud-server.ts'

type Fault = (
  request: IncomingMessage,
  response: ServerResponse,
  pass: () => Promise<void>,
) => void | Promise<void>

let cloud: CloudServer
let proxy: Server
let address = ''
/** Each request for a key takes the next fault, or passes if there is none. */
let faults: Fault[] = []
let requests: string[] = []
let logins = 0
let release: () => void
let released: Promise<void>

const client = { tenantId: 'tenant', clientId: 'client', clientSecret: 'client-secret' }

beforeAll(async () => {
  cloud = await startCloudServer()
  proxy = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    const url = request.url ?? ''
    if (url.startsWith('/keys/')) requests.push(url)
    else logins++
    const fault = url.startsWith('/keys/') ? faults.shift() : undefined
    const pass = async () => {
      const reply = await fetch(cloud.address + url, {
        method: request.method ?? 'GET',
        headers: request.headers as Record<string, string>,
        ...(body && { body }),
      })
      const text = (await reply.text()).replaceAll(cloud.address, address)
      response.writeHead(reply.status, { 'Content-Type': 'application/json' }).end(text)
    }
    await (fault ? fault(request, response, pass) : pass())
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  address = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`
})
afterAll(() => {
  proxy.closeAllConnections()
  proxy.close()
  cloud.stop()
})
beforeEach(() => {
  faults = []
  requests = []
  logins = 0
  released = new Promise((resolve) => {
    release = resolve
  })
})

const status =
  (code: number): Fault =>
  (_, response) =>
    void response.writeHead(code, { 'Content-Type': 'application/json' }).end('{}')
const reset: Fault = (request) => void request.socket.destroy()
const silence: Fault = () => {}
const held: Fault = (_request, _response, pass) => released.then(pass)
const reply =
  (text: string): Fault =>
  (_, response) =>
    void response.writeHead(200, { 'Content-Type': 'application/json' }).end(text)
/** A well-formed signature by another key. */
const byAnotherKey: Fault = async (request, response) => {
  const { privateKey } = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, [
    'sign',
  ])
  const data = new TextEncoder().encode(request.url)
  const signature = await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, privateKey, data)
  const value = Buffer.from(signature).toString('base64url')
  response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify({ value }))
}
const redirect: Fault = (_, response) => void response.writeHead(302, { Location: cloud.address }).end()

async function openSigner() {
  const privateKey = await azureKeyVault({ key: `${address}/keys/p256`, ...client, authority: address })
  return createSigner({ workspaceKey: 'workspace-1', privateKey, keyId: 'thumbprint' })
}

describe('a signature', () => {
  test.each<[what: string, faults: Fault[]]>([
    ['throttled once', [status(429)]],
    ['with one failure of the server', [status(503)]],
  ])('%s is retried once', async (_, given) => {
    const signer = await openSigner()
    requests = []
    faults = given
    const { token } = await signer.signAdminToken()
    expect(requests).toHaveLength(2)
    const verifier = await createVerifier({ workspaceKey: 'workspace-1', publicKey: signer.publicJwk! })
    expect((await verifier.verify(token)).kind).toBe('admin')
  })

  test.each<[what: string, faults: Fault[], message: RegExp, requests: number]>([
    ['throttled twice', [status(429), status(429)], /throttled/, 2],
    ['that fails twice', [status(500), status(502)], /failed with status 502/, 2],
    ['without permission', [status(403)], /keys\/sign/, 1],
    ['of a key that is gone', [status(404)], /no such key/, 1],
    ['whose connection is reset', [reset], /unreachable/, 1],
    ['that redirects', [redirect], /redirect/, 1],
    ['that is truncated', [reply('{"value":"AAA')], /unexpected/, 1],
    ['without a value', [reply('{}')], /unexpected/, 1],
    ['of 100 KB', [reply(`{"value":"${'A'.repeat(100_000)}"}`)], /unexpected/, 1],
    ['by another key', [byAnotherKey], /does not verify|rotated/, 1],
    ['of zeros', [reply(`{"value":"${'A'.repeat(86)}"}`)], /does not verify|rotated/, 1],
  ])('%s is ERR_KEY_UNAVAILABLE', async (_, given, message, count) => {
    const signer = await openSigner()
    requests = []
    faults = given
    const error = await signer.signAdminToken().catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'ERR_KEY_UNAVAILABLE', message: expect.stringMatching(message) })
    expect(JSON.stringify([error, (error as Error).message])).not.toContain('client-secret')
    expect(requests).toHaveLength(count)
  })

  test('that never arrives times out after four seconds', async () => {
    const signer = await openSigner()
    faults = [silence]
    await expect(signer.signAdminToken()).rejects.toMatchObject({
      code: 'ERR_KEY_UNAVAILABLE',
      message: expect.stringMatching(/within 4 seconds/),
    })
  })

  test('uses the access token with which the key was opened, for concurrent requests too', async () => {
    const signer = await openSigner()
    await Promise.all(Array.from({ length: 20 }, () => signer.signAdminToken()))
    expect(logins).toBe(1)
  })

  test('beyond 32 concurrent signatures is ERR_KEY_UNAVAILABLE, and pending ones are not affected', async () => {
    const signer = await openSigner()
    faults = Array.from({ length: 32 }, () => held)
    const all = Array.from({ length: 33 }, () => signer.signAdminToken())
    await expect(all[32]).rejects.toMatchObject({
      code: 'ERR_KEY_UNAVAILABLE',
      message: expect.stringMatching(/throttled/),
    })
    release()
    expect(await Promise.all(all.slice(0, 32))).toHaveLength(32)
    expect((await signer.signAdminToken()).token).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/)
  })
})

describe('the service with a key in a KMS', () => {
  const apiKey = 'an-api-key-nobody-could-guess-0123456789'
  const env = () => ({
    MEMBRANE_WORKSPACE_KEY: 'workspace-1',
    MEMBRANE_PRIVATE_KEY: `azurekms://${address.replace('http://', '')}/p256`,
    AZURE_TENANT_ID: 'tenant',
    AZURE_CLIENT_ID: 'client',
    AZURE_CLIENT_SECRET: 'client-secret',
    AZURE_AUTHORITY_HOST: address,
    API_KEYS: JSON.stringify([
      { name: 'backend', sha256: createHash('sha256').update(apiKey).digest('hex'), scopes: ['admin'] },
    ]),
  })
  const send = (handler: ReturnType<typeof createTokenServiceFromEnv>, path = '/api/membrane-admin-token') =>
    handler(
      new Request(`https://tokens.example.com${path}`, {
        method: path.startsWith('/api') ? 'POST' : 'GET',
        headers: { Authorization: `Bearer ${apiKey}` },
      }),
    )

  test('issues tokens, publishes the key, and names its version in the audit', async () => {
    const events: { keyVersion?: string | undefined }[] = []
    const handler = createTokenServiceFromEnv(env(), {
      kms: [azureKeyVault],
      audit: (event) => void events.push(event),
    })
    const [first] = await Promise.all(Array.from({ length: 10 }, () => send(handler)))
    const { token } = (await first!.json()) as { token: string }
    const jwks = (await (await send(handler, '/.well-known/jwks.json')).json()) as { keys: never[] }
    const verifier = await createVerifier({ workspaceKey: 'workspace-1', jwks })
    expect(await verifier.verify(token)).toMatchObject({ kind: 'admin', algorithm: 'ES256' })
    expect(events[0]?.keyVersion).toBe('v1')
    // Opened once.
    expect(requests.filter((url) => !url.includes('/sign'))).toHaveLength(1)
  })

  test('is 503 with Retry-After while the KMS is unreachable, and recovers without a restart', async () => {
    const handler = createTokenServiceFromEnv(env(), { kms: [azureKeyVault], audit: () => {} })
    faults = [reset]
    const unavailable = await send(handler)
    expect([unavailable.status, unavailable.headers.get('Retry-After')]).toEqual([503, '10'])
    expect(await unavailable.json()).toMatchObject({ code: 'ERR_KEY_UNAVAILABLE' })
    expect((await send(handler)).status).toBe(200)
    faults = [reset]
    expect((await send(handler)).status).toBe(503)
    faults = [reset]
    const ready = await send(handler, '/ready')
    expect([ready.status, await ready.text()]).toEqual([503, expect.stringContaining('MEMBRANE_PRIVATE_KEY')])
  })
})
