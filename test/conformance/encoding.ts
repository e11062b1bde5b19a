import type { Bytes } from './der.ts'

export function utf8(text: string): Bytes {
  return new TextEncoder().encode(text)
}

export function toBase64(bytes: Bytes): string {
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''))
}

export function fromBase64(text: string): Bytes {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
}

export function toBase64url(bytes: Bytes): string {
  return toBase64(bytes).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

export function fromBase64url(text: string): Bytes {
  return fromBase64(text.replaceAll('-', '+').replaceAll('_', '/'))
}

/** RFC 7468. Real PEM files vary in line width and line ending. */
export function toPem(label: string, der: Bytes, endOfLine = '\n', width = 64): string {
  const lines = toBase64(der).match(new RegExp(`.{1,${width}}`, 'g')) ?? []
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join(endOfLine)
}
