import type { Algorithm } from '../../src/index.ts'
import { utf8 } from './encoding.ts'
import { privateJwk, publicJwk, unusualRsaJwk } from './keys.ts'
import type { ConformanceModule } from './suite.ts'
import { assert, equal, rejects } from './suite.ts'
import {
  algorithms,
  createTestSigner,
  customer,
  hashOf,
  importFor,
  keyNameFor,
  secret,
  verifies,
} from './tokens.ts'

export const importedKeys: ConformanceModule = (suite, lib) => {
  for (const algorithm of algorithms) {
    for (const extractable of [true, false]) {
      suite.test(`CryptoKey of ${algorithm}, ${extractable ? '' : 'not '}extractable`, async () => {
        const symmetric = algorithm.startsWith('HS')
        const material = symmetric ? secret : await privateJwk(keyNameFor(algorithm))
        const key = await importFor(algorithm, material, 'sign', extractable)
        for (const choice of [{}, { algorithm }]) {
          const options = symmetric ? { secret: key, ...choice } : { privateKey: key, ...choice }
          const signer = await createTestSigner(lib, options)
          equal(signer.algorithm, algorithm, 'the hash of the key decides')
          const { token } = await signer.signCustomerToken(customer)
          const verifier = symmetric ? secret : await publicJwk(keyNameFor(algorithm))
          assert(await verifies(token, algorithm, verifier), 'the signature does not verify')
        }
      })
    }
  }
}

const misfits: [Algorithm, Algorithm[]][] = [
  ['HS256', ['HS384', 'HS512', 'RS256', 'ES256']],
  ['RS256', ['RS384', 'RS512', 'PS256', 'ES256', 'HS256']],
  ['PS512', ['PS256', 'RS512', 'HS512']],
  ['ES256', ['ES384', 'ES512', 'RS256', 'HS256']],
]

export const importedMisfits: ConformanceModule = (suite, lib) => {
  for (const [algorithm, list] of misfits) {
    suite.test(`CryptoKey of ${algorithm} fits none of ${list.join(', ')}`, async () => {
      const symmetric = algorithm.startsWith('HS')
      const material = symmetric ? secret : await privateJwk(keyNameFor(algorithm))
      const key = await importFor(algorithm, material, 'sign')
      for (const other of list) {
        const options = symmetric ? { secret: key, algorithm: other } : { privateKey: key, algorithm: other }
        await rejects(() => createTestSigner(lib, options), 'ERR_KEY_ALGORITHM_MISMATCH')
      }
    })
  }

  suite.test('CryptoKey without the usage sign', async () => {
    const key = await crypto.subtle.importKey('raw', utf8(secret), { name: 'HMAC', hash: 'SHA-512' }, false, [
      'verify',
    ])
    await rejects(() => createTestSigner(lib, { secret: key }), 'ERR_KEY_ALGORITHM_MISMATCH')
  })

  suite.test('CryptoKey of a hash that no algorithm has', async () => {
    const secretKey = await crypto.subtle.importKey(
      'raw',
      utf8(secret),
      { name: 'HMAC', hash: 'SHA-1' },
      false,
      ['sign'],
    )
    await rejects(() => createTestSigner(lib, { secret: secretKey }), 'ERR_KEY_ALGORITHM_MISMATCH')
    await rejects(
      () => createTestSigner(lib, { secret: secretKey, algorithm: 'HS256' }),
      'ERR_KEY_ALGORITHM_MISMATCH',
    )
  })

  suite.test('CryptoKey made for something else', async () => {
    const aes = await crypto.subtle.importKey('raw', new Uint8Array(32), 'AES-GCM', false, ['encrypt'])
    await rejects(() => createTestSigner(lib, { secret: aes }), 'ERR_KEY_ALGORITHM_MISMATCH')
    const ecdh = { name: 'ECDH', namedCurve: 'P-256' }
    const exchange = await crypto.subtle.importKey('jwk', await privateJwk('P-256'), ecdh, false, [
      'deriveBits',
    ])
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

  suite.test('an RSA key with the exponent 1 is weak, where an engine imports it at all', async () => {
    const jwk = unusualRsaJwk(2048, 1n)
    for (const extractable of [true, false]) {
      const key = await importFor(
        'RS256',
        { kty: 'RSA', n: jwk.n, e: 'AQ' } as never,
        'verify',
        extractable,
      ).catch(() => undefined)
      if (key) await rejects(() => lib.createVerifier({ workspaceKey: 'w', publicKey: key }), 'ERR_KEY_WEAK')
    }
  })

  suite.test('an RSA key of 2041 bits is weak where its modulus is known', async () => {
    const key = await importFor('RS256', unusualRsaJwk(2041, 65_537n), 'sign', true)
    await rejects(() => createTestSigner(lib, { privateKey: key }), 'ERR_KEY_WEAK')
  })

  suite.test('a CryptoKey is used as it is', async () => {
    const algorithm = 'ES256'
    const key = await importFor(algorithm, await privateJwk('P-256'), 'sign')
    await createTestSigner(lib, { privateKey: key })
    equal([key.type, key.extractable, [...key.usages]], ['private', false, ['sign']])
    equal(hashOf(algorithm), 'SHA-256')
  })
}
