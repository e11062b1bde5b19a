/** The origin of a request, for CORS. */
export type Origin =
  /** Not from a page, or from a page of the service's origin. */
  | 'own'
  /** From a page of an allowed origin. */
  | { readonly allowed: string }
  | 'forbidden'

/** Whether a header shows that a page sent the request. Opening the URL in a browser does not count. */
export function isFromPage({ headers }: Request): boolean {
  const site = headers.get('Sec-Fetch-Site')
  return headers.has('Origin') || (site !== null && site !== 'none')
}

/**
 * Decides whether the origin of a request is allowed.
 *
 * Same origin is `Sec-Fetch-Site: same-origin`, or, from browsers without that header, an `Origin` whose host equals
 * `Host`. The scheme of the URL is ignored, because a proxy may terminate TLS.
 */
export function decideOrigin(request: Request, allowedOrigins: ReadonlySet<string>): Origin {
  const { headers } = request
  const origin = headers.get('Origin')
  const site = headers.get('Sec-Fetch-Site')
  if (site === 'same-origin') return 'own'
  // Images and navigations have no Origin, but Sec-Fetch-Site shows that a page of another origin caused them.
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
 * Whether a string is an origin exactly as browsers send it (RFC 6454 section 6.2), including those with a custom
 * scheme (`capacitor://localhost`, `chrome-extension://…`). `null` is not accepted.
 */
export function isExactOrigin(text: string): boolean {
  if (/^https?:/i.test(text))
    return !text.includes('*') && URL.canParse(text) && new URL(text).origin === text
  return /^(?!file:)[a-z][a-z0-9+.-]*:\/\/[a-z0-9._-]+(:\d{1,5})?$/.test(text)
}
