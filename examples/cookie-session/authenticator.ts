import { type Authenticator, refusal } from 'membrane-token/endpoint'

/** What your session library returns for a signed-in user. */
export interface AppSession {
  userId: string
  customer: { id: string; name?: string }
  expiresAt: Date
}

/**
 * Authenticates users by the app's session cookie.
 *
 * Browsers send cookies with cross-site requests too, so a cookie alone does not prove that your page sent the request
 * (CSRF). Only requests that the browser marks as same-origin are accepted.
 *
 * @param getSession Returns the session of a request, such as better-auth's `auth.api.getSession({ headers })`
 */
export function cookieSession(getSession: (headers: Headers) => Promise<AppSession | null>): Authenticator {
  return async (request) => {
    if (!request.headers.has('Cookie')) return null
    const session = await getSession(request.headers)
    if (!session) return null
    if (!isSameOrigin(request)) {
      throw refusal('ERR_CALLER_FORBIDDEN', 'Cookies are accepted from pages of the same origin only.')
    }
    const { userId: subject, customer, expiresAt } = session
    return { kind: 'customer', customer, subject, expiresAt, method: 'cookie' }
  }
}

function isSameOrigin({ headers }: Request): boolean {
  const site = headers.get('Sec-Fetch-Site')
  if (site !== null) return site === 'same-origin'
  // Browsers released before 2023. A request with neither header was not sent by a page's fetch.
  const origin = headers.get('Origin')
  return origin !== null && URL.canParse(origin) && new URL(origin).host === headers.get('Host')
}
