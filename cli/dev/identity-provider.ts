import { randomBytes } from 'node:crypto'
import { SignJWT } from 'jose/jwt/sign'
import { exportJWK } from 'jose/key/export'
import { generateKeyPair } from 'jose/key/generate/keypair'
import { type FetchHandler, type Listener, listen } from '../serve/listen.ts'
import type { DevUser } from './customers.ts'
import { checkHost } from './host.ts'
import { renderSignInPage } from './sign-in-page.ts'

export interface LocalIdentityProvider {
  readonly issuer: string
  readonly audience: string
  /** URL of the sign-in page. It contains a secret that changes at every start, so that other pages cannot guess it. */
  readonly page: string
  /** Creates a session for a user, as a JWT. */
  signIn(user: DevUser): Promise<string>
  readonly listener: Listener
}

const ALGORITHM = 'ES256'
const SESSION_LIFETIME = '1h'

/**
 * Starts an identity provider with only what the service uses: the metadata, and keys that are generated at every
 * start. For development only: anyone with the page's URL can sign in as any user without a password. Responses have no
 * CORS headers, so pages of other origins cannot read them.
 *
 * @param consolePage HTML of the console, which is served next to the sign-in page
 */
export async function startIdentityProvider(
  host: string,
  port: number,
  users: readonly DevUser[],
  consolePage?: string,
): Promise<LocalIdentityProvider> {
  const secret = randomBytes(24).toString('base64url')
  const audience = 'membrane-token-development'
  const header = { alg: ALGORITHM, kid: 'development' }
  const { publicKey, privateKey } = await generateKeyPair(ALGORITHM)
  const keys = [{ ...(await exportJWK(publicKey)), ...header, use: 'sig' }]
  let issuer = ''

  const signIn = ({ ...claims }: DevUser): Promise<string> =>
    new SignJWT({ iss: issuer, aud: audience, ...claims })
      .setProtectedHeader(header)
      .setIssuedAt()
      .setExpirationTime(SESSION_LIFETIME)
      .sign(privateKey)

  const respond = async (path: string): Promise<Response> => {
    if (path === '/.well-known/openid-configuration') return json(metadataOf(issuer))
    if (path === '/jwks.json') return json({ keys })
    if (path === `/${secret}/`) return html(renderSignInPage(users, consolePage !== undefined))
    if (path === `/${secret}/console` && consolePage !== undefined) return html(consolePage)
    const user = users.find(({ sub }) => path === `/${secret}/sessions/${encodeURIComponent(sub)}`)
    return user ? json({ session: await signIn(user) }) : new Response('Not found\n', { status: 404 })
  }

  const handler: FetchHandler = async (request) => {
    const response = checkHost(request, issuer) ?? (await respond(new URL(request.url).pathname))
    for (const [name, value] of HEADERS) response.headers.set(name, value)
    return response
  }
  const listener = await listen(handler, { host, port })
  issuer = `http://${host}:${listener.port}`
  return { issuer, audience, page: `${issuer}/${secret}/`, signIn, listener }
}

const HEADERS = [
  ['Cache-Control', 'no-store'],
  ['Cross-Origin-Resource-Policy', 'same-origin'],
  ['Referrer-Policy', 'no-referrer'],
  ['X-Content-Type-Options', 'nosniff'],
  ['X-Frame-Options', 'DENY'],
] as const

function metadataOf(issuer: string): object {
  return {
    issuer,
    jwks_uri: `${issuer}/jwks.json`,
    response_types_supported: ['none'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: [ALGORITHM],
  }
}

const json = (body: object): Response => Response.json(body)

const html = (body: string): Response =>
  new Response(body, { headers: { 'Content-Type': 'text/html; charset=utf-8' } })
