import type { Curve } from '../../algorithms.ts'
import { fromHex, toHex } from '../../encoding.ts'
import type { MembraneTokenError } from '../../errors.ts'
import { CURVES, type EcPrivateKey, type EcPublicKey, readPoint, toFieldLength } from '../ec.ts'
import { DECRYPT, incompleteKey, invalidKey, recognizedAs, USABLE_KEYS, unsupportedKey } from '../errors.ts'
import { NEW_RSA_KEY, RSA_COMPONENTS, type RsaPrivateKey, type RsaPublicKey } from '../rsa.ts'
import {
  bitsOf,
  CONTEXT_0,
  CONTEXT_1,
  contentOf,
  type DerElement,
  membersOf,
  OCTET_STRING,
  oidOf,
  readElement,
  readSequence,
  SEQUENCE,
  unsignedOf,
} from './der.ts'
import type { KeyBlock } from './pem.ts'

export type Half = 'private' | 'public'
export type PublicKey = RsaPublicKey | EcPublicKey
export type PrivateKey = RsaPrivateKey | EcPrivateKey

/** An ASN.1 structure that contains a key. */
interface Structure {
  /** PEM label (RFC 7468). */
  readonly label: string
  readonly name: string
  /** Matches the tags of the outer SEQUENCE's members. They identify the structure, because DER has no label. */
  readonly shape: RegExp
}

export type KeyFormat = Structure &
  (
    | {
        readonly half: 'private'
        readonly read: (members: DerElement[], blocks: readonly KeyBlock[]) => PrivateKey
      }
    | { readonly half: 'public'; readonly read: (members: DerElement[]) => PublicKey }
    | { readonly half?: never; readonly fix: string }
  )

/**
 * All recognized structures. No template literals: with them, bundlers would keep the table where it is not used.
 */
export const KEY_FORMATS: readonly KeyFormat[] = [
  {
    label: 'PRIVATE KEY',
    name: 'PKCS#8',
    shape: /^2,48,4(,160)?(,(129|161))?$/,
    half: 'private',
    read: readPkcs8,
  },
  {
    label: 'EC PRIVATE KEY',
    name: 'SEC 1',
    shape: /^2,4(,160)?(,161)?$/,
    half: 'private',
    read: (members, blocks) => {
      const parameters = blocks.find(({ label }) => label === 'EC PARAMETERS')
      return readSec1(members, parameters && readCurve(readElement(parameters.der), 'private'))
    },
  },
  { label: 'RSA PRIVATE KEY', name: 'PKCS#1', shape: /^2(,2){8}(,48)?$/, half: 'private', read: readPkcs1 },
  {
    label: 'PUBLIC KEY',
    name: 'SPKI',
    shape: /^48,3$/,
    half: 'public',
    read: readSpki,
  },
  {
    label: 'RSA PUBLIC KEY',
    name: 'PKCS#1 public key',
    shape: /^2,2$/,
    half: 'public',
    read: readRsaPublicKey,
  },
  {
    label: 'CERTIFICATE',
    name: 'X.509 certificate',
    shape: /^48,48,3$/,
    half: 'public',
    read: readCertificate,
  },
  { label: 'ENCRYPTED PRIVATE KEY', name: 'an encrypted key', shape: /^48,4$/, fix: DECRYPT },
  { label: 'DSA PRIVATE KEY', name: 'a DSA key', shape: /^2(,2){5}$/, fix: USABLE_KEYS },
  {
    label: 'PKCS12',
    name: 'a PKCS#12 file',
    shape: /^2,48(,48)?$/,
    fix: 'extract its private key with `openssl pkcs12 -in key.p12 -nodes -nocerts -out key.pem`',
  },
  {
    label: 'OPENSSH PRIVATE KEY',
    name: 'an OpenSSH private key',
    // Matches nothing: the format is not DER.
    shape: /(?!)/,
    fix: 'convert a copy of it with `ssh-keygen -p -m PKCS8 -f key`',
  },
]

/**
 * Identifies a structure, and returns the members of its outer SEQUENCE.
 *
 * @throws `ERR_KEY_INVALID` if the bytes are not DER
 */
export function recognizeDer(der: Uint8Array): {
  readonly format: KeyFormat | undefined
  readonly members: DerElement[]
} {
  const members = readSequence(der)
  const tags = members.map(({ tag }) => tag).join()
  return { format: KEY_FORMATS.find(({ shape }) => shape.test(tags)), members }
}

/** Object identifiers of key types (RFC 3279, RFC 5480), as hexadecimal. */
const RSA_OID = '2a864886f70d010101'
const EC_OID = '2a8648ce3d0201'

/** Common key types and curves that Membrane does not support. */
const UNSUPPORTED_OIDS: Readonly<Record<string, string>> = {
  '2a864886f70d01010a': 'an RSA key restricted to PSS',
  '2a8648ce380401': 'a DSA key',
  '2b6570': 'an Ed25519 key',
  '2b8104000a': 'a secp256k1 key',
}

