import type { Bytes } from './der.ts'
import { concat } from './der.ts'
import { toBase64, toBase64url, toPem, utf8 } from './encoding.ts'
import * as shapes from './key-shapes.ts'
import type { TestKeys } from './keys.ts'
import { publicHalf, testKeys } from './keys.ts'
import type { ConformanceModule } from './suite.ts'
import { assert, rejects } from './suite.ts'
import { createLooseVerifier, createTestVerifier } from './token-fixtures.ts'
import { createLooseSigner, createTestSigner, secret } from './tokens.ts'

const unsupported: [title: string, label: string, der: (keys: TestKeys) => Bytes][] = [
  ['encrypted PKCS#8', 'ENCRYPTED PRIVATE KEY', shapes.encryptedPkcs8],
  ['Ed25519', 'PRIVATE KEY', shapes.pkcs8Ed25519],
  ['DSA', 'PRIVATE KEY', shapes.pkcs8Dsa],
  ['secp256k1', 'PRIVATE KEY', () => shapes.pkcs8(shapes.secp256k1Jwk())],
  ['secp256k1 as SEC1', 'EC PRIVATE KEY', () => shapes.sec1(shapes.secp256k1Jwk())],
  ['RSA-PSS', 'PRIVATE KEY', ({ rsa }) => shapes.pkcs8RsaPss(rsa)],
  ['explicit curve parameters', 'PRIVATE KEY', ({ ec }) => shapes.pkcs8ExplicitCurve(ec)],
  ['explicit curve parameters as SEC1', 'EC PRIVATE KEY', ({ ec }) => shapes.sec1ExplicitCurve(ec)],
  ['a public EC key', 'PUBLIC KEY', ({ ec }) => shapes.spki(ec)],
  ['a public RSA key', 'PUBLIC KEY', ({ rsa }) => shapes.spki(rsa)],
  ['a PKCS#1 public key', 'RSA PUBLIC KEY', ({ rsa }) => shapes.pkcs1Public(rsa)],
  ['a certificate', 'CERTIFICATE', ({ ec }) => shapes.certificate(ec)],
]

/** Formats recognized by their PEM label alone. */
const unsupportedLabels = ['OPENSSH PRIVATE KEY', 'DSA PRIVATE KEY', 'CERTIFICATE REQUEST', 'EC PARAMETERS']

export const unsupportedKeys: ConformanceModule = (suite, lib) => {
  for (const [title, label, write] of unsupported) {
    suite.test(`recognized but unsupported: ${title}`, async () => {
      const der = write(await testKeys())
      const pem = toPem(label, der)
      for (const privateKey of [pem, der, utf8(pem), toBase64(utf8(pem)), pem.replaceAll('\n', '\\n')]) {
        await rejects(() => createTestSigner(lib, { privateKey }), 'ERR_KEY_FORMAT_UNSUPPORTED')
      }
    })
  }

  for (const label of unsupportedLabels) {
    suite.test(`recognized but unsupported: ${label}, as private and as public key`, async () => {
      const pem = toPem(label, utf8('openssh-key-v1\u0000filler'))
      await rejects(() => createTestSigner(lib, { privateKey: pem }), 'ERR_KEY_FORMAT_UNSUPPORTED')
      await rejects(() => createTestVerifier(lib, { publicKey: pem }), 'ERR_KEY_FORMAT_UNSUPPORTED')
    })
  }

  suite.test('recognized but unsupported: a PEM encrypted by OpenSSL before PKCS#8', async () => {
    const legacy = toPem('RSA PRIVATE KEY', shapes.encryptedPkcs8()).replace(
      '\n',
      '\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00112233445566778899AABBCCDDEEFF\n\n',
    )
    for (const privateKey of [legacy, legacy.replaceAll('\n', '\\n'), legacy.replaceAll('\n', '\r\n')]) {
      await rejects(() => createTestSigner(lib, { privateKey }), 'ERR_KEY_FORMAT_UNSUPPORTED')
    }
  })

  suite.test('the message names the format', async () => {
    const privateKey = toPem('ENCRYPTED PRIVATE KEY', shapes.encryptedPkcs8())
    const error = await rejects(() => createTestSigner(lib, { privateKey }), 'ERR_KEY_FORMAT_UNSUPPORTED')
    assert(/encrypted/i.test(error.message), error.message)
  })
}

