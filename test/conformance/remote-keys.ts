import type { Algorithm, RemoteKey } from '../../src/index.ts'
import { integer, sequence } from './der.ts'
import * as shapes from './key-shapes.ts'
import { privateJwk, publicHalf, publicJwk, unusualRsaJwk } from './keys.ts'
import type { ConformanceModule } from './suite.ts'
import { assert, equal, rejects } from './suite.ts'
import { createTestVerifier } from './token-fixtures.ts'
import {
  asymmetricAlgorithms,
  createLooseSigner,
  createTestSigner,
  customer,
  importFor,
  keyNameFor,
  parametersOf,
  verifies,
} from './tokens.ts'

/** A key management service in memory. */
async function remoteKey(algorithm: Algorithm, overrides: Partial<RemoteKey> = {}): Promise<RemoteKey> {
  const jwk = await privateJwk(keyNameFor(algorithm))
  return {
    publicKey: publicHalf(jwk),
    sign: async (data, requested) => {
      const key = await importFor(requested, jwk, 'sign')
      return new Uint8Array(await crypto.subtle.sign(parametersOf(requested), key, data.slice()))
    },
    ...overrides,
  }
}

/** As AWS and Google answer: Ecdsa-Sig-Value (RFC 3279 section 2.2.3). */
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
    suite.test(`${algorithm} with signatures in DER, many times`, async () => {
      const { sign, publicKey } = await remoteKey(algorithm)
      const privateKey = {
        publicKey,
        sign: async (data: Uint8Array, name: Algorithm) => toDer(await sign(data, name)),
      }
      const signer = await createTestSigner(lib, { privateKey })
      equal(signer.algorithm, algorithm)
      const half = await publicJwk(keyNameFor(algorithm))
      for (let round = 0; round < 20; round++) {
        const { token } = await signer.signCustomerToken({ id: `customer-${round}` })
        assert(await verifies(token, algorithm, half))
      }
    })
  }

  suite.test('the public half in any form', async () => {
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

  suite.test('RSA signs with RS256 unless told otherwise', async () => {
    equal((await createTestSigner(lib, { privateKey: await remoteKey('RS256') })).algorithm, 'RS256')
    const labelled = { ...(await publicJwk('RSA')), alg: 'PS384' }
    const privateKey = await remoteKey('RS256', { publicKey: labelled })
    equal((await createTestSigner(lib, { privateKey })).algorithm, 'PS384')
  })

  suite.test('a page may use a remote key without opt-in', async () => {
    const privateKey = await remoteKey('ES256')
    await createTestSigner(lib, { privateKey, trustedBrowser: false })
  })

  const misfits: [string, () => Promise<RemoteKey>, Algorithm | undefined, string][] = [
    ['another curve', () => remoteKey('ES256'), 'ES384', 'ERR_KEY_ALGORITHM_MISMATCH'],
    ['a secret’s algorithm', () => remoteKey('ES256'), 'HS256', 'ERR_KEY_ALGORITHM_MISMATCH'],
    [
      'a private key as public half',
      async () => remoteKey('ES256', { publicKey: await privateJwk('P-256') }),
      undefined,
      'ERR_KEY_FORMAT_UNSUPPORTED',
    ],
    [
      'a weak public half',
      () => remoteKey('RS256', { publicKey: publicHalf(unusualRsaJwk(1024, 65_537n)) }),
      undefined,
      'ERR_KEY_WEAK',
    ],
    [
      'the public half of another key',
      async () => remoteKey('ES256', { publicKey: await publicJwk('other P-256') }),
      undefined,
      'ERR_KEY_INVALID',
    ],
    [
      'a signature of zeros',
      () => remoteKey('ES256', { sign: async () => new Uint8Array(64) }),
      undefined,
      'ERR_KEY_INVALID',
    ],
    [
      'a signature of another length',
      () => remoteKey('ES256', { sign: async () => new Uint8Array(63) }),
      undefined,
      'ERR_KEY_INVALID',
    ],
    [
      'no bytes',
      () => remoteKey('ES256', { sign: async () => 'AAAA' as never }),
      undefined,
      'ERR_KEY_UNAVAILABLE',
    ],
    [
      'a version that is not a string',
      () => remoteKey('ES256', { version: 7 as never }),
      undefined,
      'ERR_OPTION_INVALID',
    ],
  ]
  for (const [title, make, algorithm, code] of misfits) {
    suite.test(`rejected when the signer is created: ${title}`, async () => {
      const options = { privateKey: await make(), ...(algorithm && { algorithm }) }
      await rejects(() => createTestSigner(lib, options), code)
    })
  }

  suite.test('no public half at all', async () => {
    const { sign } = await remoteKey('ES256')
    await rejects(() => createLooseSigner(lib, { privateKey: { sign } }), 'ERR_KEY_INVALID')
  })

  suite.test('a failing service is named, without its message', async () => {
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
      const shown = `${error.message} ${error.stack} ${JSON.stringify(error.cause)} ${String(error.cause)}`
      assert(!shown.includes('s3cr3t'), shown)
    }
  })

  suite.test('an error of ours passes as it is', async () => {
    const throttled = new lib.MembraneTokenError('ERR_KEY_UNAVAILABLE', 'AWS KMS is throttling requests.')
    const privateKey = await remoteKey('ES256', { sign: () => Promise.reject(throttled) })
    const error = await rejects(() => createTestSigner(lib, { privateKey }), 'ERR_KEY_UNAVAILABLE')
    equal(error.message, throttled.message)
  })

  suite.test('every later signature is verified before a token is returned', async () => {
    const good = await remoteKey('ES256')
    let isRotated = false
    const other = await privateJwk('other P-256')
    const privateKey: RemoteKey = {
      publicKey: good.publicKey,
      sign: async (data, algorithm) => {
        if (!isRotated) return good.sign(data, algorithm)
        const key = await importFor(algorithm, other, 'sign')
        return new Uint8Array(await crypto.subtle.sign(parametersOf(algorithm), key, data.slice()))
      },
    }
    const signer = await createTestSigner(lib, { privateKey })
    await signer.signCustomerToken(customer)
    isRotated = true
    await rejects(() => signer.signCustomerToken(customer), 'ERR_KEY_UNAVAILABLE')
    isRotated = false
    await signer.signCustomerToken(customer)
  })

  suite.test('what signs cannot change what is signed', async () => {
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

  suite.test('sign is called on its own object', async () => {
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