/** Reads an AlgorithmIdentifier (RFC 5280 section 4.1.1.2): RSA, or a curve. @throws `ERR_KEY_FORMAT_UNSUPPORTED` */
function readKeyAlgorithm(
  element: DerElement | undefined,
  half: Half,
): { readonly kty: 'RSA' } | { readonly kty: 'EC'; readonly crv: Curve } {
  const [identifier, parameters] = membersOf(element)
  const oid = oidOf(identifier)
  if (oid === RSA_OID) return { kty: 'RSA' }
  if (oid === EC_OID) return { kty: 'EC', crv: readCurve(parameters, half) }
  throw unsupportedOid(oid)
}

/** Reads ECParameters (RFC 5480 section 2.1.1). @throws `ERR_KEY_FORMAT_UNSUPPORTED` */
function readCurve(element: DerElement | undefined, half: Half): Curve {
  if (element?.tag === SEQUENCE) throw incompleteKey('The EC key does not name its curve', half)
  const oid = oidOf(element)
  const crv = (Object.keys(CURVES) as Curve[]).find((name) => CURVES[name].oid === oid)
  if (crv) return crv
  throw unsupportedOid(oid)
}

function unsupportedOid(oid: string): MembraneTokenError {
  return recognizedAs(UNSUPPORTED_OIDS[oid] ?? 'a key of another type or curve', USABLE_KEYS)
}

/** Reads PKCS#8 (RFC 5958). */
function readPkcs8([, identifier, key, ...rest]: DerElement[]): PrivateKey {
  const algorithm = readKeyAlgorithm(identifier, 'private')
  const members = readSequence(contentOf(key, OCTET_STRING))
  if (algorithm.kty === 'RSA') return readPkcs1(members)
  const sec1 = readSec1(members, algorithm.crv)
  const publicKey = rest.find(({ tag }) => tag === 0x81)?.content
  if (sec1.x || publicKey?.[0] !== 0) return sec1
  return { ...sec1, ...readPoint(publicKey.subarray(1), sec1.crv) }
}

/**
 * Reads an ECPrivateKey (RFC 5915).
 *
 * @param outerCurve The curve that PKCS#8 or a separate PEM block names; the structure itself may name it too
 */
function readSec1([, d, ...rest]: DerElement[], outerCurve: Curve | undefined): EcPrivateKey {
  const readTagged = (tag: number): DerElement | undefined => {
    const element = rest.find((member) => member.tag === tag)
    return element && readElement(element.content)
  }
  const parameters = readTagged(CONTEXT_0)
  const crv = parameters ? readCurve(parameters, 'private') : outerCurve
  if (!crv || (outerCurve && crv !== outerCurve))
    throw invalidKey('The EC key names no curve, or two different ones; export it again.')
  const point = readTagged(CONTEXT_1)
  return {
    kty: 'EC',
    crv,
    d: toFieldLength(contentOf(d, OCTET_STRING), crv),
    ...(point && readPoint(bitsOf(point), crv)),
  }
}

/** Reads an RSAPrivateKey (RFC 8017 appendix A.1.2). */
function readPkcs1([version, ...numbers]: DerElement[]): RsaPrivateKey {
  if (unsignedOf(version).length > 0) throw multiPrime()
  return toRsaPrivateKey((_, index) => unsignedOf(numbers[index]))
}

export function toRsaPrivateKey(read: (name: string, index: number) => Uint8Array): RsaPrivateKey {
  const components = RSA_COMPONENTS.map((name, index) => [name, read(name, index)] as const)
  return { kty: 'RSA', ...(Object.fromEntries(components) as Omit<RsaPrivateKey, 'kty'>) }
}

export function multiPrime(): MembraneTokenError {
  return unsupportedKey(`This RSA key has more than two primes. ${NEW_RSA_KEY}`)
}

/** Reads an RSAPublicKey (RFC 8017 appendix A.1.1). */
function readRsaPublicKey([n, e]: DerElement[]): RsaPublicKey {
  return { kty: 'RSA', n: unsignedOf(n), e: unsignedOf(e) }
}

/** Reads a SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7). */
function readSpki([identifier, key]: DerElement[]): PublicKey {
  const algorithm = readKeyAlgorithm(identifier, 'public')
  const bits = bitsOf(key)
  if (algorithm.kty === 'RSA') return readRsaPublicKey(readSequence(bits))
  const point = readPoint(bits, algorithm.crv)
  if ('x' in point) return { ...algorithm, ...point }
  throw incompleteKey("The key's point is compressed", 'public')
}

/** Reads the key of a Certificate (RFC 5280 section 4.1). Its dates, issuer and signature are not checked. */
function readCertificate([certificate]: DerElement[]): PublicKey {
  const fields = membersOf(certificate)
  // Version 1 certificates have no version field.
  return readSpki(membersOf(fields[fields[0]?.tag === CONTEXT_0 ? 6 : 5]))
}

/** Writes an EC key without its point as PKCS#8 (RFC 5958), the only format in which engines import such a key. */
export function writePkcs8({ crv, d }: Pick<EcPrivateKey, 'crv' | 'd'>): Uint8Array<ArrayBuffer> {
  // All lengths are under 128 and fit in one byte.
  const part = (tag: string, content: string): string =>
    tag + toHex(Uint8Array.of(content.length / 2)) + content
  const algorithm = part('30', part('06', EC_OID) + part('06', CURVES[crv].oid))
  const key = part('30', `020101${part('04', toHex(d))}`)
  return fromHex(part('30', `020100${algorithm}${part('04', key)}`))
}
