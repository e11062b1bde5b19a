import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { createSigner, MembraneTokenError, type SignerOptions } from '../../src/index.ts'
import { toPem } from '../conformance/encoding.ts'
import * as shapes from '../conformance/key-shapes.ts'
import { type Jwk, privateJwk } from '../conformance/keys.ts'
import { check } from './arbitraries.ts'

const workspaceKey = '4f9b5f5b-6f3c-4d0e-9d0b-5d5e7f1a2b3c'
const secret = 'correct horse battery staple, said the membrane'
const now = (): number => Date.UTC(2026, 0, 1)

type PrivateKey = NonNullable<SignerOptions['privateKey']>

/** A signer that was made must also work: a key let through by mistake would show only then. */
async function signerOrOurError(options: Partial<SignerOptions>): Promise<void> {
  try {
    const signer = await createSigner({ workspaceKey, now, ...options })
    await signer.signCustomerToken({ id: 'c' })
  } catch (error) {
    expect(error).toBeInstanceOf(MembraneTokenError)
  }
}

const bytes = fc.uint8Array({ maxLength: 300 })
const labels = fc.constantFrom(
  ...['PRIVATE KEY', 'EC PRIVATE KEY', 'RSA PRIVATE KEY', 'PUBLIC KEY', 'ENCRYPTED PRIVATE KEY'],
  ...['CERTIFICATE', 'EC PARAMETERS', 'OPENSSH PRIVATE KEY', '', 'private key', 'X-----'],
)

describe('anything as private key gives a signer or a MembraneTokenError', () => {
  test('bytes', () => check(bytes, (privateKey) => signerOrOurError({ privateKey })))

  test('text', () => check(fc.string({ unit: 'binary' }), (privateKey) => signerOrOurError({ privateKey })))

  test('scraps of PEM', () => {
    const scraps = fc.constantFrom(
      '-----BEGIN ',
      '-----END ',
      'PRIVATE KEY',
      '-----',
      '\n',
      '\\n',
      '"',
      'MIGH',
      '=',
    )
    return check(fc.array(fc.oneof(scraps, fc.base64String()), { maxLength: 12 }), (parts) =>
      signerOrOurError({ privateKey: parts.join('') }),
    )
  })

  test('any bytes as PEM', () =>
    check(fc.tuple(labels, bytes), ([label, der]) =>
      signerOrOurError({ privateKey: toPem(label, Uint8Array.from(der)) }),
    ))

  test('anything that looks like DER, as PEM', () =>
    check(fc.tuple(labels, derLike), ([label, der]) =>
      signerOrOurError({ privateKey: toPem(label, Uint8Array.from(der)) }),
    ))

  test('any value', () =>
    check(
      fc.anything({ withBigInt: true, withMap: true, withTypedArray: true, withNullPrototype: true }),
      (value) => signerOrOurError({ privateKey: value as PrivateKey }),
    ))

  test('objects and texts that look like a JWK', () => {
    const member = fc.oneof(
      fc.base64String(),
      fc.constantFrom('EC', 'RSA', 'oct', 'P-256', 'AQAB', 'sign'),
      fc.anything(),
    )
    const names = fc.constantFrom(
      'kty',
      'crv',
      'd',
      'x',
      'y',
      'n',
      'e',
      'p',
      'q',
      'dp',
      'dq',
      'qi',
      'alg',
      'use',
      'key_ops',
    )
    const jwk = fc.dictionary(names, member).map((members) => ({ kty: 'EC', crv: 'P-256', ...members }))
    return check(jwk, async (value) => {
      await signerOrOurError({ privateKey: value as PrivateKey })
      await signerOrOurError({ privateKey: textOf(value) })
    })
  })
})

/** Nested tags with lengths that may lie, to reach further into a parser than noise does. */
const derLike: fc.Arbitrary<number[]> = fc.letrec<{ node: number[]; leaf: number[] }>((tie) => ({
  leaf: fc
    .tuple(fc.constantFrom(0x02, 0x03, 0x04, 0x05, 0x06), fc.uint8Array({ maxLength: 40 }))
    .map(([tag, content]) => [tag, content.length, ...content]),
  node: fc
    .tuple(
      fc.constantFrom(0x30, 0x30, 0x30, 0x31, 0xa0, 0xa1, 0x04),
      fc.array(fc.oneof({ maxDepth: 4 }, tie('leaf'), tie('node')), { maxLength: 5 }),
      fc.constantFrom(0, 0, 0, 0, 1, -1, 100),
    )
    .map(([tag, members, lie]) => {
      const content = members.flat()
      return [tag, 0x82, (content.length >> 8) & 0xff, (content.length + lie) & 0xff, ...content]
    }),
})).node

