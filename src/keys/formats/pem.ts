import { invalidKey, unsupportedKey } from '../errors.ts'

/** One key structure and the format it is in, named by its PEM label (RFC 7468). */
export interface KeyBlock {
  readonly label: string
  readonly der: Uint8Array
}

const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----([\s\S]*?)-----END \1-----/g

/** Takes off what environment files, consoles and shells put around a key: a byte order mark, spaces, quotes. */
export function cleanText(text: string): string {
  // Loops, because a pattern for the end of a text takes quadratic time.
  const isWrapping = (index: number): boolean => /[\s\uFEFF"'`]/.test(text[index] ?? '')
  let start = 0
  let end = text.length
  while (isWrapping(start)) start++
  while (end > start && isWrapping(end - 1)) end--
  return text.slice(start, end)
}

/** Line breaks that a variable holds as `\n` or `\\n` become line breaks again. */
export function restoreLineBreaks(text: string): string {
  return cleanText(text.replace(/(?<!\\)\\+r/g, '').replace(/(?<!\\)\\+n/g, '\n'))
}

/**
 * Finds the blocks of a PEM text, whatever stands between them.
 *
 * @throws `ERR_KEY_INVALID` if a block has no end, or does not hold base64
 * @throws `ERR_KEY_FORMAT_UNSUPPORTED` if a block is encrypted as OpenSSL did before PKCS#8
 */
export function readPem(text: string): KeyBlock[] {
  const blocks: KeyBlock[] = []
  for (const [, label = '', body = ''] of text.matchAll(BLOCK)) {
    if (body.includes('ENCRYPTED')) {
      throw unsupportedKey(
        'This key is encrypted; decrypt it with `openssl pkcs8 -topk8 -nocrypt -in key.pem -out decrypted.pem`.',
      )
    }
    const der = decodeBase64(body)
    if (!der) throw invalidKey('The PEM does not hold base64; copy it again.')
    blocks.push({ label, der })
  }
  if (blocks.length === 0) {
    throw invalidKey(
      'The PEM is cut off: it has no END line. In a variable, write its line breaks as \\n, or the PEM in base64.',
    )
  }
  return blocks
}

/** Base64 (RFC 4648 section 4) with any white space in it; nothing if it is not base64. */
export function decodeBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  const base64 = text.replace(/\s+/g, '')
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) return undefined
  try {
    return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
  } catch {
    return undefined
  }
}
