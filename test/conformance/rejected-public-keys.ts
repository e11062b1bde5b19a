import type { Bytes } from './der.ts'
import { concat } from './der.ts'
import { toBase64, toBase64url, toPem, utf8 } from './encoding.ts'
import { curves, flipped, padded, weakRsa } from './key-numbers.ts'
import * as shapes from './key-shapes.ts'
import type { Jwk, KeyName, TestKeys } from './keys.ts'
import { privateJwk, publicHalf, publicJwk, testKeys, unusualRsaJwk } from './keys.ts'
import type { ConformanceModule } from './suite.ts'
import { rejects } from './suite.ts'
import { createLooseVerifier, createTestVerifier } from './token-fixtures.ts'
import { asymmetricAlgorithms, importFor, keyNameFor, secret } from './tokens.ts'

const unsupported: [title: string, label: string, write: (keys: TestKeys) => Bytes][] = [
  ['a private EC key', 'PRIVATE KEY', ({ ec }) => shapes.pkcs8(ec)],
  ['a private RSA key', 'PRIVATE KEY', ({ rsa }) => shapes.pkcs8(rsa)],
  ['a SEC1 private key', 'EC PRIVATE KEY', ({ ec }) => shapes.sec1(ec)],
  ['a PKCS#1 private key', 'RSA PRIVATE KEY', ({ rsa }) => shapes.pkcs1(rsa)],
  ['an encrypted private key', 'ENCRYPTED PRIVATE KEY', shapes.encryptedPkcs8],
  ['Ed25519', 'PUBLIC KEY', shapes.spkiEd25519],
  ['DSA', 'PUBLIC KEY', shapes.spkiDsa],
  ['secp256k1', 'PUBLIC KEY', () => shapes.spki(shapes.secp256k1Jwk())],
  ['secp256k1 in a certificate', 'CERTIFICATE', () => shapes.certificate(shapes.secp256k1Jwk())],
  ['RSA-PSS', 'PUBLIC KEY', ({ rsa }) => shapes.spkiRsaPss(rsa)],
  ['explicit curve parameters', 'PUBLIC KEY', ({ ec }) => shapes.spkiExplicitCurve(ec)],
]

const unsupportedJwks: [title: string, make: (keys: TestKeys) => object][] = [
  ['a private EC key', ({ ec }) => ec],
  ['a private RSA key', ({ rsa }) => rsa],
  ['RSA with d alone', ({ rsa }) => ({ ...publicHalf(rsa), d: rsa.d })],
  ['the primes of an RSA key', ({ rsa }) => ({ ...rsa, d: undefined })],
  ['a symmetric key', () => ({ kty: 'oct', k: toBase64url(utf8(secret)) })],
  ['Ed25519', () => ({ kty: 'OKP', crv: 'Ed25519', x: 'x'.repeat(43) })],
  ['secp256k1', () => publicHalf(shapes.secp256k1Jwk())],
]

export const unsupportedPublicKeys: ConformanceModule = (suite, lib) => {
  async function rejectsInEveryForm(label: string, der: Bytes): Promise<void> {
    const pem = toPem(label, der)
    for (const publicKey of [pem, der, utf8(pem), toBase64(utf8(pem)), pem.replaceAll('\n', '\\n')]) {
      await rejects(() => createTestVerifier(lib, { publicKey }), 'ERR_KEY_FORMAT_UNSUPPORTED')
    }
  }

  for (const [title, label, write] of unsupported) {
    suite.test(`recognized but unsupported: ${title}`, async () =>
      rejectsInEveryForm(label, write(await testKeys())),
    )
  }

  for (const curve of curves) {
    suite.test(`recognized but unsupported: a compressed point on ${curve}`, async () =>
      rejectsInEveryForm('PUBLIC KEY', shapes.spkiCompressed(await publicJwk(curve))),
    )
  }

  suite.test('recognized but unsupported: an OpenSSH public key', async () => {
    for (const publicKey of ['ssh-rsa AAAAB3NzaC1yc2E= ada@host', 'ecdsa-sha2-nistp256 AAAAE2Vj ada@host']) {
      await rejects(() => createTestVerifier(lib, { publicKey }), 'ERR_KEY_FORMAT_UNSUPPORTED')
    }
  })

  for (const [title, make] of unsupportedJwks) {
    suite.test(`JWK recognized but unsupported: ${title}`, async () => {
      const jwk = make(await testKeys())
      for (const publicKey of [jwk, JSON.stringify(jwk)]) {
        await rejects(() => createLooseVerifier(lib, { publicKey }), 'ERR_KEY_FORMAT_UNSUPPORTED')
      }
    })
  }
}

