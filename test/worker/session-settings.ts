import { type Bindings, makeSettings, type Stage } from './harness.ts'
import { type IdentityProvider, makeProvider, type Writing } from './provider-stub.ts'

export const AUDIENCE = 'https://api.test'

/** An identity provider, the settings of a Worker that accepts its sessions, and their writer. */
export function makeSessions(): {
  idp: IdentityProvider
  settings: Bindings
  secret: string
  /** A valid session, but for what is said. */
  sign(claims?: object, writing?: Writing): string
} {
  const idp = makeProvider('https://id.test/')
  const { settings, secret } = makeSettings()
  return {
    idp,
    settings: {
      ...settings,
      SESSION_ISSUER: idp.issuer,
      SESSION_AUDIENCE: AUDIENCE,
      SESSION_JWKS_URI: 'https://id.test/.well-known/jwks.json',
    },
    secret,
    sign: (claims, writing) => idp.sign({ aud: AUDIENCE, ...claims }, writing),
  }
}

/** How a request with a session differs from a GET of the customer token route. */
export interface Asking {
  worker?: string
  method?: string
  body?: unknown
  query?: string
  path?: string
}

/** @returns a function that requests a token with a session */
export const askWith =
  (send: Stage['send']) =>
  (
    token: string,
    { query = '', path = '/api/membrane-token', body, ...sent }: Asking = {},
  ): Promise<Response> =>
    send(`${path}${query}`, {
      headers: {
        Authorization: `Bearer ${token}`,
        ...(body !== undefined && { 'Content-Type': 'application/json' }),
      },
      body,
      ...sent,
    })
