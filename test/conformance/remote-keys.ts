import type { Algorithm, RemoteKey } from '../../src/index.ts'
import { integer, sequence } from './der.ts'
import * as shapes from './key-shapes.ts'
import { privateJwk, publicHalf, publicJwk, unusualRsaJwk } from './keys.ts'
import type { ConformanceModule } from './suite.ts'
import { assert, equal, rejects } from './suite.ts'
import { createTestVerifier } from './token-fixtures.ts'
import {
  asymmetricAlgorithms,
  createTestSigner,
  customer,
  importFor,
  keyNameFor,
  parametersOf,
  verifies,
} from './tokens.ts'

/** A key management service in memory. */
async function remoteKey(
  algorithm: Algorithm,
  overrides: Partial<RemoteKey> = {},
  name = keyNameFor(algorithm),
): Promise<RemoteKey> {
  const jwk = await privateJwk(name)
  return {
    publicKey: publicHalf(jwk),
    sign: async (data, requested) => {
      const key = await importFor(requested, jwk, 'sign')
      return new Uint8Array(await crypto.subtle.sign(parametersOf(requested), key, data.slice()))
    },
    ...overrides,
  }
}

/** Ecdsa-Sig-Value (RFC 3279 section 2.2.3), as returned by AWS and Google. */
function toDer(signature: Uint8Array): Uint8Array {
  const half = signature.length / 2
  return sequence(integer(signature.slice(0, half)), integer(signature.slice(half)))
}

