import type { Algorithm, SignerOptions } from '../../src/index.ts'
import type { Bytes } from './der.ts'
import { toBase64, toPem, utf8 } from './encoding.ts'
import { refusesWithoutPoint } from './gaps.ts'
import * as shapes from './key-shapes.ts'
import type { Curve, Jwk, KeyName } from './keys.ts'
import { privateJwk, publicHalf } from './keys.ts'
import type { ConformanceModule, Library, Suite } from './suite.ts'
import { assert, equal } from './suite.ts'
import { createTestSigner, customer, verifies } from './tokens.ts'

type PrivateKey = NonNullable<SignerOptions['privateKey']>

/** A key format, with the key to write in it and the algorithm that the key must get. */
export interface Container {
  title: string
  key: KeyName
  algorithm: Algorithm
  label: string
  der: (jwk: Jwk) => Bytes
}

/** The signer must use the same key in every format: the original key verifies its tokens. */
async function signsAs(lib: Library, privateKey: PrivateKey, jwk: Jwk, algorithm: Algorithm): Promise<void> {
  const signer = await createTestSigner(lib, { privateKey })
  equal(signer.algorithm, algorithm)
  const { token } = await signer.signCustomerToken(customer)
  assert(await verifies(token, algorithm, publicHalf(jwk)), 'the token is signed with another key')
}

const curves = [
  ['P-256', 'ES256'],
  ['P-384', 'ES384'],
  ['P-521', 'ES512'],
] as const

const rsa = { key: 'RSA', algorithm: 'RS256' } as const
const pkcs8 = ['PRIVATE KEY', shapes.pkcs8] as const
const sec1 = ['EC PRIVATE KEY', shapes.sec1] as const

const ecFormats = [
  ['PKCS#8', ...pkcs8, {}],
  ['PKCS#8 with the curve twice', ...pkcs8, { parameters: true }],
  ['PKCS#8 without public key', ...pkcs8, { publicKey: 'none' }],
  ['PKCS#8 with compressed public key', ...pkcs8, { publicKey: 'compressed' }],
  ['SEC1', ...sec1, {}],
  ['SEC1 without public key', ...sec1, { publicKey: 'none' }],
  ['SEC1 with compressed public key', ...sec1, { publicKey: 'compressed' }],
] as const

/** `lacksPoint`: the runtime must compute the public point. */
const containers: (Container & { lacksPoint?: boolean })[] = [
  ...curves.flatMap(([key, algorithm]) =>
    ecFormats.map(([format, label, write, shape]) => ({
      ...{ title: `${key} in ${format}`, key, algorithm, label },
      der: (jwk: Jwk) => write(jwk, shape),
      lacksPoint: 'publicKey' in shape,
    })),
  ),
  { ...rsa, title: 'RSA in PKCS#8', label: 'PRIVATE KEY', der: shapes.pkcs8 },
  {
    ...rsa,
    title: 'RSA in PKCS#8 with attributes',
    label: 'PRIVATE KEY',
    der: shapes.pkcs8RsaWithAttributes,
  },
  { ...rsa, title: 'RSA in PKCS#1', label: 'RSA PRIVATE KEY', der: shapes.pkcs1 },
]

export const keyContainers: ConformanceModule = (suite, lib) => {
  for (const { title, key, label, algorithm, der, lacksPoint } of containers) {
    const encodings = { PEM: (jwk: Jwk) => toPem(label, der(jwk)), DER: der }
    for (const [encoding, encode] of Object.entries(encodings)) {
      suite.test(`${title} as ${encoding}`, async () => {
        const jwk = await privateJwk(key)
        const privateKey = encode(jwk)
        if (lacksPoint && (await refusesWithoutPoint(lib, key as Curve, privateKey))) return
        await signsAs(lib, privateKey, jwk, algorithm)
      })
    }
  }

  for (const [key, algorithm] of [...curves, ['RSA', 'RS256'] as const]) {
    suite.test(`JWK of ${key}, as object and as text`, async () => {
      const jwk = await privateJwk(key)
      await signsAs(lib, jwk, jwk, algorithm)
      await signsAs(lib, JSON.stringify(jwk), jwk, algorithm)
      await signsAs(lib, `\n${JSON.stringify(jwk, null, 2)}\n`, jwk, algorithm)
    })
  }

  suite.test('DER in a view of a larger buffer', async () => {
    const jwk = await privateJwk('P-256')
    const der = shapes.pkcs8(jwk)
    const buffer = new Uint8Array(der.length + 64).fill(0xff)
    buffer.set(der, 32)
    await signsAs(lib, buffer.subarray(32, 32 + der.length), jwk, 'ES256')
  })
}

