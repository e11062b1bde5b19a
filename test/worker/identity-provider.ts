import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, type JWK } from 'jose'
import Provider, { type AdapterConstructor } from 'oidc-provider'

/** The API that access tokens are for, and the app that ID tokens are for. */
export const AUDIENCE = 'https://app.example/api'
export const CLIENT_ID = 'app'

const REDIRECT_URI = 'http://localhost:1/signed-in'
const DAY = 86_400

// A subclass, because oidc-provider warns whenever its own in-memory store is used.
const { default: MemoryAdapter } = await import('oidc-provider/lib/adapters/memory_adapter.js' as string)
const Store: AdapterConstructor = class extends MemoryAdapter {} as never

export type Handler = (request: IncomingMessage, response: ServerResponse) => unknown

export interface Session {
  accessToken: string
  idToken: string
}

export interface IdentityProvider {
  readonly issuer: string
  /** Paths of all requests for metadata and keys. */
  readonly requests: string[]
  /** Replaces the handler for metadata and keys, or for one of their paths, until {@link recover}. */
  replace(handler: Handler, path?: string): void
  /** The identity provider's own handler. */
  readonly handle: Handler
  /** Stops listening, until {@link recover}. */
  stop(): Promise<void>
  recover(): Promise<void>
  /** A user signs in through the authorization-code flow, as a browser would. */
  signIn(accountId: string): Promise<Session>
  /** Signs with a new key from now on, and still publishes the old ones. */
  rotate(): Promise<void>
  /** Publishes only the current key. */
  retire(): void
  close(): Promise<void>
}

export const METADATA = '/.well-known/openid-configuration'
export const KEYS = '/jwks'

/** Starts a certified OpenID Connect provider on localhost, with new keys. */
export async function startIdentityProvider({
  algorithm = 'ES256',
  sessionSeconds = 30 * DAY,
}: {
  algorithm?: 'ES256' | 'RS256'
  sessionSeconds?: number
} = {}): Promise<IdentityProvider> {
  let keys: JWK[]
  let provider: Provider
  let replaced: { handler: Handler; path: string | undefined } | undefined
  const requests: string[] = []

  const handle: Handler = (request, response) => {
    if (!request.url?.startsWith('/interaction/')) return provider.callback()(request, response)
    // Replaces the login page.
    const { account = '' } = readCookies(request.headers.cookie)
    return provider.interactionFinished(request, response, { login: { accountId: account } })
  }
  const server = createServer((request, response) => {
    const { url = '' } = request
    if (url !== METADATA && url !== KEYS) return handle(request, response)
    requests.push(url)
    const isReplaced = replaced && (replaced.path ?? url) === url
    return (isReplaced ? replaced!.handler : handle)(request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const issuer = `http://127.0.0.1:${port}`

  const publish = (newKeys: JWK[]): void => {
    keys = newKeys
    provider = createProvider(issuer, keys, algorithm, sessionSeconds)
  }
  publish([await createKey(algorithm)])

  const stop = async (): Promise<void> => {
    if (!server.listening) return
    const closed = once(server, 'close')
    server.close()
    server.closeAllConnections()
    await closed
  }
  return {
    issuer,
    requests,
    handle,
    replace: (handler, path) => {
      replaced = { handler, path }
    },
    stop,
    recover: async () => {
      replaced = undefined
      if (server.listening) return
      server.listen(port, '127.0.0.1')
      await once(server, 'listening')
    },
    signIn: (accountId) => signIn(issuer, accountId),
    rotate: async () => publish([await createKey(algorithm), ...keys]),
    retire: () => publish(keys.slice(0, 1)),
    close: stop,
  }
}

async function createKey(algorithm: string): Promise<JWK> {
  const { privateKey } = await generateKeyPair(algorithm, { extractable: true })
  return {
    ...(await exportJWK(privateKey)),
    alg: algorithm,
    use: 'sig',
    kid: randomBytes(8).toString('base64url'),
  }
}

function createProvider(
  issuer: string,
  keys: JWK[],
  algorithm: 'ES256' | 'RS256',
  sessionSeconds: number,
): Provider {
  const nameOf = (accountId: string | undefined) => `Company of ${accountId}`
  return new Provider(issuer, {
    adapter: Store,
    jwks: { keys: keys as never },
    cookies: { keys: ['for tests only'] },
    clients: [
      {
        client_id: CLIENT_ID,
        token_endpoint_auth_method: 'none',
        redirect_uris: [REDIRECT_URI],
        id_token_signed_response_alg: algorithm,
      },
    ],
    claims: { profile: ['name'] },
    conformIdTokenClaims: false,
    findAccount: (_, accountId) => ({
      accountId,
      claims: () => ({ sub: accountId, name: nameOf(accountId) }),
    }),
    extraTokenClaims: (_, token) => ({
      name: nameOf('accountId' in token ? token.accountId : undefined),
      org: { plan: 'trial' },
    }),
    // Consent is granted without a page.
    loadExistingGrant: async ({ oidc }) => {
      const grant = new oidc.provider.Grant({
        clientId: oidc.client!.clientId,
        accountId: oidc.session!.accountId!,
      })
      grant.addOIDCScope('openid profile')
      await grant.save()
      return grant
    },
    ttl: {
      AccessToken: sessionSeconds,
      IdToken: sessionSeconds,
      Grant: sessionSeconds,
      Session: sessionSeconds,
      Interaction: 600,
    },
    features: {
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => AUDIENCE,
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({
          scope: '',
          audience: AUDIENCE,
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: algorithm } },
        }),
      },
    },
  })
}

async function signIn(issuer: string, accountId: string): Promise<Session> {
  const cookies = new Map([['account', accountId]])
  const verifier = randomBytes(32).toString('base64url')
  const query = new URLSearchParams({
    client_id: CLIENT_ID,
    response_type: 'code',
    redirect_uri: REDIRECT_URI,
    scope: 'openid profile',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  })
  let url = new URL(`/auth?${query}`, issuer)
  while (!url.href.startsWith(REDIRECT_URI)) {
    const response = await fetch(url, {
      redirect: 'manual',
      headers: { Cookie: Array.from(cookies, (cookie) => cookie.join('=')).join('; ') },
    })
    for (const cookie of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? []
      cookies.set(name, value)
    }
    const location = response.headers.get('Location')
    if (location === null) throw new Error(`The sign-in ended with ${response.status} at ${url.pathname}.`)
    url = new URL(location, issuer)
  }
  const response = await fetch(new URL('/token', issuer), {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      client_id: CLIENT_ID,
      code: url.searchParams.get('code') ?? '',
      redirect_uri: REDIRECT_URI,
      code_verifier: verifier,
    }),
  })
  const { access_token: accessToken, id_token: idToken } = (await response.json()) as Record<string, string>
  if (!accessToken || !idToken) throw new Error(`The token request failed with ${response.status}.`)
  return { accessToken, idToken }
}

function readCookies(header = ''): Record<string, string> {
  return Object.fromEntries(header.split('; ').map((cookie) => cookie.split('=')))
}
