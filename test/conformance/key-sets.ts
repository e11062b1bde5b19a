import type { Algorithm, VerifierOptions } from '../../src/index.ts'
import { toBase64url, utf8 } from './encoding.ts'
import { flipped } from './key-numbers.ts'
import * as shapes from './key-shapes.ts'
import type { Jwk, KeyName, TestKeys } from './keys.ts'
import { privateJwk, publicHalf, publicJwk, testKeys, unusualRsaJwk } from './keys.ts'
import type { ConformanceModule } from './suite.ts'
import { equal, rejects } from './suite.ts'
import { createLooseVerifier, createTestVerifier, forge } from './token-fixtures.ts'
import { importFor, keyNameFor, secret } from './tokens.ts'

type KeySet = Exclude<NonNullable<VerifierOptions['jwks']>, URL>

export function keySet(...keys: readonly object[]): KeySet {
  return { keys } as KeySet
}

async function named(name: KeyName, kid: string, members: object = {}): Promise<Jwk> {
  return { ...(await publicJwk(name)), kid, ...members }
}

/** A token signed with the named key, with `kid` in its header if given. */
async function tokenOf(name: KeyName, kid?: string, algorithm = algorithmOf(name)): Promise<string> {
  return forge({}, { algorithm, key: await privateJwk(name), header: { kid } })
}

function algorithmOf(name: KeyName): Algorithm {
  const known = (['ES256', 'ES384', 'ES512'] as const).find((algorithm) =>
    name.endsWith(keyNameFor(algorithm)),
  )
  return known ?? 'RS256'
}