/** RFC 8725 section 2.1: with a public key as secret, anyone could sign. */
export const keysAsSecret: ConformanceModule = (suite, lib) => {
  const keys: [title: string, write: (keys: TestKeys) => unknown][] = [
    ['a private PEM', ({ ec }) => shapes.privatePem(ec)],
    ['a SEC1 PEM', ({ ec }) => toPem('EC PRIVATE KEY', shapes.sec1(ec))],
    ['a public PEM', ({ rsa }) => shapes.publicPem(rsa)],
    ['a public PEM as bytes', ({ rsa }) => utf8(shapes.publicPem(rsa))],
    ['a PKCS#1 public PEM', ({ rsa }) => toPem('RSA PUBLIC KEY', shapes.pkcs1Public(rsa))],
    ['an EC certificate', ({ ec }) => shapes.certificatePem(ec)],
    ['an RSA certificate', ({ rsa }) => shapes.certificatePem(rsa)],
    ['a PEM in quotes', ({ rsa }) => `"${shapes.publicPem(rsa)}"`],
    ['an RSA PEM with \\n', ({ rsa }) => shapes.publicPem(rsa).replaceAll('\n', '\\n')],
    ['an EC PEM with \\n', ({ ec }) => shapes.publicPem(ec).replaceAll('\n', '\\n')],
    ['a PEM after other text', ({ rsa }) => `key:\n${shapes.publicPem(rsa)}`],
    ['DER of a public key', ({ rsa }) => shapes.spki(rsa)],
    ['DER of a private key', ({ ec }) => shapes.pkcs8(ec)],
    ['DER of a certificate', ({ ec }) => shapes.certificate(ec)],
    ['JWK text', ({ ec }) => JSON.stringify(ec)],
    ['public JWK text', ({ rsa }) => JSON.stringify(publicHalf(rsa))],
    ['symmetric JWK text', () => JSON.stringify({ kty: 'oct', k: toBase64url(utf8(secret)) })],
    ['a JWK', ({ ec }) => ec],
    ['a public JWK', ({ rsa }) => publicHalf(rsa)],
    ['a symmetric JWK', () => ({ kty: 'oct', k: toBase64url(utf8(secret)) })],
  ]
  for (const [title, write] of keys) {
    suite.test(`not a secret, to sign or to verify: ${title}`, async () => {
      const key = write(await testKeys())
      for (const allowShortSecret of [false, true]) {
        const options = { secret: key, allowShortSecret }
        await rejects(() => createLooseSigner(lib, options), 'ERR_KEY_FORMAT_UNSUPPORTED')
        await rejects(() => createLooseVerifier(lib, options), 'ERR_KEY_FORMAT_UNSUPPORTED')
      }
    })
  }
}

