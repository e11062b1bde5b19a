import { ALGORITHMS, type Algorithm } from '../../algorithms.ts'
import { TOKEN_SIZE_LIMIT } from '../../jws/sign.ts'
import { isCanonical } from '../../jws/verify.ts'
import {
  INPUT_LIMIT,
  isEmpty,
  isPersonalAccessToken,
  type ParsedToken,
  type SignedPart,
} from '../parse-token.ts'
import type { JsonObject, Problem } from './problem.ts'

export type FormProblemCode =
  | 'NOT_A_STRING'
  | 'PERSONAL_ACCESS_TOKEN'
  | 'EMPTY'
  | 'TOO_LARGE'
  | 'ENCRYPTED'
  | 'TRUNCATED'
  | 'NOT_BASE64URL'
  | 'NOT_JSON'
  | 'CRITICAL_HEADER'
  | 'ALGORITHM_NONE'
  | 'ALGORITHM_UNSUPPORTED'
  | 'SIGNATURE_MISSING'
  | 'SIGNATURE_DER'
  | 'SIGNATURE_LENGTH'

/** Problems of the text, the header and the signature, in the order in which to fix them. */
export const FORM_PROBLEMS: Readonly<Record<FormProblemCode, Problem<ParsedToken>>> = {
  NOT_A_STRING: {
    severity: 'error',
    message: 'The token is not a string.',
    fix: 'Pass the token itself: await the promise, and read token from a response such as {"token": "…"}.',
    check: ({ input }) => typeof input !== 'string',
  },
  PERSONAL_ACCESS_TOKEN: {
    severity: 'warning',
    message: 'This is a Membrane personal access token, not a JWT; there is nothing to inspect.',
    fix: 'Keep it on your servers; sign a token for each customer instead.',
    check: ({ text }) => text !== undefined && isPersonalAccessToken(text),
  },
  EMPTY: {
    severity: 'error',
    message: 'The token is empty, or the word undefined or null.',
    fix: 'Check where it comes from: a variable may not be set, or a response may have no token.',
    check: ({ text }) => text !== undefined && isEmpty(text),
  },
  TOO_LARGE: {
    severity: 'error',
    message:
      'The token is longer than 8192 characters; the SDK puts it in URLs, and servers reject URLs that long.',
    fix: 'Put less in fields: for example, only an id, and let your API look up the rest.',
    check: ({ input, text }) => {
      const length =
        typeof input === 'string' && input.length > INPUT_LIMIT ? input.length : (text?.length ?? 0)
      return length > TOKEN_SIZE_LIMIT && `It has ${length} characters.`
    },
  },
  ENCRYPTED: {
    severity: 'error',
    message: 'The token has five parts, so it is encrypted (JWE).',
    fix: 'Sign it instead (JWS); Membrane has no key to decrypt it.',
    check: ({ parts }) => parts.length === 5,
  },
  TRUNCATED: {
    severity: 'error',
    message: 'The token is cut off: it does not have three complete parts.',
    fix: 'Copy the whole token; check for a column, log line or variable with a length limit.',
    check: ({ parts }) => parts.length > 0 && parts.length !== 3 && parts.length !== 5,
  },
  NOT_BASE64URL: {
    severity: 'error',
    message: 'A part of the token is not canonical base64url.',
    fix: 'Copy the whole token; encode with base64url (- and _ instead of + and /) and without padding.',
    check: ({ parts }) => parts.length !== 5 && !parts.every(isCanonical),
  },
  NOT_JSON: {
    severity: 'error',
    message: 'The header or the claims are not a JSON object.',
    fix: 'Sign an object with claims, not a string.',
    check: ({ parts, header, claims }) => parts.length === 3 && !(header && claims),
  },
  CRITICAL_HEADER: {
    severity: 'error',
    message: 'The header requires extensions (crit, or b64: false) that Membrane does not support.',
    fix: 'Remove crit and b64 from the header.',
    check: ({ signed }) => signed !== undefined && hasExtensions(signed.header),
  },
  ALGORITHM_NONE: {
    severity: 'error',
    message: 'The token is not signed (alg is none).',
    fix: 'Sign it with the workspace secret or a private key; use createSigner.',
    check: ({ signed }) => signed !== undefined && isNone(signed.header),
  },
  ALGORITHM_UNSUPPORTED: {
    severity: 'error',
    message: 'Membrane does not accept this algorithm.',
    fix: 'Sign with HS256, HS384, HS512, RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384 or ES512; names are case-sensitive.',
    check: ({ signed }) => signed !== undefined && !signed.algorithm && !isNone(signed.header),
  },
  SIGNATURE_MISSING: {
    severity: 'error',
    message: 'The token has no signature.',
    fix: 'Sign it, and copy all three parts.',
    check: ({ signed }) => signed?.algorithm !== undefined && signed.signature === '',
  },
  SIGNATURE_DER: {
    severity: 'error',
    message:
      'The ECDSA signature is DER-encoded, as openssl and most languages write it, instead of r and s concatenated.',
    fix: 'Convert it to r and s (RFC 7518 section 3.4), or sign with a JWT library.',
    check: ({ signed }) => describeWrongSignature(signed, true),
  },
  SIGNATURE_LENGTH: {
    severity: 'error',
    message: 'The signature has the wrong length for its algorithm.',
    fix: 'Copy the whole token; if it is complete, alg is not the algorithm that signed it.',
    check: ({ signed }) => describeWrongSignature(signed, false),
  },
}

function isNone({ alg }: JsonObject): boolean {
  return typeof alg === 'string' && alg.toLowerCase() === 'none'
}

function hasExtensions({ crit, b64 }: JsonObject): boolean {
  return crit !== undefined || (b64 !== undefined && b64 !== true)
}

function describeWrongSignature(signed: SignedPart | undefined, asDer: boolean): string | false {
  const { algorithm, bytes } = signed ?? {}
  if (!algorithm || !bytes?.length || hasSignatureLength(algorithm, bytes.length)) return false
  const isDer = algorithm.startsWith('ES') && bytes[0] === 0x30 && bytes[bytes[1] === 0x81 ? 3 : 2] === 0x02
  return isDer === asDer && `It has ${bytes.length} bytes.`
}

const FIELD_BYTES = { 'P-256': 32, 'P-384': 48, 'P-521': 66 } as const

// An HMAC has the length of its hash, an ECDSA signature twice that of the curve's field, an RSA signature that of the
// modulus.
function hasSignatureLength(algorithm: Algorithm, length: number): boolean {
  const { kty, hash, namedCurve } = ALGORITHMS[algorithm]
  if (kty === 'oct') return length * 8 === Number(hash.slice(4))
  return namedCurve ? length === 2 * FIELD_BYTES[namedCurve] : length >= 256
}
