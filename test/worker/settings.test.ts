import { generateKeyPairSync } from 'node:crypto'
import { calculateJwkThumbprint } from 'jose'
import jwt from 'jsonwebtoken'
import { convertV4MiniflareOptions, Miniflare } from 'miniflare'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import worker from '../../worker/index.ts'
import { type Bindings, expectProblem, makeSettings, randomKey, sha256, workerOptions } from './harness.ts'

const { settings, secret, apiKeys } = makeSettings()
const { MEMBRANE_WORKSPACE_SECRET: _, ...keyless } = settings
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const ecPem = ec.privateKey.export({ type: 'sec1', format: 'pem' }).toString()
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const rsaPem = rsa.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
const ecPublicPem = ec.publicKey.export({ type: 'spki', format: 'pem' }).toString()

const keyEntry = { name: 'backend', sha256: sha256(randomKey()), scopes: ['customer'] }
const clearKey = randomKey()

const apiKeysSetting = (...entries: unknown[]): Bindings => ({ API_KEYS: JSON.stringify(entries) })

type Row = [what: string, changes: Record<string, string | undefined>, setting: string, mend: RegExp]

const WRONG: Row[] = [
  ['no workspace key', { MEMBRANE_WORKSPACE_KEY: undefined }, 'MEMBRANE_WORKSPACE_KEY', /missing/],
  ['an empty workspace key', { MEMBRANE_WORKSPACE_KEY: '' }, 'MEMBRANE_WORKSPACE_KEY', /missing/],
  ['a placeholder', { MEMBRANE_WORKSPACE_KEY: '<WORKSPACE_KEY>' }, 'MEMBRANE_WORKSPACE_KEY', /placeholder/],
  ['another one', { MEMBRANE_WORKSPACE_KEY: 'your-workspace-key' }, 'MEMBRANE_WORKSPACE_KEY', /placeholder/],
  ['a key with a line break', { MEMBRANE_WORKSPACE_KEY: 'key\n' }, 'MEMBRANE_WORKSPACE_KEY', /line break/],
  [
    'no secret',
    { MEMBRANE_WORKSPACE_SECRET: undefined },
    'MEMBRANE_WORKSPACE_SECRET',
    /MEMBRANE_PRIVATE_KEY/,
  ],
  ['an empty secret', { MEMBRANE_WORKSPACE_SECRET: '' }, 'MEMBRANE_WORKSPACE_SECRET', /missing/],
  [
    'a placeholder as secret',
    { MEMBRANE_WORKSPACE_SECRET: '<WORKSPACE_SECRET>' },
    'MEMBRANE_WORKSPACE_SECRET',
    /placeholder/,
  ],
  [
    'a secret and \\n',
    { MEMBRANE_WORKSPACE_SECRET: `${secret}\n` },
    'MEMBRANE_WORKSPACE_SECRET',
    /line break.*printf/,
  ],
  [
    'a secret and \\r\\n',
    { MEMBRANE_WORKSPACE_SECRET: `${secret}\r\n` },
    'MEMBRANE_WORKSPACE_SECRET',
    /line break/,
  ],
  [
    'a short secret',
    { MEMBRANE_WORKSPACE_SECRET: 'too-short' },
    'MEMBRANE_WORKSPACE_SECRET',
    /shorter than 32 bytes/,
  ],
  [
    'a PEM as secret',
    { MEMBRANE_WORKSPACE_SECRET: ecPem.trim() },
    'MEMBRANE_WORKSPACE_SECRET',
    /privateKey|private key/,
  ],
  ['both keys', { MEMBRANE_PRIVATE_KEY: ecPem }, 'MEMBRANE_PRIVATE_KEY', /MEMBRANE_WORKSPACE_SECRET as well/],
  [
    'a placeholder as key',
    { MEMBRANE_WORKSPACE_SECRET: undefined, MEMBRANE_PRIVATE_KEY: '<YOUR PRIVATE KEY>' },
    'MEMBRANE_PRIVATE_KEY',
    /placeholder/,
  ],
  [
    'something else as key',
    { MEMBRANE_WORKSPACE_SECRET: undefined, MEMBRANE_PRIVATE_KEY: randomKey() },
    'MEMBRANE_PRIVATE_KEY',
    /cannot be used/,
  ],
  [
    'a public key',
    { MEMBRANE_WORKSPACE_SECRET: undefined, MEMBRANE_PRIVATE_KEY: ecPublicPem },
    'MEMBRANE_PRIVATE_KEY',
    /public key/i,
  ],
  ['no algorithm there is', { MEMBRANE_ALGORITHM: 'none' }, 'MEMBRANE_ALGORITHM', /HS512/],
  ['an algorithm in small letters', { MEMBRANE_ALGORITHM: 'hs512' }, 'MEMBRANE_ALGORITHM', /upper and lower/],
  ['an algorithm for other keys', { MEMBRANE_ALGORITHM: 'ES256' }, 'MEMBRANE_ALGORITHM', /cannot be used/],
  ['an unknown claim style', { MEMBRANE_CLAIM_STYLE: 'tenants' }, 'MEMBRANE_CLAIM_STYLE', /tenant/],
  ['a key id with a space', { MEMBRANE_KEY_ID: ' key-1' }, 'MEMBRANE_KEY_ID', /space/],
  ['a lifetime without a unit', { TOKEN_EXPIRES_IN: '7200' }, 'TOKEN_EXPIRES_IN', /unit/],
  ['a lifetime of zero', { TOKEN_MAX_EXPIRES_IN: '0h' }, 'TOKEN_MAX_EXPIRES_IN', /whole number/],
  ['a lifetime over the limit', { TOKEN_EXPIRES_IN: '2d' }, 'TOKEN_EXPIRES_IN', /TOKEN_MAX_EXPIRES_IN/],
  ['no API keys', { API_KEYS: undefined }, 'API_KEYS', /missing/],
  ['an empty list of API keys', apiKeysSetting(), 'API_KEYS', /empty/],
  ['API keys that are not JSON', { API_KEYS: `backend:${clearKey}` }, 'API_KEYS', /JSON/],
  ['API keys that are no list', { API_KEYS: JSON.stringify(keyEntry) }, 'API_KEYS', /list/],
  [
    'an API key in the clear',
    apiKeysSetting({ ...keyEntry, sha256: clearKey }),
    'API_KEYS',
    /entry 1 .*in the clear.*sha256sum/,
  ],
  [
    'an API key beside its digest',
    apiKeysSetting(keyEntry, { ...keyEntry, key: clearKey }),
    'API_KEYS',
    /entry 2 .*nothing else/,
  ],
  ['an API key as a member', apiKeysSetting({ ...keyEntry, [clearKey]: true }), 'API_KEYS', /nothing else/],
  ['an API key as an entry', apiKeysSetting(clearKey), 'API_KEYS', /entry 1 must be an object/],
  ['an API key without a name', apiKeysSetting({ ...keyEntry, name: '' }), 'API_KEYS', /name/],
  ['an API key without scopes', apiKeysSetting({ ...keyEntry, scopes: [] }), 'API_KEYS', /scopes/],
  ['an API key of unknown scope', apiKeysSetting({ ...keyEntry, scopes: ['*'] }), 'API_KEYS', /scope/],
  ['one digest twice', apiKeysSetting(keyEntry, { ...keyEntry, name: 'other' }), 'API_KEYS', /twice/],
]

