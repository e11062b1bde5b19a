import { createHash, randomBytes } from 'node:crypto'

/** An entry of the list in `API_KEYS`. */
export interface ApiKeyEntry {
  readonly name: string
  /** Hexadecimal SHA-256 digest of the key. */
  readonly sha256: string
  readonly scopes: readonly string[]
}

/** The prefix identifies the key to people and secret scanners. base64url needs no escaping in HTTP Basic. */
export function generateApiKey(): string {
  return `mtk_${randomBytes(32).toString('base64url')}`
}

export function apiKeyEntry(name: string, key: string, scopes: readonly string[]): ApiKeyEntry {
  return { name, sha256: createHash('sha256').update(key).digest('hex'), scopes }
}
