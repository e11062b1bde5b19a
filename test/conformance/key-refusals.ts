import type { SignerOptions } from '../../src/index.ts'
import type { Bytes } from './der.ts'
import { concat } from './der.ts'
import { toPem, toBase64, utf8 } from './encoding.ts'
import * as shapes from './key-shapes.ts'
import { privateJwk, publicJwk } from './keys.ts'
import type { ConformanceModule } from './suite.ts'
import { assert, rejects } from './suite.ts'
import { createLooseSigner, createTestSigner } from './tokens.ts'

type PrivateKey = NonNullable<SignerOptions['privateKey']>

interface Stranger {
  title: string
  label: string
  der: () => Bytes | Promise<Bytes>
}

const strangers: Stranger[] = [
  { title: 'encrypted PKCS#8', label: 'ENCRYPTED PRIVATE KEY', der: shapes.encryptedPkcs8 },
  { title: 'Ed25519', label: 'PRIVATE KEY', der: shapes.pkcs8Ed25519 },
  { title: 'DSA', label: 'PRIVATE KEY', der: shapes.pkcs8Dsa },
  { title: 'secp256k1', label: 'PRIVATE KEY', der: () => shapes.pkcs8(shapes.secp256k1Jwk()) },
  { title: 'secp256k1 as SEC1', label: 'EC PRIVATE KEY', der: () => shapes.sec1(shapes.secp256k1Jwk()) },
  { title: 'RSA-PSS', label: 'PRIVATE KEY', der: async () => shapes.pkcs8RsaPss(await privateJwk('RSA')) },
  {
    title: 'explicit curve parameters',
    label: 'PRIVATE KEY',
    der: async () => shapes.pkcs8ExplicitCurve(await privateJwk('P-256')),
  },
  {
    title: 'explicit curve parameters as SEC1',
    label: 'EC PRIVATE KEY',
    der: async () => shapes.sec1ExplicitCurve(await privateJwk('P-256')),
  },
  { title: 'a public EC key', label: 'PUBLIC KEY', der: async () => shapes.spki(await publicJwk('P-256')) },
  { title: 'a public RSA key', label: 'PUBLIC KEY', der: async () => shapes.spki(await publicJwk('RSA')) },
  {
    title: 'a PKCS#1 public key',
    label: 'RSA PUBLIC KEY',
    der: async () => shapes.pkcs1Public(await publicJwk('RSA')),
  },
  {
    title: 'a certificate',
    label: 'CERTIFICATE',
    der: async () => shapes.certificate(await publicJwk('P-256')),
  },
]

/** Formats told by their armour alone; what is inside is not ours to read. */
const strangeLabels = ['OPENSSH PRIVATE KEY', 'DSA PRIVATE KEY', 'CERTIFICATE REQUEST', 'EC PARAMETERS']

export const foreignKeys: ConformanceModule = (suite, lib) => {
  for (const { title, label, der } of strangers) {
    suite.test(`recognized but unsupported: ${title}`, async () => {
      const bytes = await der()
      const pem = toPem(label, bytes)
      for (const privateKey of [pem, bytes, utf8(pem), toBase64(utf8(pem)), pem.replaceAll('\n', '\\n')]) {
        await rejects(() => createTestSigner(lib, { privateKey }), 'ERR_KEY_FORMAT_UNSUPPORTED')
      }
    })
  }

  for (const label of strangeLabels) {
    suite.test(`recognized but unsupported: ${label}`, async () => {
      const privateKey = toPem(label, utf8('openssh-key-v1\u0000whatever it may be'))
      await rejects(() => createTestSigner(lib, { privateKey }), 'ERR_KEY_FORMAT_UNSUPPORTED')
    })
  }

  suite.test('recognized but unsupported: the encryption of old OpenSSL', async () => {
    const legacy = toPem('RSA PRIVATE KEY', shapes.encryptedPkcs8()).replace(
      '\n',
      '\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00112233445566778899AABBCCDDEEFF\n\n',
    )
    for (const privateKey of [legacy, legacy.replaceAll('\n', '\\n'), legacy.replaceAll('\n', '\r\n')]) {
      await rejects(() => createTestSigner(lib, { privateKey }), 'ERR_KEY_FORMAT_UNSUPPORTED')
    }
  })

  suite.test('the message names what was found', async () => {
    const privateKey = toPem('ENCRYPTED PRIVATE KEY', shapes.encryptedPkcs8())
    const error = await rejects(() => createTestSigner(lib, { privateKey }), 'ERR_KEY_FORMAT_UNSUPPORTED')
    assert(/encrypted/i.test(error.message), error.message)
  })
}

