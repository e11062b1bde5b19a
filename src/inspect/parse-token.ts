import { ALGORITHMS, type Algorithm } from '../algorithms.ts'
import { decodeBase64 } from '../keys/formats/pem.ts'
import { isPlainObject } from '../token/claims.ts'
import type { JsonObject } from './problems/problem.ts'
import { WRAPPING_PROBLEMS, type WrappingProblemCode } from './problems/wrapping.ts'

/** Maximum characters, including wrappings. Anything longer is not a token. */
export const INPUT_LIMIT = 65_536

/** The readable parts of a token. Unreadable parts are absent. */
export interface ParsedToken {
  readonly input: unknown
  /** The wrappings that were removed. */
  readonly wrappings: readonly WrappingProblemCode[]
  /** The input without the wrappings. */
  readonly text?: string
  /** Empty if the text is not a JWT at all. */
  readonly parts: readonly string[]
  readonly header?: JsonObject
  readonly claims?: JsonObject
  /** Present if there are three parts and the header can be read. */
  readonly signed?: SignedPart
}

export interface SignedPart {
  readonly header: JsonObject
  /** The header's `alg`, if it is one of the twelve algorithms. */
  readonly algorithm: Algorithm | undefined
  readonly signature: string
  /** The decoded signature, if it is base64url. */
  readonly bytes: Uint8Array | undefined
}

export function parseToken(input: unknown): ParsedToken {
  if (typeof input !== 'string' || input.length > INPUT_LIMIT) return { input, wrappings: [], parts: [] }
  const { text, wrappings } = unwrap(input)
  if (isEmpty(text) || isPersonalAccessToken(text)) return { input, wrappings, text, parts: [] }
  const parts = text.split('.')
  const header = readObject(parts[0])
  const claims = parts.length === 5 ? undefined : readObject(parts[1])
  const signature = parts.length === 3 ? parts[2] : undefined
  return {
    input,
    wrappings,
    text,
    parts,
    ...(header && { header }),
    ...(claims && { claims }),
    ...(header && signature !== undefined && { signed: readSignature(header, signature) }),
  }
}

export function isEmpty(text: string): boolean {
  return /^(undefined|null)?$/.test(text)
}

export function isPersonalAccessToken(text: string): boolean {
  return /^pat-[\w-]+$/.test(text)
}

function unwrap(input: string): { text: string; wrappings: WrappingProblemCode[] } {
  let text = input
  const wrappings = new Set<WrappingProblemCode>()
  const codes = Object.keys(WRAPPING_PROBLEMS) as WrappingProblemCode[]
  // Twice, because one wrapping may hide another, such as a quoted header value or URL-encoded quotes.
  for (const code of [...codes, ...codes]) {
    const { found, take } = WRAPPING_PROBLEMS[code]
    if (!found.test(text)) continue
    wrappings.add(code)
    text = take(text)
  }
  return { text, wrappings: [...wrappings] }
}

function readSignature(header: JsonObject, signature: string): SignedPart {
  const { alg } = header
  const isKnown = typeof alg === 'string' && Object.hasOwn(ALGORITHMS, alg)
  return {
    header,
    algorithm: isKnown ? (alg as Algorithm) : undefined,
    signature,
    bytes: decodeBase64url(signature),
  }
}

function decodeBase64url(part: string): Uint8Array | undefined {
  return decodeBase64(part.replace(/-/g, '+').replace(/_/g, '/'))
}

function readObject(part = ''): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(decodeBase64url(part)))
    return isPlainObject(value) ? value : undefined
  } catch {
    return undefined
  }
}
