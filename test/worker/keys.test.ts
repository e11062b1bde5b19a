import { generateKeyPairSync } from 'node:crypto'
import { calculateJwkThumbprint, createLocalJWKSet, type JWK, jwtVerify } from 'jose'
import { describe, expect, test } from 'vitest'
import { expectProblem, makeSettings, markConfidential, type TokenBody, useWorkers } from './harness.ts'

const { settings, apiKeys } = makeSettings()
const keyless = { ...settings, MEMBRANE_WORKSPACE_SECRET: '' }

const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const ec384 = generateKeyPairSync('ec', { namedCurve: 'P-384' })
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const old = generateKeyPairSync('ec', { namedCurve: 'P-256' })

const pemOf = ({ privateKey }: typeof ec) =>
  markConfidential(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString())
const publicJwkOf = ({ publicKey }: typeof ec) => publicKey.export({ format: 'jwk' }) as JWK
const thumbprintOf = (pair: typeof ec) => calculateJwkThumbprint(publicJwkOf(pair))
const withKey = (pair: typeof ec, more: object = {}) => ({
  bindings: { ...keyless, MEMBRANE_PRIVATE_KEY: pemOf(pair), ...more },
})
const retired = (...keys: object[]) => ({ MEMBRANE_ADDITIONAL_KEYS: JSON.stringify({ keys }) })

const oldJwk = { ...publicJwkOf(old), kid: 'old', alg: 'ES256', use: 'sig' }
const olderJwk = { ...publicJwkOf(rsa), kid: 'older', alg: 'RS256' }
const privateJwk = ec384.privateKey.export({ format: 'jwk' }) as JWK & { d: string }
markConfidential(privateJwk.d)

const FAULTS: Record<string, object> = {
  'a private key': retired({ ...privateJwk, kid: 'private' }),
  'a private RSA key': retired({ ...rsa.privateKey.export({ format: 'jwk' }), kid: 'private' }),
  'a secret': retired({
    kty: 'oct',
    k: markConfidential(Buffer.from('a secret key, and long enough too').toString('base64url')),
    kid: 's',
  }),
  'a duplicate key id': retired(oldJwk, { ...publicJwkOf(ec384), kid: 'old' }),
  'the key id of the current key': retired({ ...oldJwk, kid: 'current' }),
  'a key that is not an object': { MEMBRANE_ADDITIONAL_KEYS: '{"keys":["key"]}' },
  'no list': { MEMBRANE_ADDITIONAL_KEYS: '{"keys":{}}' },
  'a bare list': { MEMBRANE_ADDITIONAL_KEYS: '[]' },
  'a single key': { MEMBRANE_ADDITIONAL_KEYS: JSON.stringify(oldJwk) },
  'a PEM': { MEMBRANE_ADDITIONAL_KEYS: old.publicKey.export({ type: 'spki', format: 'pem' }).toString() },
}

const { send } = useWorkers({
  secret: { bindings: settings },
  'secret, retired': { bindings: { ...settings, ...retired(oldJwk) } },
  'a whole key pair, retired': {
    bindings: { ...settings, ...retired({ ...oldJwk, privateKey: 'confidential' }) },
  },
  ES256: withKey(ec),
  ES384: withKey(ec384),
  RS256: withKey(rsa),
  PS512: withKey(rsa, { MEMBRANE_ALGORITHM: 'PS512', MEMBRANE_KEY_ID: 'current' }),
  rotating: withKey(ec, retired(oldJwk, olderJwk)),
  ...Object.fromEntries(
    Object.entries(FAULTS).map(([what, more]) => [
      what,
      withKey(ec, { MEMBRANE_KEY_ID: 'current', ...more }),
    ]),
  ),
})

const PATH = '/.well-known/jwks.json'

async function keySet(worker: string): Promise<{ keys: JWK[] }> {
  const response = await send(PATH, { worker })
  expect(response.status).toBe(200)
  return (await response.json()) as { keys: JWK[] }
}