export const keySetChoice: ConformanceModule = (suite, lib) => {
  suite.test('the key with the kid of the token verifies it', async () => {
    const jwks = keySet(await named('P-256', 'a'), await named('other P-256', 'b'), await named('RSA', 'c'))
    const verifier = await createTestVerifier(lib, { jwks })
    for (const [name, kid] of [
      ['P-256', 'a'],
      ['other P-256', 'b'],
      ['RSA', 'c'],
    ] as const) {
      equal((await verifier.verify(await tokenOf(name, kid))).keyId, kid)
    }
    equal((await verifier.verify(await tokenOf('RSA', 'c', 'PS512'))).algorithm, 'PS512')
  })

  suite.test('only the key with the kid of the token is tried', async () => {
    const jwks = keySet(await named('P-256', 'a'), await named('other P-256', 'b'))
    const verifier = await createTestVerifier(lib, { jwks })
    const token = await tokenOf('P-256', 'b')
    await rejects(() => verifier.verify(token), 'ERR_TOKEN_SIGNATURE_INVALID')
  })

  suite.test('without a kid, the key that supports the algorithm', async () => {
    const jwks = keySet(await named('P-384', 'a'), await named('RSA', 'b'), await publicJwk('P-256'))
    const verifier = await createTestVerifier(lib, { jwks })
    for (const name of ['P-256', 'P-384', 'RSA'] as const) {
      const verified = await verifier.verify(await tokenOf(name))
      equal([verified.algorithm, 'keyId' in verified], [algorithmOf(name), false])
    }
  })

  suite.test('without a kid, any of several keys that support the algorithm', async () => {
    const jwks = keySet(await named('P-256', 'a'), await named('other P-256', 'b'))
    const verifier = await createTestVerifier(lib, { jwks })
    for (const name of ['P-256', 'other P-256'] as const) {
      equal((await verifier.verify(await tokenOf(name))).kind, 'customer')
    }
  })

  suite.test('without a kid, a key that is not in the set', async () => {
    const verifier = await createTestVerifier(lib, { jwks: keySet(await named('P-256', 'a')) })
    await rejects(async () => verifier.verify(await tokenOf('other P-256')), 'ERR_TOKEN_SIGNATURE_INVALID')
  })

  suite.test('without a kid, no key supports the algorithm', async () => {
    const jwks = keySet(await named('P-256', 'a'), await named('RSA', 'b', { alg: 'RS256' }))
    const verifier = await createTestVerifier(lib, { jwks })
    for (const token of [await tokenOf('P-384'), await tokenOf('RSA', undefined, 'PS256')]) {
      await rejects(() => verifier.verify(token), 'ERR_KEY_NOT_FOUND')
    }
  })

  suite.test('a kid that is not in the set', async () => {
    for (const jwks of [
      keySet(await named('P-256', 'a')),
      keySet(await publicJwk('P-256')),
      keySet(await named('P-256', 'a'), await publicJwk('P-256')),
    ]) {
      const verifier = await createTestVerifier(lib, { jwks })
      for (const kid of ['b', 'A', 'a ', '', 'undefined']) {
        await rejects(async () => verifier.verify(await tokenOf('P-256', kid)), 'ERR_KEY_NOT_FOUND')
      }
    }
  })

  suite.test('a set without keys', async () => {
    const verifier = await createTestVerifier(lib, { jwks: keySet() })
    for (const kid of [undefined, 'a']) {
      await rejects(async () => verifier.verify(await tokenOf('P-256', kid)), 'ERR_KEY_NOT_FOUND')
    }
  })

  suite.test('a key with the kid __proto__', async () => {
    const verifier = await createTestVerifier(lib, { jwks: keySet(await named('P-256', '__proto__')) })
    equal((await verifier.verify(await tokenOf('P-256', '__proto__'))).keyId, '__proto__')
    await rejects(async () => verifier.verify(await tokenOf('P-256', 'constructor')), 'ERR_KEY_NOT_FOUND')
  })

  suite.test('an algorithm that the key does not support', async () => {
    const jwks = keySet(await named('RSA', 'rs', { alg: 'RS256' }), await named('P-256', 'ec'))
    const verifier = await createTestVerifier(lib, { jwks })
    for (const token of [
      await tokenOf('RSA', 'rs', 'PS256'),
      await tokenOf('RSA', 'rs', 'RS512'),
      await tokenOf('RSA', 'ec', 'RS256'),
      await tokenOf('P-384', 'ec', 'ES384'),
      await tokenOf('P-256', 'rs', 'ES256'),
      await forge({}, { header: { kid: 'ec' } }),
      await forge(),
    ]) {
      await rejects(() => verifier.verify(token), 'ERR_TOKEN_ALGORITHM_NOT_ALLOWED')
    }
  })

  suite.test('the list of algorithms applies to every key', async () => {
    const jwks = keySet(await named('P-256', 'a'), await named('RSA', 'b'), await named('P-384', 'c'))
    const verifier = await createTestVerifier(lib, { jwks, algorithms: ['ES256', 'PS256'] })
    equal((await verifier.verify(await tokenOf('P-256', 'a'))).keyId, 'a')
    equal((await verifier.verify(await tokenOf('RSA', 'b', 'PS256'))).keyId, 'b')
    for (const token of [await tokenOf('RSA', 'b', 'RS256'), await tokenOf('P-384', 'c')]) {
      await rejects(() => verifier.verify(token), 'ERR_TOKEN_ALGORITHM_NOT_ALLOWED')
    }
  })
}

const unusable: [title: string, code: string, make: (keys: TestKeys) => object][] = [
  ['for encryption', 'ERR_KEY_ALGORITHM_MISMATCH', ({ rsa }) => ({ ...publicHalf(rsa), use: 'enc' })],
  ['of RSA-OAEP', 'ERR_KEY_ALGORITHM_MISMATCH', ({ rsa }) => ({ ...publicHalf(rsa), alg: 'RSA-OAEP' })],
  [
    'to derive keys',
    'ERR_KEY_ALGORITHM_MISMATCH',
    ({ ec }) => ({ ...publicHalf(ec), key_ops: ['deriveKey'] }),
  ],
  ['of Ed25519', 'ERR_KEY_FORMAT_UNSUPPORTED', () => ({ kty: 'OKP', crv: 'Ed25519', x: 'x'.repeat(43) })],
  ['of secp256k1', 'ERR_KEY_FORMAT_UNSUPPORTED', () => publicHalf(shapes.secp256k1Jwk())],
  ['of an unknown type', 'ERR_KEY_INVALID', () => ({ kty: 'AKP', alg: 'ML-DSA-44', pub: 'AAAA' })],
  ['of no type', 'ERR_KEY_INVALID', () => ({ n: 'AQAB' })],
  ['off its curve', 'ERR_KEY_INVALID', ({ ec }) => flipped(publicHalf(ec), 'x')],
  ['of 1024 bits', 'ERR_KEY_WEAK', () => publicHalf(unusualRsaJwk(1024, 65_537n))],
  ['of 2041 bits', 'ERR_KEY_WEAK', () => publicHalf(unusualRsaJwk(2041, 65_537n))],
]

