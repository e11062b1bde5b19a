import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { createVerifier, MembraneTokenError, type VerifierOptions } from '../../src/index.ts'

/** Third-party vectors are read from beside the checkout, so that no copy can differ from its source. */
const folder = new URL('../../../shared/vectors/', import.meta.url)

export const hasVectors: boolean = existsSync(folder)
if (!hasVectors) console.log(`${fileURLToPath(folder)} not found: tests that read vectors are skipped.`)

export function readVectors<Content>(path: string): Content {
  return JSON.parse(readVectorText(path))
}

export function readVectorText(path: string): string {
  return readFileSync(new URL(path, folder), 'utf8')
}

export type Key = Pick<VerifierOptions, 'secret' | 'publicKey' | 'jwks' | 'algorithms'>

/** The error code for a key and a token; `"accepted"` if both are valid. */
export async function verdict(key: Key, token: string, workspaceKey = 'workspace'): Promise<string> {
  try {
    await (await createVerifier({ workspaceKey, ...key })).verify(token)
    return 'accepted'
  } catch (error) {
    if (error instanceof MembraneTokenError) return error.code
    throw error
  }
}

/**
 * Judges the signature of a token whose payload need not be a claims set:
 *
 * - `"valid"`: the token is accepted or rejected for its payload, and rejected for its signature once that is changed
 * - `"rejected"`: the token is rejected before its payload is read, whatever the signature
 *
 * Any other result is a pair of error codes that is never correct.
 */
export async function judgeSignature(key: Key, token: string): Promise<string> {
  const code = await verdict(key, token)
  if (BEFORE_PAYLOAD.test(code)) return 'rejected'
  const codeOfOther = await verdict(key, withOtherSignature(token))
  // ERR_TOKEN_MALFORMED means "not a JWS" with any signature, and "the payload is not JSON" only with a valid one.
  if (code === 'ERR_TOKEN_MALFORMED' && codeOfOther === code) return 'rejected'
  return codeOfOther === 'ERR_TOKEN_SIGNATURE_INVALID' ? 'valid' : `${code}, then ${codeOfOther}`
}

const BEFORE_PAYLOAD = /^ERR_(KEY_|ALGORITHM_UNSUPPORTED|TOKEN_ALGORITHM_NOT_ALLOWED|TOKEN_SIGNATURE_INVALID)/

/**
 * Replaces the first base64url character of the signature, all of whose bits are significant: the encoding stays
 * canonical, and any other defect stays. If there are extra parts, it changes each of them.
 */
export function withOtherSignature(token: string): string {
  const [header, payload, ...signatures] = token.split('.')
  if (!/[\w-]/.test(signatures.join(''))) return `${token}AA`
  const others = signatures.map((part) => part.replace(/[\w-]/, (first) => (first === 'A' ? 'B' : 'A')))
  return [header, payload, ...others].join('.')
}
