import type { JWK } from 'jose'
import { MembraneTokenError } from '../errors.ts'
import { checkPublicKey, readVerificationKey } from '../keys/public-key.ts'

const PUBLISHED_MEMBERS = ['kty', 'crv', 'x', 'y', 'n', 'e', 'kid', 'alg', 'use', 'key_ops'] as const

/**
 * Reads the keys to publish, keeping only their public members.
 *
 * @throws `ERR_OPTION_INVALID` if it is not a set, two keys share a `kid`, or several have none · `ERR_KEY_INVALID` ·
 *   `ERR_KEY_FORMAT_UNSUPPORTED` · `ERR_KEY_WEAK` · `ERR_KEY_ALGORITHM_MISMATCH` for an unusable or private key
 */
export function readPublishedKeys(keys: unknown): JWK[] {
  if (!Array.isArray(keys)) {
    throw invalid('additionalKeys must be a JWK set: { "keys": [ … ] } with public keys.')
  }
  const published = keys.map((jwk: unknown) => {
    if (typeof jwk !== 'object' || jwk === null) throw invalid('Every key of a JWK set must be an object.')
    readVerificationKey(jwk, undefined, checkPublicKey)
    const members = PUBLISHED_MEMBERS.filter((name) => Object.hasOwn(jwk, name))
    return Object.fromEntries(members.map((name) => [name, (jwk as JWK)[name]])) as JWK
  })
  const ids = published.map(({ kid }) => kid)
  if (published.length > 1 && new Set(ids).size !== ids.length) {
    throw invalid('Every published key needs its own kid.')
  }
  return published
}

function invalid(message: string): MembraneTokenError {
  return new MembraneTokenError('ERR_OPTION_INVALID', message, { option: 'additionalKeys' })
}
