import type { Bytes } from './der.ts'
import * as der from './der.ts'
import { fromBase64url, toPem } from './encoding.ts'
import type { Jwk } from './keys.ts'

/** The containers of a key, as in RFC 5208, 5280, 5915, 8017 and 8018. */

const oids = {
  rsa: '1.2.840.113549.1.1.1',
  rsaPss: '1.2.840.113549.1.1.10',
  ec: '1.2.840.10045.2.1',
  primeField: '1.2.840.10045.1.1',
  dsa: '1.2.840.10040.4.1',
  ed25519: '1.3.101.112',
  pbes2: '1.2.840.113549.1.5.13',
  'P-256': '1.2.840.10045.3.1.7',
  'P-384': '1.3.132.0.34',
  'P-521': '1.3.132.0.35',
  secp256k1: '1.3.132.0.10',
} as const

type NamedCurve = 'P-256' | 'P-384' | 'P-521' | 'secp256k1'

export interface EcShape {
  /** Both are optional in RFC 5915, and tools differ in whether they write them. */
  publicKey?: 'none' | 'uncompressed' | 'compressed'
  parameters?: boolean
}

function part(jwk: Jwk, member: 'd' | 'x' | 'y' | 'n' | 'e' | 'p' | 'q' | 'dp' | 'dq' | 'qi'): Bytes {
  return fromBase64url(jwk[member] ?? '')
}

function curveId(jwk: Jwk): Bytes {
  return der.objectId(oids[jwk.crv as NamedCurve])
}

function point(jwk: Jwk, compressed: boolean): Bytes {
  const [x, y] = [part(jwk, 'x'), part(jwk, 'y')]
  const odd = (y.at(-1) ?? 0) & 1
  return compressed ? der.concat(Uint8Array.of(2 + odd), x) : der.concat(Uint8Array.of(4), x, y)
}

export function sec1(jwk: Jwk, { publicKey = 'uncompressed', parameters = true }: EcShape = {}): Bytes {
  return der.sequence(
    der.integer(1),
    der.octets(part(jwk, 'd')),
    ...(parameters ? [der.context(0, curveId(jwk))] : []),
    ...(publicKey === 'none' ? [] : [der.context(1, der.bits(point(jwk, publicKey === 'compressed')))]),
  )
}

/** What `openssl ecparam -genkey` prints above the key without `-noout`. */
export function ecParameters(jwk: Jwk): Bytes {
  return curveId(jwk)
}

function privateKeyInfo(algorithm: Bytes, inner: Bytes, ...attributes: readonly Bytes[]): Bytes {
  return der.sequence(der.integer(0), algorithm, der.octets(inner), ...attributes)
}

function algorithmOf(jwk: Jwk): Bytes {
  return jwk.kty === 'RSA'
    ? der.sequence(der.objectId(oids.rsa), der.nothing())
    : der.sequence(der.objectId(oids.ec), curveId(jwk))
}

export function pkcs8(jwk: Jwk, shape: EcShape = {}): Bytes {
  const inner = jwk.kty === 'RSA' ? pkcs1(jwk) : sec1(jwk, { parameters: false, ...shape })
  return privateKeyInfo(algorithmOf(jwk), inner)
}

export function spki(jwk: Jwk): Bytes {
  return jwk.kty === 'RSA'
    ? der.sequence(algorithmOf(jwk), der.bits(pkcs1Public(jwk)))
    : spkiOfPoint(jwk, point(jwk, false))
}

/** The bytes of the point need not be a point. */
export function spkiOfPoint(jwk: Jwk, pointBytes: Bytes): Bytes {
  return der.sequence(algorithmOf(jwk), der.bits(pointBytes))
}

export function privatePem(jwk: Jwk): string {
  return toPem('PRIVATE KEY', pkcs8(jwk))
}

export function publicPem(jwk: Jwk): string {
  return toPem('PUBLIC KEY', spki(jwk))
}

export function certificatePem(jwk: Jwk): string {
  return toPem('CERTIFICATE', certificate(jwk))
}

export function pkcs1(jwk: Jwk): Bytes {
  const numbers = (['n', 'e', 'd', 'p', 'q', 'dp', 'dq', 'qi'] as const).map((name) =>
    der.integer(part(jwk, name)),
  )
  return der.sequence(der.integer(0), ...numbers)
}

export function pkcs1Public(jwk: Jwk): Bytes {
  return der.sequence(der.integer(part(jwk, 'n')), der.integer(part(jwk, 'e')))
}

/** With the `attributes [0]` that RFC 5208 allows and macOS's keychain writes. */
export function pkcs8RsaWithAttributes(jwk: Jwk): Bytes {
  const keyUsage = der.sequence(der.objectId('2.5.29.15'), der.set(der.bits(Uint8Array.of(0x10))))
  return privateKeyInfo(algorithmOf(jwk), pkcs1(jwk), der.context(0, keyUsage))
}

