import type { Algorithm, SignerOptions } from '../../src/index.ts'
import type { Bytes } from './der.ts'
import { toPem, toBase64, utf8 } from './encoding.ts'
import { refusesWithoutPoint } from './gaps.ts'
import * as shapes from './key-shapes.ts'
import type { Curve, Jwk, KeyName } from './keys.ts'
import { privateJwk, publicHalf } from './keys.ts'
import type { ConformanceModule, Library } from './suite.ts'
import { assert, equal } from './suite.ts'
import { createTestSigner, customer, verifies } from './tokens.ts'

type PrivateKey = NonNullable<SignerOptions['privateKey']>

/** One and the same key must come out, whatever it was wrapped in: so each token is verified by the original. */
async function signsAs(lib: Library, privateKey: PrivateKey, jwk: Jwk, algorithm: Algorithm): Promise<void> {
  const signer = await createTestSigner(lib, { privateKey })
  equal(signer.algorithm, algorithm)
  const { token } = await signer.signCustomerToken(customer)
  assert(await verifies(token, algorithm, publicHalf(jwk)), 'the token is signed with another key')
}

interface Container {
  title: string
  key: KeyName
  label: string
  algorithm: Algorithm
  der: (jwk: Jwk) => Bytes
  /** Without the public point, or with half of it. */
  isPointless?: true
}

const curves = [
  ['P-256', 'ES256'],
  ['P-384', 'ES384'],
  ['P-521', 'ES512'],
] as const

const rsa = { key: 'RSA', algorithm: 'RS256' } as const

const containers: Container[] = [
  ...curves.flatMap(([key, algorithm]): Container[] => {
    const pkcs8 = { key, algorithm, label: 'PRIVATE KEY' }
    const sec1 = { key, algorithm, label: 'EC PRIVATE KEY' }
    return [
      { ...pkcs8, title: `PKCS#8 of ${key}`, der: shapes.pkcs8 },
      {
        ...pkcs8,
        title: `PKCS#8 of ${key} with the curve twice`,
        der: (jwk) => shapes.pkcs8(jwk, { parameters: true }),
      },
      {
        ...pkcs8,
        title: `PKCS#8 of ${key} without public key`,
        der: (jwk) => shapes.pkcs8(jwk, { publicKey: 'none' }),
        isPointless: true,
      },
      {
        ...pkcs8,
        title: `PKCS#8 of ${key} with compressed public key`,
        der: (jwk) => shapes.pkcs8(jwk, { publicKey: 'compressed' }),
        isPointless: true,
      },
      { ...sec1, title: `SEC1 of ${key}`, der: shapes.sec1 },
      {
        ...sec1,
        title: `SEC1 of ${key} without public key`,
        der: (jwk) => shapes.sec1(jwk, { publicKey: 'none' }),
        isPointless: true,
      },
      {
        ...sec1,
        title: `SEC1 of ${key} with compressed public key`,
        der: (jwk) => shapes.sec1(jwk, { publicKey: 'compressed' }),
        isPointless: true,
      },
    ]
  }),
  { ...rsa, title: 'PKCS#8 of RSA', label: 'PRIVATE KEY', der: shapes.pkcs8 },
  {
    ...rsa,
    title: 'PKCS#8 of RSA with attributes',
    label: 'PRIVATE KEY',
    der: shapes.pkcs8RsaWithAttributes,
  },
  { ...rsa, title: 'PKCS#1', label: 'RSA PRIVATE KEY', der: shapes.pkcs1 },
]

