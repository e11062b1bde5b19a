import type { VerifierOptions } from '../../src/index.ts'
import { concat } from './der.ts'
import { toPem, toBase64, toBase64url, utf8 } from './encoding.ts'
import { curves, flipped, padded, weakRsa } from './key-numbers.ts'
import * as shapes from './key-shapes.ts'
import type { Jwk, KeyName } from './keys.ts'
import { privateJwk, publicHalf, publicJwk, unusualRsaJwk } from './keys.ts'
import type { ConformanceModule } from './suite.ts'
import { rejects } from './suite.ts'
import { createLooseVerifier, createTestVerifier } from './token-fixtures.ts'
import { algorithms, importFor, keyNameFor, secret } from './tokens.ts'

type Bytes = Uint8Array<ArrayBuffer>
type PublicKey = NonNullable<VerifierOptions['publicKey']>

const strangers: [title: string, label: string, der: () => Bytes | Promise<Bytes>][] = [
  ['a private EC key', 'PRIVATE KEY', async () => shapes.pkcs8(await privateJwk('P-256'))],
  ['a private RSA key', 'PRIVATE KEY', async () => shapes.pkcs8(await privateJwk('RSA'))],
  ['a SEC1 private key', 'EC PRIVATE KEY', async () => shapes.sec1(await privateJwk('P-256'))],
  ['a PKCS#1 private key', 'RSA PRIVATE KEY', async () => shapes.pkcs1(await privateJwk('RSA'))],
  ['an encrypted private key', 'ENCRYPTED PRIVATE KEY', shapes.encryptedPkcs8],
  ['Ed25519', 'PUBLIC KEY', shapes.spkiEd25519],
  ['DSA', 'PUBLIC KEY', shapes.spkiDsa],
  ['secp256k1', 'PUBLIC KEY', () => shapes.spki(shapes.secp256k1Jwk())],
  ['secp256k1 in a certificate', 'CERTIFICATE', () => shapes.certificate(shapes.secp256k1Jwk())],
  ['RSA-PSS', 'PUBLIC KEY', async () => shapes.spkiRsaPss(await publicJwk('RSA'))],
  ['explicit curve parameters', 'PUBLIC KEY', async () => shapes.spkiExplicitCurve(await publicJwk('P-256'))],
  ...curves.map((curve): [string, string, () => Promise<Bytes>] => [
    `a compressed point on ${curve}`,
    'PUBLIC KEY',
    async () => shapes.spkiCompressed(await publicJwk(curve)),
  ]),
]

/** Formats told by their armour alone; what is inside is not ours to read. */
const strangeLabels = ['OPENSSH PRIVATE KEY', 'DSA PRIVATE KEY', 'CERTIFICATE REQUEST', 'EC PARAMETERS']

const otherJwks: [string, () => Promise<unknown>][] = [
  ['a private EC key', () => privateJwk('P-256')],
  ['a private RSA key', () => privateJwk('RSA')],
  ['RSA with d alone', async () => ({ ...(await publicJwk('RSA')), d: (await privateJwk('RSA')).d })],
  ['the primes of an RSA key', async () => ({ ...(await privateJwk('RSA')), d: undefined })],
  ['a symmetric key', async () => ({ kty: 'oct', k: toBase64url(utf8(secret)) })],
  ['Ed25519', async () => ({ kty: 'OKP', crv: 'Ed25519', x: 'x'.repeat(43) })],
  ['secp256k1', async () => publicHalf(shapes.secp256k1Jwk())],
]

