import { MembraneTokenError } from '../errors.ts'
import { fetchJson, isKeySetUrl } from './fetch-json.ts'

/** The URL of an issuer's metadata (OpenID Connect Discovery 1.0 section 4.1). */
export function metadataUrl(issuer: string): string {
  return `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`
}

/**
 * Fetches the key set that an issuer's metadata refers to (OpenID Connect Discovery 1.0 section 4.3). The metadata is
 * refetched each time, so that an issuer can move its keys.
 *
 * @throws `ERR_JWKS_UNAVAILABLE`
 */
export async function fetchDiscoveredKeySet(issuer: string, signal: AbortSignal): Promise<unknown> {
  const metadata = (await fetchJson(
    metadataUrl(issuer),
    signal,
    'metadata of the issuer (/.well-known/openid-configuration)',
  )) as { issuer?: unknown; jwks_uri?: unknown } | null
  const uri = metadata?.jwks_uri
  const url = typeof uri === 'string' && URL.canParse(uri) ? new URL(uri) : undefined
  if (metadata?.issuer !== issuer || !url || !isKeySetUrl(url) || isDowngrade(issuer, url)) {
    throw new MembraneTokenError(
      'ERR_JWKS_UNAVAILABLE',
      'The metadata of the identity provider names another issuer, or no https jwks_uri; the configured issuer must match exactly, including a trailing slash.',
    )
  }
  return fetchJson(url.href, signal)
}

// Only an issuer on http may refer to an http URL. Both are allowed on this machine only.
function isDowngrade(issuer: string, url: URL): boolean {
  return url.protocol === 'http:' && new URL(issuer).protocol !== 'http:'
}
