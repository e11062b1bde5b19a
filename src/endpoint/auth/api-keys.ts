import { checkObject, invalidOption } from '../../options.ts'
import { readBearer } from '../http/bearer.ts'
import { refusal } from '../http/problem.ts'
import { type Authenticator, checkScopes, type Scope } from './caller.ts'
import { JWT_SHAPE } from './id-token.ts'

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

const encoder: TextEncoder = /* @__PURE__ */ new TextEncoder()

/**
 * Knows services by an API key in `Authorization: Bearer …` (RFC 6750 section 2.1).
 *
 * Only digests are held, so that neither the settings nor a dump of the memory gives a key away. That calls
 * for keys which cannot be guessed: at least 128 random bits, never a password.
 *
 * @returns An authenticator that resolves to a service, or to `null` where the header is absent, of another
 *   scheme, or holds a JWT; a key it does not know is refused with `ERR_CREDENTIALS_INVALID`
 * @throws `ERR_OPTION_INVALID` when a key has no name, no digest or no scope, or
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
  if (!Array.isArray(options?.keys)) throw invalidOption('keys must be a list of { name, sha256, scopes }.')
  const keys = options.keys.map(readKey)
  if (new Set(options.keys.map((key) => key.sha256.toLowerCase())).size !== keys.length) {
    throw invalidOption('The same sha256 stands twice; give every service a key of its own.')
  }

  return async (request) => {
    const presented = readBearer(request)
    if (presented === undefined || JWT_SHAPE.test(presented)) return null
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', encoder.encode(presented)))
    const key = findKey(keys, digest)
    if (key) return { kind: 'service', method: 'api-key', name: key.name, scopes: key.scopes }
    throw refusal('ERR_CREDENTIALS_INVALID', 'This API key is not known here; it may have been withdrawn.')
  }
}

function readKey(key: ApiKey): KnownKey {
  checkObject(key)
  const { name, sha256, scopes } = key
  if (typeof name !== 'string' || name === '')
    throw invalidOption('Every API key needs the name of its service.')
  if (typeof sha256 !== 'string' || !/^[0-9a-f]{64}$/i.test(sha256)) {
    throw invalidOption('Every API key needs its SHA-256 digest in hex, 64 digits, and never the key itself.')
  }
  const digest = Uint8Array.from(sha256.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
  return { digest, name, scopes: checkScopes(scopes) }
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
