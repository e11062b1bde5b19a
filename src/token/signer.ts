import type { CryptoKey, JWK } from 'jose'
import type { Algorithm } from '../algorithms.ts'
import { MembraneTokenError } from '../errors.ts'
import { completeJws, createJwsSigner } from '../jws/sign.ts'
import {
  checkAlgorithm,
  type ImportedKey,
  importPrivateKey,
  importSecret,
  isCryptoKey,
} from '../keys/import.ts'
import type { RemoteKey } from '../keys/remote-key.ts'
import { bindClock, checkExactlyOne, checkObject, checkWorkspaceKey, invalidOption } from '../options.ts'
import { CLAIM_STYLES, type ClaimStyle, type Customer, createClaimsWriter } from './claims.ts'
import { parseDuration, resolveValidity, type TokenLifetime, type Validity } from './lifetime.ts'

/** What {@link createSigner} takes: the workspace, exactly one of `secret` and `privateKey`, and wishes. */
export interface SignerOptions {
  /** Key of the workspace, from Membrane's settings page. */
  workspaceKey: string
  /** Workspace secret for HS*: its exact UTF-8 bytes, never trimmed and never decoded. At least 32 bytes. */
  secret?: string | Uint8Array | CryptoKey | undefined
  /** Private key for RS*, PS* and ES*: PEM (PKCS#8, PKCS#1, SEC1), DER, JWK (object or text) or CryptoKey. */
  privateKey?: string | Uint8Array | JWK | CryptoKey | RemoteKey | undefined
  /** Default: HS512 for a secret, the curve's own for an EC key, RS256 for RSA; a JWK's `alg` comes first. */
  algorithm?: Algorithm | undefined
  /** Set as `kid` in the header (RFC 7515 section 4.1.4), so that Membrane finds the key in a key set. */
  keyId?: string | undefined
  /** Default `"issuer"`. */
  claimStyle?: ClaimStyle | undefined
  /** Lifetime of a token in seconds, or `"90s"`, `"30m"`, `"2h"`, `"7d"`, `"1w"`. Default 7200. */
  expiresIn?: number | string | undefined
  /** The clock, in milliseconds since the epoch. Default `Date.now`. */
  now?: (() => number) | undefined
  /** Takes a secret of fewer than 32 bytes, for workspaces that have one. */
  allowShortSecret?: boolean | undefined
  /** Takes raw key material on a web page: only where nobody but you opens it, such as an internal tool. */
  trustedBrowser?: boolean | undefined
}

/** Wishes for one token. */
export interface TokenOptions extends TokenLifetime {
  /** Set as `jti` (RFC 7519 section 4.1.7). */
  jwtId?: string | undefined
}

/** A token, and when it begins and ends. */
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
  /** Lifetime of a token for which none is asked, in seconds. */
  readonly expiresIn: number
  /** The public half (RFC 7517) to publish; undefined for secrets and keys that do not show theirs. */
  readonly publicJwk: JWK | undefined
  /**
   * Signs a token that stands for a customer.
   *
   * @throws `ERR_CLAIM_INVALID` · `ERR_LIFETIME_INVALID` · `ERR_TOKEN_TOO_LARGE` · `ERR_OPTION_INVALID`
   */
  signCustomerToken(customer: Customer, options?: TokenOptions): Promise<SignedToken>
  /**
   * Signs an admin token, which stands for nobody and may manage every customer. Never give one to a browser.
   *
   * @throws `ERR_CLAIM_INVALID` · `ERR_LIFETIME_INVALID` · `ERR_TOKEN_TOO_LARGE` · `ERR_OPTION_INVALID`
   */
  signAdminToken(options?: TokenOptions): Promise<SignedToken>
}

const DEFAULT_EXPIRES_IN = 7200

