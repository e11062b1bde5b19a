import { createHash } from 'node:crypto'
import jwt from 'jsonwebtoken'
import { describe, expect, test } from 'vitest'
import {
  type Algorithm,
  createSigner,
  createVerifier,
  generateKeyPair,
  type KeyPairOptions,
} from '../../src/index.ts'
import { hasOpenssl, openssl } from './openssl.ts'

const workspaceKey = '4f9b5f5b-6f3c-4d0e-9d0b-5d5e7f1a2b3c'

/** What `openssl pkey -text` calls the key. */
const pairs: [algorithm: Algorithm, title: string, options?: KeyPairOptions][] = [
  ['ES256', 'ASN1 OID: prime256v1'],
  ['ES384', 'ASN1 OID: secp384r1'],
  ['ES512', 'ASN1 OID: secp521r1'],
  ['RS256', 'Private-Key: (2048 bit'],
  ['RS384', 'Private-Key: (2048 bit'],
  ['RS512', 'Private-Key: (2048 bit'],
  ['PS256', 'Private-Key: (2048 bit'],
  ['PS384', 'Private-Key: (2048 bit'],
  ['PS512', 'Private-Key: (2048 bit'],
  ['RS256', 'Private-Key: (3072 bit', { modulusLength: 3072 }],
]

describe.each(pairs)('generateKeyPair, %s (%s)', (algorithm, title, options) => {
  test.skipIf(!hasOpenssl)('both halves are read by openssl, and belong together', async () => {
    const { privateKey, publicKey } = await generateKeyPair(algorithm, options)
    const isRsa = title.startsWith('Private-Key')
    expect(openssl('pkey -check -noout', privateKey)).toContain('Key is valid')
    expect(openssl('pkey -text -noout', privateKey)).toContain(title)
    expect(openssl('pkey -pubin -pubcheck -noout', publicKey)).toContain('Key is valid')
    // Byte for byte what openssl itself writes, so that a comparison of files tells no difference where none is.
    expect(openssl('pkey', privateKey)).toBe(privateKey)
    expect(openssl('pkey -pubout', privateKey)).toBe(publicKey)
    expect(openssl(`${isRsa ? 'rsa' : 'ec'} -pubout`, privateKey)).toBe(publicKey)
    if (isRsa) expect(openssl('rsa -check -noout', privateKey)).toContain('RSA key ok')
  })

  test('tokens verify in jsonwebtoken, and here with every form of the public half', async () => {
    const { privateKey, publicKey, publicJwk, keyId, ...pair } = await generateKeyPair(algorithm, options)
    expect(pair).toEqual({ algorithm })
    const signer = await createSigner({ workspaceKey, privateKey, algorithm, keyId })
    const { token } = await signer.signCustomerToken({ id: 'customer-42', name: 'Zoë' })

    const { header, payload } = jwt.verify(token, publicKey, {
      algorithms: [algorithm],
      issuer: workspaceKey,
      complete: true,
    })
    expect(header).toEqual({ alg: algorithm, typ: 'JWT', kid: keyId })
    expect(payload).toMatchObject({ id: 'customer-42', name: 'Zoë' })

    const forms = [{ publicKey }, { publicKey: publicJwk as JsonWebKey }, { jwks: { keys: [publicJwk] } }]
    for (const form of forms) {
      const verifier = await createVerifier({ workspaceKey, ...form })
      expect(await verifier.verify(token)).toMatchObject({ kind: 'customer', id: 'customer-42', keyId })
    }
  })

  test('the key id is the RFC 7638 thumbprint, and the JWK names it', async () => {
    const { publicJwk, keyId } = await generateKeyPair(algorithm, options)
    const { kty, crv, x, y, n, e } = publicJwk
    // Section 3.2: the required members alone, in lexicographic order, without white space.
    const members = kty === 'RSA' ? { e, kty, n } : { crv, kty, x, y }
    const thumbprint = createHash('sha256').update(JSON.stringify(members)).digest('base64url')
    expect(keyId).toBe(thumbprint)
    expect(publicJwk).toStrictEqual({ ...members, kid: thumbprint, alg: algorithm, use: 'sig' })
  })
})

test('every pair is another one', async () => {
  const pairs = await Promise.all([generateKeyPair(), generateKeyPair()])
  expect(pairs.map(({ algorithm }) => algorithm)).toEqual(['ES256', 'ES256'])
  expect(new Set(pairs.map(({ keyId }) => keyId)).size).toBe(2)
})

test.each<[code: string, algorithm: unknown, options?: unknown]>([
  ['ERR_OPTION_INVALID', 'HS256'],
  ['ERR_OPTION_INVALID', 'ES256', { modulusLength: 2048 }],
  ['ERR_OPTION_INVALID', 'RS256', { modulusLength: 2049 }],
  ['ERR_OPTION_INVALID', 'RS256', { modulusLength: '2048' }],
  ['ERR_OPTION_INVALID', 'RS256', { modulusLength: Number.NaN }],
  ['ERR_OPTION_INVALID', 'RS256', { modulusLength: 2 ** 40 }],
  ['ERR_OPTION_INVALID', 'RS256', null],
  ['ERR_KEY_WEAK', 'RS256', { modulusLength: 1024 }],
  ['ERR_KEY_WEAK', 'PS512', { modulusLength: 0 }],
  ['ERR_ALGORITHM_UNSUPPORTED', 'EdDSA'],
  ['ERR_ALGORITHM_UNSUPPORTED', 'es256'],
  ['ERR_ALGORITHM_UNSUPPORTED', null],
  ['ERR_ALGORITHM_UNSUPPORTED', 'toString'],
])('%s: generateKeyPair(%j, %j)', async (code, algorithm, options) => {
  const generating = generateKeyPair(algorithm as Algorithm, options as KeyPairOptions)
  await expect(generating).rejects.toMatchObject({ name: 'MembraneTokenError', code })
})
