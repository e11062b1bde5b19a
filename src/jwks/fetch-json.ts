import { MembraneTokenError } from '../errors.ts'
import { invalidOption } from '../options.ts'

/** Bytes of a document, after decompression. */
const SIZE_LIMIT = 65_536

/** Whether keys from a URL can be trusted: `https` without credentials, or `http` on this machine. */
export function isKeySetUrl({ protocol, hostname, username, password }: URL): boolean {
  const isLocal = /^(localhost|.+\.localhost|127(\.\d+){3}|\[::1\])$/.test(hostname)
  return (protocol === 'https:' || (protocol === 'http:' && isLocal)) && !username && !password
}

/** @throws `ERR_OPTION_INVALID` */
export function checkKeySetUrl(url: URL): void {
  if (isKeySetUrl(url)) return
  throw invalidOption('The URL of a JWK set must be https, without user and password.', 'jwks')
}

/**
 * Fetches a JSON document of at most 64 KiB. Redirects are not followed. The content type is not checked: many key
 * sets are static files, with a content type that the host guesses from the name.
 *
 * @param signal Ends the fetch, also while the body is being read
 * @throws `ERR_JWKS_UNAVAILABLE`
 */
export async function fetchJson(href: string, signal: AbortSignal): Promise<unknown> {
  const text = await fetchText(href, signal).catch((error) => {
    throw error instanceof MembraneTokenError ? error : unavailable('could not be fetched in time', error)
  })
  try {
    return JSON.parse(text)
  } catch {
    // No cause: engines quote what they could not parse.
    throw unavailable('is not JSON')
  }
}

async function fetchText(href: string, signal: AbortSignal): Promise<string> {
  const response = await fetch(href, {
    headers: { accept: 'application/jwk-set+json, application/json' },
    redirect: 'manual',
    signal,
  })
  if (response.status === 200) return readText(response)
  // Not awaited: a body that cannot be cancelled must not delay the answer.
  response.body?.cancel().catch(() => {})
  throw unavailable(`was answered with status ${response.status}`)
}

async function readText(response: Response): Promise<string> {
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
      throw unavailable(`is larger than ${SIZE_LIMIT} bytes`)
    }
    text += decoder.decode(value, { stream: true })
  }
}

export function unavailable(what: string, cause?: unknown): MembraneTokenError {
  return new MembraneTokenError(
    'ERR_JWKS_UNAVAILABLE',
    `The JWK set ${what}; check that its URL is right and that it answers from here without a redirect.`,
    { cause },
  )
}