export const keySetMembers: ConformanceModule = (suite, lib) => {
  for (const [title, code, make] of unusable) {
    suite.test(`a key ${title} affects only tokens with its kid`, async () => {
      const bad = { ...make(await testKeys()), kid: 'bad' }
      const jwks = keySet(bad, await named('P-256', 'good'), await named('RSA', 'also good'))
      const verifier = await createTestVerifier(lib, { jwks })
      equal((await verifier.verify(await tokenOf('P-256', 'good'))).keyId, 'good')
      equal((await verifier.verify(await tokenOf('P-256'))).kind, 'customer')
      equal((await verifier.verify(await tokenOf('RSA'))).kind, 'customer')
      for (const name of ['P-256', 'RSA'] as const) {
        await rejects(async () => verifier.verify(await tokenOf(name, 'bad')), code)
      }
    })
  }

  suite.test('a set without a usable key', async () => {
    const encryption = await named('RSA', 'a', { use: 'enc' })
    const edwards = { kty: 'OKP', crv: 'Ed25519', x: 'x'.repeat(43) }
    for (const keys of [[encryption, edwards], [encryption], [edwards]]) {
      const verifier = await createTestVerifier(lib, { jwks: keySet(...keys) })
      await rejects(async () => verifier.verify(await tokenOf('RSA')), 'ERR_KEY_NOT_FOUND')
    }
  })

  const secrets: [title: string, make: (keys: TestKeys) => object][] = [
    ['a symmetric key', () => ({ kty: 'oct', k: toBase64url(utf8(secret)) })],
    ['a symmetric key with alg', () => ({ kty: 'oct', k: toBase64url(utf8(secret)), alg: 'HS256' })],
    ['a private EC key', ({ ec }) => ec],
    ['a private RSA key', ({ rsa }) => rsa],
    ['the primes of a private RSA key', ({ rsa }) => ({ ...rsa, d: undefined })],
    ['a private key for encryption', ({ rsa }) => ({ ...rsa, use: 'enc' })],
    ['a private Ed25519 key', () => ({ kty: 'OKP', crv: 'Ed25519', x: 'AAAA', d: 'AAAA' })],
  ]
  for (const [title, make] of secrets) {
    suite.test(`a set must not contain ${title}`, async () => {
      const [good, bad] = [await named('P-256', 'good'), { ...make(await testKeys()), kid: 'bad' }]
      for (const keys of [[bad], [good, bad], [bad, good]]) {
        await rejects(() => createTestVerifier(lib, { jwks: keySet(...keys) }), 'ERR_KEY_FORMAT_UNSUPPORTED')
      }
    })
  }

  suite.test('a set must not contain two keys with one kid', async () => {
    const [one, other] = [await named('P-256', 'a'), await named('other P-256', 'a')]
    for (const keys of [
      [one, other],
      [one, one],
      [one, await named('RSA', 'a')],
      [one, { kty: 'OKP', crv: 'Ed25519', x: 'AAAA', kid: 'a' }],
    ]) {
      await rejects(() => createTestVerifier(lib, { jwks: keySet(...keys) }), 'ERR_KEY_INVALID')
    }
    const unnamed = keySet(await publicJwk('P-256'), await publicJwk('other P-256'))
    const verifier = await createTestVerifier(lib, { jwks: unnamed })
    equal((await verifier.verify(await tokenOf('other P-256'))).kind, 'customer')
  })

  const notSets: [string, unknown][] = [
    ['an empty object', {}],
    ['a list', []],
    ['keys that are an object', { keys: {} }],
    ['keys that are null', { keys: null }],
    ['keys that are text', { keys: 'a' }],
    ['a set with null', { keys: [null] }],
    ['a set with text', { keys: ['a'] }],
    ['a set with a number', { keys: [42] }],
    ['one JWK', { kty: 'EC', crv: 'P-256', x: 'AAAA', y: 'AAAA' }],
  ]
  for (const [title, jwks] of notSets) {
    suite.test(`not a key set: ${title}`, async () => {
      await rejects(() => createLooseVerifier(lib, { jwks }), 'ERR_KEY_INVALID')
    })
  }
  for (const jwks of ['{"keys":[]}', 'https://keys.example/jwks.json']) {
    suite.test(`not a key set: the text ${jwks}`, async () => {
      await rejects(() => createLooseVerifier(lib, { jwks }), 'ERR_OPTION_INVALID')
    })
  }

  suite.test('inputs are not changed or frozen, and may be frozen', async () => {
    const jwks = keySet(await named('P-256', 'a', { key_ops: ['verify'] }), await named('RSA', 'b'))
    const before = JSON.stringify(jwks)
    const verifier = await createTestVerifier(lib, { jwks })
    await verifier.verify(await tokenOf('P-256', 'a'))
    await verifier.verify(await tokenOf('RSA'))
    equal(JSON.stringify(jwks), before)
    for (const value of [jwks, jwks.keys, ...jwks.keys, jwks.keys[0]?.key_ops ?? []]) {
      equal([Object.isFrozen(value), Object.isExtensible(value)], [false, true])
    }
    for (const value of [jwks.keys[0]?.key_ops ?? [], ...jwks.keys, jwks.keys, jwks]) Object.freeze(value)
    const frozen = await createTestVerifier(lib, { jwks })
    equal((await frozen.verify(await tokenOf('P-256', 'a'))).keyId, 'a')
  })

  suite.test('later changes to the set have no effect', async () => {
    const jwks = keySet(await named('P-256', 'a'))
    const [good, evil] = [await tokenOf('P-256', 'a'), await tokenOf('other P-256', 'a')]
    const [other, added] = [await publicJwk('other P-256'), await named('other P-256', 'b')]
    const creating = createTestVerifier(lib, { jwks })
    Object.assign(jwks.keys[0] as object, other)
    const verifier = await creating
    for (let round = 0; round < 2; round++) {
      equal((await verifier.verify(good)).keyId, 'a')
      await rejects(() => verifier.verify(evil), 'ERR_TOKEN_SIGNATURE_INVALID')
      await rejects(async () => verifier.verify(await tokenOf('other P-256', 'b')), 'ERR_KEY_NOT_FOUND')
      jwks.keys.push(added as (typeof jwks.keys)[number])
    }
  })

  suite.test('a verifier accepts what a signer publishes', async () => {
    const keys = await Promise.all(
      (['P-256', 'P-521', 'RSA'] as const).map(async (name) => {
        const privateKey = await privateJwk(name)
        const options = { privateKey, keyId: name, workspaceKey: 'w', trustedBrowser: true }
        return (await lib.createSigner(options)).publicJwk ?? {}
      }),
    )
    const verifier = await createTestVerifier(lib, { jwks: keySet(...keys) })
    for (const name of ['P-256', 'P-521', 'RSA'] as const) {
      equal((await verifier.verify(await tokenOf(name, name))).keyId, name)
    }
  })

  suite.test('a CryptoKey is not a member of a set', async () => {
    const key = await importFor('ES256', await publicJwk('P-256'), 'verify')
    const verifier = await createLooseVerifier(lib, { jwks: { keys: [key] } })
    await rejects(async () => verifier.verify(await tokenOf('P-256', 'a')), 'ERR_KEY_NOT_FOUND')
  })
}
