import { createPublicKey, type KeyObject } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import jwt, { type JwtPayload } from 'jsonwebtoken'

/** The key in a workspace's settings: its secret, a public key as PEM, or the URL of a JWK set. */
export type WorkspaceKey = { secret: string } | { publicKey: string } | { jwksUri: string }

export interface MembraneApi {
  readonly url: string
  /** Every request, with the claims of its token if it was valid. */
  readonly requests: { path: string; claims: JwtPayload | undefined }[]
  /** Rejects this token from now on, as if its customer had been blocked. */
  revoke(token: string): void
  close(): Promise<void>
}

const RESPONSES: Record<string, (claims: JwtPayload) => unknown> = {
  '/self': ({ id, name, fields, isAdmin }) => ({ id, name, fields, isAdmin }),
  '/integrations': () => ({ items: [{ id: 'integration-1', key: 'hubspot', name: 'HubSpot' }] }),
}

/** Starts a stub of Membrane's API that verifies tokens with jsonwebtoken, as Membrane does. */
export async function startMembraneApi(
  workspaceKey: string,
  key: WorkspaceKey,
  algorithm: jwt.Algorithm,
): Promise<MembraneApi> {
  const requests: MembraneApi['requests'] = []
  const revoked = new Set<string>()

  const verify = async (authorization = ''): Promise<JwtPayload> => {
    const token = authorization.replace(/^Bearer /, '')
    if (revoked.has(token)) throw new Error('revoked')
    const { header } = jwt.decode(token, { complete: true }) ?? {}
    const claims = jwt.verify(token, await findKey(key, header?.kid), {
      algorithms: [algorithm],
    }) as JwtPayload
    if (claims.iss !== workspaceKey) throw new Error('another workspace')
    if (!claims.isAdmin && typeof claims.id !== 'string') throw new Error('no customer')
    return claims
  }

  const server = createServer(async (request, response) => {
    const path = new URL(request.url ?? '', 'http://localhost').pathname
    const reply = (status: number, body: unknown) => {
      response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body))
    }
    try {
      const claims = await verify(request.headers.authorization)
      requests.push({ path, claims })
      const respond = RESPONSES[path]
      reply(respond ? 200 : 404, respond?.(claims) ?? { type: 'not_found', message: path })
    } catch (error) {
      requests.push({ path, claims: undefined })
      reply(401, { type: 'bad_request', key: 'not_authenticated', message: (error as Error).message })
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    revoke: (token) => {
      revoked.add(token)
    },
    close: async () => {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

async function findKey(key: WorkspaceKey, keyId: string | undefined): Promise<string | KeyObject> {
  if ('secret' in key) return key.secret
  if ('publicKey' in key) return key.publicKey
  const { keys } = (await (await fetch(key.jwksUri)).json()) as { keys: { kid: string }[] }
  const jwk = keys.find(({ kid }) => kid === keyId)
  if (!jwk) throw new Error('unknown key')
  return createPublicKey({ key: jwk, format: 'jwk' })
}
