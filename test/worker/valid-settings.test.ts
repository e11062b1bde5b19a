import { generateKeyPairSync } from 'node:crypto'
import { calculateJwkThumbprint, type JWK } from 'jose'
import jwt from 'jsonwebtoken'
import { describe, expect, test, vi } from 'vitest'
import {
  claimsOf,
  expectProblem,
  fetchInProcess,
  makeSettings,
  markConfidential,
  type TokenBody,
  useWorkers,
} from './harness.ts'

const { settings, secret, apiKeys } = makeSettings()
const WORKSPACE = settings.MEMBRANE_WORKSPACE_KEY!
const keyless = { ...settings, MEMBRANE_WORKSPACE_SECRET: '' }

const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const ecPem = markConfidential(ec.privateKey.export({ type: 'sec1', format: 'pem' }).toString())
const ecJwk = ec.privateKey.export({ format: 'jwk' }) as JWK & { d: string }
markConfidential(ecJwk.d)
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const rsaPem = markConfidential(rsa.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString())
const publicPem = (pair: typeof ec) => pair.publicKey.export({ type: 'spki', format: 'pem' }).toString()
const thumbprint = await calculateJwkThumbprint(ec.publicKey.export({ format: 'jwk' }) as JWK)

interface ValidSettings {
  bindings: Record<string, unknown>
  verifyWith?: string
  header?: object
  claims?: object
  seconds?: number
}

const EC_HEADER = { alg: 'ES256', typ: 'JWT', kid: thumbprint }

const VALID: Record<string, ValidSettings> = {
  'an EC key with its thumbprint as key id': {
    bindings: { ...keyless, MEMBRANE_PRIVATE_KEY: ecPem },
    verifyWith: publicPem(ec),
    header: EC_HEADER,
  },
  'an EC key as JWK text': {
    bindings: { ...keyless, MEMBRANE_PRIVATE_KEY: JSON.stringify(ecJwk) },
    verifyWith: publicPem(ec),
    header: EC_HEADER,
  },
  'an EC key as a JWK in vars': {
    bindings: { ...keyless, MEMBRANE_PRIVATE_KEY: ecJwk },
    verifyWith: publicPem(ec),
    header: EC_HEADER,
  },
  'an RSA key on one line, with a key id': {
    bindings: {
      ...keyless,
      MEMBRANE_PRIVATE_KEY: rsaPem.replaceAll('\n', '\\n'),
      MEMBRANE_ALGORITHM: 'PS256',
      MEMBRANE_KEY_ID: 'key-1',
    },
    verifyWith: publicPem(rsa),
    header: { alg: 'PS256', typ: 'JWT', kid: 'key-1' },
  },
  'a secret with spaces': {
    bindings: { ...settings, MEMBRANE_WORKSPACE_SECRET: ` ${secret} ` },
    verifyWith: ` ${secret} `,
    header: { alg: 'HS512', typ: 'JWT' },
  },
  'a secret with a key id': {
    bindings: { ...settings, MEMBRANE_KEY_ID: 'key-1' },
    header: { alg: 'HS512', typ: 'JWT', kid: 'key-1' },
  },
  'another algorithm and lifetime': {
    bindings: {
      ...settings,
      MEMBRANE_ALGORITHM: 'HS256',
      TOKEN_EXPIRES_IN: '10m',
      TOKEN_MAX_EXPIRES_IN: '10m',
    },
    header: { alg: 'HS256', typ: 'JWT' },
    seconds: 600,
  },
  'API keys and retired keys as JSON in vars': {
    bindings: {
      ...settings,
      API_KEYS: JSON.parse(settings.API_KEYS!),
      MEMBRANE_ADDITIONAL_KEYS: { keys: [{ ...ec.publicKey.export({ format: 'jwk' }), kid: 'old' }] },
    },
  },
  'the claim style issuer': {
    bindings: { ...settings, MEMBRANE_CLAIM_STYLE: 'issuer' },
    claims: { iss: WORKSPACE, id: 'customer-42' },
  },
  'the claim style workspaceKey': {
    bindings: { ...settings, MEMBRANE_CLAIM_STYLE: 'workspaceKey' },
    claims: { workspaceKey: WORKSPACE, id: 'customer-42' },
  },
  'the claim style tenant': {
    bindings: { ...settings, MEMBRANE_CLAIM_STYLE: 'tenant' },
    claims: { workspaceKey: WORKSPACE, tenantKey: 'customer-42' },
  },
  'an identity provider on localhost': {
    bindings: {
      ...settings,
      SESSION_ISSUER: 'http://localhost:9000',
      SESSION_JWKS_URI: 'http://127.0.0.1:9000/jwks',
      SESSION_ANY_AUDIENCE: 'true',
    },
  },
  'origins with spaces between them': {
    bindings: {
      ...settings,
      ALLOWED_ORIGINS: ' https://a.test , http://localhost:3000,https://b.test:8443 ',
    },
  },
  'empty settings': {
    bindings: {
      ...settings,
      MEMBRANE_PRIVATE_KEY: '',
      MEMBRANE_ALGORITHM: '',
      MEMBRANE_CLAIM_STYLE: '',
      MEMBRANE_KEY_ID: '',
      SESSION_ISSUER: '',
      SESSION_ANY_AUDIENCE: '',
      CLOUDFLARE_ACCESS_TEAM_DOMAIN: '',
      ALLOWED_ORIGINS: '',
      TOKEN_EXPIRES_IN: '',
    },
    seconds: 7200,
  },
  'settings that are null': {
    bindings: { ...settings, MEMBRANE_KEY_ID: null, ALLOWED_ORIGINS: null, RATE_LIMITER: null },
  },
  'variables of other software': { bindings: { ...settings, MEMBRANE_UNKNOWN: 'x', LOG_LEVEL: 3 } },
}

