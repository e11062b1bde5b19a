import { readText } from '../http/body.ts'
import { oauthRefusal } from './oauth-error.ts'

/** The parameters of a token request; `audience` and `resource` may be repeated (RFC 8693 section 2.1). */
export interface Form {
  /** `undefined` if it is absent or empty, which means the same (RFC 6749 section 3.2). */
  get(name: string): string | undefined
  getAll(name: string): string[]
}

const REPEATABLE = ['audience', 'resource']
const FORM_TYPE = /^application\/x-www-form-urlencoded[ \t]*(;[ \t]*charset="?utf-8"?[ \t]*)?$/i

/** Body members of the other routes. RFC 6749 ignores unknown parameters, but ignoring these would hide a mistake. */
const MISPLACED = ['id', 'name', 'fields', 'isAdmin', 'expiresIn', 'expires_in']

/**
 * Reads the body of a token request (RFC 6749 section 3.2).
 *
 * @throws a {@link Refusal} with `invalid_request`, or the errors of {@link readText}
 */
export async function readForm(request: Request): Promise<Form> {
  if (!FORM_TYPE.test(request.headers.get('Content-Type') ?? '')) {
    throw oauthRefusal('invalid_request', 'Send Content-Type: application/x-www-form-urlencoded, in UTF-8.')
  }
  const parameters = new URLSearchParams(await readText(request))
  const seen = new Set<string>()
  for (const name of parameters.keys()) {
    if (seen.has(name) && !REPEATABLE.includes(name)) {
      throw oauthRefusal('invalid_request', 'A parameter must not be sent more than once.')
    }
    seen.add(name)
  }
  const misplaced = MISPLACED.find((name) => seen.has(name))
  if (misplaced) {
    throw oauthRefusal(
      'invalid_request',
      `"${misplaced}" is not a parameter here: the customer comes from the subject token, and the lifetime from the settings.`,
    )
  }
  return {
    get: (name) => parameters.get(name) || undefined,
    getAll: (name) => parameters.getAll(name).filter((value) => value !== ''),
  }
}
