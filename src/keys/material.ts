import { invalidKey, unsupportedKey } from './errors.ts'
import { readElement, readElements, TAG } from './formats/der.ts'
import { cleanText, decodeBase64, type KeyBlock, readPem, restoreLineBreaks } from './formats/pem.ts'

/** What a key turned out to be, once its wrappings are off. */
export type KeyMaterial =
  | { readonly blocks: readonly KeyBlock[] }
  | { readonly jwk: Readonly<Record<string, unknown>> }

const FORMS =
  'The key must be PEM text, DER bytes (Uint8Array), a JWK (with kty) or a CryptoKey; no file name, and not empty.'

/** DER carries no label, but the tags of a structure's members tell one format from the other. */
const DER_FORMATS: readonly (readonly [tags: RegExp, label: string])[] = [
  [/^2,48,4(,160)?(,(129|161))?$/, 'PRIVATE KEY'],
  [/^2,4(,160)?(,161)?$/, 'EC PRIVATE KEY'],
  [/^2(,2){8}(,48)?$/, 'RSA PRIVATE KEY'],
  [/^2(,2){5}$/, 'DSA PRIVATE KEY'],
  [/^48,4$/, 'ENCRYPTED PRIVATE KEY'],
  [/^48,3$/, 'PUBLIC KEY'],
  [/^2,2$/, 'RSA PUBLIC KEY'],
  [/^48,48,3$/, 'CERTIFICATE'],
]

/** The mend for formats that are recognised and cannot be used, whichever key is asked for. */
const UNSUPPORTED_FORMATS: Readonly<Record<string, string>> = {
  'ENCRYPTED PRIVATE KEY':
    'This is an encrypted PKCS#8 key; decrypt it with `openssl pkcs8 -in key.pem -out decrypted.pem`.',
  'OPENSSH PRIVATE KEY': 'This is an OpenSSH key; convert a copy with `ssh-keygen -p -m PKCS8 -f key`.',
}

/**
 * Reads PEM, DER, JWK or JWK text, or any of them once more in base64.
 *
 * @throws `ERR_KEY_INVALID` if it is none of these
 * @throws `ERR_KEY_FORMAT_UNSUPPORTED` if it is a kind of key that is known and not taken
 */
export function readKeyMaterial(input: unknown): KeyMaterial {
  if (typeof input === 'string') return readText(input)
  // A copy, since views of it are read again after the caller has got control back.
  if (isBytes(input)) return readBytes(input.slice())
  if (typeof input === 'object' && input !== null && 'kty' in input)
    return { jwk: input as Record<string, unknown> }
  throw invalidKey(FORMS)
}

/** Whether a value is a Uint8Array, of this realm or another. */
export function isBytes(value: unknown): value is Uint8Array {
  return Object.prototype.toString.call(value) === '[object Uint8Array]'
}

/** Characters; an RSA key of 8192 bits has a tenth of them. */
const TEXT_LIMIT = 65_536

function readText(text: string, decoded = false): KeyMaterial {
  if (text.length > TEXT_LIMIT) throw invalidKey(FORMS)
  const clean = cleanText(text)
  if (clean.startsWith('{')) return readKeyMaterial(parseJwk(clean))
  const lines = restoreLineBreaks(clean)
  if (lines.includes('-----BEGIN ')) return { blocks: readPem(lines) }
  if (/^(ssh|ecdsa|sk)-/.test(clean))
    throw unsupportedKey(UNSUPPORTED_FORMATS['OPENSSH PRIVATE KEY'] as string)
  const bytes = decoded ? undefined : decodeBase64(lines)
  if (!bytes) throw invalidKey(FORMS)
  return readBytes(bytes, true)
}

function readBytes(bytes: Uint8Array, decoded = false): KeyMaterial {
  if (bytes[0] !== TAG.SEQUENCE) return readText(new TextDecoder().decode(bytes), decoded)
  const label = recogniseDer(bytes)
  if (!label) throw invalidKey(FORMS)
  return { blocks: [{ label, der: bytes }] }
}

function parseJwk(text: string): unknown {
  for (const json of [text, restoreLineBreaks(text)]) {
    try {
      return JSON.parse(json)
    } catch {
      // No cause: engines quote the text in their message, and the text is a key.
    }
  }
  throw invalidKey(FORMS)
}

/** The format of a DER structure, as its PEM label. @throws `ERR_KEY_INVALID` if the bytes are no DER */
export function recogniseDer(der: Uint8Array): string | undefined {
  const tags = readElements(readElement(der).content).map(({ tag }) => tag)
  return DER_FORMATS.find(([shape]) => shape.test(tags.join()))?.[1]
}

/** How to read the formats that serve a purpose, by PEM label. */
export type KeyReaders<T> = Readonly<Record<string, (der: Uint8Array, blocks: readonly KeyBlock[]) => T>>

/**
 * Takes the first block that serves the purpose and reads it.
 *
 * @param wanted Says in messages what is needed, and how to get it
 * @throws `ERR_KEY_FORMAT_UNSUPPORTED` if no block serves, saying what was found instead
 * @throws `ERR_KEY_INVALID` if the block is not what its label says
 */
export function readBlocks<T>(blocks: readonly KeyBlock[], readers: KeyReaders<T>, wanted: string): T {
  const block = blocks.find(({ label }) => Object.hasOwn(readers, label))
  if (!block) {
    const { label } = blocks.find(({ label }) => label.includes('PRIVATE')) ?? (blocks[0] as KeyBlock)
    if (Object.hasOwn(UNSUPPORTED_FORMATS, label)) throw unsupportedKey(UNSUPPORTED_FORMATS[label] as string)
    // A label of no known format is not repeated: it could be anything.
    const isKnown = DER_FORMATS.some(([, known]) => known === label)
    throw unsupportedKey(`This is ${isKnown ? label : 'PEM of another kind'}; needed here is ${wanted}.`)
  }
  const found = recogniseDer(block.der)
  if (found !== block.label) {
    throw invalidKey(`The PEM says ${block.label}, but holds ${found ?? 'no key'}; export it again.`)
  }
  return (readers[block.label] as KeyReaders<T>[string])(block.der, blocks)
}
