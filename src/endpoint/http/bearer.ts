import { refusal } from './problem.ts'

const CREDENTIALS = /^Bearer +([\w.~+/-]+=*)$/i

/**
 * The bearer token of a request (RFC 6750 section 2.1).
 *
 * @returns `undefined` if there is no Authorization header, or it has another scheme
 * @throws a {@link Refusal}: `ERR_CREDENTIALS_INVALID` if it is malformed, `ERR_CREDENTIALS_AMBIGUOUS` if there are two
 */
export function readBearer(request: Request): string | undefined {
  const header = request.headers.get('Authorization')
  if (header === null) return undefined
  const token = CREDENTIALS.exec(header)?.[1]
  if (token !== undefined) return token
  if (!/(^|,)\s*Bearer(?![^\s,])/i.test(header)) return undefined
  // Two headers arrive as one, joined by a comma.
  if (header.includes(',')) {
    throw refusal(
      'ERR_CREDENTIALS_AMBIGUOUS',
      'The request has more than one credential; send a single Authorization header.',
    )
  }
  throw refusal('ERR_CREDENTIALS_INVALID', 'Send the header as: Authorization: Bearer <token>.')
}
