import type { CryptoKey, JWK } from 'jose'
import { type Algorithm, checkAlgorithm } from '../algorithms.ts'
import { completeJws, createJwsSigner } from '../jws/sign.ts'
import { withOption } from '../keys/errors.ts'
import { checkContext } from '../keys/policy.ts'
import { importPrivateKey, type SigningKey } from '../keys/private-key.ts'
import { importRemoteKey, isRemoteKey, type RemoteKey } from '../keys/remote-key.ts'
import { importSecret } from '../keys/secret.ts'
import { calculateThumbprint } from '../keys/thumbprint.ts'
import { bindClock, checkExactlyOne, checkWorkspaceKey, invalidOption, readOptions } from '../options.ts'
import { CLAIM_STYLES, type ClaimStyle, type Customer, createClaimsWriter } from './claims.ts'
import { parseDuration, resolveValidity, type TokenLifetime, type Validity } from './lifetime.ts'

/** Options of {@link createSigner}. `workspaceKey` and exactly one of `secret` and `privateKey` are required. */
export interface SignerOptions {
  /** Workspace key, from Membrane's settings page. */
  workspaceKey: string
  /**
   * Workspace secret for HS*, at least 32 bytes. A string is used as its exact UTF-8 bytes, never trimmed or decoded.
   */
  secret?: string | Uint8Array | CryptoKey | undefined
  /**
   * Private key for RS*, PS* and ES*: PEM (PKCS#8, PKCS#1, SEC1), DER, JWK (object or text), CryptoKey, or a
   * {@link RemoteKey} in a key management service.
   */
  privateKey?: string | Uint8Array | JWK | CryptoKey | RemoteKey | undefined
  /**
   * Default: the algorithm of a CryptoKey, or a JWK's `alg`; otherwise HS512 for a secret, RS256 for an RSA key and the
   * curve's algorithm for an EC key.
   */
  algorithm?: Algorithm | undefined
  /**
   * Set as `kid` in the header (RFC 7515 section 4.1.4), so that Membrane can find the key in a key set. `"thumbprint"`
   * uses the RFC 7638 thumbprint of the public key, as `generateKeyPair` does.
   */
  keyId?: string | 'thumbprint' | undefined
  /** Default `"issuer"`. */
  claimStyle?: ClaimStyle | undefined
  /** Lifetime of a token in seconds, or `"90s"`, `"30m"`, `"2h"`, `"7d"`, `"1w"`. Default 7200. */
  expiresIn?: number | string | undefined
  /** The clock, in milliseconds since the epoch. Default `Date.now`. */
  now?: (() => number) | undefined
  /** Accepts a secret shorter than 32 bytes, for workspaces that have one. */
  allowShortSecret?: boolean | undefined
  /** Accepts a secret or raw private key in a web page or web worker. Use it only in internal tools. */
  trustedBrowser?: boolean | undefined
}

/** Per-token options. */
export interface TokenOptions extends TokenLifetime {
  /** Set as `jti` (RFC 7519 section 4.1.7). */
  jwtId?: string | undefined
}

/** A signed token, with its issue and expiry times. */
export interface SignedToken {
  readonly token: string
  readonly issuedAt: Date
  readonly expiresAt: Date
}

/** Signs tokens for one workspace with one key. */
export interface Signer {
  readonly workspaceKey: string
  readonly algorithm: Algorithm
  readonly keyId: string | undefined
  /** Version of a remote key in its key management service, for the audit log. */
  readonly keyVersion?: string
  /** Default lifetime of a token, in seconds. */
  readonly expiresIn: number
  /** The public key to publish, as a JWK (RFC 7517); undefined for secrets and non-extractable CryptoKeys. */
  readonly publicJwk: JWK | undefined
  /**
   * Signs a customer token.
   *
   * @throws `ERR_CLAIM_INVALID` · `ERR_LIFETIME_INVALID` · `ERR_TOKEN_TOO_LARGE` · `ERR_OPTION_INVALID` ·
   *   `ERR_KEY_UNAVAILABLE` with a remote key
   */
  signCustomerToken(customer: Customer, options?: TokenOptions): Promise<SignedToken>
  /**
   * Signs an admin token, which is not tied to a customer and can manage all of them. Never send one to a browser.
   *
   * @throws `ERR_CLAIM_INVALID` · `ERR_LIFETIME_INVALID` · `ERR_TOKEN_TOO_LARGE` · `ERR_OPTION_INVALID` ·
   *   `ERR_KEY_UNAVAILABLE` with a remote key
   */
  signAdminToken(options?: TokenOptions): Promise<SignedToken>
}

const DEFAULT_EXPIRES_IN = 7200

const OPTIONS = [
  'workspaceKey',
  'secret',
  'privateKey',
  'algorithm',
  'keyId',
  'claimStyle',
  'expiresIn',
  'now',
  'allowShortSecret',
  'trustedBrowser',
] as const

