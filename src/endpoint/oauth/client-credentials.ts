import type { Form } from './form.ts'
import { oauthRefusal } from './oauth-error.ts'

/** Credentials of an OAuth client (RFC 6749 section 2.3.1). */
export interface ClientCredentials {
  readonly name: string
  readonly secret: string
}

/**
 * Reads the credentials of a client from the Authorization header or the body.
 *
 * @returns `undefined` if there are none; a `client_id` alone does not authenticate
 * @throws a {@link Refusal} with `invalid_request` if they are sent twice or incomplete, with `invalid_client` if they
 *   are malformed or of an unsupported kind
 */
export function readClient(request: Request, form: Form): ClientCredentials | undefined {
  const header = request.headers.get('Authorization')
  const [id, secret] = [form.get('client_id'), form.get('client_secret')]
  if (form.get('client_assertion') !== undefined) {
    throw oauthRefusal(
      'invalid_client',
      'Client assertions are not supported; send client_secret, or use Basic.',
    )
  }
  if (header === null) {
    if (secret === undefined) return undefined
    if (id === undefined) throw oauthRefusal('invalid_request', 'Send client_id with client_secret.')
    return { name: id, secret }
  }
  const client = readBasic(header)
  if (secret !== undefined || (id !== undefined && id !== client.name)) {
    throw oauthRefusal('invalid_request', 'Send the client’s credentials once: as Basic, or in the body.')
  }
  return client
}

function readBasic(header: string): ClientCredentials {
  const [, encoded] = /^Basic +([A-Za-z0-9+/]+=*)$/i.exec(header) ?? []
  const text = encoded === undefined ? undefined : decode(encoded)
  const colon = text?.indexOf(':') ?? -1
  if (text === undefined || colon < 1 || colon === text.length - 1) {
    throw oauthRefusal(
      'invalid_client',
      'Send the header as: Authorization: Basic base64(client_id:client_secret).',
    )
  }
  return { name: unescapeForm(text.slice(0, colon)), secret: unescapeForm(text.slice(colon + 1)) }
}

function decode(base64: string): string | undefined {
  try {
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return undefined
  }
}

// RFC 6749 section 2.3.1: both are form-encoded. Many clients skip that, so text that cannot be decoded is used as is.
function unescapeForm(text: string): string {
  try {
    return decodeURIComponent(text.replace(/\+/g, ' '))
  } catch {
    return text
  }
}