interface Working {
  changes: Bindings
  verifyWith: string
  options: jwt.VerifyOptions
  header?: object
}

const thumbprint = await calculateJwkThumbprint(ec.publicKey.export({ format: 'jwk' }) as never)

const RIGHT: Record<string, Working> = {
  'an EC key, its id the thumbprint': {
    changes: { ...keyless, MEMBRANE_PRIVATE_KEY: ecPem },
    verifyWith: ecPublicPem,
    options: { algorithms: ['ES256'], issuer: settings.MEMBRANE_WORKSPACE_KEY },
    header: { alg: 'ES256', typ: 'JWT', kid: thumbprint },
  },
  'an RSA key in one line, with an id': {
    changes: {
      ...keyless,
      MEMBRANE_PRIVATE_KEY: rsaPem.replaceAll('\n', '\\n'),
      MEMBRANE_ALGORITHM: 'PS256',
      MEMBRANE_KEY_ID: 'key-1',
    },
    verifyWith: rsa.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    options: { algorithms: ['PS256'], issuer: settings.MEMBRANE_WORKSPACE_KEY },
    header: { alg: 'PS256', typ: 'JWT', kid: 'key-1' },
  },
  'a secret with spaces, used as it is': {
    changes: { ...settings, MEMBRANE_WORKSPACE_SECRET: ` ${secret} ` },
    verifyWith: ` ${secret} `,
    options: { algorithms: ['HS512'], issuer: settings.MEMBRANE_WORKSPACE_KEY },
    header: { alg: 'HS512', typ: 'JWT' },
  },
  'another algorithm and lifetime': {
    changes: {
      ...settings,
      MEMBRANE_ALGORITHM: 'HS256',
      TOKEN_EXPIRES_IN: '10m',
      TOKEN_MAX_EXPIRES_IN: '10m',
    },
    verifyWith: secret,
    options: { algorithms: ['HS256'], maxAge: 600 },
  },
}

const isSet = (entry: [string, string | undefined]): entry is [string, string] => entry[1] !== undefined
const wrongSettings = WRONG.map(([, changes]) =>
  Object.fromEntries(Object.entries({ ...settings, ...changes }).filter(isSet)),
)
const FROM_STORE = 'from-store'

let miniflare: Miniflare

// One workerd with a Worker for every row.
beforeAll(async () => {
  const options = await workerOptions()
  const { MEMBRANE_WORKSPACE_SECRET: _, ...rest } = settings
  const workers = [
    ...wrongSettings.map((bindings, index) => ({ ...options, name: `wrong-${index}`, bindings })),
    ...Object.values(RIGHT).map(({ changes }, index) => ({
      ...options,
      name: `right-${index}`,
      bindings: changes,
    })),
    {
      ...options,
      name: FROM_STORE,
      bindings: rest,
      secretsStoreSecrets: { MEMBRANE_WORKSPACE_SECRET: { store_id: 'store', secret_name: 'secret' } },
    },
  ]
  miniflare = new Miniflare(convertV4MiniflareOptions({ workers }))
  await miniflare.ready
})
afterAll(async () => {
  await miniflare?.dispose()
})

