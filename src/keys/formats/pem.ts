import { decodeBase64 } from '../../encoding.ts'
import { DECRYPT, invalidKey, recognizedAs } from '../errors.ts'

export { decodeBase64 }

/** A PEM block (RFC 7468): its label and its DER. */
export interface KeyBlock {
  readonly label: string
  readonly der: Uint8Array
}

/** Removes a byte order mark, white space and quotes around a key, as environment files and shells add them. */
export function cleanText(text: string): string {
  // Loops, because a pattern anchored at the end of a text takes quadratic time.
  const isWrapping = (index: number): boolean => /[\s\uFEFF"'`]/.test(text[index] ?? '')
  let start = 0
  let end = text.length
  while (isWrapping(start)) start++
  while (end > start && isWrapping(end - 1)) end--
  return text.slice(start, end)
}

/** Restores line breaks that are written as `\n` or `\\n`. */
export function restoreLineBreaks(text: string): string {
  return cleanText(text.replace(/(?<!\\)\\+r/g, '').replace(/(?<!\\)\\+n/g, '\n'))
}

export const BEGIN = '-----BEGIN '
const DASHES = '-----'
const LONGEST_LABEL = 64

/**
 * Reads the blocks of a PEM text, ignoring text between them. It makes a single pass, so that thousands of BEGIN lines
 * take no longer than other text.
 *
 * @throws `ERR_KEY_INVALID` if no block is complete, or a block is not base64
 * @throws `ERR_KEY_FORMAT_UNSUPPORTED` if a block is encrypted in OpenSSL's older format
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
  if (body.includes('ENCRYPTED')) throw recognizedAs('an encrypted key', DECRYPT)
  const der = decodeBase64(body)
  if (!der) throw invalidKey('The PEM is not valid base64; copy it again.')
  return der
}

/** Writes PEM as `openssl` does: lines of 64 characters. */
export function writePem(label: string, der: ArrayBuffer): string {
  const lines = btoa(String.fromCharCode(...new Uint8Array(der))).match(/.{1,64}/g) ?? []
  return [`${BEGIN}${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n')
}