/**
 * Makes a signer: imports the key, checks it and all options, and computes once what every token shares.
 * Make one when the program starts and keep it.
 *
 * The tokens are compact JWS (RFC 7515) with a JWT claims set (RFC 7519), as Membrane's page on
 * authentication describes them.
 *
 * @throws `ERR_OPTION_INVALID` · `ERR_ALGORITHM_UNSUPPORTED` · `ERR_KEY_INVALID` · `ERR_KEY_FORMAT_UNSUPPORTED` ·
 *   `ERR_KEY_WEAK` · `ERR_KEY_ALGORITHM_MISMATCH` · `ERR_LIFETIME_INVALID` · `ERR_UNTRUSTED_CONTEXT`
 *
 * @example Sign with the workspace secret
 *
 * ```ts
 * const signer = await createSigner({ workspaceKey, secret })
 * const { token, expiresAt } = await signer.signCustomerToken({ id: 'customer-42', name: 'Acme Inc.' })
 * ```
 */
export async function createSigner(options: SignerOptions): Promise<Signer> {
  // Read once and before anything is awaited: what the caller changes afterwards changes nothing here.
  const { workspaceKey, algorithm: wanted, keyId, claimStyle = 'issuer' } = checkOptions(options)
  const now = bindClock(options.now)
  const expiresIn = parseDuration(options.expiresIn === undefined ? DEFAULT_EXPIRES_IN : options.expiresIn)
  const { key, algorithm, publicMembers } = await importSigningKey(options, wanted)
  const claims = createClaimsWriter(claimStyle, workspaceKey)
  const jws = createJwsSigner(key, algorithm, keyId)

  // What writes is handed over with what it writes: a closure for each token would cost some percent.
  const issue = async <Subject>(
    write: (subject: Subject, validity: Validity, jwtId: string | undefined) => string,
    subject: Subject,
    wishes: TokenOptions,
  ) => {
    checkObject(wishes)
    const validity = resolveValidity(wishes, expiresIn, now())
    const input = jws.inputOf(write(subject, validity, wishes.jwtId))
    const token = completeJws(input, await jws.sign(input))
    return { token, issuedAt: new Date(validity.iat * 1000), expiresAt: new Date(validity.exp * 1000) }
  }

  return Object.freeze<Signer>({
    workspaceKey,
    algorithm,
    keyId,
    expiresIn,
    publicJwk:
      publicMembers &&
      Object.freeze({ ...publicMembers, alg: algorithm, use: 'sig', ...(keyId && { kid: keyId }) }),
    signCustomerToken: (customer, wishes = {}) => issue(claims.customer, customer, wishes),
    signAdminToken: (wishes = {}) => issue(claims.admin, undefined, wishes),
  })
}

function checkOptions(options: SignerOptions): SignerOptions {
  checkObject(options)
  const { workspaceKey, secret, privateKey, algorithm, keyId, claimStyle } = options
  checkWorkspaceKey(workspaceKey)
  checkExactlyOne({ secret, privateKey })
  if (algorithm !== undefined) checkAlgorithm(algorithm)
  if (keyId !== undefined && (typeof keyId !== 'string' || keyId === '')) {
    throw invalidOption('keyId must be a string that is not empty, or left out.')
  }
  if (claimStyle !== undefined && !Object.hasOwn(CLAIM_STYLES, claimStyle)) {
    throw invalidOption(`claimStyle must be one of ${Object.keys(CLAIM_STYLES).join(', ')}.`)
  }
  return options
}

function importSigningKey(options: SignerOptions, wanted: Algorithm | undefined): Promise<ImportedKey> {
  const { secret, privateKey, allowShortSecret, trustedBrowser } = options
  if ('document' in globalThis && trustedBrowser !== true && !isCryptoKey(secret ?? privateKey)) {
    throw new MembraneTokenError(
      'ERR_UNTRUSTED_CONTEXT',
      'Whoever opens the page can read its key: sign on a server, or pass trustedBrowser: true.',
    )
  }
  return secret === undefined
    ? importPrivateKey(privateKey, wanted)
    : importSecret(secret, wanted, 'sign', allowShortSecret === true)
}
