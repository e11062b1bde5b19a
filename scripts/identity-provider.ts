import { once } from 'node:events'
import { createServer } from 'node:http'
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose'

/** What a session of the {@link LocalIdentityProvider} says. */
export interface Session extends JWTPayload {
  sub: string
  name?: string
}

export interface LocalIdentityProvider {
  readonly issuer: string
  readonly audience: string
  /** The session of somebody who is signed in, as a JWT. */
  signIn(session: Session, lifetime: string): Promise<string>
}

/**
 * As much of an OpenID Connect provider as the Worker sees of one: its metadata and its keys. For development only:
 * whoever runs it signs in whom they like, without a password. Sessions are given out in this process and never over
 * HTTP, where every page in the browser could ask for one. The keys are new with every start.
 *
 * @throws the server's error if it cannot listen on that port
 */
export async function startIdentityProvider(host: string, port: number): Promise<LocalIdentityProvider> {
  const issuer = `http://${host}:${port}`
  const audience = 'membrane-token-development'
  const header = { alg: 'ES256', kid: 'development' }
  const { publicKey, privateKey } = await generateKeyPair(header.alg)

  const documents = new Map<string | undefined, unknown>([
    [
      '/.well-known/openid-configuration',
      {
        issuer,
        jwks_uri: `${issuer}/jwks.json`,
        response_types_supported: ['none'],
        subject_types_supported: ['public'],
        id_token_signing_alg_values_supported: [header.alg],
      },
    ],
    ['/jwks.json', { keys: [{ ...(await exportJWK(publicKey)), ...header, use: 'sig' }] }],
  ])
  const server = createServer(({ url }, response) => {
    const document = documents.get(url)
    response.writeHead(document ? 200 : 404, { 'Content-Type': 'application/json' })
    response.end(JSON.stringify(document ?? {}))
  })
  server.listen(port, host)
  await once(server, 'listening')

  return {
    issuer,
    audience,
    signIn: (session, lifetime) =>
      new SignJWT({ iss: issuer, aud: audience, ...session })
        .setProtectedHeader(header)
        .setIssuedAt()
        .setExpirationTime(lifetime)
        .sign(privateKey),
  }
}