const TOKEN_OPTIONS = ['expiresIn', 'expiresAt', 'jwtId'] as const
const NO_OPTIONS: TokenOptions = {}

/**
 * Creates a signer: checks the options, imports the key and checks it. Create one when the program starts and reuse it.
 *
 * The tokens are JWTs (RFC 7519) in JWS compact serialization (RFC 7515), as in Membrane's documentation. If the public
 * half of a private key is known, the key signs once and the signature must verify.
 *
 * @throws `ERR_OPTION_INVALID` · `ERR_ALGORITHM_UNSUPPORTED` · `ERR_KEY_INVALID` · `ERR_KEY_FORMAT_UNSUPPORTED` ·
 *   `ERR_KEY_WEAK` · `ERR_KEY_ALGORITHM_MISMATCH` · `ERR_LIFETIME_INVALID` · `ERR_UNTRUSTED_CONTEXT` ·
 *   `ERR_KEY_UNAVAILABLE` with a remote key
 *
 * @example Sign with the workspace secret
 *
 * ```ts
 * const signer = await createSigner({ workspaceKey, secret })
 * const { token, expiresAt } = await signer.signCustomerToken({ id: 'customer-42', name: 'Acme Inc.' })
 * ```
 */
export async function createSigner(options: SignerOptions): Promise<Signer> {
  const given = checkOptions(readOptions(options, OPTIONS))
  const { workspaceKey, claimStyle = 'issuer' } = given
  const now = bindClock(given.now)
  const expiresIn = parseDuration(given.expiresIn === undefined ? DEFAULT_EXPIRES_IN : given.expiresIn)
  const signingKey = await importSigningKey(given)
  const { algorithm, publicJwk, version } = signingKey
  const keyId = given.keyId === 'thumbprint' ? await thumbprintOf(publicJwk) : given.keyId
  const claims = createClaimsWriter(claimStyle, workspaceKey)
  const jws = createJwsSigner(signingKey, keyId)

  // The writer and its subject are separate arguments: a closure per token would cost a few percent.
  const issue = async <Subject>(
    write: (subject: Subject, validity: Validity, jwtId: string | undefined) => string,
    subject: Subject,
    tokenOptions: TokenOptions | undefined,
  ) => {
    const requested = tokenOptions === undefined ? NO_OPTIONS : readOptions(tokenOptions, TOKEN_OPTIONS)
    const validity = resolveValidity(requested, expiresIn, now())
    const input = jws.inputOf(write(subject, validity, requested.jwtId))
    // A burst is serialized first and then reaches the thread pool of Node and Deno at once, which is a quarter faster.
    await undefined
    const token = completeJws(input, await jws.sign(input))
    return { token, issuedAt: new Date(validity.iat * 1000), expiresAt: new Date(validity.exp * 1000) }
  }

  return Object.freeze<Signer>({
    workspaceKey,
    algorithm,
    keyId,
    ...(version !== undefined && { keyVersion: version }),
    expiresIn,
    publicJwk:
      publicJwk && Object.freeze({ ...publicJwk, alg: algorithm, use: 'sig', ...(keyId && { kid: keyId }) }),
    signCustomerToken: (customer, tokenOptions) => issue(claims.customer, customer, tokenOptions),
    signAdminToken: (tokenOptions) => issue(claims.admin, undefined, tokenOptions),
  })
}

function checkOptions(options: SignerOptions): SignerOptions {
  const { workspaceKey, secret, privateKey, algorithm, keyId, claimStyle } = options
  checkWorkspaceKey(workspaceKey)
  checkExactlyOne({ secret, privateKey })
  if (algorithm !== undefined) checkAlgorithm(algorithm)
  if (keyId !== undefined && (typeof keyId !== 'string' || keyId === ''))
    throw invalidOption('keyId must be a non-empty string.', 'keyId')
  if (claimStyle !== undefined && !Object.hasOwn(CLAIM_STYLES, claimStyle)) {
    throw invalidOption(`claimStyle must be one of ${Object.keys(CLAIM_STYLES).join(', ')}.`, 'claimStyle')
  }
  return options
}

function importSigningKey(options: SignerOptions): Promise<SigningKey> {
  const { secret, privateKey, algorithm, allowShortSecret, trustedBrowser } = options
  if (secret !== undefined) {
    checkContext(secret, 'secret', trustedBrowser)
    return withOption('secret', () => importSecret(secret, algorithm, 'sign', allowShortSecret === true))
  }
  if (isRemoteKey(privateKey)) return withOption('privateKey', () => importRemoteKey(privateKey, algorithm))
  checkContext(privateKey, 'privateKey', trustedBrowser)
  return withOption('privateKey', () => importPrivateKey(privateKey, algorithm))
}

function thumbprintOf(publicJwk: JWK | undefined): Promise<string> {
  if (publicJwk) return calculateThumbprint(publicJwk)
  throw invalidOption(
    'keyId "thumbprint" needs a private key whose public half is known: not a secret or a non-extractable CryptoKey.',
    'keyId',
  )
}
