import type { Algorithm } from '../../src/index.ts'
import { toPem } from './encoding.ts'
import { refusesWithoutPoint } from './gaps.ts'
import * as shapes from './key-shapes.ts'
import type { Jwk, KeyName, TestKeys } from './keys.ts'
import { privateJwk, publicHalf, publicJwk, testKeys } from './keys.ts'
import type { ConformanceModule } from './suite.ts'
import { assert, equal, rejects } from './suite.ts'
import {
  asymmetricAlgorithms,
  createLooseSigner,
  createTestSigner,
  customer,
  importFor,
  keyNameFor,
  secret,
  verifies,
} from './tokens.ts'

type Case = [key: KeyName, members: Partial<Jwk>, algorithm: Algorithm | undefined]

const matches: [...Case, expected: Algorithm][] = [
  ['RSA', { alg: 'RS512' }, undefined, 'RS512'],
  ['RSA', { alg: 'PS256' }, undefined, 'PS256'],
  ['RSA', { alg: 'PS384' }, 'PS384', 'PS384'],
  ['P-384', { alg: 'ES384' }, undefined, 'ES384'],
  ['P-256', { use: 'sig' }, undefined, 'ES256'],
  ['P-256', { key_ops: ['sign'] }, undefined, 'ES256'],
  ['P-256', { key_ops: ['verify', 'sign'], use: 'sig', alg: 'ES256', ext: false }, 'ES256', 'ES256'],
]

const mismatches: Case[] = [
  ['RSA', { alg: 'RS256' }, 'RS512'],
  ['RSA', { alg: 'RS256' }, 'PS256'],
  ['RSA', { alg: 'RSA-OAEP' }, undefined],
  ['RSA', { alg: 'RSA-OAEP' }, 'RS256'],
  ['RSA', { alg: 'ES256' }, undefined],
  ['RSA', { alg: 'HS256' }, undefined],
  ['P-256', { alg: 'ES384' }, undefined],
  ['P-256', { alg: 'ES384' }, 'ES256'],
  ['P-256', { alg: 'ECDH-ES' }, undefined],
  ['P-256', { alg: 'es256' }, undefined],
  ['P-256', { use: 'enc' }, undefined],
  ['P-256', { use: 'SIG' }, undefined],
  ['P-256', { key_ops: ['verify'] }, undefined],
  ['P-256', { key_ops: [] }, undefined],
  ['RSA', { key_ops: ['decrypt'] }, 'RS256'],
]

export const jwkMetadata: ConformanceModule = (suite, lib) => {
  for (const [key, members, algorithm, expected] of matches) {
    suite.test(`${key} with ${JSON.stringify(members)} for ${algorithm ?? 'no algorithm'}`, async () => {
      const jwk = { ...(await privateJwk(key)), ...members }
      for (const privateKey of [jwk, JSON.stringify(jwk)]) {
        const signer = await createTestSigner(lib, { privateKey, algorithm })
        equal(signer.algorithm, expected)
        const { token } = await signer.signCustomerToken(customer)
        assert(await verifies(token, expected, await publicJwk(key)), 'the signature does not verify')
      }
    })
  }

  for (const [key, members, algorithm] of mismatches) {
    suite.test(
      `rejected: ${key} with ${JSON.stringify(members)} for ${algorithm ?? 'no algorithm'}`,
      async () => {
        const jwk = { ...(await privateJwk(key)), ...members }
        for (const privateKey of [jwk, JSON.stringify(jwk)]) {
          await rejects(() => createTestSigner(lib, { privateKey, algorithm }), 'ERR_KEY_ALGORITHM_MISMATCH')
        }
      },
    )
  }

  const unusable: [title: string, make: (keys: TestKeys) => object][] = [
    ['the public half of EC', ({ ec }) => publicHalf(ec)],
    ['the public half of RSA', ({ rsa }) => publicHalf(rsa)],
    ['a secret', () => ({ kty: 'oct', k: 'x'.repeat(86) })],
    ['RSA without its primes', ({ rsa }) => ({ ...publicHalf(rsa), d: rsa.d })],
    ['Ed25519', () => ({ kty: 'OKP', crv: 'Ed25519', d: 'x'.repeat(43), x: 'x'.repeat(43) })],
    ['secp256k1', shapes.secp256k1Jwk],
  ]
  for (const [title, make] of unusable) {
    suite.test(`JWK recognized but unsupported: ${title}`, async () => {
      const jwk = make(await testKeys())
      for (const privateKey of [jwk, JSON.stringify(jwk)]) {
        await rejects(() => createLooseSigner(lib, { privateKey }), 'ERR_KEY_FORMAT_UNSUPPORTED')
      }
    })
  }
}

