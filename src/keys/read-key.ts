import { decodeBase64, isBytes } from '../encoding.ts'
import type { MembraneTokenError } from '../errors.ts'
import { invalidKey, recognizedAs, unsupportedKey } from './errors.ts'
import {
  type Half,
  KEY_FORMATS,
  type KeyFormat,
  type PrivateKey,
  type PublicKey,
  recognizeDer,
} from './formats/asn1.ts'
import { type DerElement, SEQUENCE } from './formats/der.ts'
import { checkJwkUse, type IdentifiedJwk, identifyJwk, readPrivateJwk, readPublicJwk } from './formats/jwk.ts'
import { BEGIN, cleanText, type KeyBlock, readPem, restoreLineBreaks } from './formats/pem.ts'
import { ACCEPTED_FORMATS, unusableBytes, unusableText, unusableValue } from './formats/unusable.ts'

/** Maximum characters or bytes; an RSA key of 8192 bits has a tenth of that. */
export const SIZE_LIMIT = 65_536

type UsableFormat = Extract<KeyFormat, { half: Half }>

/** A recognized key, whose components are not read yet. */
export interface FoundKey {
  /** Such as `PKCS#8`. */
  readonly name: string
  readonly encoding?: 'PEM' | 'DER'
  readonly half: Half
  readonly jwk?: IdentifiedJwk
  readonly read: () => PrivateKey | PublicKey
}

interface Components {
  private: PrivateKey
  public: PublicKey
}

/** The components of a key, and the `alg` of its JWK. */
export interface ReadKey<H extends Half> {
  readonly components: Components[H]
  readonly alg: string | undefined
}

function otherHalf(name: string, half: Half): MembraneTokenError {
  if (half === 'private') return recognizedAs(`a public key (${name})`, 'pass the private key')
  return recognizedAs(
    `a private key (${name})`,
    name === 'JWK'
      ? 'pass its public half, without d'
      : 'extract its public half with `openssl pkey -in key.pem -pubout -out public.pem`',
  )
}

/**
 * Reads a private or public key in any supported format.
 *
 * @throws `ERR_KEY_INVALID` · `ERR_KEY_FORMAT_UNSUPPORTED` · `ERR_KEY_ALGORITHM_MISMATCH`
 */
export function readKey<H extends Half>(input: unknown, half: H): ReadKey<H> {
  const found = findKey(input, half)
  if (found.half !== half) throw otherHalf(found.name, half)
  if (found.jwk) checkJwkUse(found.jwk)
  return { components: found.read() as Components[H], alg: found.jwk?.alg }
}

/**
 * Finds the key in PEM, DER, a JWK or JWK text, or base64 of any of these.
 *
 * @param half The half to look for in a PEM text with several blocks; default: the first key
 * @throws `ERR_KEY_INVALID` if it is none of these
 * @throws `ERR_KEY_FORMAT_UNSUPPORTED` if it is recognized, but not supported
 */
export function findKey(input: unknown, half?: Half): FoundKey {
  if (typeof input === 'string') return findInText(input, half)
  // A copy, because views of it are read after the caller could have changed the bytes.
  if (isBytes(input)) return findInBytes(checkSize(input).slice(), half)
  if (typeof input !== 'object' || input === null || !('kty' in input)) throw unusableValue(input)
  const jwk = identifyJwk(input as Record<string, unknown>)
  const { half: found } = jwk
  return {
    name: 'JWK',
    half: found,
    jwk,
    read: () => (found === 'private' ? readPrivateJwk(jwk) : readPublicJwk(jwk)),
  }
}

function checkSize<T extends { readonly length: number }>(input: T): T {
  if (input.length > SIZE_LIMIT) throw invalidKey('The key is larger than 64 KiB; pass a single key.')
  return input
}

function findInText(text: string, half: Half | undefined, isDecoded = false): FoundKey {
  const clean = cleanText(checkSize(text))
  if (clean.startsWith('{')) return findKey(parseJson(clean))
  // UTF-16, such as PowerShell writes, decoded as UTF-8. Keys are ASCII, so every other byte is zero.
  if (clean.includes('\0')) return findInText(clean.replace(/[\0\uFFFD]/g, ''), half, isDecoded)
  const lines = restoreLineBreaks(clean)
  if (lines.includes(BEGIN)) return findInBlocks(readPem(lines), half)
  const bytes = isDecoded ? undefined : decodeBase64(lines)
  if (!bytes) throw unusableText(clean)
  return findInBytes(bytes, half, true)
}

function findInBytes(bytes: Uint8Array, half: Half | undefined, isDecoded = false): FoundKey {
  const unusable = unusableBytes(bytes)
  if (unusable) throw unusable
  if (bytes[0] !== SEQUENCE) return findInText(new TextDecoder().decode(bytes), half, isDecoded)
  const { format, members } = recognizeDer(bytes)
  if (!format) throw invalidKey(ACCEPTED_FORMATS)
  if (format.half) return toFound('DER', format, members, [])
  throw recognizedAs(format.name, format.fix.replace('-in key.pem', '-inform DER -in key.der'))
}

function toFound(
  encoding: 'PEM' | 'DER',
  format: UsableFormat,
  members: DerElement[],
  blocks: readonly KeyBlock[],
): FoundKey {
  const { name, half } = format
  return { name, encoding, half, read: () => format.read(members, blocks) }
}

function parseJson(text: string): unknown {
  for (const json of [text, restoreLineBreaks(text)]) {
    try {
      return JSON.parse(json)
    } catch {
      // No cause, because engines quote the text, which is a key.
    }
  }
  return undefined
}

function findInBlocks(blocks: readonly KeyBlock[], half: Half | undefined): FoundKey {
  const known = blocks.flatMap(({ label, der }) => {
    const format = KEY_FORMATS.find((candidate) => candidate.label === label)
    return format ? [{ format, der }] : []
  })
  const { format, der } =
    known.find(({ format: { half: found } }) => found && found === (half ?? found)) ??
    known.find(({ format: { label } }) => label.includes('PRIVATE')) ??
    known[0] ??
    {}
  // The message does not quote an unknown label, which could be anything.
  if (!format || !der)
    throw unsupportedKey('This PEM contains no key; pass the block labeled PRIVATE KEY or PUBLIC KEY.')
  if (!format.half) throw recognizedAs(format.name, format.fix)
  if (half && format.half !== half) throw otherHalf(format.name, half)
  const { format: actual, members } = recognizeDer(der)
  if (actual === format) return toFound('PEM', format, members, blocks)
  throw invalidKey(
    `The PEM is labeled ${format.label}, but contains ${actual?.name ?? 'no key'}; export it again.`,
  )
}
