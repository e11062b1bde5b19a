import { cleanText } from '../../keys/formats/pem.ts'
import type { ProblemKind } from './problem.ts'

export type WrappingProblemCode =
  | 'JSON_ESCAPED'
  | 'IN_JSON'
  | 'QUOTED'
  | 'URL_ENCODED'
  | 'IN_URL'
  | 'BEARER_PREFIX'
  | 'WHITE_SPACE'

/** Text around a token, or an encoding of it, that was copied along. */
export interface Wrapping extends ProblemKind {
  readonly found: RegExp
  /** Removes the wrapping from a text. */
  take(text: string): string
}

const BEARER = /^\s*(?:authorization\s*:\s*)?bearer\s+/i

/** The first part of a text that has the form of a token, preferably with a JSON header. */
function findToken(text: string): string | undefined {
  const found = text.split(/[^\w.-]+/).filter((part) => /^[\w-]+\.[\w-]+\.[\w-]*$/.test(part))
  return found.find((part) => part.startsWith('eyJ')) ?? found[0]
}

const decodeByte = (encoded: string): string => String.fromCharCode(Number.parseInt(encoded.slice(1), 16))

/** Wrappings, in the order in which they are removed. */
export const WRAPPING_PROBLEMS: Readonly<Record<WrappingProblemCode, Wrapping>> = {
  JSON_ESCAPED: {
    severity: 'error',
    message: 'The token contains backslashes, as in JSON that was encoded twice.',
    fix: 'Call JSON.stringify and JSON.parse once each.',
    found: /\\/,
    take: (text) => text.replace(/\\+[nrt]?/g, ''),
  },
  IN_JSON: {
    severity: 'error',
    message: 'The token is still inside a JSON object.',
    fix: 'Read the member that holds it, such as (await response.json()).token.',
    found: /^[\s"]*\{[\s\S]*[\w-]\.[\w-]/,
    take: (text) => findToken(text) ?? '',
  },
  QUOTED: {
    severity: 'error',
    message: 'The token has quotes around it.',
    fix: 'Remove the quotes, or parse the JSON or environment file that the token comes from.',
    found: /^\s*["'`]|["'`]\s*$/,
    take: cleanText,
  },
  URL_ENCODED: {
    severity: 'error',
    message: 'The token is URL-encoded.',
    fix: 'Decode it with decodeURIComponent, or read it with URLSearchParams, which decodes it.',
    found: /%[0-9a-f]{2}/i,
    take: (text) => text.replace(/%[0-9a-f]{2}/gi, decodeByte),
  },
  IN_URL: {
    severity: 'error',
    message: 'The token is still inside a URL.',
    fix: 'Read it with new URL(url).searchParams.get(name).',
    found: /^\s*[a-z]{2,12}:\/\//i,
    take: (text) => findToken(text) ?? text,
  },
  BEARER_PREFIX: {
    severity: 'error',
    message: 'The token starts with "Bearer ".',
    fix: 'Remove the scheme; it is part of the Authorization header, not of the token.',
    found: BEARER,
    take: (text) => text.replace(BEARER, ''),
  },
  WHITE_SPACE: {
    severity: 'error',
    message: 'The token has spaces or line breaks in or around it.',
    fix: 'Remove them; a terminal or an e-mail may have wrapped the token.',
    found: /\s/,
    take: (text) => text.replace(/\s+/g, ''),
  },
}
