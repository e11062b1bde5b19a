import type { Algorithm, VerifiedToken, Verifier, VerifierOptions } from '../../src/index.ts'
import type { Bytes } from './der.ts'
import { toBase64url, utf8 } from './encoding.ts'
import type { Jwk } from './keys.ts'
import { privateJwk, publicJwk } from './keys.ts'
import type { Library } from './suite.ts'
import { customer, issuedAt, keyNameFor, secret, signParts, workspaceKey } from './tokens.ts'

/** Tokens written without the signer: valid, except for the parts that a test changes. */

/** The time of every test verifier's clock, in milliseconds. */
export const now: number = issuedAt * 1000

export const expiresAt: number = issuedAt + 7200

/** The claims of a valid token. */
export const goodClaims: Readonly<Record<string, unknown>> = {
  id: customer.id,
  iss: workspaceKey,
  iat: issuedAt,
  exp: expiresAt,
}

export interface Forgery {
  /** Members that override or extend `alg` and `typ`; or the exact text or bytes. */
  header?: object | string | Bytes
  algorithm?: Algorithm
  /** A secret or a private JWK. */
  key?: string | Bytes | Jwk
}

/** `payload`: members that override the valid claims, where `undefined` removes one; or the exact text or bytes. */
export function forge(
  payload: object | string | Bytes = {},
  { header = {}, algorithm = 'HS512', key = secret }: Forgery = {},
): Promise<string> {
  return signParts(
    algorithm,
    key,
    encodePart(header, { alg: algorithm, typ: 'JWT' }),
    encodePart(payload, goodClaims),
  )
}

export function encodePart(part: object | string | Bytes, base: object = {}): string {
  if (part instanceof Uint8Array) return toBase64url(part as Bytes)
  return toBase64url(utf8(typeof part === 'string' ? part : JSON.stringify({ ...base, ...part })))
}

export function createTestVerifier(lib: Library, options: Partial<VerifierOptions> = {}): Promise<Verifier> {
  return lib.createVerifier({ workspaceKey, now: () => now, trustedBrowser: true, ...options })
}

/** Options without type checks, as JavaScript callers pass them. */
export function createLooseVerifier(lib: Library, options: Record<string, unknown>): Promise<Verifier> {
  return createTestVerifier(lib, options as Partial<VerifierOptions>)
}

/** Verifies a token with the test secret. */
export async function verify(lib: Library, token: string): Promise<VerifiedToken> {
  return (await createTestVerifier(lib, { secret })).verify(token)
}

/** The signing and the verification key of an algorithm. */
export async function keysFor(
  algorithm: Algorithm,
): Promise<[signing: { secret: string } | { privateKey: Jwk }, verifying: Partial<VerifierOptions>]> {
  if (algorithm.startsWith('HS')) return [{ secret }, { secret }]
  const name = keyNameFor(algorithm)
  return [{ privateKey: await privateJwk(name) }, { publicKey: await publicJwk(name) }]
}

/** Replaces one character. */
export function withCharacter(text: string, index: number, character: string): string {
  return text.slice(0, index) + character + text.slice(index + 1)
}
