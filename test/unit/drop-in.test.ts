import { createPublicKey, type KeyObject } from 'node:crypto'
import jwt from 'jsonwebtoken'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { type Algorithm, createSigner } from '../../src/index.ts'
import { hasOpenssl, openssl } from './openssl.ts'

const WORKSPACE_KEY = '4f9b5f5b-6f3c-4d0e-9d0b-5d5e7f1a2b3c'
const WORKSPACE_SECRET = 'a9f0c1d2e3b4a5968778695a4b3c2d1e0f1e2d3c4b5a69788796a5b4c3d2e1f0'

const customers = [
  { id: 'customer-42', name: '{CUSTOMER_NAME}', fields: { userField: '<user field value>' } },
  {
    id: 'Ада 👩‍💻',
    name: '"Ада"\n\u2028\ud800',
    fields: { vide: '', список: [1, { a: null }], now: new Date(0) },
  },
  { id: 'c', name: 'without fields' },
  { id: 'c' },
]

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: new Date('2026-11-22T23:59:59.999Z') })
})

afterEach(() => {
  vi.useRealTimers()
})

describe.each(customers)('byte for byte what jsonwebtoken signs for $id, $name', ({ id, name, fields }) => {
  test('with the seed’s sample for workspace key and secret', async () => {
    const tokenData = { workspaceKey: WORKSPACE_KEY, id, name, fields }
    const sample = jwt.sign(tokenData, WORKSPACE_SECRET, { expiresIn: 7200, algorithm: 'HS512' })

    const signer = await createSigner({
      workspaceKey: WORKSPACE_KEY,
      secret: WORKSPACE_SECRET,
      claimStyle: 'workspaceKey',
    })
    expect((await signer.signCustomerToken({ id, name, fields })).token).toBe(sample)
  })

  test.skipIf(!hasOpenssl).each(['RS256', 'RS384', 'RS512'] as const)(
    'with the seed’s sample for a key pair and %s',
    async (algorithm) => {
      const tokenData = { id, name, fields }
      const sample = jwt.sign(tokenData, rsaKey(), { issuer: WORKSPACE_KEY, expiresIn: 7200, algorithm })

      const signer = await createSigner({ workspaceKey: WORKSPACE_KEY, privateKey: rsaKey(), algorithm })
      expect((await signer.signCustomerToken({ id, name, fields })).token).toBe(sample)
    },
  )

  test('with key id, token id and another lifetime', async () => {
    const [secret, keyid, jwtid] = [WORKSPACE_SECRET, 'k1', 'j1']
    const options = { issuer: WORKSPACE_KEY, expiresIn: 5400, algorithm: 'HS256', keyid, jwtid } as const
    const sample = jwt.sign({ id, name, fields }, secret, options)

    const workspace = { workspaceKey: WORKSPACE_KEY, secret, algorithm: 'HS256', keyId: keyid } as const
    const signer = await createSigner({ ...workspace, expiresIn: '90m' })
    expect((await signer.signCustomerToken({ id, name, fields }, { jwtId: jwtid })).token).toBe(sample)
  })
})

test('byte for byte what jsonwebtoken signs for an administrator', async () => {
  const workspace = { workspaceKey: WORKSPACE_KEY, secret: WORKSPACE_SECRET }
  const sample = jwt.sign({ isAdmin: true }, WORKSPACE_SECRET, {
    issuer: WORKSPACE_KEY,
    expiresIn: 7200,
    algorithm: 'HS512',
  })
  expect((await (await createSigner(workspace)).signAdminToken()).token).toBe(sample)

  const tokenData = { workspaceKey: WORKSPACE_KEY, isAdmin: true }
  const other = jwt.sign(tokenData, WORKSPACE_SECRET, { expiresIn: 7200, algorithm: 'HS512' })
  const signer = await createSigner({ ...workspace, claimStyle: 'workspaceKey' })
  expect((await signer.signAdminToken()).token).toBe(other)
})

const rsaKey = once(() => openssl('genrsa 2048'))

const curves = { ES256: 'prime256v1', ES384: 'secp384r1', ES512: 'secp521r1' } as const

const asymmetric: Algorithm[] = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
]

describe('tokens verify in jsonwebtoken', () => {
  test.each(['HS256', 'HS384', 'HS512'] as const)('%s', async (algorithm) => {
    const signer = await createSigner({ workspaceKey: WORKSPACE_KEY, secret: WORKSPACE_SECRET, algorithm })
    await expectAccepted(signer, WORKSPACE_SECRET, algorithm)
  })

  test.skipIf(!hasOpenssl).each(asymmetric)('%s with a key of openssl', async (algorithm) => {
    const curve = curves[algorithm as keyof typeof curves]
    const privateKey = curve ? openssl(`ecparam -name ${curve} -genkey`) : rsaKey()
    const signer = await createSigner({ workspaceKey: WORKSPACE_KEY, privateKey, algorithm, keyId: 'k1' })
    await expectAccepted(signer, createPublicKey(privateKey), algorithm)
  })

  test.each(asymmetric)('%s with a key of Web Crypto', async (algorithm) => {
    const { privateKey, publicKey } = await generate(algorithm)
    const spki = Buffer.from(await crypto.subtle.exportKey('spki', publicKey))
    const verifier = createPublicKey({ key: spki, format: 'der', type: 'spki' })
    const pkcs8 = new Uint8Array(await crypto.subtle.exportKey('pkcs8', privateKey))
    const jwk = await crypto.subtle.exportKey('jwk', privateKey)
    for (const key of [privateKey, pkcs8, jwk]) {
      const signer = await createSigner({ workspaceKey: WORKSPACE_KEY, privateKey: key, algorithm })
      await expectAccepted(signer, verifier, algorithm)
    }
  })

  test.skipIf(!hasOpenssl).each(asymmetric)('%s against its published key', async (algorithm) => {
    const curve = curves[algorithm as keyof typeof curves]
    const privateKey = curve ? openssl(`ecparam -name ${curve} -genkey -noout`) : rsaKey()
    const signer = await createSigner({ workspaceKey: WORKSPACE_KEY, privateKey, algorithm })
    const key = createPublicKey({ key: { ...signer.publicJwk }, format: 'jwk' })
    await expectAccepted(signer, key, algorithm)
  })
})

type Signer = Awaited<ReturnType<typeof createSigner>>

async function expectAccepted(signer: Signer, key: string | KeyObject, algorithm: Algorithm): Promise<void> {
  const { token } = await signer.signCustomerToken({ id: 'customer-42' })
  const options = { algorithms: [algorithm], issuer: WORKSPACE_KEY }
  expect(jwt.verify(token, key, options)).toMatchObject({ id: 'customer-42', iss: WORKSPACE_KEY })
}

async function generate(algorithm: Algorithm): Promise<CryptoKeyPair> {
  const hash = `SHA-${algorithm.slice(2)}`
  const rsa = { modulusLength: 2048, publicExponent: Uint8Array.of(1, 0, 1), hash }
  const namedCurve = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' }[algorithm as keyof typeof curves]
  const parameters = namedCurve
    ? { name: 'ECDSA', namedCurve }
    : { name: algorithm.startsWith('RS') ? 'RSASSA-PKCS1-v1_5' : 'RSA-PSS', ...rsa }
  return (await crypto.subtle.generateKey(parameters, true, ['sign', 'verify'])) as CryptoKeyPair
}

function once<Value>(make: () => Value): () => Value {
  let made: { value: Value } | undefined
  return () => {
    made ??= { value: make() }
    return made.value
  }
}
