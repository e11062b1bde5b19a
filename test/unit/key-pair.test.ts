import { createPublicKey } from 'node:crypto'
import jwt from 'jsonwebtoken'
import { describe, expect, test } from 'vitest'
import { type Algorithm, createSigner, generateKeyPair, type KeyPairOptions } from '../../src/index.ts'
import { workspaceKey } from '../conformance/tokens.ts'
import { hasOpenssl, openssl } from './openssl.ts'

/** Each algorithm, with text that `openssl pkey -text` prints for its key. */
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
  test('jsonwebtoken verifies with either form of the public key', async () => {
    const { privateKey, publicKey, publicJwk, keyId } = await generateKeyPair(algorithm, options)
    const signer = await createSigner({ workspaceKey, privateKey, algorithm, keyId })
    const { token } = await signer.signCustomerToken({ id: 'customer-42', name: 'Zoë' })
    for (const key of [publicKey, createPublicKey({ key: { ...publicJwk }, format: 'jwk' })]) {
      const { header, payload } = jwt.verify(token, key, {
        algorithms: [algorithm],
        issuer: workspaceKey,
        complete: true,
      })
      expect(header).toEqual({ alg: algorithm, typ: 'JWT', kid: keyId })
      expect(payload).toMatchObject({ id: 'customer-42', name: 'Zoë' })
    }
  })

  test.skipIf(!hasOpenssl)('openssl reads both halves, and writes the same PEM', async () => {
    const { privateKey, publicKey } = await generateKeyPair(algorithm, options)
    const isRsa = title.startsWith('Private-Key')
    expect(openssl('pkey -check -noout', privateKey)).toContain('Key is valid')
    expect(openssl('pkey -text -noout', privateKey)).toContain(title)
    expect(openssl('pkey -pubin -pubcheck -noout', publicKey)).toContain('Key is valid')
    expect(openssl('pkey', privateKey)).toBe(privateKey)
    expect(openssl('pkey -pubout', privateKey)).toBe(publicKey)
    expect(openssl(`${isRsa ? 'rsa' : 'ec'} -pubout`, privateKey)).toBe(publicKey)
    if (isRsa) expect(openssl('rsa -check -noout', privateKey)).toContain('RSA key ok')
  })
})

test('a modulus over 8192 bits is rejected before a key is generated', async () => {
  await expect(generateKeyPair('RS256', { modulusLength: 2 ** 40 })).rejects.toMatchObject({
    code: 'ERR_OPTION_INVALID',
    message: expect.stringContaining('at most 8192 bits'),
  })
})
