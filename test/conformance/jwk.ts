import type { Algorithm, SignerOptions } from '../../src/index.ts'
import { toPem } from './encoding.ts'
import { refusesWithoutPoint } from './gaps.ts'
import * as shapes from './key-shapes.ts'
import type { Jwk, KeyName } from './keys.ts'
import { privateJwk, publicHalf, publicJwk } from './keys.ts'
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

const fitting: [...Case, Algorithm][] = [
  ['RSA', { alg: 'RS512' }, undefined, 'RS512'],
  ['RSA', { alg: 'PS256' }, undefined, 'PS256'],
  ['RSA', { alg: 'PS384' }, 'PS384', 'PS384'],
  ['P-384', { alg: 'ES384' }, undefined, 'ES384'],
  ['P-256', { use: 'sig' }, undefined, 'ES256'],
  ['P-256', { key_ops: ['sign'] }, undefined, 'ES256'],
  ['P-256', { key_ops: ['verify', 'sign'], use: 'sig', alg: 'ES256', ext: false }, 'ES256', 'ES256'],
]

const misfits: Case[] = [
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
  for (const [key, members, algorithm, expected] of fitting) {
    suite.test(`JWK of ${key} with ${JSON.stringify(members)}, asked for ${algorithm}`, async () => {
      const jwk = { ...(await privateJwk(key)), ...members }
      for (const privateKey of [jwk, JSON.stringify(jwk)]) {
        const signer = await createTestSigner(lib, algorithm ? { privateKey, algorithm } : { privateKey })
        equal(signer.algorithm, expected)
        const { token } = await signer.signCustomerToken(customer)
        assert(await verifies(token, expected, await publicJwk(key)), 'the signature does not verify')
      }
    })
  }

  for (const [key, members, algorithm] of misfits) {
    suite.test(`JWK of ${key} with ${JSON.stringify(members)} rejected for ${algorithm}`, async () => {
      const jwk = { ...(await privateJwk(key)), ...members }
      for (const privateKey of [jwk, JSON.stringify(jwk)]) {
        const options = algorithm ? { privateKey, algorithm } : { privateKey }
        await rejects(() => createTestSigner(lib, options), 'ERR_KEY_ALGORITHM_MISMATCH')
      }
    })
  }

  const unusable: [string, () => Promise<unknown>][] = [
    ['the public half of EC', () => publicJwk('P-256')],
    ['the public half of RSA', () => publicJwk('RSA')],
    ['a secret', async () => ({ kty: 'oct', k: 'x'.repeat(86) })],
    ['RSA without its primes', async () => ({ ...(await publicJwk('RSA')), d: (await privateJwk('RSA')).d })],
    ['Ed25519', async () => ({ kty: 'OKP', crv: 'Ed25519', d: 'x'.repeat(43), x: 'x'.repeat(43) })],
    ['secp256k1', async () => shapes.secp256k1Jwk()],
  ]
  for (const [title, make] of unusable) {
    suite.test(`JWK recognized but unsupported: ${title}`, async () => {
      const jwk = await make()
      for (const privateKey of [jwk, JSON.stringify(jwk)]) {
        await rejects(() => createLooseSigner(lib, { privateKey }), 'ERR_KEY_FORMAT_UNSUPPORTED')
      }
    })
  }
}

const publicMembers: Record<string, string[]> = { EC: ['crv', 'kty', 'x', 'y'], RSA: ['e', 'kty', 'n'] }

export const publicHalves: ConformanceModule = (suite, lib) => {
  for (const algorithm of asymmetricAlgorithms) {
    suite.test(`publicJwk of ${algorithm}`, async () => {
      const jwk = await privateJwk(keyNameFor(algorithm))
      const plain = await createTestSigner(lib, { privateKey: jwk, algorithm })
      const named = await createTestSigner(lib, { privateKey: jwk, algorithm, keyId: 'k1' })
      const expected = { ...publicHalf(jwk), alg: algorithm, use: 'sig' }
      equal(sorted(plain.publicJwk), sorted(expected))
      equal(sorted(named.publicJwk), sorted({ ...expected, kid: 'k1' }))
      const { token } = await plain.signCustomerToken(customer)
      const bare = publicMembers[jwk.kty]?.map((member) => [member, plain.publicJwk?.[member as 'kty']]) ?? []
      assert(await verifies(token, algorithm, Object.fromEntries(bare) as Jwk), 'the token does not verify')
    })
  }

  const sources: [string, (jwk: Jwk) => NonNullable<SignerOptions['privateKey']>][] = [
    [
      'a JWK with all its labels',
      (jwk) => ({ ...jwk, alg: 'ES256', use: 'sig', key_ops: ['sign'], ext: true, kid: 'k' }),
    ],
    ['JWK text', (jwk) => JSON.stringify(jwk)],
    ['PKCS#8', (jwk) => shapes.privatePem(jwk)],
    ['PKCS#8 without public key', (jwk) => shapes.pkcs8(jwk, { publicKey: 'none' })],
    ['PKCS#8 with compressed public key', (jwk) => shapes.pkcs8(jwk, { publicKey: 'compressed' })],
    ['SEC1', (jwk) => toPem('EC PRIVATE KEY', shapes.sec1(jwk))],
    ['SEC1 without public key', (jwk) => shapes.sec1(jwk, { publicKey: 'none' })],
  ]
  for (const [title, make] of sources) {
    suite.test(`publicJwk from ${title}`, async () => {
      const jwk = await privateJwk('P-256')
      const privateKey = make(jwk)
      if (
        /without|compressed/.test(title) &&
        (await refusesWithoutPoint(lib, 'P-256', privateKey as Uint8Array))
      )
        return
      const signer = await createTestSigner(lib, { privateKey, keyId: 'mine' })
      equal(sorted(signer.publicJwk), sorted({ ...publicHalf(jwk), alg: 'ES256', use: 'sig', kid: 'mine' }))
    })
  }

  suite.test('publicJwk from PKCS#1 and PKCS#8 of RSA', async () => {
    const jwk = await privateJwk('RSA')
    for (const privateKey of [shapes.pkcs1(jwk), shapes.pkcs8(jwk)]) {
      const signer = await createTestSigner(lib, { privateKey, algorithm: 'PS256' })
      equal(sorted(signer.publicJwk), sorted({ ...publicHalf(jwk), alg: 'PS256', use: 'sig' }))
    }
  })

  suite.test('a secret has no public half', async () => {
    equal((await createTestSigner(lib, { secret, keyId: 'k1' })).publicJwk, undefined)
  })

  suite.test('a CryptoKey has a publicJwk only where it is extractable', async () => {
    for (const algorithm of ['ES256', 'RS256', 'PS256'] as const) {
      const jwk = await privateJwk(keyNameFor(algorithm))
      const open = await importFor(algorithm, jwk, 'sign', true)
      const closed = await importFor(algorithm, jwk, 'sign', false)
      const expected = { ...publicHalf(jwk), alg: algorithm, use: 'sig' }
      equal(sorted((await createTestSigner(lib, { privateKey: open })).publicJwk), sorted(expected))
      equal((await createTestSigner(lib, { privateKey: closed })).publicJwk, undefined)
    }
  })
}

function sorted(jwk: object | undefined): [string, unknown][] {
  return Object.entries(jwk ?? {}).sort(([one], [other]) => (one < other ? -1 : 1))
}