export const keysAsSecret: ConformanceModule = (suite, lib) => {
  const refused: [string, () => Promise<unknown>][] = [
    ['a private PEM', async () => shapes.privatePem(await privateJwk('P-256'))],
    ['a SEC1 PEM', async () => toPem('EC PRIVATE KEY', shapes.sec1(await privateJwk('P-256')))],
    ['a public PEM', async () => shapes.publicPem(await publicJwk('RSA'))],
    ['a PKCS#1 public PEM', async () => toPem('RSA PUBLIC KEY', shapes.pkcs1Public(await publicJwk('RSA')))],
    ['a certificate', async () => shapes.certificatePem(await publicJwk('P-256'))],
    ['a PEM in quotes', async () => `"${shapes.publicPem(await publicJwk('RSA'))}"`],
    [
      'a PEM with \\n',
      async () => shapes.publicPem(await publicJwk('RSA')).replaceAll('\n', '\\n'),
    ],
    [
      'a PEM below other text',
      async () => `key:\n${shapes.publicPem(await publicJwk('RSA'))}`,
    ],
    ['DER of a public key', async () => shapes.spki(await publicJwk('RSA'))],
    ['DER of a private key', async () => shapes.pkcs8(await privateJwk('P-256'))],
    ['DER of a certificate', async () => shapes.certificate(await publicJwk('P-256'))],
    ['JWK text', async () => JSON.stringify(await privateJwk('P-256'))],
    ['public JWK text', async () => JSON.stringify(await publicJwk('RSA'))],
    ['symmetric JWK text', async () => JSON.stringify({ kty: 'oct', k: 'x'.repeat(86) })],
    ['a JWK', () => privateJwk('P-256')],
    ['a public JWK', () => publicJwk('RSA')],
    ['a symmetric JWK', async () => ({ kty: 'oct', k: 'x'.repeat(86) })],
  ]

  for (const [title, make] of refused) {
    suite.test(`not a secret: ${title}`, async () => {
      const secret = await make()
      await rejects(() => createLooseSigner(lib, { secret }), 'ERR_KEY_FORMAT_UNSUPPORTED')
      await rejects(
        () => createLooseSigner(lib, { secret, allowShortSecret: true }),
        'ERR_KEY_FORMAT_UNSUPPORTED',
      )
    })
  }
}