const TOKEN_REQUEST = {
  method: 'POST',
  headers: { Authorization: `Bearer ${apiKeys.backend}`, 'Content-Type': 'application/json' },
  body: '{"id":"customer-42"}',
}

async function send(name: string, path: string, init = {}) {
  // Its type is one of @cloudflare/workers-types, which are not installed.
  const fetcher = (await miniflare.getWorker(name)) as unknown as { fetch: Miniflare['dispatchFetch'] }
  return fetcher.fetch(`http://worker.test${path}`, init)
}

describe('wrong settings', () => {
  test.each(WRONG.map((row, index) => [...row, index] as const))(
    '%s',
    async (_what, _changes, setting, mend, index) => {
      const detail = await expectProblem(await send(`wrong-${index}`, '/healthz'), 503, 'ERR_SETTING_INVALID')
      expect(detail).toMatch(new RegExp(`^${setting} `))
      expect(detail).toMatch(mend)
      for (const value of [secret, clearKey, 'too-short', ...ecPem.split('\n').slice(1, -2)]) {
        expect(detail).not.toContain(value)
      }
      for (const path of ['/api/membrane-token', '/nowhere']) {
        const closed = await expectProblem(
          await send(`wrong-${index}`, path, TOKEN_REQUEST),
          503,
          'ERR_SETTING_INVALID',
        )
        expect(closed).not.toContain(setting)
      }
    },
  )

  test('are all named', async () => {
    const response = await worker.request('/healthz', {}, {})
    const detail = await expectProblem(response, 503, 'ERR_SETTING_INVALID')
    for (const setting of ['MEMBRANE_WORKSPACE_KEY', 'MEMBRANE_WORKSPACE_SECRET', 'API_KEYS']) {
      expect(detail).toContain(setting)
    }
  })
})

describe('right settings', () => {
  test.each(Object.entries(RIGHT).map(([what, row], index) => [what, row, index] as const))(
    '%s',
    async (_, { verifyWith, options, header }, index) => {
      expect((await send(`right-${index}`, '/healthz')).status).toBe(200)
      const response = await send(`right-${index}`, '/api/membrane-token', TOKEN_REQUEST)
      const { token } = (await response.json()) as { token: string }
      const verified = jwt.verify(token, verifyWith, { ...options, complete: true })
      expect(verified.payload).toMatchObject({ id: 'customer-42' })
      if (header) expect(verified.header).toEqual(header)
    },
  )

  test.each([
    ['issuer', { iss: 'workspace-under-test', id: 'customer-42' }],
    ['workspaceKey', { workspaceKey: 'workspace-under-test', id: 'customer-42' }],
    ['tenant', { workspaceKey: 'workspace-under-test', tenantKey: 'customer-42' }],
  ])('claim style %s', async (style, claims) => {
    const env = { ...settings, MEMBRANE_CLAIM_STYLE: style }
    const response = await worker.request('/api/membrane-token', TOKEN_REQUEST, env)
    const { token } = (await response.json()) as { token: string }
    expect(jwt.verify(token, secret)).toEqual({ ...claims, iat: expect.any(Number), exp: expect.any(Number) })
  })
})

describe('a secret in the Secrets Store', () => {
  test('is awaited, and one that is not there yet is named and not remembered', async () => {
    const detail = await expectProblem(await send(FROM_STORE, '/healthz'), 503, 'ERR_SETTING_INVALID')
    expect(detail).toMatch(/^MEMBRANE_WORKSPACE_SECRET could not be read/)

    const store = await miniflare.getSecretsStoreSecretAPI('MEMBRANE_WORKSPACE_SECRET', FROM_STORE)
    await store().create(secret)
    expect((await send(FROM_STORE, '/healthz')).status).toBe(200)
    const response = await send(FROM_STORE, '/api/membrane-token', TOKEN_REQUEST)
    const { token } = (await response.json()) as { token: string }
    expect(jwt.verify(token, secret)).toMatchObject({ id: 'customer-42' })
  })

  test('is read once, and a request waits for no other one’s reading', async () => {
    const readings: ((value: string) => void)[] = []
    const get = vi.fn(() => new Promise<string>((resolve) => readings.push(resolve)))
    const env = { ...settings, MEMBRANE_WORKSPACE_SECRET: { get } }
    const abandoned = worker.request('/api/membrane-token', TOKEN_REQUEST, env)
    const served = worker.request('/api/membrane-token', TOKEN_REQUEST, env)
    await vi.waitUntil(() => readings.length === 2)

    // The first request never gets its answer.
    readings[1]!(secret)
    expect((await served).status).toBe(200)
    expect((await worker.request('/api/membrane-token', TOKEN_REQUEST, env)).status).toBe(200)
    expect(get).toHaveBeenCalledTimes(2)

    readings[0]!(secret)
    expect((await abandoned).status).toBe(200)
  })
})
