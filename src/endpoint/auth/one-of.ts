import { invalidOption } from '../../options.ts'
import { refusal } from '../http/problem.ts'
import type { Authenticator, Caller } from './caller.ts'

/**
 * Takes several kinds of credentials: whichever a request carries. A request that carries two is refused, since
 * nobody can tell for whom it speaks (RFC 6750 section 2).
 *
 * @returns An authenticator that resolves to `null` where none of them finds credentials
 * @throws `ERR_OPTION_INVALID` without any authenticator
 *
 * @example Users with a session, and services with an API key
 *
 * ```ts
 * const authenticate = oneOf(
 *   sessionJwt({ issuer: 'https://example.eu.auth0.com/', audience: 'https://api.example.com' }),
 *   apiKeys({ keys: [{ name: 'backend', sha256: digest, scopes: ['customer'] }] }),
 * )
 * ```
 */
export function oneOf(...authenticators: Authenticator[]): Authenticator {
  if (
    authenticators.length === 0 ||
    !authenticators.every((authenticate) => typeof authenticate === 'function')
  ) {
    throw invalidOption('oneOf takes one authenticator or more, such as sessionJwt(…) and apiKeys(…).')
  }
  return async (request) => {
    let found: Caller | null = null
    for (const authenticate of authenticators) {
      const caller = await authenticate(request)
      if (caller && found) {
        throw refusal(
          'ERR_CREDENTIALS_AMBIGUOUS',
          'The request carries two credentials; send only one of them.',
        )
      }
      found ??= caller
    }
    return found
  }
}
