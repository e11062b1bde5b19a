import type { CryptoKey, JSONWebKeySet, JWK } from 'jose'
import type { Algorithm } from '../algorithms.ts'
import { MembraneTokenError } from '../errors.ts'
import { asymmetricAlgorithms, importKeySet } from '../jwks/key-set.ts'
import { createRemoteKeySet } from '../jwks/remote-key-set.ts'
import { type KeySource, verifyJws } from '../jws/verify.ts'
import {
  bindAlgorithms,
  checkCryptoKey,
  fittingAlgorithms,
  type ImportedKey,
  importSecret,
  isCryptoKey,
} from '../keys/import.ts'
import { importPublicKey, pinAlgorithms, type VerificationKey } from '../keys/public-key.ts'
import {
  bindClock,
  bindTolerance,
  checkExactlyOne,
  checkObject,
  checkWorkspaceKey,
  invalidOption,
} from '../options.ts'
import { checkWorkspace, readDates, readRequestSubject, readSubject } from './claims.ts'

/** What {@link createVerifier} takes: the workspace, and exactly one of `secret`, `publicKey` and `jwks`. */
export interface VerifierOptions {
  /** Key of the workspace that the tokens must name. */
  workspaceKey: string
  /** Workspace secret for HS*: its exact UTF-8 bytes. */
  secret?: string | Uint8Array | CryptoKey | undefined
  /** Public key for RS*, PS* and ES*: SPKI, PKCS#1 or X.509 as PEM or DER, JWK (object or text) or CryptoKey. */
  publicKey?: string | Uint8Array | JWK | CryptoKey | undefined
  /** Public keys to choose from (RFC 7517 section 5), or the https URL at which they are published. */
  jwks?: JSONWebKeySet | URL | undefined
  /** Default: those that fit the key. */
  algorithms?: Algorithm[] | undefined
  /** Seconds by which the clocks of signer and verifier may differ. Default 0, as at Membrane. */
  clockTolerance?: number | undefined
  /** The clock, in milliseconds since the epoch. Default `Date.now`. */
  now?: (() => number) | undefined
  /** Takes a secret of fewer than 32 bytes. */
  allowShortSecret?: boolean | undefined
}

/** A token that is genuine, belongs to the workspace and has not ended. */
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
   * @throws every `ERR_TOKEN_…`, `ERR_KEY_NOT_FOUND`, `ERR_JWKS_UNAVAILABLE`; with a key set also the codes of its keys
   */
  verify(token: string): Promise<VerifiedToken>
}

/** What {@link verifyMembraneRequest} takes. */
export type MembraneRequestOptions = Pick<
  VerifierOptions,
  'workspaceKey' | 'algorithms' | 'clockTolerance' | 'now' | 'allowShortSecret'
> & {
  /** Workspace secret, with which Membrane signs the requests. */
  secret: string | Uint8Array | CryptoKey
}

/**
 * Makes a verifier, which says whether a token is genuine by the rules of RFC 7515 section 5.2, RFC 7519 section 7.2
 * and RFC 8725. Make one when the program starts and keep it.
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
  const { workspaceKey, now, clockTolerance } = bindOptions(options)
  const source = await importSource(options, now)
  return Object.freeze<Verifier>({
    verify: async (token) => {
      const { algorithm, keyId, claims } = await verifyJws(token, source)
      checkWorkspace(claims, workspaceKey)
      const subject = readSubject(claims)
      const { expiresAt, ...dates } = readDates(claims, now(), clockTolerance)
      if (!expiresAt) {
        throw new MembraneTokenError(
          'ERR_TOKEN_CLAIM_INVALID',
          'The token has no exp and would never end; sign it with a lifetime, such as two hours.',
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

/**
 * Verifies a request that Membrane sends to your API on behalf of a customer. It carries a token in
 * `X-Membrane-Token`, and in `X-Integration-App-Token` for older connectors; where both are there, they must be equal.
 *
 * Membrane does not document an `exp` for these tokens, so one is held against the clock where it is given, and not
 * demanded.
 *
 * @throws every `ERR_TOKEN_…`; `ERR_TOKEN_MALFORMED` also if neither header is there, or the two differ; the
 *   errors of {@link createVerifier} for wrong options
 *
 * @example Protect a route that Membrane calls
 *
 * ```ts
 * const { customerId } = await verifyMembraneRequest(request, { workspaceKey, secret })
 * ```
 */
