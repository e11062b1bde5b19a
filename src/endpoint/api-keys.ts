import { MembraneTokenError } from '../errors.ts'
import type { Authenticator, Scope } from './caller.ts'
import { refusal } from './problem.ts'

/** One key of a service. A service may have several, so that it can change keys without an outage. */
export interface ApiKey {
  /** The service that holds the key, as it is to appear in logs. */
  name: string
  /** The SHA-256 digest of the key's UTF-8 bytes, in hex: `printf %s "$API_KEY" | sha256sum`. */
  sha256: string
  /** What the service may have tokens for. */
  scopes: readonly Scope[]
}

export interface ApiKeysOptions {
  keys: readonly ApiKey[]
}

interface KnownKey {
  readonly digest: Uint8Array
  readonly name: string
  readonly scopes: readonly Scope[]
}

const SCOPES: readonly unknown[] = ['customer', 'admin'] satisfies Scope[]

// RFC 6750 section 2.1. Two Authorization headers reach us as one, joined by a comma, and do not match.
const BEARER_CREDENTIALS = /^Bearer +([\w.~+/-]+=*)$/i

const encoder: TextEncoder = /* @__PURE__ */ new TextEncoder()

/**
 * Knows services by an API key in `Authorization: Bearer …` (RFC 6750 section 2.1).
 *
 * Only digests are held, so that neither the settings nor a dump of the memory gives a key away. That calls
 * for keys which cannot be guessed: at least 128 random bits, never a password.
 *
 * @returns An authenticator that resolves to a service, or to `null` where the header is absent or of
 *   another scheme; a key it does not know and a header it cannot read are refused with
 *   `ERR_CREDENTIALS_INVALID`
 * @throws {@link MembraneTokenError} `ERR_OPTION_INVALID` when a key has no name, no digest or no scope, or
 *   when one digest stands for two keys
 *
 * @example
 *
 * ```ts
 * const authenticate = apiKeys({
 *   keys: [{ name: 'backend', sha256: env.BACKEND_KEY_SHA256, scopes: ['customer'] }],
 * })
 * ```
 */
export function apiKeys(options: ApiKeysOptions): Authenticator {
  const keys = options.keys.map(readKey)
  if (new Set(options.keys.map((key) => key.sha256.toLowerCase())).size !== keys.length) {
    throw invalid('The same sha256 stands twice; give every service a key of its own.')
  }

  return async (request) => {
    const header = request.headers.get('Authorization')
    if (header === null || !/^Bearer\b/i.test(header)) return null
    const presented = BEARER_CREDENTIALS.exec(header)?.[1]
    if (presented === undefined) {
      throw refusal(
        'ERR_CREDENTIALS_INVALID',
        'The Authorization header must be sent once, as: Authorization: Bearer <API key>.',
      )
    }
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', encoder.encode(presented)))
    const key = findKey(keys, digest)
    if (key === undefined) {
      throw refusal('ERR_CREDENTIALS_INVALID', 'This API key is not known here; it may have been withdrawn.')
    }
    return { kind: 'service', name: key.name, scopes: key.scopes }
  }
}

function readKey(key: ApiKey): KnownKey {
  if (typeof key.name !== 'string' || key.name === '')
    throw invalid('Every API key needs the name of its service.')
  if (typeof key.sha256 !== 'string' || !/^[0-9a-f]{64}$/i.test(key.sha256)) {
    throw invalid('Every API key needs its SHA-256 digest in hex, 64 digits, and never the key itself.')
  }
  if (
    !Array.isArray(key.scopes) ||
    key.scopes.length === 0 ||
    !key.scopes.every((scope) => SCOPES.includes(scope))
  ) {
    throw invalid('Every API key needs scopes: "customer", "admin", or both.')
  }
  const digest = Uint8Array.from(key.sha256.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
  return { digest, name: key.name, scopes: [...key.scopes] }
}

// Every digest and every byte is looked at, whatever matched, so that the time taken tells nothing.
function findKey(keys: readonly KnownKey[], presented: Uint8Array): KnownKey | undefined {
  let found: KnownKey | undefined
  for (const key of keys) {
    let difference = 0
    for (const [index, byte] of presented.entries()) difference |= byte ^ (key.digest[index] as number)
    found = difference === 0 ? key : found
  }
  return found
}

function invalid(message: string): MembraneTokenError {
  return new MembraneTokenError('ERR_OPTION_INVALID', message)
}