/** The importer of workerd accepts some of these; ours must reject them everywhere. */
export const brokenKeys: ConformanceModule = (suite, lib) => {
  const broken: [title: string, write: (keys: TestKeys) => string | Bytes][] = [
    ['PKCS#8 labelled PKCS#1', ({ rsa }) => toPem('RSA PRIVATE KEY', shapes.pkcs8(rsa))],
    ['PKCS#1 labelled PKCS#8', ({ rsa }) => toPem('PRIVATE KEY', shapes.pkcs1(rsa))],
    ['PKCS#8 labelled SEC1', ({ ec }) => toPem('EC PRIVATE KEY', shapes.pkcs8(ec))],
    ['SEC1 labelled PKCS#8', ({ ec }) => toPem('PRIVATE KEY', shapes.sec1(ec))],
    ['SEC1 labelled PKCS#1', ({ ec }) => toPem('RSA PRIVATE KEY', shapes.sec1(ec))],
    ['PKCS#1 labelled SEC1', ({ rsa }) => toPem('EC PRIVATE KEY', shapes.pkcs1(rsa))],
    ['SEC1 without a curve', ({ ec }) => shapes.sec1(ec, { parameters: false })],
    ['text', () => 'correct horse battery staple'],
    ['one brace', () => '{'],
    ['JSON that is not a key', () => '{"key":"value"}'],
    ['random bytes', () => new Uint8Array(64).fill(0x30)],
    ['an empty sequence', () => Uint8Array.of(0x30, 0)],
    ['a PEM without content', () => '-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n'],
    ['a PEM that is not base64', () => '-----BEGIN PRIVATE KEY-----\n$$$$\n-----END PRIVATE KEY-----\n'],
    ['a PEM of an empty sequence', () => toPem('PRIVATE KEY', Uint8Array.of(0x30, 0))],
    ['a PEM without its last line', ({ ec }) => shapes.privatePem(ec).split('-----END')[0] ?? ''],
    ['a PEM without its first line', ({ ec }) => shapes.privatePem(ec).split('KEY-----\n')[1] ?? ''],
    ['a PEM with two labels', ({ ec }) => shapes.privatePem(ec).replace('END PRIVATE', 'END RSA PRIVATE')],
    ['a PEM with a line missing', ({ ec }) => shapes.privatePem(ec).split('\n').toSpliced(1, 1).join('\n')],
  ]
  for (const [title, write] of broken) {
    suite.test(`broken: ${title}`, async () => {
      const privateKey = write(await testKeys())
      await rejects(() => createTestSigner(lib, { privateKey }), 'ERR_KEY_INVALID')
    })
  }

  const containers: [title: string, label: string, write: (keys: TestKeys) => Bytes][] = [
    ['PKCS#8 of EC', 'PRIVATE KEY', ({ ec }) => shapes.pkcs8(ec)],
    ['PKCS#8 of RSA', 'PRIVATE KEY', ({ rsa }) => shapes.pkcs8(rsa)],
    ['SEC1', 'EC PRIVATE KEY', ({ ec }) => shapes.sec1(ec)],
    ['PKCS#1', 'RSA PRIVATE KEY', ({ rsa }) => shapes.pkcs1(rsa)],
  ]
  for (const [title, label, write] of containers) {
    suite.test(`broken: ${title} with bytes after it`, async () => {
      for (const tail of [Uint8Array.of(0), Uint8Array.of(0x30, 0), new Uint8Array(100)]) {
        const der = concat(write(await testKeys()), tail)
        await rejects(() => createTestSigner(lib, { privateKey: der }), 'ERR_KEY_INVALID')
        await rejects(() => createTestSigner(lib, { privateKey: toPem(label, der) }), 'ERR_KEY_INVALID')
      }
    })

    suite.test(`broken: ${title}, truncated`, async () => {
      const der = write(await testKeys())
      for (const length of [1, 2, 5, der.length >> 1, der.length - 1]) {
        const privateKey = toPem(label, der.slice(0, length))
        await rejects(() => createTestSigner(lib, { privateKey }), 'ERR_KEY_INVALID')
      }
    })

    suite.test(`broken: ${title} in BER of indefinite length`, async () => {
      const der = write(await testKeys())
      const header = (der[1] ?? 0) < 0x80 ? 2 : 2 + ((der[1] ?? 0) & 0x7f)
      const ber = concat(Uint8Array.of(0x30, 0x80), der.slice(header), Uint8Array.of(0, 0))
      await rejects(() => createTestSigner(lib, { privateKey: toPem(label, ber) }), 'ERR_KEY_INVALID')
    })
  }
}
