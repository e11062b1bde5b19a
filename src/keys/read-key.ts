import { decodeBase64, isBytes } from '../encoding.ts'
import type { MembraneTokenError } from '../errors.ts'
import { invalidKey, unsupportedKey } from './errors.ts'
import {
  type Half,
  KEY_FORMATS,
  type KeyFormat,
  type PrivateKey,
  type PublicKey,
  recogniseDer,
} from './formats/asn1.ts'
import { type DerElement, TAG } from './formats/der.ts'
import { FORMS, foreignBytes, foreignText, foreignValue } from './formats/foreign.ts'
import { checkJwkUse, type IdentifiedJwk, identifyJwk, readPrivateJwk, readPublicJwk } from './formats/jwk.ts'
import { BEGIN, cleanText, type KeyBlock, readPem, restoreLineBreaks } from './formats/pem.ts'

/** Characters or bytes; an RSA key of 8192 bits has a tenth of them. */
export const SIZE_LIMIT = 65_536

type UsableFormat = Extract<KeyFormat, { half: Half }>

/** A key structure that was recognised and not read yet. */
interface FoundBlock {
  readonly encoding: 'PEM' | 'DER'
  readonly format: UsableFormat
  readonly members: DerElement[]
  readonly blocks: readonly KeyBlock[]
}

export type FoundKey = { readonly jwk: IdentifiedJwk } | FoundBlock

interface Components {
  private: PrivateKey
  public: PublicKey
}

/** A key's components, and the algorithm that its JWK names. */
export interface ReadKey<H extends Half> {
  readonly components: Components[H]
  readonly alg: string | undefined
}

const otherHalf = (name: string, half: Half): string =>
  half === 'private'
    ? `This is a public key (${name}); pass the private key it belongs to.`
    : `This is a private key (${name}); extract its public half with \`openssl pkey -in key.pem -pubout -out public.pem\`.`

/**
 * Reads one half of a key in any of its forms.
 *
 * @throws `ERR_KEY_INVALID` · `ERR_KEY_FORMAT_UNSUPPORTED` · `ERR_KEY_ALGORITHM_MISMATCH`
 */
export function readKey<H extends Half>(input: unknown, half: H): ReadKey<H> {
  const found = findKey(input, half)
  const foundHalf = 'jwk' in found ? found.jwk.half : found.format.half
  if (foundHalf !== half)
    throw unsupportedKey(
      'jwk' in found && half === 'public'
        ? 'This JWK is a private key; pass its public half, without d.'
        : otherHalf('jwk' in found ? 'JWK' : found.format.name, half),
    )
  if ('jwk' in found) checkJwkUse(found.jwk)
  return {
    components: readComponents(found) as Components[H],
    alg: 'jwk' in found ? found.jwk.alg : undefined,
  }
}

/** The components of whichever half was found. */
export function readComponents(found: FoundKey): PrivateKey | PublicKey {
  if ('jwk' in found)
    return found.jwk.half === 'private' ? readPrivateJwk(found.jwk) : readPublicJwk(found.jwk)
  const { format, members, blocks } = found
  return format.half === 'private' ? format.read(members, blocks) : format.read(members)
}

/**
 * Finds the key in PEM, DER, a JWK or JWK text, or any of them once more in base64.
 *
 * @param half Which half is needed, where a text may hold both; default: the first that is there
 * @throws `ERR_KEY_INVALID` if it is none of these
 * @throws `ERR_KEY_FORMAT_UNSUPPORTED` if it is recognised and cannot be used
 */
export function findKey(input: unknown, half?: Half): FoundKey {
  if (typeof input === 'string') return findInText(input, half)
  // A copy, since views of it are read again after the caller has got control back.
  if (isBytes(input)) return findInBytes(checkSize(input).slice(), half)
  if (typeof input === 'object' && input !== null && 'kty' in input)
    return { jwk: identifyJwk(input as Record<string, unknown>) }
  throw foreignValue(input)
}

function checkSize<T extends { readonly length: number }>(input: T): T {
  if (input.length > SIZE_LIMIT) throw invalidKey('The key is larger than 64 KiB; pass one key alone.')
  return input
}

function findInText(text: string, half: Half | undefined, isDecoded = false): FoundKey {
  const clean = cleanText(checkSize(text))
  if (clean.startsWith('{')) {
    const value = parseJson(clean)
    if (typeof value === 'object' && value !== null && 'kty' in value) return findKey(value)
    throw foreignValue(value)
  }
  // UTF-16 that was read as UTF-8.
  if (clean.includes('\0')) return findInText(clean.replace(/[\0\uFFFD]/g, ''), half, isDecoded)
  const lines = restoreLineBreaks(clean)
  if (lines.includes(BEGIN)) return findInBlocks(readPem(lines), half)
  const bytes = isDecoded ? undefined : decodeBase64(lines)
  if (!bytes) throw foreignText(clean)
  return findInBytes(bytes, half, true)
}

function findInBytes(bytes: Uint8Array, half: Half | undefined, isDecoded = false): FoundKey {
  const foreign = foreignBytes(bytes)
  if (foreign) throw foreign
  if (bytes[0] !== TAG.SEQUENCE) {
    // PowerShell writes UTF-16. All of a key is ASCII, whose other byte is zero.
    const isUtf16 = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)
    const text = isUtf16 ? bytes.subarray(2).filter((byte) => byte !== 0) : bytes
    return findInText(new TextDecoder().decode(text), half, isDecoded)
  }
  const { format, members } = recogniseDer(bytes)
  if (!format) throw invalidKey(FORMS)
  if (format.half) return { encoding: 'DER', format, members, blocks: [] }
  throw notUsable(format, true)
}

function parseJson(text: string): unknown {
  for (const json of [text, restoreLineBreaks(text)]) {
    try {
      return JSON.parse(json)
    } catch {
      // No cause: engines quote the text in their message, and the text is a key.
    }
  }
  return undefined
}

function notUsable({ advice }: Extract<KeyFormat, { advice: string }>, isDer: boolean): MembraneTokenError {
  return unsupportedKey(isDer ? advice.replace('-in key.pem', '-inform DER -in key.der') : advice)
}

function findInBlocks(blocks: readonly KeyBlock[], half: Half | undefined): FoundKey {
  const formats = blocks.map(({ label }) => KEY_FORMATS.find((format) => format.label === label))
  const isUsable = (format: KeyFormat | undefined): format is UsableFormat => format?.half !== undefined
  const index = formats.findIndex((format) => isUsable(format) && (half ?? format.half) === format.half)
  const block = blocks[index]
  const format = formats[index]
  if (block && isUsable(format)) {
    const { format: found, members } = recogniseDer(block.der)
    if (found === format) return { encoding: 'PEM', format, members, blocks }
    throw invalidKey(
      `The PEM label says ${format.label}, but it holds ${found?.name ?? 'no key'}; export it again.`,
    )
  }
  const other =
    formats.find((found, at) => found && blocks[at]?.label.includes('PRIVATE')) ??
    formats.find((found) => found)
  if (other && isUsable(other)) throw unsupportedKey(otherHalf(other.name, half as Half))
  if (other) throw notUsable(other as Extract<KeyFormat, { advice: string }>, false)
  // The label of an unknown format is not repeated: it could be anything.
  throw unsupportedKey(
    'This PEM holds no key, but something else; pass the block that says PRIVATE KEY or PUBLIC KEY.',
  )
}