describe('a valid key, damaged', () => {
  const forms: [string, (jwks: { ec: Jwk; rsa: Jwk }) => [string, Uint8Array<ArrayBuffer>]][] = [
    ['PKCS#8 of EC', ({ ec }) => ['PRIVATE KEY', shapes.pkcs8(ec)]],
    ['SEC1', ({ ec }) => ['EC PRIVATE KEY', shapes.sec1(ec)]],
    ['SEC1 without public key', ({ ec }) => ['EC PRIVATE KEY', shapes.sec1(ec, { publicKey: 'none' })]],
    [
      'SEC1 with compressed public key',
      ({ ec }) => ['EC PRIVATE KEY', shapes.sec1(ec, { publicKey: 'compressed' })],
    ],
    ['PKCS#8 of RSA', ({ rsa }) => ['PRIVATE KEY', shapes.pkcs8(rsa)]],
    ['PKCS#1', ({ rsa }) => ['RSA PRIVATE KEY', shapes.pkcs1(rsa)]],
  ]
  let jwks: { ec: Jwk; rsa: Jwk }

  beforeAll(async () => {
    jwks = { ec: await privateJwk('P-256'), rsa: await privateJwk('RSA') }
  })

  describe.each(forms)('%s', (_, make) => {
    test('a byte changed', () =>
      check(
        fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })),
        async ([position, change]) => {
          const [label, der] = make(jwks)
          const index = position % der.length
          der[index] = (der[index] ?? 0) ^ change
          await signerOrOurError({ privateKey: der })
          await signerOrOurError({ privateKey: toPem(label, der) })
        },
        200,
      ))

    test('bytes missing or added', () =>
      check(
        fc.tuple(fc.nat(), fc.nat({ max: 20 }), fc.uint8Array({ maxLength: 20 })),
        async ([position, missing, added]) => {
          const [label, der] = make(jwks)
          const start = position % der.length
          const changed = Uint8Array.from([...der.slice(0, start), ...added, ...der.slice(start + missing)])
          await signerOrOurError({ privateKey: changed })
          await signerOrOurError({ privateKey: toPem(label, changed) })
        },
        200,
      ))

    test('characters of the PEM changed', () =>
      check(
        fc.tuple(fc.nat(), fc.string({ maxLength: 4, unit: 'binary' })),
        async ([position, replacement]) => {
          const pem = toPem(...make(jwks))
          const start = position % pem.length
          const privateKey = pem.slice(0, start) + replacement + pem.slice(start + replacement.length)
          await signerOrOurError({ privateKey })
        },
        200,
      ))
  })
})

describe('durations', () => {
  const factors = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 } as const
  const units = fc.constantFrom(...(Object.keys(factors) as (keyof typeof factors)[]))

  test('a valid one gives exactly its seconds', async () => {
    const signer = await createSigner({ workspaceKey, secret, now })
    await check(fc.tuple(fc.integer({ min: 1, max: 10_000 }), units), async ([count, unit]) => {
      const seconds = count * factors[unit]
      for (const expiresIn of [`${count}${unit}`, seconds]) {
        const { issuedAt, expiresAt } = await signer.signAdminToken({ expiresIn })
        expect(expiresAt.getTime() - issuedAt.getTime()).toBe(seconds * 1000)
      }
    })
  })

  test('any other value is rejected as a lifetime', async () => {
    const valid = (value: unknown) =>
      value === undefined ||
      (typeof value === 'number' && Number.isInteger(value) && value > 0) ||
      (typeof value === 'string' && /^\d+[smhdw]$/.test(value))
    const wrong = fc.oneof(fc.string(), fc.double(), fc.anything(), fc.integer({ max: 0 }))
    const signer = await createSigner({ workspaceKey, secret, now })
    await check(
      wrong.filter((value) => !valid(value)),
      async (value) => {
        const expiresIn = value as number
        const code = 'ERR_LIFETIME_INVALID'
        await expect(signer.signAdminToken({ expiresIn })).rejects.toMatchObject({ code })
        await expect(createSigner({ workspaceKey, secret, expiresIn })).rejects.toMatchObject({ code })
      },
    )
  })

  test('any text of digits and letters gives a signer or a MembraneTokenError', () =>
    check(fc.stringMatching(/^[-+ ]?\d{0,20}[.e]?\d{0,3} ?[a-z]{0,3}$/), (expiresIn) =>
      signerOrOurError({ secret, expiresIn }),
    ))

  test('the end is exactly the second of expiresAt', async () => {
    const signer = await createSigner({ workspaceKey, secret, now })
    const instants = fc.date({
      min: new Date(now() + 1000),
      max: new Date(253_402_300_799_999),
      noInvalidDate: true,
    })
    await check(instants, async (expiresAt) => {
      const signed = await signer.signAdminToken({ expiresAt })
      expect(signed.expiresAt.getTime()).toBe(Math.floor(expiresAt.getTime() / 1000) * 1000)
    })
  })
})

describe('customers', () => {
  test('any JSON survives in the fields', async () => {
    const signer = await createSigner({ workspaceKey, secret, now })
    await check(
      fc.dictionary(fc.string(), fc.jsonValue({ noUnicodeString: false }), { maxKeys: 5 }),
      async (fields) => {
        const { token } = await signer.signCustomerToken({ id: 'c', fields })
        const [, payload = ''] = token.split('.')
        const text = Buffer.from(payload, 'base64url').toString()
        expect(text).toContain(`"fields":${JSON.stringify(fields)},"iat"`)
      },
    )
  })

  test('anything as customer or fields gives a token or a MembraneTokenError', async () => {
    const signer = await createSigner({ workspaceKey, secret, now })
    const anything = fc.anything({
      withBigInt: true,
      withMap: true,
      withSet: true,
      withSparseArray: true,
      withDate: true,
    })
    await check(anything, async (value) => {
      for (const customer of [value, { id: 'c', fields: value }, { id: value, name: value }]) {
        await signer.signCustomerToken(customer as { id: string }).catch((error: unknown) => {
          expect(error).toBeInstanceOf(MembraneTokenError)
        })
      }
    })
  })
})

function textOf(value: unknown): string {
  try {
    return JSON.stringify(value)
  } catch {
    return '{"kty":'
  }
}