export const publicHalves: ConformanceModule = (suite, lib) => {
  for (const algorithm of asymmetricAlgorithms) {
    suite.test(`publicJwk of ${algorithm}`, async () => {
      const jwk = await privateJwk(keyNameFor(algorithm))
      const plain = await createTestSigner(lib, { privateKey: jwk, algorithm })
      const named = await createTestSigner(lib, { privateKey: jwk, algorithm, keyId: 'k1' })
      const expected = { ...publicHalf(jwk), alg: algorithm, use: 'sig' }
      equal(plain.publicJwk, expected)
      equal(named.publicJwk, { ...expected, kid: 'k1' })
      const { token } = await plain.signCustomerToken(customer)
      const bare = publicHalf(plain.publicJwk as Jwk)
      assert(await verifies(token, algorithm, bare), 'the token does not verify')
    })
  }

  const labels = { alg: 'ES256', use: 'sig', key_ops: ['sign'], ext: true, kid: 'k' }
  const sources: [title: string, write: (jwk: Jwk) => string | Uint8Array | Jwk, lacksPoint?: true][] = [
    ['a JWK with all members', (jwk) => ({ ...jwk, ...labels })],
    ['JWK text', (jwk) => JSON.stringify(jwk)],
    ['PKCS#8', (jwk) => shapes.privatePem(jwk)],
    ['PKCS#8 without public key', (jwk) => shapes.pkcs8(jwk, { publicKey: 'none' }), true],
    ['PKCS#8 with compressed public key', (jwk) => shapes.pkcs8(jwk, { publicKey: 'compressed' }), true],
    ['SEC1', (jwk) => toPem('EC PRIVATE KEY', shapes.sec1(jwk))],
    ['SEC1 without public key', (jwk) => shapes.sec1(jwk, { publicKey: 'none' }), true],
  ]
  for (const [title, write, lacksPoint] of sources) {
    suite.test(`publicJwk from ${title}`, async () => {
      const jwk = await privateJwk('P-256')
      const privateKey = write(jwk)
      if (lacksPoint && (await refusesWithoutPoint(lib, 'P-256', privateKey as Uint8Array))) return
      const signer = await createTestSigner(lib, { privateKey, keyId: 'mine' })
      equal(signer.publicJwk, { ...publicHalf(jwk), alg: 'ES256', use: 'sig', kid: 'mine' })
    })
  }

  suite.test('publicJwk from PKCS#1 and PKCS#8 of RSA', async () => {
    const jwk = await privateJwk('RSA')
    for (const privateKey of [shapes.pkcs1(jwk), shapes.pkcs8(jwk)]) {
      const signer = await createTestSigner(lib, { privateKey, algorithm: 'PS256' })
      equal(signer.publicJwk, { ...publicHalf(jwk), alg: 'PS256', use: 'sig' })
    }
  })

  suite.test('a secret has no publicJwk', async () => {
    equal((await createTestSigner(lib, { secret, keyId: 'k1' })).publicJwk, undefined)
  })

  suite.test('only an extractable CryptoKey has a publicJwk', async () => {
    for (const algorithm of ['ES256', 'RS256', 'PS256'] as const) {
      const jwk = await privateJwk(keyNameFor(algorithm))
      const open = await importFor(algorithm, jwk, 'sign', true)
      const closed = await importFor(algorithm, jwk, 'sign', false)
      const expected = { ...publicHalf(jwk), alg: algorithm, use: 'sig' }
      equal((await createTestSigner(lib, { privateKey: open })).publicJwk, expected)
      equal((await createTestSigner(lib, { privateKey: closed })).publicJwk, undefined)
    }
  })
}