export async function verifyMembraneRequest(
  request: Request | Headers,
  options: MembraneRequestOptions,
): Promise<{ workspaceKey: string; customerId: string; fields?: Record<string, unknown> }> {
  const { workspaceKey, now, clockTolerance } = bindOptions(options)
  const { secret, algorithms, allowShortSecret } = options
  const source = await importSource({ workspaceKey, secret, algorithms, allowShortSecret }, now)
  const { claims } = await verifyJws(readRequestToken(request), source)
  checkWorkspace(claims, workspaceKey)
  readDates(claims, now(), clockTolerance)
  return { workspaceKey, ...readRequestSubject(claims) }
}

const REQUEST_HEADERS = ['x-membrane-token', 'x-integration-app-token'] as const

function readRequestToken(request: Request | Headers): string {
  const headers = (request as Request | undefined)?.headers ?? request
  if (typeof (headers as Headers | undefined)?.get !== 'function') {
    throw invalidOption('Give a Request or Headers; of a request of Node, new Headers(request.headers).')
  }
  const tokens = new Set(REQUEST_HEADERS.flatMap((name) => (headers as Headers).get(name) ?? []))
  const [token] = tokens
  if (token !== undefined && tokens.size === 1) return token
  throw new MembraneTokenError(
    'ERR_TOKEN_MALFORMED',
    token === undefined
      ? 'The request carries no X-Membrane-Token, so Membrane did not send it, or its connector does not use the authentication type membrane-token.'
      : 'X-Membrane-Token and X-Integration-App-Token differ; Membrane sends the same token in both.',
  )
}

type BoundOptions = { workspaceKey: string; now: () => number; clockTolerance: number }

function bindOptions(options: VerifierOptions | MembraneRequestOptions): BoundOptions {
  checkObject(options)
  checkWorkspaceKey(options.workspaceKey)
  return {
    workspaceKey: options.workspaceKey,
    clockTolerance: bindTolerance(options.clockTolerance, 0),
    now: bindClock(options.now),
  }
}

async function importSource(options: VerifierOptions, now: () => number): Promise<KeySource> {
  const { secret, publicKey, jwks } = options
  checkExactlyOne({ secret, publicKey, jwks })
  const algorithms = bindAlgorithms(options.algorithms)
  if (jwks !== undefined) return importKeys(jwks, algorithms, now)
  const key =
    publicKey === undefined
      ? await importVerificationSecret(secret, algorithms, options.allowShortSecret === true)
      : await importPublicKey(publicKey, algorithms)
  return { algorithms: key.algorithms, find: () => [key] }
}

async function importKeys(
  jwks: JSONWebKeySet | URL,
  algorithms: Algorithm[] | undefined,
  now: () => number,
): Promise<KeySource> {
  const allowed = pinAlgorithms(asymmetricAlgorithms(), undefined, algorithms)
  if (typeof jwks === 'string')
    throw invalidOption('jwks must be a JWK set as an object, or its URL as new URL(…).')
  return Object.prototype.toString.call(jwks) === '[object URL]'
    ? createRemoteKeySet(jwks as URL, { algorithms: allowed, now })
    : importKeySet(jwks, allowed)
}

async function importVerificationSecret(
  secret: unknown,
  allowed: readonly Algorithm[] | undefined,
  allowShort: boolean,
): Promise<VerificationKey> {
  const fitting = isCryptoKey(secret)
    ? [checkCryptoKey(secret, 'secret', undefined, 'verify')]
    : fittingAlgorithms('oct', undefined)
  const algorithms = pinAlgorithms(fitting, undefined, allowed)
  // Web Crypto binds an HMAC key to its hash, so there is one for each; making them costs no more than hashing a line.
  const keys = await Promise.all(
    algorithms.map((algorithm) => importSecret(secret, algorithm, 'verify', allowShort)),
  )
  return { algorithms, keyFor: (algorithm) => (keys[algorithms.indexOf(algorithm)] as ImportedKey).key }
}
