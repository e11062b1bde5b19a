import jwt from '@tsndr/cloudflare-worker-jwt'
import * as hono from 'hono/jwt'
import { SignJWT } from 'jose/jwt/sign'
import { jwtVerify } from 'jose/jwt/verify'
import { importPKCS8 } from 'jose/key/import'
import { ALGORITHMS, type Algorithm } from '../src/algorithms.ts'
import { createSigner } from '../src/token/signer.ts'
import { createVerifier } from '../src/token/verifier.ts'
import { customerWith, EXPIRES_IN, type Fields, type KeyMaterial, keyOf, WORKSPACE_KEY } from './cases.ts'

/** Input of a contender. `token` is a signed token for the same customer. */
export interface CaseInput {
  readonly algorithm: Algorithm
  readonly material: KeyMaterial
  readonly customer: ReturnType<typeof customerWith>
  readonly token: string
}

/** Performs the operation once. Synchronous contenders return no promise, so that awaiting one does not slow them down. */
export type Run = () => unknown

export interface Contender {
  readonly name: string
  /** Algorithms that it does not support. */
  readonly unsupported?: readonly Algorithm[]
  /** Loads the key if the library allows it, and returns the operation to measure. */
  readonly sign: (input: CaseInput) => Promise<Run> | Run
  readonly verify?: (input: CaseInput) => Promise<Run> | Run
}

export const OURS = 'membrane-token'
export const RAW = 'raw crypto.subtle'
export const JOSE = 'jose, cached key'

/** Marks a library that accepts key objects but gets the key as text, as in its documentation. */
export const TEXT_KEY_SUFFIX = ', key as text'
export const withTextKey = (name: string): string => name + TEXT_KEY_SUFFIX

/** Contenders that need only Web Crypto. All of them accept a `CryptoKey`. */
export const WEB_CONTENDERS: readonly Contender[] = [
  {
    name: OURS,
    sign: async ({ algorithm, material, customer }) => {
      const signer = await signerFor(algorithm, material)
      return () => signer.signCustomerToken(customer)
    },
    verify: async ({ algorithm, material, token }) => {
      const verifier = await createVerifier({
        workspaceKey: WORKSPACE_KEY,
        algorithms: [algorithm],
        ...(isHmac(algorithm) ? { secret: material.secret } : { publicKey: keyOf(material, algorithm).spki }),
      })
      return () => verifier.verify(token)
    },
  },
  {
    name: RAW,
    sign: async ({ algorithm, material, token }) => {
      const key = await cryptoKey(algorithm, material, 'sign')
      const input = encoder.encode(token.slice(0, token.lastIndexOf('.')))
      const parameters = parametersOf(algorithm)
      return () => crypto.subtle.sign(parameters, key, input)
    },
    verify: async ({ algorithm, material, token }) => {
      const key = await cryptoKey(algorithm, material, 'verify')
      const input = encoder.encode(token.slice(0, token.lastIndexOf('.')))
      const signature = fromBase64url(token.slice(token.lastIndexOf('.') + 1))
      const parameters = parametersOf(algorithm)
      return () => crypto.subtle.verify(parameters, key, signature, input)
    },
  },
  {
    name: JOSE,
    sign: async ({ algorithm, material, customer }) => {
      const key = await cryptoKey(algorithm, material, 'sign')
      return () => new SignJWT(claims(customer)).setProtectedHeader({ alg: algorithm, typ: 'JWT' }).sign(key)
    },
    verify: async ({ algorithm, material, token }) => {
      const key = await cryptoKey(algorithm, material, 'verify')
      const options = { algorithms: [algorithm], issuer: WORKSPACE_KEY }
      return () => jwtVerify(token, key, options)
    },
  },
  {
    name: 'jose, key per token',
    sign: ({ algorithm, material, customer }) => {
      const pem = keyOf(material, algorithm).pkcs8
      const load = isHmac(algorithm)
        ? () => encoder.encode(material.secret)
        : () => importPKCS8(pem, algorithm)
      return async () =>
        new SignJWT(claims(customer)).setProtectedHeader({ alg: algorithm, typ: 'JWT' }).sign(await load())
    },
  },
  {
    name: '@tsndr/cloudflare-worker-jwt',
    unsupported: ['PS256'],
    sign: async ({ algorithm, material, customer }) => {
      const key = await cryptoKey(algorithm, material, 'sign')
      return () => jwt.sign(claims(customer), key, { algorithm: algorithm as 'HS256' })
    },
    verify: async ({ algorithm, material, token }) => {
      const key = await cryptoKey(algorithm, material, 'verify')
      return () => jwt.verify(token, key, { algorithm: algorithm as 'HS256' })
    },
  },
  {
    name: withTextKey('@tsndr/cloudflare-worker-jwt'),
    unsupported: ['PS256'],
    sign: ({ algorithm, material, customer }) => {
      const text = keyText(algorithm, material)
      return () => jwt.sign(claims(customer), text, { algorithm: algorithm as 'HS256' })
    },
  },
  {
    name: 'hono/jwt',
    sign: async ({ algorithm, material, customer }) => {
      const key = await cryptoKey(algorithm, material, 'sign')
      return () => hono.sign(claims(customer), key, algorithm)
    },
    verify: async ({ algorithm, material, token }) => {
      const key = await cryptoKey(algorithm, material, 'verify')
      const options = { alg: algorithm, iss: WORKSPACE_KEY }
      return () => hono.verify(token, key, options)
    },
  },
  {
    name: withTextKey('hono/jwt'),
    sign: ({ algorithm, material, customer }) => {
      const text = keyText(algorithm, material)
      return () => hono.sign(claims(customer), text, algorithm)
    },
  },
]