const FROM_STORE = 'from the Secrets Store'
const stored = (secret_name: string) => ({ store_id: 'store', secret_name })

const workers = useWorkers({
  ...VALID,
  [FROM_STORE]: {
    bindings: { MEMBRANE_WORKSPACE_KEY: WORKSPACE },
    options: {
      secretsStoreSecrets: { MEMBRANE_WORKSPACE_SECRET: stored('secret'), API_KEYS: stored('api-keys') },
    },
  },
})
const { send } = workers

const HEADERS = { Authorization: `Bearer ${apiKeys.backend}`, 'Content-Type': 'application/json' }
const requestToken = (worker: string) =>
  send('/api/membrane-token', { headers: HEADERS, body: { id: 'customer-42' }, worker })

describe('valid settings', () => {
  test.each(Object.entries(VALID))(
    '%s',
    async (what, { verifyWith = secret, header, claims, seconds = 7200 }) => {
      const health = await send('/healthz', { worker: what })
      expect([health.status, await health.json()]).toEqual([200, { status: 'ok' }])
      const { token, expiresIn } = (await (await requestToken(what)).json()) as TokenBody
      const verified = jwt.verify(token, verifyWith, { complete: true })
      expect(verified.payload).toMatchObject(claims ?? { iss: WORKSPACE, id: 'customer-42' })
      expect(expiresIn).toBe(seconds)
      if (claims)
        expect(Object.keys(verified.payload).sort()).toEqual(
          [...Object.keys(claims), 'exp', 'iat', 'jti'].sort(),
        )
      if (header) expect(verified.header).toEqual(header)
    },
  )
})

describe('the Secrets Store', () => {
  test('is awaited, and a missing secret is reported and looked up again', async () => {
    const worker = FROM_STORE
    const detail = await expectProblem(await send('/healthz', { worker }), 503, 'ERR_SETTING_INVALID')
    expect(detail).toMatch(/^MEMBRANE_WORKSPACE_SECRET could not be read .*API_KEYS could not be read/)

    for (const [name, value] of [
      ['MEMBRANE_WORKSPACE_SECRET', secret],
      ['API_KEYS', settings.API_KEYS!],
    ] as const) {
      const store = await workers.miniflare.getSecretsStoreSecretAPI(name, worker)
      await store().create(value)
    }
    expect((await send('/healthz', { worker })).status).toBe(200)
    expect(await claimsOf(await requestToken(worker), secret)).toMatchObject({ id: 'customer-42' })
  })

  const post = { method: 'POST', headers: HEADERS, body: '{"id":"customer-42"}' }

  test('is read once, for concurrent and later requests', async () => {
    const get = vi.fn(async () => secret)
    const env = { ...settings, MEMBRANE_WORKSPACE_SECRET: { get } }
    const request = () => fetchInProcess('/api/membrane-token', post, env)
    const responses = [...(await Promise.all([request(), request()])), await request()]
    expect(responses.map(({ status }) => status)).toEqual([200, 200, 200])
    expect(get).toHaveBeenCalledTimes(1)
  })

  const loop: { self?: unknown } = {}
  loop.self = loop

  test.each<[string, () => unknown, RegExp]>([
    [
      'throws',
      () => {
        throw new Error(secret)
      },
      /could not be read/,
    ],
    ['rejects with a string', () => Promise.reject(secret), /could not be read/],
    ['rejects with undefined', () => Promise.reject(), /could not be read/],
    ['contains nothing', async () => undefined, /is missing/],
    ['contains null', async () => null, /is missing/],
    ['contains an empty string', async () => '', /is missing/],
    ['contains a number', async () => 42, /text/],
    ['contains a symbol', async () => Symbol(secret), /text/],
    ['contains a function', async () => () => secret, /text/],
    ['contains bytes', async () => new Uint8Array(32), /text/],
    ['contains a cyclic object', async () => loop, /text/],
    ['contains a line break', async () => `${secret}\n`, /line break/],
    ['contains a placeholder', async () => '<WORKSPACE_SECRET>', /placeholder/],
  ])('that %s is reported by name', async (_, get, expected) => {
    const env = { ...settings, MEMBRANE_WORKSPACE_SECRET: { get } }
    const response = await fetchInProcess('/healthz', {}, env)
    expect(await response.clone().text()).not.toContain(secret)
    const detail = await expectProblem(response, 503, 'ERR_SETTING_INVALID')
    expect(detail).toMatch(/^MEMBRANE_WORKSPACE_SECRET /)
    expect(detail).toMatch(expected)
    expect((await fetchInProcess('/api/membrane-token', post, env)).status).toBe(503)
  })
})
