import { decodeBase64 } from '../../encoding.ts'
import { DECRYPT, invalidKey, recognisedAs } from '../errors.ts'

export { decodeBase64 }

/** One key structure and its format, named by its PEM label (RFC 7468). */
export interface KeyBlock {
  readonly label: string
  readonly der: Uint8Array
}

/** Strips what environment files, consoles and shells put around a key: a byte order mark, spaces, quotes. */
export function cleanText(text: string): string {
  // Loops, because a pattern anchored at the end of a text takes quadratic time.
  const isWrapping = (index: number): boolean => /[\s\uFEFF"'`]/.test(text[index] ?? '')
  let start = 0
  let end = text.length
  while (isWrapping(start)) start++
  while (end > start && isWrapping(end - 1)) end--
  return text.slice(start, end)
}

/** Turns `\n` and `\\n` in a variable back into line breaks. */
export function restoreLineBreaks(text: string): string {
  return cleanText(text.replace(/(?<!\\)\\+r/g, '').replace(/(?<!\\)\\+n/g, '\n'))
}

export const BEGIN = '-----BEGIN '
const DASHES = '-----'
const LONGEST_LABEL = 64

/**
 * Finds the blocks of a PEM text, ignoring text between them. One pass, since text with thousands of BEGIN
 * lines must not cost more than other text.
 *
 * @throws `ERR_KEY_INVALID` if a block has no end, or does not hold base64
 * @throws `ERR_KEY_FORMAT_UNSUPPORTED` if a block is encrypted as OpenSSL did before PKCS#8
 */
export function readPem(text: string): KeyBlock[] {
  const blocks: KeyBlock[] = []
  for (let start = text.indexOf(BEGIN); start !== -1; start = text.indexOf(BEGIN, start)) {
    start += BEGIN.length
    const label = /^[A-Z0-9 ]+(?=-----)/.exec(text.slice(start, start + LONGEST_LABEL))?.[0]
    if (label === undefined) continue
    start += label.length + DASHES.length
    const marker = `${DASHES}END ${label}${DASHES}`
    const end = text.indexOf(marker, start)
    if (end === -1) break
    blocks.push({ label, der: decodeBody(text.slice(start, end)) })
    start = end + marker.length
  }
  if (blocks.length > 0) return blocks
  throw invalidKey(
    'The PEM is truncated: it has no END line. In an environment variable, write its line breaks as \\n, or encode the whole PEM in base64.',
  )
}

function decodeBody(body: string): Uint8Array {
  if (body.includes('ENCRYPTED')) throw recognisedAs('an encrypted key', DECRYPT)
  const der = decodeBase64(body)
  if (!der) throw invalidKey('The PEM does not hold valid base64; copy it again.')
  return der
}

/** Writes PEM as `openssl` does: lines of 64 characters. */
export function writePem(label: string, der: ArrayBuffer): string {
  const lines = btoa(String.fromCharCode(...new Uint8Array(der))).match(/.{1,64}/g) ?? []
  return [`${BEGIN}${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n')
}