const jwkMismatches: [key: KeyName, members: Partial<Jwk>][] = [
  ['P-256', { use: 'enc' }],
  ['P-256', { use: 'SIG' }],
  ['P-256', { key_ops: ['sign'] }],
  ['P-256', { key_ops: [] }],
  ['P-256', { alg: 'ES384' }],
  ['P-256', { alg: 'es256' }],
  ['P-256', { alg: 'ECDH-ES' }],
  ['P-256', { alg: 'none' }],
  ['RSA', { alg: 'HS256' }],
  ['RSA', { alg: 'RSA-OAEP' }],
  ['RSA', { alg: 'ES256' }],
  ['RSA', { key_ops: ['encrypt'] }],
]

export const mismatchedPublicKeys: ConformanceModule = (suite, lib) => {
  for (const [key, members] of jwkMismatches) {
    suite.test(`JWK of ${key} with ${JSON.stringify(members)}`, async () => {
      const jwk = { ...(await publicJwk(key)), ...members }
      for (const publicKey of [jwk, JSON.stringify(jwk)]) {
        await rejects(() => createTestVerifier(lib, { publicKey }), 'ERR_KEY_ALGORITHM_MISMATCH')
      }
    })
  }

  for (const algorithm of asymmetricAlgorithms) {
    suite.test(`CryptoKey of ${algorithm}: private, or without the usage verify`, async () => {
      const jwk = await privateJwk(keyNameFor(algorithm))
      const privateKey = await importFor(algorithm, jwk, 'sign')
      await rejects(() => createTestVerifier(lib, { publicKey: privateKey }), 'ERR_KEY_FORMAT_UNSUPPORTED')
      const usable = await importFor(algorithm, publicHalf(jwk), 'verify')
      const publicKey = await crypto.subtle.importKey('jwk', publicHalf(jwk), usable.algorithm, true, [])
      await rejects(() => createTestVerifier(lib, { publicKey }), 'ERR_KEY_ALGORITHM_MISMATCH')
    })
  }

  suite.test('CryptoKey: a secret as public key, and vice versa', async () => {
    const hmac = await importFor('HS256', secret, 'verify')
    const ecdsa = await importFor('ES256', await publicJwk('P-256'), 'verify')
    await rejects(() => createTestVerifier(lib, { publicKey: hmac }), 'ERR_KEY_FORMAT_UNSUPPORTED')
    await rejects(() => createTestVerifier(lib, { secret: ecdsa }), 'ERR_KEY_FORMAT_UNSUPPORTED')
  })

  suite.test('CryptoKey: an HMAC key that can only sign', async () => {
    const key = await importFor('HS256', secret, 'sign')
    await rejects(() => createTestVerifier(lib, { secret: key }), 'ERR_KEY_ALGORITHM_MISMATCH')
  })
}

export const weakPublicKeys: ConformanceModule = (suite, lib) => {
  for (const [title, make] of weakRsa) {
    suite.test(`weak: ${title}`, async () => {
      const jwk = make()
      for (const publicKey of [
        publicHalf(jwk),
        JSON.stringify(publicHalf(jwk)),
        { ...publicHalf(jwk), n: `AAAA${jwk.n}` },
        shapes.spki(jwk),
        shapes.pkcs1Public(jwk),
        shapes.publicPem(jwk),
        shapes.certificatePem(jwk),
      ]) {
        await rejects(() => createTestVerifier(lib, { publicKey }), 'ERR_KEY_WEAK')
      }
    })
  }

  suite.test('weak: a CryptoKey of 1024 bits, extractable or not', async () => {
    const jwk = publicHalf(unusualRsaJwk(1024, 65_537n))
    for (const extractable of [true, false]) {
      const publicKey = await importFor('RS256', jwk, 'verify', extractable)
      await rejects(() => createTestVerifier(lib, { publicKey }), 'ERR_KEY_WEAK')
    }
  })

  suite.test('weak: an extractable CryptoKey of 2041 bits', async () => {
    const publicKey = await importFor('RS256', publicHalf(unusualRsaJwk(2041, 65_537n)), 'verify', true)
    await rejects(() => createTestVerifier(lib, { publicKey }), 'ERR_KEY_WEAK')
  })
}

