import { createHash, randomBytes } from 'node:crypto'
import { type ApiKey, apiKeys } from '../../src/endpoint.ts'
import { createSigner, type Signer } from '../../src/index.ts'
import { createTokenService, type TokenServiceOptions } from '../../src/service.ts'

export const secret = randomBytes(32).toString('base64url')
export const signer: Signer = await createSigner({ workspaceKey: 'workspace', secret })

export const keys = {
  backend: randomBytes(32).toString('base64url'),
  console: randomBytes(32).toString('base64url'),
}
const entry = (name: keyof typeof keys, scope: 'customer' | 'admin'): ApiKey => ({
  name,
  sha256: createHash('sha256').update(keys[name]).digest('hex'),
  scopes: [scope],
})
export const entries: ApiKey[] = [entry('backend', 'customer'), entry('console', 'admin')]
export const authenticate: ReturnType<typeof apiKeys> = apiKeys({ keys: entries })

export const service = (options: Partial<TokenServiceOptions> = {}): ReturnType<typeof createTokenService> =>
  createTokenService({ signer, authenticate, ...options })

export const ORIGIN = 'https://tokens.test'

/** A request for a token, with an API key. */
export const tokenRequest = (key: string = keys.backend, path = '/api/membrane-token'): Request =>
  new Request(ORIGIN + path, {
    method: 'POST',
    headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' },
    body: path.includes('admin') ? '{}' : '{"id":"customer-42"}',
  })

export const get = (path: string): Request => new Request(ORIGIN + path)

/** Settings of a service with API keys. */
export const settings = {
  MEMBRANE_WORKSPACE_KEY: 'workspace',
  MEMBRANE_WORKSPACE_SECRET: secret,
  API_KEYS: JSON.stringify(entries),
}