/** workerd’s importer is content with some of these; the answer must not depend on where the code runs. */
export const brokenKeys: ConformanceModule = (suite, lib) => {
  const broken: [string, () => Promise<PrivateKey>][] = [
    [
      'PKCS#8 under the label of PKCS#1',
      async () => toPem('RSA PRIVATE KEY', shapes.pkcs8(await privateJwk('RSA'))),
    ],
    [
      'PKCS#1 under the label of PKCS#8',
      async () => toPem('PRIVATE KEY', shapes.pkcs1(await privateJwk('RSA'))),
    ],
    [
      'PKCS#8 under the label of SEC1',
      async () => toPem('EC PRIVATE KEY', shapes.pkcs8(await privateJwk('P-256'))),
    ],
    [
      'SEC1 under the label of PKCS#8',
      async () => toPem('PRIVATE KEY', shapes.sec1(await privateJwk('P-256'))),
    ],
    [
      'SEC1 under the label of PKCS#1',
      async () => toPem('RSA PRIVATE KEY', shapes.sec1(await privateJwk('P-256'))),
    ],
    [
      'PKCS#1 under the label of SEC1',
      async () => toPem('EC PRIVATE KEY', shapes.pkcs1(await privateJwk('RSA'))),
    ],
    ['SEC1 that names no curve', async () => shapes.sec1(await privateJwk('P-256'), { parameters: false })],
    ['text', async () => 'correct horse battery staple'],
    ['one brace', async () => '{'],
    ['JSON that is not a key', async () => '{"key":"value"}'],
    ['noise', async () => new Uint8Array(64).fill(0x30)],
    ['armour around nothing', async () => '-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n'],
    ['armour around no base64', async () => '-----BEGIN PRIVATE KEY-----\n$$$$\n-----END PRIVATE KEY-----\n'],
    ['armour around an empty sequence', async () => toPem('PRIVATE KEY', Uint8Array.of(0x30, 0))],
    ['armour without end', async () => (await ecPem()).split('-----END')[0] ?? ''],
    ['armour without begin', async () => (await ecPem()).split('KEY-----\n')[1] ?? ''],
    [
      'armour that ends as something else',
      async () => (await ecPem()).replace('END PRIVATE', 'END RSA PRIVATE'),
    ],
    ['a line missing', async () => (await ecPem()).split('\n').toSpliced(1, 1).join('\n')],
  ]

  for (const [title, make] of broken) {
    suite.test(`broken: ${title}`, async () => {
      const privateKey = await make()
      await rejects(() => createTestSigner(lib, { privateKey }), 'ERR_KEY_INVALID')
    })
  }

  const wholes: [string, string, () => Promise<Bytes>][] = [
    ['PKCS#8 of EC', 'PRIVATE KEY', async () => shapes.pkcs8(await privateJwk('P-256'))],
    ['PKCS#8 of RSA', 'PRIVATE KEY', async () => shapes.pkcs8(await privateJwk('RSA'))],
    ['SEC1', 'EC PRIVATE KEY', async () => shapes.sec1(await privateJwk('P-256'))],
    ['PKCS#1', 'RSA PRIVATE KEY', async () => shapes.pkcs1(await privateJwk('RSA'))],
  ]

  for (const [title, label, make] of wholes) {
    suite.test(`broken: ${title} with bytes after it`, async () => {
      for (const tail of [Uint8Array.of(0), Uint8Array.of(0x30, 0), new Uint8Array(100)]) {
        const der = concat(await make(), tail)
        await rejects(() => createTestSigner(lib, { privateKey: der }), 'ERR_KEY_INVALID')
        await rejects(() => createTestSigner(lib, { privateKey: toPem(label, der) }), 'ERR_KEY_INVALID')
      }
    })

    suite.test(`broken: ${title} cut short`, async () => {
      const der = await make()
      for (const length of [1, 2, 5, der.length >> 1, der.length - 1]) {
        const privateKey = toPem(label, der.slice(0, length))
        await rejects(() => createTestSigner(lib, { privateKey }), 'ERR_KEY_INVALID')
      }
    })

    suite.test(`broken: ${title} in BER of indefinite length`, async () => {
      const der = await make()
      const header = (der[1] ?? 0) < 0x80 ? 2 : 2 + ((der[1] ?? 0) & 0x7f)
      const ber = concat(Uint8Array.of(0x30, 0x80), der.slice(header), Uint8Array.of(0, 0))
      await rejects(() => createTestSigner(lib, { privateKey: toPem(label, ber) }), 'ERR_KEY_INVALID')
    })
  }

  async function ecPem(): Promise<string> {
    return shapes.privatePem(await privateJwk('P-256'))
  }
}
