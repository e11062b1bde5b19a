import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose'
import { afterAll } from 'vitest'
import { listen } from '../../cli/serve/node.ts'

export type Handle = (request: Request) => Promise<Response | undefined> | Response | undefined

/** A local server for one test file. Its handler can be replaced at any time; without a response, it returns 404. */
export async function startServer(): Promise<{ origin: string; handle: (handler: Handle) => void }> {
  let current: Handle = () => undefined
  const handler = async (request: Request) => (await current(request)) ?? new Response(null, { status: 404 })
  const listener = await listen(handler, { host: '127.0.0.1', port: 0 })
  afterAll(() => {
    listener.kill()
    return listener.close()
  })
  return {
    origin: `http://127.0.0.1:${listener.port}`,
    handle: (next) => {
      current = next
    },
  }
}

/** An identity provider, served below a path of a server. */
export async function createIssuer(issuer: string) {
  const header = { alg: 'ES256', kid: 'issuer' }
  const { publicKey, privateKey } = await generateKeyPair('ES256')
  const keys = [{ ...(await exportJWK(publicKey)), ...header, use: 'sig' }]
  const documents: Record<string, object> = {
    [`${issuer}/.well-known/openid-configuration`]: { issuer, jwks_uri: `${issuer}/jwks.json` },
    [`${issuer}/jwks.json`]: { keys },
  }
  return {
    handle: ({ url }: Request) => (documents[url] ? Response.json(documents[url]) : undefined),
    sign: (claims: JWTPayload, audience: string) =>
      new SignJWT({ iss: issuer, aud: audience, sub: 'job', ...claims })
        .setProtectedHeader(header)
        .setIssuedAt()
        .setExpirationTime('5m')
        .sign(privateKey),
  }
}
