import { toHex, trimZeros } from '../../encoding.ts'
import type { MembraneTokenError } from '../../errors.ts'
import { invalidKey } from '../errors.ts'

// The ASN.1 tags (X.690) of key structures. Constants, because bundlers do not shorten the member names of an object.
export const INTEGER = 0x02
export const BIT_STRING = 0x03
export const OCTET_STRING = 0x04
export const OID = 0x06
export const SEQUENCE = 0x30
export const CONTEXT_0 = 0xa0
export const CONTEXT_1 = 0xa1

/** A DER element. `content` is a view of the input. */
export interface DerElement {
  readonly tag: number
  readonly content: Uint8Array
}

/** Maximum number of consecutive elements. Certificates and RSA keys, the longest structures, have at most ten. */
const LONGEST_SEQUENCE = 64

const invalid = (): MembraneTokenError =>
  invalidKey('The key is not valid DER: copy all of it again, without data before or after it.')

/** Reads bytes that are exactly one element. @throws `ERR_KEY_INVALID` */
export function readElement(bytes: Uint8Array): DerElement {
  const elements = readElements(bytes)
  if (elements.length !== 1) throw invalid()
  return elements[0] as DerElement
}

/** Reads consecutive elements, as in the content of a SEQUENCE. */
export function readElements(bytes: Uint8Array): DerElement[] {
  const elements: DerElement[] = []
  let offset = 0
  while (offset < bytes.length) {
    const tag = bytes[offset] as number
    let length = bytes[offset + 1]
    offset += 2
    if (length === undefined || elements.length === LONGEST_SEQUENCE) throw invalid()
    if (length > 0x7f) {
      const size = length & 0x7f
      // 0x80 is BER's indefinite length; no key needs a length of more than four bytes.
      if (size === 0 || size > 4 || bytes[offset] === 0) throw invalid()
      length = 0
      for (const end = offset + size; offset < end; offset++)
        length = length * 256 + (bytes[offset] ?? Infinity)
      if (length < 0x80) throw invalid()
    }
    if (offset + length > bytes.length) throw invalid()
    elements.push({ tag, content: bytes.subarray(offset, offset + length) })
    offset += length
  }
  return elements
}

/** The members of a SEQUENCE. */
export function membersOf(element: DerElement | undefined): DerElement[] {
  return readElements(contentOf(element, SEQUENCE))
}

/** Reads bytes that are exactly one SEQUENCE, and returns its members. */
export function readSequence(der: Uint8Array): DerElement[] {
  return membersOf(readElement(der))
}

/** The content of an element with the given tag. @throws `ERR_KEY_INVALID` for another tag */
export function contentOf(element: DerElement | undefined, tag: number): Uint8Array {
  if (element?.tag !== tag) throw invalid()
  return element.content
}

/** A non-negative INTEGER as an unsigned big-endian number without leading zeros. */
export function unsignedOf(element: DerElement | undefined): Uint8Array {
  const content = contentOf(element, INTEGER)
  const [first = 0x80, second = 0x80] = content
  if (first >= 0x80 || (first === 0 && content.length > 1 && second < 0x80)) throw invalid()
  return trimZeros(content)
}

/** The bytes of a BIT STRING without unused bits. */
export function bitsOf(element: DerElement | undefined): Uint8Array {
  const content = contentOf(element, BIT_STRING)
  if (content[0] !== 0) throw invalid()
  return content.subarray(1)
}

/** The encoding of an OBJECT IDENTIFIER, as hexadecimal. */
export function oidOf(element: DerElement | undefined): string {
  const content = contentOf(element, OID)
  if (content.length > 32) throw invalid()
  return toHex(content)
}
