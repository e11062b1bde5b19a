import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A key of the provider, or of an attacker. */
export interface ProviderKey {
  readonly kid: string
  readonly privateKey: KeyObject
  readonly jwk: object
}

export function createKey(kid: string): ProviderKey {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return { kid, privateKey, jwk: { ...publicKey.export({ format: 'jwk' }), kid, alg: 'ES256', use: 'sig' } }
}

/** An identity provider whose responses a test sets. */
export interface Provider {
  readonly issuer: string
  /** Milliseconds before each response. */
  delay: number
  respond: (response: ServerResponse) => void
  /** Paths of the requests. */
  requests: string[]
  /** A session that expires in three days. */
  session(key: ProviderKey): string
  stop(): Promise<void>
}

export async function startProvider(): Promise<Provider> {
  const server = createServer((request, response) => {
    provider.requests.push(request.url ?? '')
    setTimeout(() => {
      if (request.url === '/jwks.json') provider.respond(response)
      else response.end(JSON.stringify({ issuer: provider.issuer, jwks_uri: `${provider.issuer}/jwks.json` }))
    }, provider.delay)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const provider: Provider = {
    issuer,
    delay: 0,
    respond: (response) => response.writeHead(503).end(),
    requests: [],
    session: (key) => createSession(issuer, key),
    stop: async () => {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
  return provider
}

/** Responds with a set of these keys. */
export function publish(...keys: readonly ProviderKey[]): Provider['respond'] {
  const text = JSON.stringify({ keys: keys.map(({ jwk }) => jwk) })
  return (response) => response.writeHead(200, { 'content-type': 'application/json' }).end(text)
}

function createSession(iss: string, { kid, privateKey }: ProviderKey): string {
  const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url')
  const exp = Math.floor(Date.now() / 1000) + 3 * 86_400
  const input = `${encode({ alg: 'ES256', kid })}.${encode({ iss, sub: 'user-7', exp })}`
  const signature = sign('sha256', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' })
  return `${input}.${signature.toString('base64url')}`
}