/** Claims with dates, for libraries that set none themselves. */
function claims(customer: CaseInput['customer']) {
  const { id, name, fields } = customer
  const iat = Math.floor(Date.now() / 1000)
  return { id, name, fields, iat, exp: iat + EXPIRES_IN, iss: WORKSPACE_KEY }
}

export const isHmac = (algorithm: Algorithm): boolean => ALGORITHMS[algorithm].kty === 'oct'

export const keyText = (algorithm: Algorithm, material: KeyMaterial): string =>
  isHmac(algorithm) ? material.secret : keyOf(material, algorithm).pkcs8

export function signerFor(algorithm: Algorithm, material: KeyMaterial) {
  const key = isHmac(algorithm)
    ? { secret: material.secret }
    : { privateKey: keyOf(material, algorithm).pkcs8 }
  return createSigner({ workspaceKey: WORKSPACE_KEY, algorithm, ...key })
}

export async function makeInput(
  algorithm: Algorithm,
  fields: Fields,
  material: KeyMaterial,
): Promise<CaseInput> {
  const customer = customerWith(fields)
  const { token } = await (await signerFor(algorithm, material)).signCustomerToken(customer)
  return { algorithm, material, customer, token }
}

/** The shortest form of the parameters: engines read a name faster than an object. */
function parametersOf(algorithm: Algorithm): AlgorithmIdentifier | EcdsaParams | RsaPssParams {
  const { name, hash, saltLength } = ALGORITHMS[algorithm]
  if (name === 'ECDSA') return { name, hash }
  return saltLength === undefined ? name : { name, saltLength }
}

export function cryptoKey(
  algorithm: Algorithm,
  material: KeyMaterial,
  usage: 'sign' | 'verify',
): Promise<CryptoKey> {
  const { name, hash, namedCurve = '' } = ALGORITHMS[algorithm]
  const parameters = { name, hash, namedCurve }
  if (isHmac(algorithm)) {
    return crypto.subtle.importKey('raw', encoder.encode(material.secret), parameters, false, [usage])
  }
  const { pkcs8, spki } = keyOf(material, algorithm)
  const [format, pem] = usage === 'sign' ? (['pkcs8', pkcs8] as const) : (['spki', spki] as const)
  const der = fromBase64url(pem.replace(/-----[^-]+-----|\s/g, ''))
  return crypto.subtle.importKey(format, der, parameters, false, [usage])
}

const encoder = new TextEncoder()

export function toBase64url(bytes: Uint8Array): string {
  const text = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''))
  return text.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

function fromBase64url(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'))
  return Uint8Array.from(binary, (character) => character.charCodeAt(0))
}