export function pkcs8RsaPss(jwk: Jwk): Bytes {
  return privateKeyInfo(der.sequence(der.objectId(oids.rsaPss)), pkcs1(jwk))
}

export function pkcs8Ed25519(): Bytes {
  return privateKeyInfo(der.sequence(der.objectId(oids.ed25519)), der.octets(filler(32)))
}

function dsaAlgorithm(): Bytes {
  const group = der.sequence(der.integer(filler(256)), der.integer(filler(32)), der.integer(filler(256)))
  return der.sequence(der.objectId(oids.dsa), group)
}

export function pkcs8Dsa(): Bytes {
  return privateKeyInfo(dsaAlgorithm(), der.integer(filler(32)))
}

/** Not a real key: an unsupported key is rejected before anything is computed from it. */
export function secp256k1Jwk(): Jwk {
  const coordinate = 'BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc'
  return { kty: 'EC', crv: 'secp256k1', d: coordinate, x: coordinate, y: coordinate }
}

/** P-256 as numbers, as `openssl ecparam -param_enc explicit` writes it (RFC 3279, section 2.3.5). */
function explicitP256(): Bytes {
  const prime = hex('ffffffff00000001000000000000000000000000ffffffffffffffffffffffff')
  const a = hex('ffffffff00000001000000000000000000000000fffffffffffffffffffffffc')
  const b = hex('5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b')
  const order = hex('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551')
  const generator = hex(
    '046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296' +
      '4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5',
  )
  return der.sequence(
    der.integer(1),
    der.sequence(der.objectId(oids.primeField), der.integer(prime)),
    der.sequence(der.octets(a), der.octets(b)),
    der.octets(generator),
    der.integer(order),
    der.integer(1),
  )
}

export function pkcs8ExplicitCurve(jwk: Jwk): Bytes {
  return privateKeyInfo(der.sequence(der.objectId(oids.ec), explicitP256()), sec1(jwk, { parameters: false }))
}

export function sec1ExplicitCurve(jwk: Jwk): Bytes {
  return der.sequence(der.integer(1), der.octets(part(jwk, 'd')), der.context(0, explicitP256()))
}

/** RFC 5958 `EncryptedPrivateKeyInfo`; its content is filler and cannot be decrypted. */
export function encryptedPkcs8(): Bytes {
  const scheme = der.sequence(der.objectId(oids.pbes2), der.sequence(der.octets(filler(16)), der.integer(8)))
  return der.sequence(scheme, der.octets(filler(144)))
}

export interface CertificateShape {
  /** Version 1 has neither a version field nor extensions. */
  version?: 1 | 3
}

/** An X.509 certificate whose signature is not checked; only its key is used. */
export function certificate(jwk: Jwk, { version = 3 }: CertificateShape = {}): Bytes {
  const signature = der.sequence(der.objectId('1.2.840.10045.4.3.2'))
  const name = der.sequence(der.set(der.sequence(der.objectId('2.5.4.3'), der.text('example'))))
  const validity = der.sequence(der.utcTime('260101000000Z'), der.utcTime('360101000000Z'))
  const keyUsage = der.sequence(der.objectId('2.5.29.15'), der.octets(der.bits(Uint8Array.of(0x80))))
  const body = der.sequence(
    ...(version === 1 ? [] : [der.context(0, der.integer(2))]),
    der.integer(7),
    signature,
    name,
    validity,
    name,
    spki(jwk),
    ...(version === 1 ? [] : [der.context(3, der.sequence(keyUsage))]),
  )
  return der.sequence(body, signature, der.bits(filler(70)))
}

export function spkiCompressed(jwk: Jwk): Bytes {
  return spkiOfPoint(jwk, point(jwk, true))
}

export function spkiRsaPss(jwk: Jwk): Bytes {
  return der.sequence(der.sequence(der.objectId(oids.rsaPss)), der.bits(pkcs1Public(jwk)))
}

export function spkiEd25519(): Bytes {
  return der.sequence(der.sequence(der.objectId(oids.ed25519)), der.bits(filler(32)))
}

export function spkiDsa(): Bytes {
  return der.sequence(dsaAlgorithm(), der.bits(der.integer(filler(256))))
}

export function spkiExplicitCurve(jwk: Jwk): Bytes {
  return der.sequence(der.sequence(der.objectId(oids.ec), explicitP256()), der.bits(point(jwk, false)))
}

function filler(length: number): Bytes {
  return new Uint8Array(length).fill(0x5a)
}

function hex(digits: string): Bytes {
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
}

/** Counted, because engines round up. */
export function modulusBits(jwk: Jwk): number {
  const bytes = part(jwk, 'n')
  return bytes.length * 8 - Math.clz32(bytes[0] ?? 0) + 24
}
