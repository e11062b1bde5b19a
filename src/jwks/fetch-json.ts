import { MembraneTokenError } from '../errors.ts'
import { invalidOption } from '../options.ts'

/** Maximum bytes of a document, after decompression. */
const SIZE_LIMIT = 65_536

/** Whether a URL is allowed for key sets: `https`, or `http` on this machine, without user and password. */
export function isKeySetUrl({ protocol, hostname, username, password }: URL): boolean {
  const isLocal = /^(localhost|.+\.localhost|127(\.\d+){3}|\[::1\])$/.test(hostname)
  return (protocol === 'https:' || (protocol === 'http:' && isLocal)) && !username && !password
}

/** @throws `ERR_OPTION_INVALID` */
export function checkKeySetUrl(url: URL): void {
  if (isKeySetUrl(url)) return
  throw invalidOption('The URL of a JWK set must be https, without user and password.', 'jwks')
}

/** The documents of an identity provider, as named in error messages. */
export type ProviderDocument = 'JWK set' | 'metadata of the issuer (/.well-known/openid-configuration)'

/**
 * Fetches a JSON document of at most 64 KiB. Redirects are not followed. The content type is not checked: many key
 * sets are static files, with a content type that the host guesses from the name.
 *
 * @param signal Aborts the fetch, including while the body is being read
 * @throws `ERR_JWKS_UNAVAILABLE`
 */
export async function fetchJson(
  href: string,
  signal: AbortSignal,
  document: ProviderDocument = 'JWK set',
): Promise<unknown> {
  const text = await fetchText(href, signal, document).catch((error) => {
    throw error instanceof MembraneTokenError ? error : unavailable('could not be fetched', document, error)
  })
  try {
    return JSON.parse(text)
  } catch {
    // No cause, because engines quote the text.
    throw unavailable('is not JSON', document)
  }
}

async function fetchText(href: string, signal: AbortSignal, document: ProviderDocument): Promise<string> {
  const response = await fetch(href, {
    headers: { accept: 'application/jwk-set+json, application/json' },
    redirect: 'manual',
    signal,
  })
  if (response.status === 200) return readText(response, document)
  // Not awaited: a body that cannot be cancelled must not delay the error.
  response.body?.cancel().catch(() => {})
  throw unavailable(`could not be fetched (status ${response.status})`, document)
}

async function readText(response: Response, document: ProviderDocument): Promise<string> {
  const decoder = new TextDecoder()
  let size = 0
  let text = ''
  const reader = (response.body as ReadableStream<Uint8Array>).getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return text + decoder.decode()
    size += value.byteLength
    if (size > SIZE_LIMIT) {
      reader.cancel().catch(() => {})
      throw unavailable(`is larger than ${SIZE_LIMIT} bytes`, document)
    }
    text += decoder.decode(value, { stream: true })
  }
}

export function unavailable(
  reason: string,
  document: ProviderDocument = 'JWK set',
  cause?: unknown,
): MembraneTokenError {
  return new MembraneTokenError(
    'ERR_JWKS_UNAVAILABLE',
    `The ${document} ${reason}; check that its URL is correct and reachable from here without a redirect.`,
    { cause },
  )
}
