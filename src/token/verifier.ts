import type { CryptoKey, JSONWebKeySet, JWK } from 'jose'
import { type Algorithm, bindAlgorithms } from '../algorithms.ts'
import { MembraneTokenError } from '../errors.ts'
import { asymmetricAlgorithms, importKeySet } from '../jwks/key-set.ts'
import { createRemoteKeySet } from '../jwks/remote-key-set.ts'
import { verifyJws } from '../jws/verify.ts'
import { withOption } from '../keys/errors.ts'
import { pinAlgorithms } from '../keys/policy.ts'
import { checkPublicKey, importPublicKey } from '../keys/public-key.ts'
import { importSecretSource } from '../keys/secret.ts'
import { type KeySource, singleKey } from '../keys/source.ts'
import {
  bindClock,
  bindTolerance,
  checkExactlyOne,
  checkWorkspaceKey,
  invalidOption,
  readOptions,
} from '../options.ts'
import { checkWorkspace, readDates, readSubject } from './claims.ts'

/**
 * Options of {@link createVerifier}. `workspaceKey` and exactly one of `secret`, `publicKey` and `jwks` are required.
 */
export interface VerifierOptions {
  /** Workspace key that the tokens must name. */
  workspaceKey: string
  /** Workspace secret for HS*; a string is used as its exact UTF-8 bytes. */
  secret?: string | Uint8Array | CryptoKey | undefined
  /** Public key for RS*, PS* and ES*: SPKI, PKCS#1 or X.509 as PEM or DER, JWK (object or text) or CryptoKey. */
  publicKey?: string | Uint8Array | JWK | CryptoKey | undefined
  /** JWK set (RFC 7517 section 5), or its https URL. */
  jwks?: JSONWebKeySet | URL | undefined
  /** Allowed algorithms. Default: all that the key supports. */
  algorithms?: Algorithm[] | undefined
  /** Tolerated clock difference between signer and verifier, in seconds. Default 0, like Membrane. */
  clockTolerance?: number | undefined
  /** The clock, in milliseconds since the epoch. Default `Date.now`. */
  now?: (() => number) | undefined
  /** Accepts a secret shorter than 32 bytes. */
  allowShortSecret?: boolean | undefined
  /** Accepts a secret in a web page or web worker. Use it only in internal tools. Not needed for public keys. */
  trustedBrowser?: boolean | undefined
}

/** A token with a valid signature that belongs to the workspace and has not expired. */
export type VerifiedToken = VerifiedCustomerToken | VerifiedAdminToken

export interface VerifiedCustomerToken extends VerifiedTokenBase {
  kind: 'customer'
  id: string
  name?: string
  fields?: Record<string, unknown>
}

export interface VerifiedAdminToken extends VerifiedTokenBase {
  kind: 'admin'
}

export interface VerifiedTokenBase {
  workspaceKey: string
  issuedAt?: Date
  expiresAt: Date
  jwtId?: string
  algorithm: Algorithm
  keyId?: string
}

export interface Verifier {
  /**
   * Verifies a token, in any of the three claim styles.
   *
   * @throws `ERR_TOKEN_MALFORMED` · `ERR_TOKEN_TOO_LARGE` · `ERR_TOKEN_ALGORITHM_NOT_ALLOWED` ·
   *   `ERR_TOKEN_SIGNATURE_INVALID` · `ERR_TOKEN_EXPIRED` · `ERR_TOKEN_NOT_YET_VALID` ·
   *   `ERR_TOKEN_WORKSPACE_MISMATCH` · `ERR_TOKEN_CLAIM_INVALID` · with a key set also `ERR_KEY_NOT_FOUND`,
   *   `ERR_JWKS_UNAVAILABLE` and the codes for invalid keys
   */
  verify(token: string): Promise<VerifiedToken>
}

const OPTIONS = [
  'workspaceKey',
  'secret',
  'publicKey',
  'jwks',
  'algorithms',
  'clockTolerance',
  'now',
  'allowShortSecret',
  'trustedBrowser',
] as const

/**
 * Creates a verifier, which checks tokens according to RFC 7515 section 5.2, RFC 7519 section 7.2 and RFC 8725. Create
 * one when the program starts and reuse it.
 *
 * @throws `ERR_OPTION_INVALID` · `ERR_ALGORITHM_UNSUPPORTED` · `ERR_KEY_INVALID` · `ERR_KEY_FORMAT_UNSUPPORTED` ·
 *   `ERR_KEY_WEAK` · `ERR_KEY_ALGORITHM_MISMATCH` · `ERR_UNTRUSTED_CONTEXT`
 *
 * @example Verify with the workspace secret
 *
 * ```ts
 * const verifier = await createVerifier({ workspaceKey, secret })
 * const verified = await verifier.verify(token)
 * if (verified.kind === 'customer') console.log(verified.id)
 * ```
 */
export async function createVerifier(options: VerifierOptions): Promise<Verifier> {
  const given = readOptions(options, OPTIONS)
  const { workspaceKey, secret, publicKey, jwks } = given
  checkWorkspaceKey(workspaceKey)
  checkExactlyOne({ secret, publicKey, jwks })
  const clockTolerance = bindTolerance(given.clockTolerance, 0)
  const now = bindClock(given.now)
  const source = await importSource(given, now)
  return Object.freeze<Verifier>({
    verify: async (token) => {
      const { algorithm, keyId, claims } = await verifyJws(token, source)
      checkWorkspace(claims, workspaceKey)
      const subject = readSubject(claims)
      const { expiresAt, ...dates } = readDates(claims, now(), clockTolerance)
      if (!expiresAt) {
        throw new MembraneTokenError(
          'ERR_TOKEN_CLAIM_INVALID',
          'The token has no exp and would never expire; sign it with a lifetime, such as two hours.',
        )
      }
      return {
        ...subject,
        workspaceKey,
        ...dates,
        expiresAt,
        algorithm,
        ...(keyId !== undefined && { keyId }),
      }
    },
  })
}

function importSource(options: VerifierOptions, now: () => number): Promise<KeySource> {
  const { publicKey, jwks } = options
  const algorithms = bindAlgorithms(options.algorithms)
  if (jwks !== undefined) return withOption('jwks', () => importKeys(jwks, algorithms, now))
  if (publicKey !== undefined)
    return withOption('publicKey', async () =>
      singleKey(await importPublicKey(publicKey, algorithms, checkPublicKey)),
    )
  return importSecretSource(options, algorithms)
}

async function importKeys(
  jwks: JSONWebKeySet | URL,
  algorithms: Algorithm[] | undefined,
  now: () => number,
): Promise<KeySource> {
  const allowed = pinAlgorithms(asymmetricAlgorithms(), undefined, algorithms)
  if (typeof jwks === 'string')
    throw invalidOption('jwks must be a JWK set as an object, or its URL as new URL(…).', 'jwks')
  return Object.prototype.toString.call(jwks) === '[object URL]'
    ? createRemoteKeySet(jwks as URL, { algorithms: allowed, now })
    : importKeySet(jwks, allowed)
}
