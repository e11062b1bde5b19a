import type { Algorithm, SignerOptions } from '../../src/index.ts'
import { utf8 } from './encoding.ts'
import { privateJwk, publicHalf, publicJwk, unusualRsaJwk } from './keys.ts'
import type { ConformanceModule } from './suite.ts'
import { assert, equal, rejects } from './suite.ts'
import { createTestVerifier } from './token-fixtures.ts'
import { algorithms, createTestSigner, customer, importFor, keyNameFor, secret, verifies } from './tokens.ts'

async function signingKey(algorithm: Algorithm, extractable = false): Promise<Partial<SignerOptions>> {
  if (algorithm.startsWith('HS')) return { secret: await importFor(algorithm, secret, 'sign', extractable) }
  const jwk = await privateJwk(keyNameFor(algorithm))
  return { privateKey: await importFor(algorithm, jwk, 'sign', extractable) }
}

export const importedKeys: ConformanceModule = (suite, lib) => {
  for (const algorithm of algorithms) {
    for (const extractable of [true, false]) {
      suite.test(`CryptoKey of ${algorithm}, ${extractable ? '' : 'not '}extractable`, async () => {
        const key = await signingKey(algorithm, extractable)
        const verifier = algorithm.startsWith('HS') ? secret : await publicJwk(keyNameFor(algorithm))
        for (const choice of [{}, { algorithm }]) {
          const signer = await createTestSigner(lib, { ...key, ...choice })
          equal(signer.algorithm, algorithm, 'the algorithm of the key')
          const { token } = await signer.signCustomerToken(customer)
          assert(await verifies(token, algorithm, verifier), 'the signature does not verify')
        }
      })
    }
  }
}

const mismatches: [key: Algorithm, others: Algorithm[]][] = [
  ['HS256', ['HS384', 'HS512', 'RS256', 'ES256']],
  ['RS256', ['RS384', 'RS512', 'PS256', 'ES256', 'HS256']],
  ['PS512', ['PS256', 'RS512', 'HS512']],
  ['ES256', ['ES384', 'ES512', 'RS256', 'HS256']],
]

export const importedMismatches: ConformanceModule = (suite, lib) => {
  for (const [keyAlgorithm, others] of mismatches) {
    suite.test(`CryptoKey of ${keyAlgorithm} does not match ${others.join(', ')}`, async () => {
      const key = await signingKey(keyAlgorithm)
      for (const algorithm of others)
        await rejects(() => createTestSigner(lib, { ...key, algorithm }), 'ERR_KEY_ALGORITHM_MISMATCH')
    })
  }

  suite.test('CryptoKey without the usage sign', async () => {
    const key = await importFor('HS512', secret, 'verify')
    await rejects(() => createTestSigner(lib, { secret: key }), 'ERR_KEY_ALGORITHM_MISMATCH')
  })

  suite.test('CryptoKey with an unsupported hash', async () => {
    const sha1 = { name: 'HMAC', hash: 'SHA-1' }
    const key = await crypto.subtle.importKey('raw', utf8(secret), sha1, false, ['sign'])
    for (const choice of [{}, { algorithm: 'HS256' as const }])
      await rejects(() => createTestSigner(lib, { secret: key, ...choice }), 'ERR_KEY_ALGORITHM_MISMATCH')
  })

  suite.test('CryptoKey for another purpose', async () => {
    const aes = await crypto.subtle.importKey('raw', new Uint8Array(32), 'AES-GCM', false, ['encrypt'])
    await rejects(() => createTestSigner(lib, { secret: aes }), 'ERR_KEY_ALGORITHM_MISMATCH')
    const ecdh = { name: 'ECDH', namedCurve: 'P-256' }
    const jwk = await privateJwk('P-256')
    const exchange = await crypto.subtle.importKey('jwk', jwk, ecdh, false, ['deriveBits'])
    await rejects(() => createTestSigner(lib, { privateKey: exchange }), 'ERR_KEY_ALGORITHM_MISMATCH')
  })

  suite.test('a public CryptoKey cannot sign', async () => {
    for (const algorithm of ['ES256', 'RS256'] as const) {
      const key = await importFor(algorithm, await publicJwk(keyNameFor(algorithm)), 'verify')
      await rejects(() => createTestSigner(lib, { privateKey: key }), 'ERR_KEY_FORMAT_UNSUPPORTED')
    }
  })

  suite.test('a secret as private key, and vice versa', async () => {
    const hmac = await importFor('HS256', secret, 'sign')
    const ecdsa = await importFor('ES256', await privateJwk('P-256'), 'sign')
    await rejects(() => createTestSigner(lib, { privateKey: hmac }), 'ERR_KEY_FORMAT_UNSUPPORTED')
    await rejects(() => createTestSigner(lib, { secret: ecdsa }), 'ERR_KEY_FORMAT_UNSUPPORTED')
  })
}

export const importedStrength: ConformanceModule = (suite, lib) => {
  suite.test('a short HMAC key is weak', async () => {
    const hmac = { name: 'HMAC', hash: 'SHA-256' }
    const key = await crypto.subtle.importKey('raw', new Uint8Array(31).fill(7), hmac, false, ['sign'])
    await rejects(() => createTestSigner(lib, { secret: key }), 'ERR_KEY_WEAK')
    await createTestSigner(lib, { secret: key, allowShortSecret: true })
  })

  suite.test('an RSA key of 1024 bits is weak, extractable or not', async () => {
    for (const extractable of [true, false]) {
      const key = await importFor('RS256', unusualRsaJwk(1024, 65_537n), 'sign', extractable)
      await rejects(() => createTestSigner(lib, { privateKey: key }), 'ERR_KEY_WEAK')
    }
  })

  // Some engines do not import it.
  suite.test('an RSA key with the exponent 1 is weak', async () => {
    const jwk = publicHalf(unusualRsaJwk(2048, 1n))
    for (const extractable of [true, false]) {
      const publicKey = await importFor('RS256', jwk, 'verify', extractable).catch(() => undefined)
      if (publicKey) await rejects(() => createTestVerifier(lib, { publicKey }), 'ERR_KEY_WEAK')
    }
  })

  suite.test('an extractable RSA key of 2041 bits is weak', async () => {
    const key = await importFor('RS256', unusualRsaJwk(2041, 65_537n), 'sign', true)
    await rejects(() => createTestSigner(lib, { privateKey: key }), 'ERR_KEY_WEAK')
  })

  suite.test('a CryptoKey is not changed', async () => {
    const key = await importFor('ES256', await privateJwk('P-256'), 'sign')
    await createTestSigner(lib, { privateKey: key })
    equal([key.type, key.extractable, [...key.usages]], ['private', false, ['sign']])
  })
}
