import type { Algorithm, SignerOptions, VerifierOptions } from '../../src/index.ts'
import type { Bytes } from './der.ts'
import { toPem, utf8 } from './encoding.ts'
import { refusesWithoutPoint } from './gaps.ts'
import * as shapes from './key-shapes.ts'
import { type Curve, type Jwk, privateJwk, publicHalf } from './keys.ts'
import { assert, type ConformanceModule, equal } from './suite.ts'
import { createTestVerifier, forge } from './token-fixtures.ts'
import { algorithms, createTestSigner, customer, importFor, keyNameFor, secret, verifies } from './tokens.ts'

/** Signs and verifies with every algorithm and form of key: the support table in README. */

type Key = 'secret' | 'EC' | 'RSA'

interface KeyForm<Options> {
  form: string
  keys: readonly Key[]
  /** Options with the key in each encoding of this form. Forms of secrets ignore `jwk`. */
  wrap(jwk: Jwk, algorithm: Algorithm): Promise<Partial<Options>[]> | Partial<Options>[]
  lacksPoint?: true
}

type Container = readonly [label: string, der: (jwk: Jwk) => Bytes]

const pkcs8: Container = ['PRIVATE KEY', (jwk) => shapes.pkcs8(jwk)]
const spki: Container = ['PUBLIC KEY', (jwk) => shapes.spki(jwk)]
const sec1: Container = ['EC PRIVATE KEY', (jwk) => shapes.sec1(jwk)]
const withoutPoint: Container[] = [
  ['PRIVATE KEY', (jwk) => shapes.pkcs8(jwk, { publicKey: 'none' })],
  ['EC PRIVATE KEY', (jwk) => shapes.sec1(jwk, { publicKey: 'none' })],
]
const pkcs1: Container = ['RSA PRIVATE KEY', shapes.pkcs1]
const pkcs1Public: Container = ['RSA PUBLIC KEY', shapes.pkcs1Public]
const certificate: Container = ['CERTIFICATE', (jwk) => shapes.certificate(jwk)]

const secretTextAndBytes = { form: 'secret', wrap: () => [{ secret }, { secret: utf8(secret) }] }
const hmacCryptoKey = (use: 'sign' | 'verify') => ({
  form: 'HMAC `CryptoKey`',
  wrap: async (_: Jwk, algorithm: Algorithm) => [{ secret: await importFor(algorithm, secret, use) }],
})

const signing: KeyForm<SignerOptions>[] = [
  { ...secretTextAndBytes, keys: ['secret'] },
  { ...hmacCryptoKey('sign'), keys: ['secret'] },
  { form: 'PKCS#8', keys: ['EC', 'RSA'], wrap: (jwk) => pemAndDer(jwk, pkcs8).map(asPrivateKey) },
  { form: 'SEC1', keys: ['EC'], wrap: (jwk) => pemAndDer(jwk, sec1).map(asPrivateKey) },
  {
    form: 'EC without public point',
    keys: ['EC'],
    wrap: (jwk) => pemAndDer(jwk, ...withoutPoint).map(asPrivateKey),
    lacksPoint: true,
  },
  { form: 'PKCS#1', keys: ['RSA'], wrap: (jwk) => pemAndDer(jwk, pkcs1).map(asPrivateKey) },
  { form: 'JWK', keys: ['EC', 'RSA'], wrap: (jwk) => [jwk, JSON.stringify(jwk)].map(asPrivateKey) },
  {
    form: '`CryptoKey`',
    keys: ['EC', 'RSA'],
    wrap: async (jwk, algorithm) => [asPrivateKey(await importFor(algorithm, jwk, 'sign'))],
  },
]

const verifying: KeyForm<VerifierOptions>[] = [
  { ...secretTextAndBytes, keys: ['secret'] },
  { ...hmacCryptoKey('verify'), keys: ['secret'] },
  { form: 'SPKI', keys: ['EC', 'RSA'], wrap: (jwk) => pemAndDer(jwk, spki).map(asPublicKey) },
  { form: 'X.509', keys: ['EC', 'RSA'], wrap: (jwk) => pemAndDer(jwk, certificate).map(asPublicKey) },
  { form: 'PKCS#1', keys: ['RSA'], wrap: (jwk) => pemAndDer(jwk, pkcs1Public).map(asPublicKey) },
  {
    form: 'JWK',
    keys: ['EC', 'RSA'],
    wrap: (jwk) => [publicHalf(jwk), JSON.stringify(publicHalf(jwk))].map(asPublicKey),
  },
  {
    form: '`CryptoKey`',
    keys: ['EC', 'RSA'],
    wrap: async (jwk, algorithm) => [asPublicKey(await importFor(algorithm, publicHalf(jwk), 'verify'))],
  },
  { form: 'JWK set', keys: ['EC', 'RSA'], wrap: (jwk) => [{ jwks: { keys: [publicHalf(jwk)] } }] },
]

/** For README: the tested form and algorithm pairs. */
export const forms: Record<'sign' | 'verify', { form: string; algorithms: Algorithm[] }[]> = {
  sign: signing.map(({ form, keys }) => ({ form, algorithms: algorithmsOf(keys) })),
  verify: verifying.map(({ form, keys }) => ({ form, algorithms: algorithmsOf(keys) })),
}

export const support: ConformanceModule = (suite, lib) => {
  for (const { form, keys, wrap, lacksPoint } of signing) {
    for (const algorithm of algorithmsOf(keys)) {
      suite.test(`signs ${algorithm} with ${form}`, async () => {
        const jwk = await privateJwk(keyNameFor(algorithm))
        let isSupported = true
        for (const options of await wrap(jwk, algorithm)) {
          const key = options.privateKey as string | Uint8Array
          if (lacksPoint && (await refusesWithoutPoint(lib, keyNameFor(algorithm) as Curve, key))) {
            isSupported = false
            continue
          }
          const signer = await createTestSigner(lib, { ...options, algorithm })
          const { token } = await signer.signCustomerToken(customer)
          const verificationKey = keys[0] === 'secret' ? secret : publicHalf(jwk)
          assert(await verifies(token, algorithm, verificationKey), 'signed with another key')
        }
        if (isSupported) suite.supports('sign', form, algorithm)
      })
    }
  }

  for (const { form, keys, wrap } of verifying) {
    for (const algorithm of algorithmsOf(keys)) {
      suite.test(`verifies ${algorithm} with ${form}`, async () => {
        const jwk = await privateJwk(keyNameFor(algorithm))
        const token = await forge({}, { algorithm, key: keys[0] === 'secret' ? secret : jwk })
        for (const options of await wrap(jwk, algorithm)) {
          const verifier = await createTestVerifier(lib, { ...options, algorithms: [algorithm] })
          equal((await verifier.verify(token)).algorithm, algorithm)
        }
        suite.supports('verify', form, algorithm)
      })
    }
  }
}

function algorithmsOf(keys: readonly Key[]): Algorithm[] {
  const kinds: Record<Key, string> = { secret: 'H', EC: 'E', RSA: 'RP' }
  return algorithms.filter((algorithm) => keys.some((key) => kinds[key].includes(algorithm.charAt(0))))
}

function pemAndDer(jwk: Jwk, ...containers: Container[]): (string | Bytes)[] {
  return containers.flatMap(([label, der]) => [toPem(label, der(jwk)), der(jwk)])
}

function asPrivateKey(privateKey: NonNullable<SignerOptions['privateKey']>): Partial<SignerOptions> {
  return { privateKey }
}

function asPublicKey(publicKey: NonNullable<VerifierOptions['publicKey']>): Partial<VerifierOptions> {
  return { publicKey }
}