/** What environment variables, dashboards, mail and copying do to a PEM. */
const variants: [string, (pem: string) => string][] = [
  ['unchanged', (pem) => pem],
  ['no line break at the end', (pem) => pem.trim()],
  ['CRLF', (pem) => pem.replaceAll('\n', '\r\n')],
  ['CR alone', (pem) => pem.replaceAll('\n', '\r')],
  ['no line breaks at all', (pem) => pem.replaceAll('\n', '')],
  ['spaces for line breaks', (pem) => pem.replaceAll('\n', ' ')],
  ['an empty line after each line', (pem) => pem.replaceAll('\n', '\n\n')],
  ['indented lines', (pem) => pem.replaceAll('\n', '\n    ')],
  ['spaces at the ends of lines', (pem) => pem.replaceAll('\n', '  \t\n')],
  ['white space around it', (pem) => `  \n\t ${pem} \n `],
  ['double quotes', (pem) => `"${pem}"`],
  ['single quotes', (pem) => `'${pem}'`],
  ['quotes and spaces around them', (pem) => ` "${pem}" \n`],
  ['literal \\n', (pem) => pem.replaceAll('\n', '\\n')],
  ['literal \\\\n', (pem) => pem.replaceAll('\n', '\\\\n')],
  ['literal \\r\\n', (pem) => pem.replaceAll('\n', '\\r\\n')],
  ['literal \\n in double quotes', (pem) => `"${pem.replaceAll('\n', '\\n')}"`],
  ['literal \\n before real line breaks', (pem) => pem.replaceAll('\n', '\\n\n')],
  ['a BOM', (pem) => `\ufeff${pem}`],
  ['a BOM and CRLF', (pem) => `\ufeff${pem.replaceAll('\n', '\r\n')}`],
  ['base64-encoded again', (pem) => toBase64(utf8(pem))],
  ['base64-encoded again, in lines', (pem) => (toBase64(utf8(pem)).match(/.{1,76}/g) ?? []).join('\n')],
  ['base64-encoded again, in quotes', (pem) => `"${toBase64(utf8(pem))}"`],
  [
    'bag attributes before it',
    (pem) => `Bag Attributes\n    localKeyID: 01 02\nKey Attributes: <No Attributes>\n${pem}`,
  ],
  ['an explanation after it', (pem) => `${pem}\nKeep this to yourself.\n`],
]

/** Tests every variant of a container's PEM, as text and as bytes. */
export function testPemVariants(
  { test }: Suite,
  { title, key, label, der }: Container,
  check: (pem: string | Bytes, jwk: Jwk) => Promise<void>,
): void {
  for (const [variant, change] of variants) {
    test(`${title}: ${variant}`, async () => {
      const jwk = await privateJwk(key)
      const pem = change(toPem(label, der(jwk)))
      await check(pem, jwk)
      await check(utf8(pem), jwk)
    })
  }

  for (const width of [1, 63, 76, 10_000]) {
    test(`${title}: lines of ${width} characters`, async () => {
      const jwk = await privateJwk(key)
      await check(toPem(label, der(jwk), '\n', width), jwk)
    })
  }
}

export const pemVariants: ConformanceModule = (suite, lib) => {
  const titles = ['P-256 in PKCS#8', 'P-521 in SEC1', 'RSA in PKCS#1']
  for (const container of containers.filter(({ title }) => titles.includes(title))) {
    testPemVariants(suite, container, (pem, jwk) => signsAs(lib, pem, jwk, container.algorithm))
  }

  for (const [key, algorithm] of curves) {
    suite.test(`SEC1 of ${key} after its EC PARAMETERS`, async () => {
      const jwk = await privateJwk(key)
      const both =
        toPem('EC PARAMETERS', shapes.ecParameters(jwk)) + toPem('EC PRIVATE KEY', shapes.sec1(jwk))
      for (const [, change] of variants) await signsAs(lib, change(both), jwk, algorithm)
    })
  }
}
