/** Where a request comes from, as far as CORS is concerned. */
export type Origin =
  /** Not from a page, or from a page of the service's own origin. */
  | 'own'
  /** From a page of another origin that is allowed. */
  | { readonly allowed: string }
  | 'forbidden'

/** Whether any header shows that a page sent the request; opening the address in a browser does not count. */
export function isFromPage({ headers }: Request): boolean {
  const site = headers.get('Sec-Fetch-Site')
  return headers.has('Origin') || (site !== null && site !== 'none')
}

/**
 * Decides about the origin of a request. Pages of other origins are rejected unless their origin is allowed.
 *
 * Same origin is `Sec-Fetch-Site: same-origin`, or else an `Origin` whose host equals `Host`: behind a proxy that
 * terminates TLS, the URL is not the page's.
 */
export function decideOrigin(request: Request, allowedOrigins: ReadonlySet<string>): Origin {
  const { headers } = request
  const origin = headers.get('Origin')
  const site = headers.get('Sec-Fetch-Site')
  if (site === 'same-origin') return 'own'
  // Images and navigations carry no Origin, but browsers say that another site asked for them.
  if (origin === null) return site === null || site === 'none' ? 'own' : 'forbidden'
  if (allowedOrigins.has(origin)) return { allowed: origin }
  const host = headers.get('Host') ?? hostOf(request.url)
  const isOwn = site === null && (origin === `https://${host}` || origin === `http://${host}`)
  return isOwn ? 'own' : 'forbidden'
}

function hostOf(url: string): string {
  return new URL(url).host
}

/**
 * Whether a text is an origin exactly as browsers write it (RFC 6454 section 6.1), that of an app's own scheme
 * (`capacitor://localhost`, `chrome-extension://…`) included. `null` is not an origin.
 */
export function isExactOrigin(text: string): boolean {
  if (/^https?:/i.test(text))
    return !text.includes('*') && URL.canParse(text) && new URL(text).origin === text
  return /^(?!file:)[a-z][a-z0-9+.-]*:\/\/[a-z0-9._-]+(:\d{1,5})?$/.test(text)
}
