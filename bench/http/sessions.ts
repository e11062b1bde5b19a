// Settings, users' sessions and their key set, the same for every server.
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, type JSONWebKeySet, SignJWT } from 'jose'

export const ORIGIN = 'https://app.example.com'
export const WORKSPACE_KEY = '4f9b5f5b-6f3c-4d0e-9d0b-5d5e7f1a2b3c'
export const SECRET = crypto.getRandomValues(Buffer.alloc(48)).toString('base64url')

/** Settings of all servers. */
export const SETTINGS = {
  SESSION_ISSUER: 'https://id.example.com',
  SESSION_AUDIENCE: 'https://api.example.com',
  MEMBRANE_WORKSPACE_KEY: WORKSPACE_KEY,
  MEMBRANE_WORKSPACE_SECRET: SECRET,
}

/** Settings of the token service: API keys and CORS too, so that every request passes all checks. */
export const serviceSettings = (keySetUrl: string) => ({
  ...SETTINGS,
  SESSION_JWKS_URI: keySetUrl,
  ALLOWED_ORIGINS: `https://admin.example.com,${ORIGIN}`,
  API_KEYS: [{ name: 'backend', sha256: '0'.repeat(64), scopes: ['customer'] }],
})

export interface Sessions {
  readonly keySet: JSONWebKeySet
  /** One serialized HTTP request per user. */
  readonly requests: Buffer[]
}

/** Creates a session for each user, and the request that their browser sends to get a token. */
export async function makeSessions(users: number): Promise<Sessions> {
  const { privateKey, publicKey } = await generateKeyPair('RS256')
  const keySet = { keys: [{ ...(await exportJWK(publicKey)), kid: 'key-1', alg: 'RS256', use: 'sig' }] }
  const sign = (index: number) =>
    new SignJWT({ name: `Customer ${index}` })
      .setProtectedHeader({ alg: 'RS256', kid: 'key-1', typ: 'JWT' })
      .setSubject(`customer-${index}`)
      .setIssuer(SETTINGS.SESSION_ISSUER)
      .setAudience(SETTINGS.SESSION_AUDIENCE)
      .setIssuedAt()
      .setExpirationTime('3h')
      .sign(privateKey)
  const requests = await Promise.all(
    Array.from({ length: users }, async (_, index) =>
      Buffer.from(
        [
          'GET /api/membrane-token HTTP/1.1',
          'Host: tokens.example.com',
          `Authorization: Bearer ${await sign(index)}`,
          'Accept: */*',
          `Origin: ${ORIGIN}`,
          'Sec-Fetch-Site: same-site',
          `CF-Connecting-IP: 192.0.2.${index % 256}`,
          '\r\n',
        ].join('\r\n'),
      ),
    ),
  )
  return { keySet, requests }
}

export interface KeySetServer {
  readonly url: string
  /** Number of requests so far. */
  requests: number
  stop(): void
}

/** Publishes a key set as an identity provider does, after a delay in milliseconds. */
export async function serveKeySet(keySet: JSONWebKeySet, delay = 0): Promise<KeySetServer> {
  const server: Server = createServer((_, response) => {
    keySetServer.requests++
    response.setHeader('Content-Type', 'application/jwk-set+json')
    setTimeout(() => response.end(JSON.stringify(keySet)), delay)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const stop = () => {
    server.close()
    server.closeAllConnections()
  }
  const keySetServer: KeySetServer = { url: `http://127.0.0.1:${port}/jwks.json`, requests: 0, stop }
  return keySetServer
}
