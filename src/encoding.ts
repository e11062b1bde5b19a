import { decode, encode } from 'jose/base64url'

/** Text and byte encodings. base64url comes from `jose`, with shortcuts for the hot paths. */

export const encoder: { encode(text: string): Uint8Array<ArrayBuffer> } = /* @__PURE__ */ new TextEncoder()

/** Whether a value is a Uint8Array, of this realm or another. */
export function isBytes(value: unknown): value is Uint8Array {
  return Object.prototype.toString.call(value) === '[object Uint8Array]'
}

export function toHex(bytes: Uint8Array): string {
  let hex = ''
  for (const byte of bytes) hex += byte.toString(16).padStart(2, '0')
  return hex
}

export function fromHex(digits: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
}

/** Converts unsigned big-endian bytes to a number. */
export function toBigInt(bytes: Uint8Array): bigint {
  return BigInt(`0x0${toHex(bytes)}`)
}

/** Removes leading zero bytes; zero becomes an empty array. */
export function trimZeros(bytes: Uint8Array): Uint8Array {
  const start = bytes.findIndex((byte) => byte !== 0)
  return start === -1 ? new Uint8Array(0) : bytes.subarray(start)
}

/** Decodes base64 (RFC 4648 section 4), ignoring white space; `undefined` if it is not base64. */
export function decodeBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  const base64 = text.replace(/\s+/g, '')
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) return undefined
  try {
    return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
  } catch {
    return undefined
  }
}

const NON_ASCII = /[^\0-\x7f]/

function toBase64url(base64: string): string {
  let end = base64.length
  while (base64[end - 1] === '=') end--
  const unpadded = base64.slice(0, end)
  // ASCII rarely encodes to either character, and a search is faster than a replacement.
  return unpadded.includes('+') || unpadded.includes('/')
    ? unpadded.replace(/\+/g, '-').replace(/\//g, '_')
    : unpadded
}

/** Encodes the UTF-8 bytes of a string as base64url. ASCII takes the faster path through `btoa`. */
export function encodeText(text: string): string {
  return NON_ASCII.test(text) ? encode(text) : toBase64url(btoa(text))
}

/** Encodes bytes, such as a signature or a digest, as base64url. */
export function encodeBytes(bytes: Uint8Array): string {
  return 'toBase64' in bytes
    ? encode(bytes)
    : toBase64url(btoa(Reflect.apply(String.fromCharCode, undefined, bytes)))
}

const decoder: TextDecoder = /* @__PURE__ */ new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Decodes base64url to a string. @throws TypeError if the bytes are not UTF-8 */
export function decodeText(base64url: string): string {
  const text = atob(
    base64url.includes('-') || base64url.includes('_')
      ? base64url.replace(/-/g, '+').replace(/_/g, '/')
      : base64url,
  )
  // A byte order mark is kept, so that the JSON parser rejects it.
  return NON_ASCII.test(text) ? decoder.decode(decode(base64url)) : text
}
