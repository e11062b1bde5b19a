import type { Algorithm, Customer, Signer, SignerOptions, TokenOptions } from '../../src/index.ts'
import type { Bytes } from './der.ts'
import { fromBase64url, toBase64url, utf8 } from './encoding.ts'
import type { Curve, Jwk, KeyName } from './keys.ts'
import type { Library } from './suite.ts'

/** Test data, and signing and verifying with Web Crypto alone. */

export const issuedAt: number = Date.UTC(2026, 0, 1) / 1000
export const workspaceKey = '4f9b5f5b-6f3c-4d0e-9d0b-5d5e7f1a2b3c'
export const secret = 'correct horse battery staple, said the membrane; 64 bytes or more.'
export const customer: Required<Customer> = {
  id: 'customer-42',
  name: 'Ada Lovelace',
  fields: { userField: 'value', plan: 'team' },
}

/** The claims of `customer`, as the signer serializes them by default. */
export const customerPayload: string = JSON.stringify({
  ...customer,
  iat: issuedAt,
  exp: issuedAt + 7200,
  iss: workspaceKey,
})

export const algorithms: readonly Algorithm[] = [
  ...(['HS256', 'HS384', 'HS512', 'RS256', 'RS384', 'RS512'] as const),
  ...(['PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512'] as const),
]

export const asymmetricAlgorithms: readonly Algorithm[] = algorithms.filter((name) => !name.startsWith('HS'))

const curves: Record<string, Curve> = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' }

export function keyNameFor(algorithm: Algorithm): KeyName {
  return curves[algorithm] ?? 'RSA'
}

/** The suite also runs in web pages, where raw keys need `trustedBrowser`. */
export function createTestSigner(lib: Library, options: Partial<SignerOptions>): Promise<Signer> {
  return lib.createSigner({ workspaceKey, now: () => issuedAt * 1000, trustedBrowser: true, ...options })
}

/** Options without type checks, as JavaScript callers pass them. */
export function createLooseSigner(lib: Library, options: Record<string, unknown>): Promise<Signer> {
  return createTestSigner(lib, options as Partial<SignerOptions>)
}

/** A customer token signed with the test secret. */
export async function signCustomer(lib: Library, subject: Customer, options?: TokenOptions): Promise<string> {
  const signer = await createTestSigner(lib, { secret })
  return (await signer.signCustomerToken(subject, options)).token
}

export interface Decoded {
  header: string
  payload: string
  claims: Record<string, unknown>
  signature: Bytes
  signingInput: string
}

export function decode(token: string): Decoded {
  const [header = '', payload = '', signature = ''] = token.split('.')
  const payloadText = new TextDecoder().decode(fromBase64url(payload))
  return {
    header: new TextDecoder().decode(fromBase64url(header)),
    payload: payloadText,
    claims: JSON.parse(payloadText) as Record<string, unknown>,
    signature: fromBase64url(signature),
    signingInput: `${header}.${payload}`,
  }
}

export function headerOf(algorithm: Algorithm, keyId?: string): string {
  return JSON.stringify({ alg: algorithm, typ: 'JWT', kid: keyId })
}

/** The expected token, for algorithms whose signatures are deterministic. */
export async function expectedToken(
  algorithm: Algorithm,
  key: string | Bytes | Jwk,
  header: string,
  payload: string,
): Promise<string> {
  return signParts(algorithm, key, toBase64url(utf8(header)), toBase64url(utf8(payload)))
}

/** Signs two encoded parts, which may be malformed. `key` is a secret or a private JWK. */
export async function signParts(
  algorithm: Algorithm,
  key: string | Bytes | Jwk,
  headerPart: string,
  payloadPart: string,
): Promise<string> {
  const signingInput = `${headerPart}.${payloadPart}`
  const cryptoKey = await importFor(algorithm, key, 'sign')
  const signature = await crypto.subtle.sign(parametersOf(algorithm), cryptoKey, utf8(signingInput))
  return `${signingInput}.${toBase64url(new Uint8Array(signature))}`
}

/** `key` is a secret or a public JWK. */
export async function verifies(
  token: string,
  algorithm: Algorithm,
  key: string | Bytes | Jwk,
): Promise<boolean> {
  const { signature, signingInput } = decode(token)
  const cryptoKey = await importFor(algorithm, key, 'verify')
  return crypto.subtle.verify(parametersOf(algorithm), cryptoKey, signature, utf8(signingInput))
}

export function hashOf(algorithm: Algorithm): string {
  return `SHA-${algorithm.slice(2)}`
}

/** RFC 7518, sections 3.2 to 3.5. */
export function parametersOf(algorithm: Algorithm): AlgorithmIdentifier | EcdsaParams | RsaPssParams {
  if (algorithm.startsWith('HS')) return 'HMAC'
  if (algorithm.startsWith('RS')) return 'RSASSA-PKCS1-v1_5'
  if (algorithm.startsWith('PS')) return { name: 'RSA-PSS', saltLength: Number(algorithm.slice(2)) / 8 }
  return { name: 'ECDSA', hash: hashOf(algorithm) }
}

export function importParametersOf(
  algorithm: Algorithm,
): HmacImportParams | RsaHashedImportParams | EcKeyImportParams {
  const hash = hashOf(algorithm)
  if (algorithm.startsWith('HS')) return { name: 'HMAC', hash }
  if (algorithm.startsWith('RS')) return { name: 'RSASSA-PKCS1-v1_5', hash }
  if (algorithm.startsWith('PS')) return { name: 'RSA-PSS', hash }
  return { name: 'ECDSA', namedCurve: curves[algorithm] ?? 'P-256' }
}

export function importFor(
  algorithm: Algorithm,
  key: string | Bytes | Jwk,
  use: 'sign' | 'verify',
  extractable = false,
): Promise<CryptoKey> {
  const parameters = importParametersOf(algorithm)
  if (typeof key === 'string') return importFor(algorithm, utf8(key), use, extractable)
  if (key instanceof Uint8Array) return crypto.subtle.importKey('raw', key, parameters, extractable, [use])
  return crypto.subtle.importKey('jwk', key, parameters, extractable, [use])
}
