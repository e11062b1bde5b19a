import { readdirSync, readFileSync } from 'node:fs'
import jwt from 'jsonwebtoken'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createTokenServiceFromEnv, SETTINGS } from '../../src/service.ts'
import { type KeyName, privateJwk, publicJwk } from '../conformance/keys.ts'
import { encodePart } from '../conformance/token-fixtures.ts'
import { secret, signParts, workspaceKey } from '../conformance/tokens.ts'
import { PROVIDERS, type Provider } from './identity-provider-tokens.ts'

const directory = new URL('../../examples/identity-providers/', import.meta.url)

/** Parses the subset of TOML that these files use. */
function readVars(name: string): Record<string, string> {
  const lines = readFileSync(new URL(`${name}.toml`, directory), 'utf8').split('\n')
  const assignments = lines.filter((line) => line !== '' && !line.startsWith('#'))
  expect(assignments.shift()).toBe('[vars]')
  return Object.fromEntries(
    assignments.map((line) => {
      const [, setting, value] = /^([A-Z_]+) = "([^"\\]*)"$/.exec(line) ?? []
      return [setting as string, value as string]
    }),
  )
}

const keyNames: Record<Provider['algorithm'], [own: KeyName, other: KeyName]> = {
  RS256: ['RSA', 'other RSA'],
  ES256: ['P-256', 'other P-256'],
}

async function sign({ algorithm, lifetime, claims }: Provider, over: object, own = true): Promise<string> {
  const key = await privateJwk(keyNames[algorithm][own ? 0 : 1])
  const iat = Math.floor(Date.now() / 1000)
  const header = encodePart({ alg: algorithm, typ: 'JWT', kid: 'key-1' })
  return signParts(algorithm, key, header, encodePart({ iat, exp: iat + lifetime, ...claims, ...over }))
}

/** Replaces `fetch` with one that serves only the provider's metadata and keys. Returns the URLs fetched. */
async function serve({ discovery, jwks, algorithm }: Provider): Promise<string[]> {
  const key = { ...(await publicJwk(keyNames[algorithm][0])), kid: 'key-1', alg: algorithm, use: 'sig' }
  const fetched: string[] = []
  vi.stubGlobal('fetch', async (input: RequestInfo | URL) => {
    const { href } = new URL(input instanceof Request ? input.url : input)
    fetched.push(href)
    if (href === discovery?.url) return Response.json(discovery.metadata)
    return href === jwks ? Response.json({ keys: [key] }) : new Response(null, { status: 404 })
  })
  return fetched
}

async function requestToken(settings: Record<string, string>, session: string): Promise<Response> {
  const env = { MEMBRANE_WORKSPACE_KEY: workspaceKey, MEMBRANE_WORKSPACE_SECRET: secret, ...settings }
  const service = createTokenServiceFromEnv(env, { audit: () => {} })
  const headers = { Authorization: `Bearer ${session}` }
  return service(new Request('https://app.example/api/membrane-token', { headers }))
}

async function expectProblem(response: Response, status: number, code: string): Promise<void> {
  expect(await response.json()).toMatchObject({ status, code })
}

afterEach(() => {
  vi.unstubAllGlobals()
})

test('every example file has a provider, and every provider a file', () => {
  const files = Object.keys(PROVIDERS).map((name) => `${name}.toml`)
  expect(readdirSync(directory).sort()).toEqual(files.sort())
})

describe.each(Object.entries(PROVIDERS))('%s', (name, provider) => {
  const vars = readVars(name)
  let fetched: string[]

  beforeEach(async () => {
    fetched = await serve(provider)
  })

  test('the file uses known settings', () => {
    expect(Object.keys(vars).filter((setting) => !Object.hasOwn(SETTINGS, setting))).toEqual([])
  })

  test('a token as the provider documents it', async () => {
    const response = await requestToken(vars, await sign(provider, {}))
    const { token, expiresIn } = (await response.json()) as { token: string; expiresIn: number }
    expect(response.status).toBe(200)
    const { iat, exp, ...claims } = jwt.verify(token, secret) as jwt.JwtPayload
    expect(claims).toEqual({ iss: workspaceKey, jti: expect.any(String), ...provider.customer })
    expect(expiresIn).toBe(exp! - iat!)
    expect(expiresIn).toBeLessThanOrEqual(Math.min(provider.lifetime, 7200))
    expect(fetched).toEqual(provider.discovery ? [provider.discovery.url, provider.jwks] : [provider.jwks])
  })

  test.each(Object.entries(provider.rejected))('401: %s', async (_, over) => {
    await expectProblem(await requestToken(vars, await sign(provider, over)), 401, 'ERR_CREDENTIALS_INVALID')
  })

  test('401: the same token, signed with another key', async () => {
    const forged = await sign(provider, {}, false)
    await expectProblem(await requestToken(vars, forged), 401, 'ERR_CREDENTIALS_INVALID')
  })

  test('a token without a customer id: 403, or 401 without a subject', async () => {
    const response = await requestToken(vars, await sign(provider, provider.incomplete))
    if ('sub' in provider.incomplete) await expectProblem(response, 401, 'ERR_CREDENTIALS_INVALID')
    else await expectProblem(response, 403, 'ERR_CALLER_FORBIDDEN')
  })

  test.each(provider.variants ?? [])(
    'the alternative customer id from the file’s comment: $id',
    async ({ settings, id }) => {
      const response = await requestToken({ ...vars, ...settings }, await sign(provider, {}))
      const { token } = (await response.json()) as { token: string }
      expect(jwt.verify(token, secret)).toMatchObject({ id })
    },
  )
})
