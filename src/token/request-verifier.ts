import type { CryptoKey } from 'jose'
import { type Algorithm, bindAlgorithms } from '../algorithms.ts'
import { MembraneTokenError } from '../errors.ts'
import { verifyJws } from '../jws/verify.ts'
import { importSecretSource } from '../keys/secret.ts'
import {
  bindClock,
  bindTolerance,
  checkExactlyOne,
  checkWorkspaceKey,
  invalidOption,
  readOptions,
} from '../options.ts'
import { checkWorkspace, readDates, readRequestSubject } from './claims.ts'

/** Options of {@link createRequestVerifier}. */
export interface RequestVerifierOptions {
  /** Workspace key that the requests must name. */
  workspaceKey: string
  /** Workspace secret, with which Membrane signs the requests; a string is used as its exact UTF-8 bytes. */
  secret: string | Uint8Array | CryptoKey
  /** Default: HS256, HS384 and HS512. */
  algorithms?: Algorithm[] | undefined
  /** Tolerated clock difference, in seconds. Default 0. */
  clockTolerance?: number | undefined
  /** The clock, in milliseconds since the epoch. Default `Date.now`. */
  now?: (() => number) | undefined
  /** Accepts a secret shorter than 32 bytes. */
  allowShortSecret?: boolean | undefined
  /** Accepts a secret in a web page or web worker. Use it only in internal tools. */
  trustedBrowser?: boolean | undefined
}

/** The customer on whose behalf Membrane sent a request. */
export interface VerifiedRequest {
  workspaceKey: string
  customerId: string
  fields?: Record<string, unknown>
}

export interface RequestVerifier {
  /**
   * Verifies the token in a request's headers.
   *
   * @throws `ERR_TOKEN_MALFORMED`, also if neither header is present or the two differ · `ERR_TOKEN_TOO_LARGE` ·
   *   `ERR_TOKEN_ALGORITHM_NOT_ALLOWED` · `ERR_TOKEN_SIGNATURE_INVALID` · `ERR_TOKEN_EXPIRED` ·
   *   `ERR_TOKEN_NOT_YET_VALID` · `ERR_TOKEN_WORKSPACE_MISMATCH` · `ERR_TOKEN_CLAIM_INVALID` · `ERR_OPTION_INVALID` if
   *   the argument is not a request
   */
  verify(request: Request | Headers): Promise<VerifiedRequest>
}

const OPTIONS = [
  'workspaceKey',
  'secret',
  'algorithms',
  'clockTolerance',
  'now',
  'allowShortSecret',
  'trustedBrowser',
] as const

/**
 * Creates a verifier for the requests that Membrane sends to your API on behalf of a customer. They have a token in
 * `X-Membrane-Token`, and in `X-Integration-App-Token` for older connectors; if both are present, they must be equal.
 * Create one when the program starts and reuse it.
 *
 * Membrane does not document an `exp` for these tokens, so it is not required, but it is checked if present.
 *
 * @throws `ERR_OPTION_INVALID` · `ERR_ALGORITHM_UNSUPPORTED` · `ERR_KEY_INVALID` · `ERR_KEY_FORMAT_UNSUPPORTED` ·
 *   `ERR_KEY_WEAK` · `ERR_KEY_ALGORITHM_MISMATCH` · `ERR_UNTRUSTED_CONTEXT`
 *
 * @example Protect a route that Membrane calls
 *
 * ```ts
 * const verifier = await createRequestVerifier({ workspaceKey, secret })
 * const { customerId } = await verifier.verify(request)
 * ```
 */
export async function createRequestVerifier(options: RequestVerifierOptions): Promise<RequestVerifier> {
  const given = readOptions(options, OPTIONS)
  const { workspaceKey, secret } = given
  checkWorkspaceKey(workspaceKey)
  checkExactlyOne({ secret })
  const clockTolerance = bindTolerance(given.clockTolerance, 0)
  const now = bindClock(given.now)
  const source = await importSecretSource(given, bindAlgorithms(given.algorithms))
  return Object.freeze<RequestVerifier>({
    verify: async (request) => {
      const { claims } = await verifyJws(readRequestToken(request), source)
      checkWorkspace(claims, workspaceKey)
      readDates(claims, now(), clockTolerance)
      return { workspaceKey, ...readRequestSubject(claims) }
    },
  })
}

const REQUEST_HEADERS = ['x-membrane-token', 'x-integration-app-token'] as const

function readRequestToken(request: Request | Headers): string {
  const headers = (request as Request | undefined)?.headers ?? request
  if (typeof (headers as Headers | undefined)?.get !== 'function')
    throw invalidOption("Pass a Request or Headers; for Node's requests, new Headers(request.headers).")
  const tokens = new Set(REQUEST_HEADERS.flatMap((name) => (headers as Headers).get(name) ?? []))
  const [token] = tokens
  if (token !== undefined && tokens.size === 1) return token
  throw new MembraneTokenError(
    'ERR_TOKEN_MALFORMED',
    token === undefined
      ? 'The request has no X-Membrane-Token header: it was not sent by Membrane, or its connector does not use the authentication type membrane-token.'
      : 'X-Membrane-Token and X-Integration-App-Token differ; Membrane sends the same token in both.',
  )
}
