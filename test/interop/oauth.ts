// `npm run test:oauth`: Authlib, an OAuth client for Python, gets tokens from the service.
import { execFile } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { serve } from '@hono/node-server'
import { decodeJwt, exportJWK, generateKeyPair, SignJWT } from 'jose'
import { apiKeys, oneOf, sessionJwt } from '../../src/endpoint.ts'
import { createSigner } from '../../src/index.ts'
import { createTokenService } from '../../src/service.ts'

const execute = promisify(execFile)
const venv = fileURLToPath(new URL('../../node_modules/.cache/authlib', import.meta.url))
const python = join(venv, 'bin/python')
if (!existsSync(python)) {
  await execute('python3', ['-m', 'venv', venv])
  await execute(python, ['-m', 'pip', 'install', '--quiet', 'Authlib==1.9.10', 'requests'])
}

const key = randomBytes(32).toString('base64url')
const sha256 = createHash('sha256').update(key).digest('hex')
const { publicKey, privateKey } = await generateKeyPair('ES256')
const issuer = 'https://id.test/'
const session = await new SignJWT({ sub: 'user-7', iss: issuer, aud: 'api' })
  .setProtectedHeader({ alg: 'ES256', kid: 'a' })
  .setIssuedAt()
  .setExpirationTime('1h')
  .sign(privateKey)
const jwks = { keys: [{ ...(await exportJWK(publicKey)), kid: 'a', alg: 'ES256' }] }

const server = serve({
  port: 0,
  hostname: '127.0.0.1',
  fetch: createTokenService({
    signer: await createSigner({ workspaceKey: 'workspace', secret: randomBytes(32).toString('base64url') }),
    authenticate: oneOf(
      apiKeys({ keys: [{ name: 'console', sha256, scopes: ['admin'] }] }),
      sessionJwt({ issuer, audience: 'api', jwks }),
    ),
    oauthIssuer: 'https://tokens.test',
  }),
})
await new Promise((resolve) => server.once('listening', resolve))
const { port } = server.address() as AddressInfo
const script = fileURLToPath(new URL('oauth_authlib.py', import.meta.url))
const env = { ...process.env, AUTHLIB_INSECURE_TRANSPORT: '1', NO_PROXY: '127.0.0.1', no_proxy: '127.0.0.1' }
try {
  const url = `http://127.0.0.1:${port}`
  const { stdout } = await execute(python, [script, url, 'console', key, session], { env, timeout: 60_000 })
  const responses = JSON.parse(stdout) as Record<string, { access_token: string; scope: string }>
  const expected: [string, (claims: Record<string, unknown>) => boolean][] = [
    ['client_secret_basic', ({ isAdmin }) => isAdmin === true],
    ['client_secret_post', ({ isAdmin }) => isAdmin === true],
    ['token_exchange', ({ id }) => id === 'user-7'],
  ]
  const failed = expected.filter(([name, holds]) => !holds(decodeJwt(responses[name]?.access_token ?? '')))
  for (const [name] of failed) console.error(`Authlib: ${name} failed`)
  console.log(`${expected.length - failed.length} passed, ${failed.length} failed`)
  if (failed.length > 0) process.exitCode = 1
} finally {
  server.close()
}