export const keyContainers: ConformanceModule = (suite, lib) => {
  for (const { title, key, label, algorithm, der, isPointless } of containers) {
    const wrappings = { PEM: (jwk: Jwk) => toPem(label, der(jwk)), DER: der }
    for (const [form, wrap] of Object.entries(wrappings)) {
      suite.test(`${title} as ${form}`, async () => {
        const jwk = await privateJwk(key)
        const privateKey = wrap(jwk)
        if (isPointless && (await refusesWithoutPoint(lib, key as Curve, privateKey))) return
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

/** What environment variables, dashboards, mail and copy-paste do to a PEM. */
export const manglings: [string, (pem: string) => string][] = [
  ['as it should be', (pem) => pem],
  ['no line break at the end', (pem) => pem.trim()],
  ['CRLF', (pem) => pem.replaceAll('\n', '\r\n')],
  ['CR alone', (pem) => pem.replaceAll('\n', '\r')],
  ['no line breaks at all', (pem) => pem.replaceAll('\n', '')],
  ['spaces for line breaks', (pem) => pem.replaceAll('\n', ' ')],
  ['an empty line between all lines', (pem) => pem.replaceAll('\n', '\n\n')],
  ['indented lines', (pem) => pem.replaceAll('\n', '\n    ')],
  ['spaces at the ends of lines', (pem) => pem.replaceAll('\n', '  \t\n')],
  ['spaces around', (pem) => `  \n\t ${pem} \n `],
  ['double quotes', (pem) => `"${pem}"`],
  ['single quotes', (pem) => `'${pem}'`],
  ['spaces around quotes', (pem) => ` "${pem}" \n`],
  ['literal \\n', (pem) => pem.replaceAll('\n', '\\n')],
  ['literal \\\\n', (pem) => pem.replaceAll('\n', '\\\\n')],
  ['literal \\r\\n', (pem) => pem.replaceAll('\n', '\\r\\n')],
  ['literal \\n in double quotes', (pem) => `"${pem.replaceAll('\n', '\\n')}"`],
  ['literal \\n before real line breaks', (pem) => pem.replaceAll('\n', '\\n\n')],
  ['a BOM', (pem) => `\ufeff${pem}`],
  ['a BOM and CRLF', (pem) => `\ufeff${pem.replaceAll('\n', '\r\n')}`],
  ['base64 once more', (pem) => toBase64(utf8(pem))],
  ['base64 once more, in lines', (pem) => (toBase64(utf8(pem)).match(/.{1,76}/g) ?? []).join('\n')],
  ['base64 once more, in quotes', (pem) => `"${toBase64(utf8(pem))}"`],
  [
    'bag attributes in front',
    (pem) => `Bag Attributes\n    localKeyID: 01 02\nKey Attributes: <No Attributes>\n${pem}`,
  ],
  ['an explanation after it', (pem) => `${pem}\nKeep this to yourself.\n`],
]

const mangled = ['PKCS#8 of P-256', 'SEC1 of P-521', 'PKCS#1']

export const mangledPem: ConformanceModule = (suite, lib) => {
  for (const { title, key, label, algorithm, der } of containers.filter(({ title }) =>
    mangled.includes(title),
  )) {
    for (const [damage, mangle] of manglings) {
      suite.test(`${title}: ${damage}`, async () => {
        const jwk = await privateJwk(key)
        const pem = mangle(toPem(label, der(jwk)))
        await signsAs(lib, pem, jwk, algorithm)
        await signsAs(lib, utf8(pem), jwk, algorithm)
      })
    }

    for (const width of [1, 63, 76, 10_000]) {
      suite.test(`${title}: lines of ${width}`, async () => {
        const jwk = await privateJwk(key)
        await signsAs(lib, toPem(label, der(jwk), '\n', width), jwk, algorithm)
      })
    }
  }

  for (const [key, algorithm] of curves) {
    suite.test(`SEC1 of ${key} below its EC PARAMETERS`, async () => {
      const jwk = await privateJwk(key)
      const both =
        toPem('EC PARAMETERS', shapes.ecParameters(jwk)) + toPem('EC PRIVATE KEY', shapes.sec1(jwk))
      for (const [, mangle] of manglings) await signsAs(lib, mangle(both), jwk, algorithm)
    })
  }
}
