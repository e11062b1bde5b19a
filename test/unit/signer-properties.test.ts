import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { createSigner, type Signer, type SignerOptions } from '../../src/index.ts'
import { toPem } from '../conformance/encoding.ts'
import * as shapes from '../conformance/key-shapes.ts'
import { type Jwk, privateJwk } from '../conformance/keys.ts'
import { secret, workspaceKey } from '../conformance/tokens.ts'
import { anything, check, now, orOurError, quote, record } from './arbitraries.ts'

/** Also signs a token, because a key that is accepted by mistake may fail only then. */
async function signerOrOurError(options: Partial<SignerOptions>): Promise<void> {
  const signer = await orOurError(createSigner({ workspaceKey, now, ...options }))
  if (signer) await orOurError(signer.signCustomerToken({ id: 'c' }))
}

const usable = (privateKey: unknown) =>
  signerOrOurError({ privateKey: privateKey as NonNullable<SignerOptions['privateKey']> })

const bytes = fc.uint8Array({ maxLength: 300 })
const labels = fc.constantFrom(
  ...['PRIVATE KEY', 'EC PRIVATE KEY', 'RSA PRIVATE KEY', 'PUBLIC KEY', 'ENCRYPTED PRIVATE KEY'],
  ...['CERTIFICATE', 'EC PARAMETERS', 'OPENSSH PRIVATE KEY', '', 'private key', 'X-----'],
)
const fragments = fc.constantFrom(
  ...['-----BEGIN ', '-----END ', 'PRIVATE KEY', '-----', '\n', '\\n', '"', 'MIGH', '='],
)

/** Nested DER elements, some with a wrong length. They reach further into a parser than random bytes. */
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
    .map(([tag, members, excess]) => {
      const content = members.flat()
      return [tag, 0x82, (content.length >> 8) & 0xff, (content.length + excess) & 0xff, ...content]
    }),
})).node

const jwk = record(
  'kty crv d x y n e p q dp dq qi alg use key_ops',
  fc.base64String(),
  fc.constantFrom('EC', 'RSA', 'oct', 'P-256', 'AQAB', 'sign'),
  fc.anything(),
).map((members) => ({ kty: 'EC', crv: 'P-256', ...members }))

describe('any private key gives a signer or a MembraneTokenError', () => {
  test('bytes', () => check(bytes, usable))
  test('text', () => check(fc.string({ unit: 'binary' }), usable))
  test('fragments of PEM', () =>
    check(fc.array(fc.oneof(fragments, fc.base64String()), { maxLength: 12 }), (parts) =>
      usable(parts.join('')),
    ))
  test('PEM of any bytes', () =>
    check(fc.tuple(labels, fc.oneof(bytes, derLike)), ([label, der]) =>
      usable(toPem(label, Uint8Array.from(der))),
    ))
  test('any value', () => check(anything, usable))
  test('objects like a JWK', () => check(jwk, usable))
  test('text like a JWK', () => check(jwk.map(quote), usable))
})

describe('a damaged private key gives a signer or a MembraneTokenError', () => {
  let jwks: { ec: Jwk; rsa: Jwk }

  beforeAll(async () => {
    jwks = { ec: await privateJwk('P-256'), rsa: await privateJwk('RSA') }
  })

  describe.each<[string, label: string, write: () => Uint8Array<ArrayBuffer>]>([
    ['PKCS#8 of EC', 'PRIVATE KEY', () => shapes.pkcs8(jwks.ec)],
    ['SEC1', 'EC PRIVATE KEY', () => shapes.sec1(jwks.ec)],
    ['SEC1 without a public key', 'EC PRIVATE KEY', () => shapes.sec1(jwks.ec, { publicKey: 'none' })],
    ['SEC1, compressed', 'EC PRIVATE KEY', () => shapes.sec1(jwks.ec, { publicKey: 'compressed' })],
    ['PKCS#8 of RSA', 'PRIVATE KEY', () => shapes.pkcs8(jwks.rsa)],
    ['PKCS#1', 'RSA PRIVATE KEY', () => shapes.pkcs1(jwks.rsa)],
  ])('%s', (_, label, write) => {
    const usableAsDerAndPem = async (der: Uint8Array<ArrayBuffer>) => {
      await usable(der)
      await usable(toPem(label, der))
    }

    test('a byte changed', () =>
      check(
        fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })),
        async ([position, change]) => {
          const der = write()
          const index = position % der.length
          der[index] = (der[index] ?? 0) ^ change
          await usableAsDerAndPem(der)
        },
        200,
      ))

    test('bytes removed or added', () =>
      check(
        fc.tuple(fc.nat(), fc.nat({ max: 20 }), fc.uint8Array({ maxLength: 20 })),
        async ([position, removed, added]) => {
          const der = write()
          const start = position % der.length
          await usableAsDerAndPem(
            Uint8Array.from([...der.slice(0, start), ...added, ...der.slice(start + removed)]),
          )
        },
        200,
      ))

    test('characters of the PEM changed', () =>
      check(
        fc.tuple(fc.nat(), fc.string({ maxLength: 4, unit: 'binary' })),
        async ([position, replacement]) => {
          const pem = toPem(label, write())
          const start = position % pem.length
          await usable(pem.slice(0, start) + replacement + pem.slice(start + replacement.length))
        },
        200,
      ))
  })
})