export const remoteKeys: ConformanceModule = (suite, lib) => {
  for (const algorithm of asymmetricAlgorithms) {
    suite.test(`${algorithm} with a remote key`, async () => {
      const privateKey = await remoteKey(algorithm, { version: '7' })
      const signer = await createTestSigner(lib, { privateKey, algorithm, keyId: 'thumbprint' })
      const local = await createTestSigner(lib, {
        privateKey: await privateJwk(keyNameFor(algorithm)),
        algorithm,
        keyId: 'thumbprint',
      })
      equal([signer.algorithm, signer.keyVersion, signer.keyId], [algorithm, '7', local.keyId])
      equal(signer.publicJwk, local.publicJwk)
      const { token } = await signer.signCustomerToken(customer)
      assert(await verifies(token, algorithm, await publicJwk(keyNameFor(algorithm))))
      const verifier = await createTestVerifier(lib, { jwks: { keys: [signer.publicJwk as never] } })
      equal((await verifier.verify(token)).keyId, signer.keyId)
    })
  }

  for (const algorithm of ['ES256', 'ES384', 'ES512'] as const) {
    suite.test(`${algorithm} with signatures in DER`, async () => {
      const key = await remoteKey(algorithm)
      const sign: RemoteKey['sign'] = async (data, name) => toDer(await key.sign(data, name))
      const signer = await createTestSigner(lib, { privateKey: { ...key, sign } })
      equal(signer.algorithm, algorithm)
      const half = await publicJwk(keyNameFor(algorithm))
      // Each signature has another length in DER.
      for (let round = 0; round < 20; round++) {
        const { token } = await signer.signCustomerToken({ id: `customer-${round}` })
        assert(await verifies(token, algorithm, half))
      }
    })
  }

  suite.test('the public key in every format', async () => {
    const jwk = await privateJwk('P-256')
    for (const publicKey of [
      shapes.publicPem(jwk),
      shapes.spki(jwk),
      shapes.certificatePem(jwk),
      publicHalf(jwk),
      JSON.stringify(publicHalf(jwk)),
      await importFor('ES256', publicHalf(jwk), 'verify', true),
      await importFor('ES256', publicHalf(jwk), 'verify', false),
    ]) {
      const signer = await createTestSigner(lib, { privateKey: await remoteKey('ES256', { publicKey }) })
      const { token } = await signer.signAdminToken()
      assert(await verifies(token, 'ES256', publicHalf(jwk)))
    }
  })

  suite.test('the default algorithm of RSA is RS256, or the alg of the public key', async () => {
    equal((await createTestSigner(lib, { privateKey: await remoteKey('RS256') })).algorithm, 'RS256')
    const labelled = { ...(await publicJwk('RSA')), alg: 'PS384' }
    const privateKey = await remoteKey('RS256', { publicKey: labelled })
    equal((await createTestSigner(lib, { privateKey })).algorithm, 'PS384')
  })

  suite.test('a page can use a remote key without trustedBrowser', async () => {
    const privateKey = await remoteKey('ES256')
    await createTestSigner(lib, { privateKey, trustedBrowser: false })
  })

  const invalid: [
    title: string,
    code: string,
    overrides: () => object | Promise<object>,
    algorithm?: Algorithm,
  ][] = [
    ['another curve', 'ERR_KEY_ALGORITHM_MISMATCH', () => ({}), 'ES384'],
    ['an HS algorithm', 'ERR_KEY_ALGORITHM_MISMATCH', () => ({}), 'HS256'],
    [
      'a private key as publicKey',
      'ERR_KEY_FORMAT_UNSUPPORTED',
      async () => ({ publicKey: await privateJwk('P-256') }),
    ],
    [
      'the publicKey of another key',
      'ERR_KEY_INVALID',
      async () => ({ publicKey: await publicJwk('other P-256') }),
    ],
    ['a weak publicKey', 'ERR_KEY_WEAK', () => ({ publicKey: publicHalf(unusualRsaJwk(1024, 65_537n)) })],
    ['no publicKey', 'ERR_KEY_INVALID', () => ({ publicKey: undefined })],
    ['a signature of zeros', 'ERR_KEY_INVALID', () => ({ sign: async () => new Uint8Array(64) })],
    ['a signature of another length', 'ERR_KEY_INVALID', () => ({ sign: async () => new Uint8Array(63) })],
    ['a signature that is not bytes', 'ERR_KEY_UNAVAILABLE', () => ({ sign: async () => 'AAAA' })],
    ['a version that is not a string', 'ERR_OPTION_INVALID', () => ({ version: 7 })],
  ]
  for (const [title, code, overrides, algorithm] of invalid) {
    suite.test(`rejected when the signer is created: ${title}`, async () => {
      const privateKey = await remoteKey('ES256', await overrides())
      await rejects(() => createTestSigner(lib, { privateKey, algorithm }), code)
    })
  }

  suite.test('the error of a failing service does not contain its message', async () => {
    const throwing = {
      get name(): string {
        throw new Error('Bearer s3cr3t-t0ken')
      },
    }
    const failures = [new Error('Bearer s3cr3t-t0ken'), 'Bearer s3cr3t-t0ken', undefined, throwing]
    for (const failure of failures) {
      const sign = () => Promise.reject(failure)
      const privateKey = await remoteKey('ES256', { sign })
      const error = await rejects(() => createTestSigner(lib, { privateKey }), 'ERR_KEY_UNAVAILABLE')
      const text = `${error.message} ${error.stack} ${JSON.stringify(error.cause)} ${String(error.cause)}`
      assert(!text.includes('s3cr3t'), text)
    }
  })

  suite.test('a MembraneTokenError of the service is passed on', async () => {
    const throttled = new lib.MembraneTokenError('ERR_KEY_UNAVAILABLE', 'AWS KMS is throttling requests.')
    const privateKey = await remoteKey('ES256', { sign: () => Promise.reject(throttled) })
    const error = await rejects(() => createTestSigner(lib, { privateKey }), 'ERR_KEY_UNAVAILABLE')
    equal(error.message, throttled.message)
  })

  suite.test('every later signature is verified before a token is returned', async () => {
    const good = await remoteKey('ES256')
    let isRotated = false
    const rotated = await remoteKey('ES256', {}, 'other P-256')
    const sign: RemoteKey['sign'] = (...args) => (isRotated ? rotated : good).sign(...args)
    const signer = await createTestSigner(lib, { privateKey: { ...good, sign } })
    await signer.signCustomerToken(customer)
    isRotated = true
    await rejects(() => signer.signCustomerToken(customer), 'ERR_KEY_UNAVAILABLE')
    isRotated = false
    await signer.signCustomerToken(customer)
  })

  suite.test('the remote key cannot change the signing input', async () => {
    const good = await remoteKey('ES256')
    const sign: RemoteKey['sign'] = async (data, algorithm) => {
      const signature = await good.sign(data, algorithm)
      data.fill(0)
      return signature
    }
    const signer = await createTestSigner(lib, { privateKey: { ...good, sign } })
    const { token } = await signer.signCustomerToken(customer)
    assert(await verifies(token, 'ES256', await publicJwk('P-256')))
  })

  suite.test('sign is called as a method of the remote key', async () => {
    const good = await remoteKey('ES256')
    const privateKey = {
      publicKey: good.publicKey,
      calls: 0,
      sign(data: Uint8Array, algorithm: Algorithm) {
        this.calls++
        return good.sign(data, algorithm)
      },
    }
    await createTestSigner(lib, { privateKey })
    equal(privateKey.calls, 1)
  })
}
