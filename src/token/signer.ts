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

/** Options of {@link createSigner}: the workspace, exactly one of `secret` and `privateKey`, and more. */
export interface SignerOptions {
  /** Key of the workspace, from Membrane's settings page. */
  workspaceKey: string
  /** Workspace secret for HS*: its exact UTF-8 bytes, never trimmed and never decoded. At least 32 bytes. */
  secret?: string | Uint8Array | CryptoKey | undefined
  /**
   * Private key for RS*, PS* and ES*: PEM (PKCS#8, PKCS#1, SEC1), DER, JWK (object or text), CryptoKey, or a
   * {@link RemoteKey} that never leaves its key management service.
   */
  privateKey?: string | Uint8Array | JWK | CryptoKey | RemoteKey | undefined
  /** Default: HS512 for a secret, the curve's own for an EC key, RS256 for RSA; a JWK's `alg` comes first. */
  algorithm?: Algorithm | undefined
  /**
   * Set as `kid` in the header (RFC 7515 section 4.1.4), so that Membrane finds the key in a key set. `"thumbprint"`:
   * the RFC 7638 thumbprint of the public key, as `generateKeyPair` names it.
   */
  keyId?: string | 'thumbprint' | undefined
  /** Default `"issuer"`. */
  claimStyle?: ClaimStyle | undefined
  /** Lifetime of a token in seconds, or `"90s"`, `"30m"`, `"2h"`, `"7d"`, `"1w"`. Default 7200. */
  expiresIn?: number | string | undefined
  /** The clock, in milliseconds since the epoch. Default `Date.now`. */
  now?: (() => number) | undefined
  /** Accepts a secret of fewer than 32 bytes, for workspaces that have one. */
  allowShortSecret?: boolean | undefined
  /** Accepts raw key material in a web page or a browser's worker: only in internal tools. */
  trustedBrowser?: boolean | undefined
}

/** Per-token options. */
export interface TokenOptions extends TokenLifetime {
  /** Set as `jti` (RFC 7519 section 4.1.7). */
  jwtId?: string | undefined
}

/** A token, and when it was issued and expires. */
export interface SignedToken {
  readonly token: string
  readonly issuedAt: Date
  readonly expiresAt: Date
}

/** Signs tokens of one workspace with one key. */
export interface Signer {
  readonly workspaceKey: string
  readonly algorithm: Algorithm
  readonly keyId: string | undefined
  /** Version of a remote key at its service, for audits. */
  readonly keyVersion?: string
  /** Default lifetime of a token, in seconds. */
  readonly expiresIn: number
  /** The public half (RFC 7517) to publish; undefined for secrets and for CryptoKeys that are not extractable. */
  readonly publicJwk: JWK | undefined
  /**
   * Signs a customer's token.
   *
   * @throws `ERR_CLAIM_INVALID` · `ERR_LIFETIME_INVALID` · `ERR_TOKEN_TOO_LARGE` · `ERR_OPTION_INVALID` ·
   *   `ERR_KEY_UNAVAILABLE` with a remote key
   */
  signCustomerToken(customer: Customer, options?: TokenOptions): Promise<SignedToken>
  /**
   * Signs an admin token, which is not tied to a customer and may manage all of them. Never give one to a browser.
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
 * Creates a signer: imports the key, checks it and all options, and computes once what every token shares. Create one
 * when the program starts and keep it.
 *
 * The tokens are compact JWS (RFC 7515) with a JWT claims set (RFC 7519), as Membrane's page on authentication
 * describes them. A private key whose public half is known signs once and must verify.
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

  // The writer is passed along with its subject: a closure for each token would cost some percent.
  const issue = async <Subject>(
    write: (subject: Subject, validity: Validity, jwtId: string | undefined) => string,
    subject: Subject,
    tokenOptions: TokenOptions | undefined,
  ) => {
    const requested = tokenOptions === undefined ? NO_OPTIONS : readOptions(tokenOptions, TOKEN_OPTIONS)
    const validity = resolveValidity(requested, expiresIn, now())
    const input = jws.inputOf(write(subject, validity, requested.jwtId))
    // So a burst is written first and then reaches the threads of Node and Deno together, a quarter faster.
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
    'keyId "thumbprint" needs a private key whose public half is known: not a secret, and not a CryptoKey that is not extractable.',
    'keyId',
  )
}