let signer: Signer
beforeAll(async () => {
  signer = await createSigner({ workspaceKey, secret, now })
})

describe('durations', () => {
  const factors = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 } as const
  const units = fc.constantFrom(...(Object.keys(factors) as (keyof typeof factors)[]))

  test('a valid duration is exact', () =>
    check(fc.tuple(fc.integer({ min: 1, max: 10_000 }), units), async ([count, unit]) => {
      const seconds = count * factors[unit]
      for (const expiresIn of [`${count}${unit}`, seconds]) {
        const { issuedAt, expiresAt } = await signer.signAdminToken({ expiresIn })
        expect(expiresAt.getTime() - issuedAt.getTime()).toBe(seconds * 1000)
      }
    }))

  test('any other value is rejected', () => {
    const isValid = (value: unknown) =>
      value === undefined ||
      (typeof value === 'number' && Number.isInteger(value) && value > 0) ||
      (typeof value === 'string' && /^\d+[smhdw]$/.test(value))
    const values = fc.oneof(fc.string(), fc.double(), fc.anything(), fc.integer({ max: 0 }))
    return check(
      values.filter((value) => !isValid(value)),
      async (value) => {
        const expiresIn = value as number
        const code = 'ERR_LIFETIME_INVALID'
        await expect(signer.signAdminToken({ expiresIn })).rejects.toMatchObject({ code })
        await expect(createSigner({ workspaceKey, secret, expiresIn })).rejects.toMatchObject({ code })
      },
    )
  })

  test('text like a duration gives a signer or a MembraneTokenError', () =>
    check(fc.stringMatching(/^[-+ ]?\d{0,20}[.e]?\d{0,3} ?[a-z]{0,3}$/), (expiresIn) =>
      signerOrOurError({ secret, expiresIn }),
    ))

  test('expiresAt is rounded down to the second', () => {
    const max = new Date(253_402_300_799_999)
    const dates = fc.date({ min: new Date(now() + 1000), max, noInvalidDate: true })
    return check(dates, async (expiresAt) => {
      const signed = await signer.signAdminToken({ expiresAt })
      expect(signed.expiresAt.getTime()).toBe(Math.floor(expiresAt.getTime() / 1000) * 1000)
    })
  })
})

describe('customers', () => {
  test('any JSON in fields is signed unchanged', () =>
    check(
      fc.dictionary(fc.string(), fc.jsonValue({ noUnicodeString: false }), { maxKeys: 5 }),
      async (fields) => {
        const { token } = await signer.signCustomerToken({ id: 'c', fields })
        const payload = Buffer.from(token.split('.')[1]!, 'base64url').toString()
        expect(payload).toContain(`"fields":${JSON.stringify(fields)},"iat"`)
      },
    ))

  test('any customer, fields, id or name gives a token or a MembraneTokenError', () =>
    check(anything, async (value) => {
      for (const customer of [value, { id: 'c', fields: value }, { id: value, name: value }]) {
        await orOurError(signer.signCustomerToken(customer as { id: string }))
      }
    }))
})
