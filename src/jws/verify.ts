import { decode } from 'jose/base64url'
import type { Algorithm } from '../algorithms.ts'
import { decodeText, encoder } from '../encoding.ts'
import { MembraneTokenError } from '../errors.ts'
import { isValidSignature, type KeySource } from '../keys/source.ts'
import { checkTokenSize } from './sign.ts'

/** The parts of a compact JWS, before verification. */
export interface ParsedJws {
  readonly alg: unknown
  readonly keyId: string | undefined
  /** The header's `typ`, not checked here. */
  readonly type: unknown
  /** Canonical base64url. */
  readonly payload: string
  readonly signature: Uint8Array
  readonly signingInput: string
}

/** A JWS whose signature was verified. */
export interface VerifiedJws {
  readonly algorithm: Algorithm
  readonly keyId: string | undefined
  readonly claims: Record<string, unknown>
}

/**
 * Verifies a compact JWS (RFC 7515 section 5.2) and reads its payload as a JWT claims set (RFC 7519).
 * The key determines the allowed algorithms; the header only selects one of them.
 *
 * @throws `ERR_TOKEN_MALFORMED` · `ERR_TOKEN_TOO_LARGE` · `ERR_TOKEN_ALGORITHM_NOT_ALLOWED` ·
 *   `ERR_TOKEN_SIGNATURE_INVALID` · with a key set also `ERR_KEY_NOT_FOUND`, `ERR_JWKS_UNAVAILABLE` and the codes for
 *   invalid keys
 */
export async function verifyJws(token: unknown, source: KeySource): Promise<VerifiedJws> {
  const jws = parseJws(token)
  const algorithm = await checkSignature(jws, source)
  return { algorithm, keyId: jws.keyId, claims: parseClaims(jws) }
}

/**
 * Verifies the signature of a parsed JWS.
 *
 * @returns The algorithm it was signed with
 * @throws The errors of {@link verifyJws}, except `ERR_TOKEN_MALFORMED` and `ERR_TOKEN_TOO_LARGE`
 */
export async function checkSignature(
  jws: ParsedJws,
  source: KeySource,
  context?: object,
): Promise<Algorithm> {
  const algorithm = checkAllowed(jws.alg, source.algorithms)
  // Awaited even if synchronous, so that a burst of tokens is parsed first and then reaches Node's thread pool at once,
  // which is twice as fast.
  const keys = await source.find(algorithm, jws.keyId, context)
  const matching = keys.filter((key) => key.algorithms.includes(algorithm))
  if (matching.length === 0) checkAllowed(algorithm, keys[0]?.algorithms ?? [])
  const data = encoder.encode(jws.signingInput)
  for (const verificationKey of matching) {
    // Awaited only for the first token: later ones use the imported key.
    const imported = verificationKey.keyFor(algorithm)
    const key = 'then' in imported ? await imported : imported
    if (await isValidSignature(key, algorithm, jws.signature, data)) return algorithm
  }
  throw new MembraneTokenError(
    'ERR_TOKEN_SIGNATURE_INVALID',
    "Signature verification failed: the token was modified, or signed with another key. Check that the secret or key is the workspace's or issuer's, without a trailing line break.",
  )
}

function checkAllowed(alg: unknown, algorithms: readonly Algorithm[]): Algorithm {
  if (algorithms.includes(alg as Algorithm)) return alg as Algorithm
  throw new MembraneTokenError(
    'ERR_TOKEN_ALGORITHM_NOT_ALLOWED',
    `The token's alg is not one that the key supports: ${algorithms.join(', ')}.`,
  )
}

/**
 * Parses a compact JWS strictly: every part must be canonical base64url (RFC 7515 appendix C, RFC 4648 section 3.5),
 * and the header must not require unsupported extensions.
 *
 * @throws `ERR_TOKEN_MALFORMED` · `ERR_TOKEN_TOO_LARGE`
 */
export function parseJws(token: unknown): ParsedJws {
  if (typeof token !== 'string') throw malformed('The token must be a string.')
  checkTokenSize(token)
  const parts = token.split('.')
  if (parts.length === 5)
    throw malformed('The token is encrypted (a JWE); Membrane accepts signed tokens (JWS).')
  if (parts.length !== 3)
    throw malformed('The token must have three parts separated by dots; check that it is complete.')
  if (!parts.every(isCanonical))
    throw malformed(
      'The token is not valid base64url: it contains spaces, padding or other characters, or is truncated.',
    )
  const [header, payload, signature] = parts as [string, string, string]
  const { alg, kid, typ, crit, b64 } = parseObject(header, 'header')
  if (crit !== undefined)
    throw malformed("The token's header requires extensions (crit), and none are supported.")
  if (b64 !== undefined && b64 !== true)
    throw malformed("The token's payload is unencoded (b64), which JWT forbids.")
  if (kid !== undefined && typeof kid !== 'string') throw malformed("The token's kid must be a string.")
  return {
    alg,
    keyId: kid,
    type: typ,
    payload,
    signature: decode(signature),
    signingInput: `${header}.${payload}`,
  }
}

/** The claims of a JWS, verified or not. @throws `ERR_TOKEN_MALFORMED` */
export function parseClaims({ payload }: ParsedJws): Record<string, unknown> {
  return parseObject(payload, 'payload')
}

// The unused bits of the last character must be zero. Indexed by the length modulo 4.
const LAST_CHARACTER = [/(?:)/, /(?!)/, /[AQgw]$/, /[AEIMQUYcgkosw048]$/] as const

/** Whether a string is canonical base64url: no padding, no white space, no stray bits. */
export function isCanonical(part: string): boolean {
  return /^[\w-]*$/.test(part) && LAST_CHARACTER[(part.length % 4) as 0 | 1 | 2 | 3].test(part)
}

function parseObject(base64url: string, part: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(decodeText(base64url))
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return value as Record<string, unknown>
  } catch {
    // No cause, because engines quote the text.
  }
  throw malformed(`The token's ${part} is not a JSON object.`)
}

function malformed(message: string): MembraneTokenError {
  return new MembraneTokenError('ERR_TOKEN_MALFORMED', message)
}
