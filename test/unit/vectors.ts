import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { createVerifier, MembraneTokenError, type VerifierOptions } from '../../src/index.ts'

/** Vectors of others lie beside the checkout and are read in place, so that they cannot drift from their source. */
const folder = new URL('../../../shared/vectors/', import.meta.url)

export const hasVectors: boolean = existsSync(folder)
if (!hasVectors) console.log(`There is no ${fileURLToPath(folder)}: tests that read vectors are skipped.`)

export function readVectors<Content>(path: string): Content {
  return JSON.parse(readVectorText(path))
}

export function readVectorText(path: string): string {
  return readFileSync(new URL(path, folder), 'utf8')
}

export type Key = Pick<VerifierOptions, 'secret' | 'publicKey' | 'jwks' | 'algorithms'>

/** The code with which a token, or already its key, is refused; `"accepted"` where neither is. */
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
 * What is said of a signature, where the payload need not be a claims set:
 *
 * - `"genuine"`: the payload was believed, and at most refused for what it says; with another signature it is not
 * - `"refused"`: nothing of the payload was believed, whatever the signature
 *
 * Anything else is a pair of codes that neither would give.
 */
export async function judgeSignature(key: Key, token: string): Promise<string> {
  const code = await verdict(key, token)
  if (NOT_BELIEVED.test(code)) return 'refused'
  const codeOfOther = await verdict(key, withOtherSignature(token))
  // A token that is no JWS is malformed with any signature; a payload that is no JSON only once it was believed.
  if (code === 'ERR_TOKEN_MALFORMED' && codeOfOther === code) return 'refused'
  return codeOfOther === 'ERR_TOKEN_SIGNATURE_INVALID' ? 'genuine' : `${code}, then ${codeOfOther}`
}

const NOT_BELIEVED = /^ERR_(KEY_|ALGORITHM_UNSUPPORTED|TOKEN_ALGORITHM_NOT_ALLOWED|TOKEN_SIGNATURE_INVALID)/

/**
 * Changes the first base64url character of the signature, whose bits all count: what was canonical stays so, and what
 * was wrong with the part is still wrong with it. Of parts that should not be there, each is changed.
 */
export function withOtherSignature(token: string): string {
  const [header, payload, ...signatures] = token.split('.')
  if (!/[\w-]/.test(signatures.join(''))) return `${token}AA`
  const others = signatures.map((part) => part.replace(/[\w-]/, (first) => (first === 'A' ? 'B' : 'A')))
  return [header, payload, ...others].join('.')
}