async function tokenOf(worker: string): Promise<string> {
  const headers = { Authorization: `Bearer ${apiKeys.backend}`, 'Content-Type': 'application/json' }
  const response = await send('/api/membrane-token', { headers, body: { id: 'customer-42' }, worker })
  return ((await response.json()) as TokenBody).token
}

describe('the key set', () => {
  test.each([
    ['for a secret is empty', 'secret', []],
    ['for a secret contains the retired keys', 'secret, retired', [oldJwk]],
    ['contains only members known to be public', 'a whole key pair, retired', [oldJwk]],
  ])('%s', async (_, worker, keys) => {
    expect(await keySet(worker)).toEqual({ keys })
  })

  test.each<[string, typeof ec, object]>([
    ['ES256', ec, { kty: 'EC', crv: 'P-256', alg: 'ES256' }],
    ['ES384', ec384, { kty: 'EC', crv: 'P-384', alg: 'ES384' }],
    ['RS256', rsa, { kty: 'RSA', alg: 'RS256' }],
  ])('of %s contains the public key under its RFC 7638 thumbprint', async (worker, pair, members) => {
    const kid = await thumbprintOf(pair)
    expect(await keySet(worker)).toEqual({
      keys: [{ ...publicJwkOf(pair), ...members, kid, use: 'sig' }],
    })
  })

  test.each(['ES256', 'ES384', 'RS256', 'PS512', 'rotating'])('of %s verifies its tokens', async (worker) => {
    const keys = await keySet(worker)
    const { payload, protectedHeader } = await jwtVerify(await tokenOf(worker), createLocalJWKSet(keys))
    expect(payload).toMatchObject({ id: 'customer-42', iss: settings.MEMBRANE_WORKSPACE_KEY })
    expect(protectedHeader).toEqual({ alg: keys.keys[0]!.alg, kid: keys.keys[0]!.kid, typ: 'JWT' })
  })

  test('has the configured key id and algorithm', async () => {
    expect((await keySet('PS512')).keys).toEqual([expect.objectContaining({ kid: 'current', alg: 'PS512' })])
  })

  test('contains the current key and the retired keys', async () => {
    const current = { ...publicJwkOf(ec), kid: await thumbprintOf(ec), alg: 'ES256', use: 'sig' }
    expect(await keySet('rotating')).toEqual({ keys: [current, oldJwk, olderJwk] })
  })

  test.each(['secret', 'rotating'])(
    'of %s is public, cacheable for five minutes, and nosniff',
    async (worker) => {
      const { headers } = await send(PATH, { worker })
      expect(headers.get('Content-Type')).toBe('application/jwk-set+json')
      expect(headers.get('Cache-Control')).toBe('public, max-age=300')
      expect(headers.get('X-Content-Type-Options')).toBe('nosniff')
    },
  )

  test('is the same for every caller', async () => {
    const anyone = await (await send(PATH, { worker: 'rotating' })).text()
    const headers = { Authorization: 'Bearer x', Origin: 'https://evil.test', Cookie: 'a=b' }
    expect(await (await send(PATH, { worker: 'rotating', headers })).text()).toBe(anyone)
  })

  test('supports HEAD', async () => {
    const response = await send(PATH, { method: 'HEAD', worker: 'rotating' })
    expect([response.status, await response.text()]).toEqual([200, ''])
  })
})

describe('retired keys', () => {
  test.each(Object.keys(FAULTS))('with %s are reported by name, and nothing is published', async (worker) => {
    const detail = await expectProblem(await send('/healthz', { worker }), 503, 'ERR_SETTING_INVALID')
    expect(detail).toMatch(/^MEMBRANE_ADDITIONAL_KEYS /)
    await expectProblem(await send(PATH, { worker }), 503, 'ERR_SETTING_INVALID')
  })
})