export const foreignPublicKeys: ConformanceModule = (suite, lib) => {
  for (const [title, label, der] of strangers) {
    suite.test(`recognized but unsupported: ${title}`, async () => {
      const bytes = await der()
      const pem = toPem(label, bytes)
      for (const publicKey of [pem, bytes, utf8(pem), toBase64(utf8(pem)), pem.replaceAll('\n', '\\n')]) {
        await rejects(() => createTestVerifier(lib, { publicKey }), 'ERR_KEY_FORMAT_UNSUPPORTED')
      }
    })
  }

  for (const label of strangeLabels) {
    suite.test(`recognized but unsupported: ${label}`, async () => {
      const publicKey = toPem(label, utf8('openssh-key-v1\u0000whatever it may be'))
      await rejects(() => createTestVerifier(lib, { publicKey }), 'ERR_KEY_FORMAT_UNSUPPORTED')
    })
  }

  suite.test('recognized but unsupported: an OpenSSH public key', async () => {
    for (const publicKey of ['ssh-rsa AAAAB3NzaC1yc2E= ada@host', 'ecdsa-sha2-nistp256 AAAAE2Vj ada@host']) {
      await rejects(() => createTestVerifier(lib, { publicKey }), 'ERR_KEY_FORMAT_UNSUPPORTED')
    }
  })

  for (const [title, make] of otherJwks) {
    suite.test(`JWK recognized but unsupported: ${title}`, async () => {
      const jwk = await make()
      for (const publicKey of [jwk, JSON.stringify(jwk)]) {
        await rejects(() => createLooseVerifier(lib, { publicKey }), 'ERR_KEY_FORMAT_UNSUPPORTED')
      }
    })
  }

  for (const [title, make] of [
    ['a public PEM', async () => shapes.publicPem(await publicJwk('RSA'))],
    ['its bytes', async () => utf8(shapes.publicPem(await publicJwk('RSA')))],
    [
      'a PEM with \\n',
      async () => shapes.publicPem(await publicJwk('P-256')).replaceAll('\n', '\\n'),
    ],
    ['a private PEM', async () => shapes.privatePem(await privateJwk('P-256'))],
    ['a certificate', async () => shapes.certificatePem(await publicJwk('RSA'))],
    ['a JWK', () => publicJwk('RSA')],
    ['JWK text', async () => JSON.stringify(await publicJwk('RSA'))],
    ['a symmetric JWK', async () => ({ kty: 'oct', k: toBase64url(utf8(secret)) })],
  ] as [string, () => Promise<unknown>][]) {
    suite.test(`not a secret: ${title}`, async () => {
      const material = await make()
      for (const allowShortSecret of [false, true]) {
        const options = { secret: material, allowShortSecret }
        await rejects(() => createLooseVerifier(lib, options), 'ERR_KEY_FORMAT_UNSUPPORTED')
      }
    })
  }
}