export const brokenPublicKeys: ConformanceModule = (suite, lib) => {
  for (const curve of curves) {
    const damages: [string, (jwk: Jwk) => Jwk][] = [
      ['a point off the curve (x)', (jwk) => flipped(jwk, 'x')],
      ['a point off the curve (y)', (jwk) => flipped(jwk, 'y')],
      ['the point (0, 0)', (jwk) => ({ ...jwk, x: padded(0n, jwk.x), y: padded(0n, jwk.y) })],
      ['x and y swapped', (jwk) => ({ ...jwk, x: jwk.y as string, y: jwk.x as string })],
    ]
    for (const [title, damage] of damages) {
      suite.test(`${curve}: ${title}`, async () => {
        const jwk = damage(await publicJwk(curve))
        for (const publicKey of [
          jwk,
          JSON.stringify(jwk),
          shapes.spki(jwk),
          shapes.publicPem(jwk),
          shapes.certificatePem(jwk),
        ]) {
          await rejects(() => createTestVerifier(lib, { publicKey }), 'ERR_KEY_INVALID')
        }
      })
    }

    suite.test(`${curve}: invalid encodings of the point`, async () => {
      const jwk = await publicJwk(curve)
      const point = shapes.spki(jwk).slice(curve === 'P-521' ? -133 : curve === 'P-384' ? -97 : -65)
      for (const invalid of [
        Uint8Array.of(0),
        new Uint8Array(),
        point.slice(0, -1),
        concat(point, Uint8Array.of(0)),
        point.slice(1),
      ]) {
        const publicKey = shapes.spkiOfPoint(jwk, invalid)
        await rejects(() => createTestVerifier(lib, { publicKey }), 'ERR_KEY_INVALID')
      }
    })
  }

  const broken: [title: string, write: (keys: TestKeys) => unknown][] = [
    ['SPKI labelled PKCS#1', ({ rsa }) => toPem('RSA PUBLIC KEY', shapes.spki(rsa))],
    ['PKCS#1 labelled SPKI', ({ rsa }) => toPem('PUBLIC KEY', shapes.pkcs1Public(rsa))],
    ['SPKI labelled certificate', ({ ec }) => toPem('CERTIFICATE', shapes.spki(ec))],
    ['text', () => 'correct horse battery staple'],
    ['one brace', () => '{'],
    ['JSON that is not a key', () => '{"key":"value"}'],
    ['random bytes', () => new Uint8Array(64).fill(0x30)],
    ['empty text', () => ''],
    ['no bytes', () => new Uint8Array()],
    ['a PEM without content', () => '-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n'],
    ['a PEM that is not base64', () => '-----BEGIN PUBLIC KEY-----\n$$$$\n-----END PUBLIC KEY-----\n'],
    ['a PEM without its last line', ({ ec }) => shapes.publicPem(ec).split('-----END')[0]],
    ['a PEM with two labels', ({ ec }) => shapes.publicPem(ec).replace('END PUBLIC', 'END RSA PUBLIC')],
    ['a PEM with a line missing', ({ ec }) => shapes.publicPem(ec).split('\n').toSpliced(1, 1).join('\n')],
    ['truncated DER', ({ ec }) => shapes.spki(ec).slice(0, -1)],
    ['DER with a byte after it', ({ rsa }) => concat(shapes.spki(rsa), Uint8Array.of(0))],
    ['JWK without x', ({ ec }) => ({ ...publicHalf(ec), x: undefined })],
    ['JWK without y', ({ ec }) => ({ ...publicHalf(ec), y: undefined })],
    ['JWK with x that is not base64url', ({ ec }) => ({ ...publicHalf(ec), x: '$'.repeat(43) })],
    ['JWK with x too long', ({ ec }) => ({ ...publicHalf(ec), x: 'z'.repeat(86) })],
    ['JWK on the wrong curve', ({ ec }) => ({ ...publicHalf(ec), crv: 'P-384' })],
    ['JWK without curve', ({ ec }) => ({ ...publicHalf(ec), crv: undefined })],
    ['JWK without kty', ({ rsa }) => ({ ...publicHalf(rsa), kty: undefined })],
    ['JWK without n', ({ rsa }) => ({ ...publicHalf(rsa), n: undefined })],
    ['JWK without e', ({ rsa }) => ({ ...publicHalf(rsa), e: undefined })],
    ['JWK with a numeric n', ({ rsa }) => ({ ...publicHalf(rsa), n: 7 })],
    ['JWK with a numeric alg', ({ rsa }) => ({ ...publicHalf(rsa), alg: 256 })],
  ]
  for (const [title, write] of broken) {
    suite.test(`broken: ${title}`, async () => {
      const publicKey = write(await testKeys())
      await rejects(() => createLooseVerifier(lib, { publicKey }), 'ERR_KEY_INVALID')
    })
  }
}
