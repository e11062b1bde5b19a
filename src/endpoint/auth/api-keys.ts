import { invalidOption, readOptions } from '../../options.ts'
import { type Caller, type CredentialAuthenticator, readScopes, type Scope } from './caller.ts'
import { BEARER_SOURCE, composeAuthenticator } from './credential-authenticator.ts'
import { invalid, isJwt } from './id-token.ts'
import { readList } from './read-list.ts'

/** One key of a service. A service may have several, so that keys can be rotated without an outage. */
export interface ApiKey {
  /** Name of the service in the audit log; its client id at `/oauth/token`. */
  name: string
  /** SHA-256 digest of the key's UTF-8 bytes, in hex: `printf %s "$API_KEY" | sha256sum`. */
  sha256: string
  /** Which tokens the service may request. */
  scopes: readonly Scope[]
}

/** Options of {@link apiKeys}. */
export interface ApiKeysOptions {
  /** The keys, with a different digest each. */
  keys: readonly ApiKey[]
}

interface BoundKey {
  readonly digest: Uint8Array
  readonly name: string
  readonly scopes: readonly Scope[]
}

const encoder: TextEncoder = /* @__PURE__ */ new TextEncoder()

/**
 * Authenticates services by API key: in `Authorization: Bearer …` (RFC 6750 section 2.1), or as the secret of an OAuth
 * client whose id is the key's name (RFC 6749 section 2.3.1).
 *
 * Only unsalted digests are stored, so the settings do not reveal a key if it is random: use at least 128 random bits,
 * never a password.
 *
 * @returns An authenticator that resolves to a service, or to `null` if there is no `Authorization: Bearer`, or it has
 *   a JWT. It rejects an unknown key with `ERR_CREDENTIALS_INVALID`.
 * @throws `ERR_OPTION_INVALID` if a key lacks a name, digest or scope, or two keys have the same digest
 *
 * @example
 *
 * ```ts
 * const authenticate = apiKeys({
 *   keys: [{ name: 'backend', sha256: env.BACKEND_KEY_SHA256, scopes: ['customer'] }],
 * })
 * ```
 */
export function apiKeys(options: ApiKeysOptions): CredentialAuthenticator {
  const { keys: list } = readOptions(options, ['keys'])
  if (!Array.isArray(list)) throw invalidOption('keys must be a list of { name, sha256, scopes }.', 'keys')
  const keys = readList('keys', list, readKey)
  if (new Set(keys.map(({ digest }) => digest.join())).size !== keys.length) {
    throw invalidOption('Two keys have the same sha256; give every service its own key.', 'keys')
  }

  const identify = async (key: string, name?: string): Promise<Caller> => {
    const known = findKey(keys, new Uint8Array(await crypto.subtle.digest('SHA-256', encoder.encode(key))))
    if (!known || (name !== undefined && name !== known.name)) throw invalid('Unknown or revoked API key.')
    return { kind: 'service', method: 'api-key', name: known.name, scopes: known.scopes }
  }

  return composeAuthenticator([
    {
      source: BEARER_SOURCE,
      dependencies: [],
      accepts: [],
      verify: async (credential) => {
        if (credential.kind === 'client') return identify(credential.secret, credential.name)
        return isJwt(credential.token) ? null : identify(credential.token)
      },
    },
  ])
}

function readKey(key: ApiKey): BoundKey {
  const { name, sha256, scopes } = readOptions(key, ['name', 'sha256', 'scopes'])
  if (typeof name !== 'string' || name === '')
    throw invalidOption('Every API key needs the name of its service.', 'name')
  if (typeof sha256 !== 'string' || !/^[0-9a-f]{64}$/i.test(sha256)) {
    throw invalidOption(
      'Every API key needs its SHA-256 digest as 64 hex digits; never put the key itself here.',
      'sha256',
    )
  }
  const digest = Uint8Array.from(sha256.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
  return { digest, name, scopes: readScopes(scopes, 'scopes') }
}

// Compares every byte of every digest, so that the time does not depend on which key matches, or how much of it.
function findKey(keys: readonly BoundKey[], presented: Uint8Array): BoundKey | undefined {
  let found: BoundKey | undefined
  for (const key of keys) {
    let difference = 0
    for (const [index, byte] of presented.entries()) difference |= byte ^ (key.digest[index] as number)
    found = difference === 0 ? key : found
  }
  return found
}