const jwkMisfits: [key: KeyName, members: Partial<Jwk>][] = [
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

export const misfitPublicKeys: ConformanceModule = (suite, lib) => {
  for (const [key, members] of jwkMisfits) {
    suite.test(`JWK of ${key} with ${JSON.stringify(members)}`, async () => {
      const jwk = { ...(await publicJwk(key)), ...members }
      for (const publicKey of [jwk, JSON.stringify(jwk)]) {
        await rejects(() => createTestVerifier(lib, { publicKey }), 'ERR_KEY_ALGORITHM_MISMATCH')
      }
    })
  }

  for (const algorithm of algorithms.filter((name) => !name.startsWith('HS'))) {
    suite.test(`CryptoKey of ${algorithm}: private, or without the usage`, async () => {
      const jwk = await privateJwk(keyNameFor(algorithm))
      const secretHalf = await importFor(algorithm, jwk, 'sign')
      await rejects(() => createTestVerifier(lib, { publicKey: secretHalf }), 'ERR_KEY_FORMAT_UNSUPPORTED')
      const working = await importFor(algorithm, publicHalf(jwk), 'verify')
      const publicKey = await crypto.subtle.importKey('jwk', publicHalf(jwk), working.algorithm, true, [])
      await rejects(() => createTestVerifier(lib, { publicKey }), 'ERR_KEY_ALGORITHM_MISMATCH')
    })
  }

  suite.test('CryptoKey: a secret as public key, and vice versa', async () => {
    const hmac = await importFor('HS256', secret, 'verify')
    const ecdsa = await importFor('ES256', await publicJwk('P-256'), 'verify')
    await rejects(() => createTestVerifier(lib, { publicKey: hmac }), 'ERR_KEY_FORMAT_UNSUPPORTED')
    await rejects(() => createTestVerifier(lib, { secret: ecdsa }), 'ERR_KEY_FORMAT_UNSUPPORTED')
  })

  suite.test('CryptoKey: an HMAC key that may only sign', async () => {
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
    for (const extractable of [true, false]) {
      const publicKey = await importFor(
        'RS256',
        publicHalf(unusualRsaJwk(1024, 65_537n)),
        'verify',
        extractable,
      )
      await rejects(() => createTestVerifier(lib, { publicKey }), 'ERR_KEY_WEAK')
    }
  })

  suite.test('weak: a CryptoKey of 2041 bits, where its modulus is known', async () => {
    const publicKey = await importFor('RS256', publicHalf(unusualRsaJwk(2041, 65_537n)), 'verify', true)
    await rejects(() => createTestVerifier(lib, { publicKey }), 'ERR_KEY_WEAK')
  })
}

export const brokenPublicKeys: ConformanceModule = (suite, lib) => {
  for (const curve of curves) {
    const damages: [string, (jwk: Jwk) => Jwk][] = [
      ['a point off the curve (x)', (jwk) => flipped(jwk, 'x')],
      ['a point off the curve (y)', (jwk) => flipped(jwk, 'y')],
      ['the point zero, zero', (jwk) => ({ ...jwk, x: padded(0n, jwk.x), y: padded(0n, jwk.y) })],
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

    suite.test(`${curve}: encodings that are not a point`, async () => {
      const jwk = await publicJwk(curve)
      const whole = shapes.spki(jwk).slice(curve === 'P-521' ? -133 : curve === 'P-384' ? -97 : -65)
      for (const point of [
        Uint8Array.of(0),
        new Uint8Array(),
        whole.slice(0, -1),
        concat(whole, Uint8Array.of(0)),
        whole.slice(1),
      ]) {
        const publicKey = shapes.spkiOfPoint(jwk, point)
        await rejects(() => createTestVerifier(lib, { publicKey }), 'ERR_KEY_INVALID')
      }
    })
  }

  const broken: [string, () => Promise<PublicKey>][] = [
    ['SPKI labelled PKCS#1', async () => toPem('RSA PUBLIC KEY', shapes.spki(await publicJwk('RSA')))],
    ['PKCS#1 labelled SPKI', async () => toPem('PUBLIC KEY', shapes.pkcs1Public(await publicJwk('RSA')))],
    ['SPKI labelled certificate', async () => toPem('CERTIFICATE', shapes.spki(await publicJwk('P-256')))],
    ['text', async () => 'correct horse battery staple'],
    ['one brace', async () => '{'],
    ['JSON that is not a key', async () => '{"key":"value"}'],
    ['noise', async () => new Uint8Array(64).fill(0x30)],
    ['no text', async () => ''],
    ['no bytes', async () => new Uint8Array()],
    ['armour around nothing', async () => '-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n'],
    ['armour around no base64', async () => '-----BEGIN PUBLIC KEY-----\n$$$$\n-----END PUBLIC KEY-----\n'],
    ['armour without end', async () => (await ecPem()).split('-----END')[0] ?? ''],
    [
      'armour that ends as something else',
      async () => (await ecPem()).replace('END PUBLIC', 'END RSA PUBLIC'),
    ],
    ['a line missing', async () => (await ecPem()).split('\n').toSpliced(1, 1).join('\n')],
    ['DER cut short', async () => shapes.spki(await publicJwk('P-256')).slice(0, -1)],
    [
      'DER with a byte too many',
      async () => concat(shapes.spki(await publicJwk('RSA')), Uint8Array.of(0)),
    ],
    ['JWK without x', async () => jwkWith('P-256', { x: undefined })],
    ['JWK without y', async () => jwkWith('P-256', { y: undefined })],
    ['JWK with x that is not base64url', async () => jwkWith('P-256', { x: '$'.repeat(43) })],
    ['JWK with x too long', async () => jwkWith('P-256', { x: 'z'.repeat(86) })],
    ['JWK on the wrong curve', async () => jwkWith('P-256', { crv: 'P-384' })],
    ['JWK without curve', async () => jwkWith('P-256', { crv: undefined })],
    ['JWK without kty', async () => jwkWith('RSA', { kty: undefined })],
    ['JWK without n', async () => jwkWith('RSA', { n: undefined })],
    ['JWK without e', async () => jwkWith('RSA', { e: undefined })],
    ['JWK with a numeric n', async () => jwkWith('RSA', { n: 7 })],
    ['JWK with a numeric alg', async () => jwkWith('RSA', { alg: 256 })],
  ]
  for (const [title, make] of broken) {
    suite.test(`broken: ${title}`, async () => {
      const publicKey = await make()
      await rejects(() => createTestVerifier(lib, { publicKey }), 'ERR_KEY_INVALID')
    })
  }

  async function ecPem(): Promise<string> {
    return shapes.publicPem(await publicJwk('P-256'))
  }

  async function jwkWith(key: KeyName, members: Record<string, unknown>): Promise<Jwk> {
    return { ...(await publicJwk(key)), ...members } as Jwk
  }
}
