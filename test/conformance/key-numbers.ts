import { fromBase64url, toBase64url, toPem } from './encoding.ts'
import { refusesWithoutPoint } from './gaps.ts'
import * as shapes from './key-shapes.ts'
import type { Curve, Jwk } from './keys.ts'
import { base64urlNumber, privateJwk, publicHalf, unsoundRsaJwks, unusualRsaJwk } from './keys.ts'
import type { ConformanceModule } from './suite.ts'
import { assert, equal, rejects } from './suite.ts'
import { createTestVerifier } from './token-fixtures.ts'
import { createTestSigner, customer, importFor, verifies } from './tokens.ts'

/** Engines do not check all components (Deno imports a point off its curve), so our code must. */

export const curves: Curve[] = ['P-256', 'P-384', 'P-521']

export const orders: Record<Curve, bigint> = {
  'P-256': 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
  'P-384': BigInt(
    '0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973',
  ),
  'P-521': BigInt(`0x01${'f'.repeat(65)}a51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409`),
}

type Member = 'd' | 'x' | 'y' | 'n' | 'e' | 'p' | 'q' | 'dp' | 'dq' | 'qi'

/** Flips one bit in the middle, so that length, sign and parity stay the same. */
export function flipped(jwk: Jwk, member: Member): Jwk {
  const bytes = fromBase64url(jwk[member] ?? '')
  const middle = bytes.length >> 1
  bytes[middle] = (bytes[middle] ?? 0) ^ 0x10
  return { ...jwk, [member]: toBase64url(bytes) }
}

/** A number as base64url, as long as another value. */
export function padded(value: bigint, like: string | undefined): string {
  const bytes = fromBase64url(like ?? '').fill(0)
  const number = fromBase64url(base64urlNumber(value))
  bytes.set(number, bytes.length - number.length)
  return toBase64url(bytes)
}

export const ecNumbers: ConformanceModule = (suite, lib) => {
  for (const curve of curves) {
    const damages: [string, (jwk: Jwk) => Jwk][] = [
      ['a point off the curve (x)', (jwk) => flipped(jwk, 'x')],
      ['a point off the curve (y)', (jwk) => flipped(jwk, 'y')],
      ['another private number', (jwk) => flipped(jwk, 'd')],
      ['a private number of zero', (jwk) => ({ ...jwk, d: padded(0n, jwk.d) })],
      ['a private number equal to the order', (jwk) => ({ ...jwk, d: padded(orders[curve], jwk.d) })],
      [
        'a private number greater than the order',
        (jwk) => ({ ...jwk, d: padded(orders[curve] + 1n, jwk.d) }),
      ],
    ]
    for (const [title, damage] of damages) {
      suite.test(`${curve}: ${title}`, async () => {
        const jwk = damage(await privateJwk(curve))
        for (const privateKey of [
          jwk,
          JSON.stringify(jwk),
          shapes.pkcs8(jwk),
          shapes.sec1(jwk),
          toPem('PRIVATE KEY', shapes.pkcs8(jwk, { parameters: true })),
          toPem('EC PRIVATE KEY', shapes.sec1(jwk)),
        ]) {
          await rejects(() => createTestSigner(lib, { privateKey }), 'ERR_KEY_INVALID')
        }
      })
    }

    suite.test(`${curve}: a private number out of range without public key`, async () => {
      const jwk = await privateJwk(curve)
      for (const d of [padded(0n, jwk.d), padded(orders[curve], jwk.d)]) {
        const privateKey = shapes.pkcs8({ ...jwk, d }, { publicKey: 'none' })
        if (await refusesWithoutPoint(lib, curve, privateKey)) continue
        await rejects(() => createTestSigner(lib, { privateKey }), 'ERR_KEY_INVALID')
      }
    })

    suite.test(`${curve}: a compressed point of another key`, async () => {
      const jwk = flipped(await privateJwk(curve), 'd')
      const privateKey = shapes.pkcs8(jwk, { publicKey: 'compressed' })
      if (await refusesWithoutPoint(lib, curve, privateKey)) return
      await rejects(() => createTestSigner(lib, { privateKey }), 'ERR_KEY_INVALID')
    })

    suite.test(`${curve}: 1, the smallest private key, is valid`, async () => {
      const { d } = await privateJwk(curve)
      const smallest = { kty: 'EC', crv: curve, d: padded(1n, d), x: '', y: '' }
      const privateKey = shapes.sec1(smallest, { publicKey: 'none' })
      if (await refusesWithoutPoint(lib, curve, privateKey)) return
      await createTestSigner(lib, { privateKey })
    })
  }

  suite.test('the public half of another key', async () => {
    const [jwk, other] = [await privateJwk('P-256'), await privateJwk('other P-256')]
    const mixed = { ...jwk, x: other.x, y: other.y } as Jwk
    for (const privateKey of [mixed, shapes.pkcs8(mixed), shapes.sec1(mixed)]) {
      await rejects(() => createTestSigner(lib, { privateKey }), 'ERR_KEY_INVALID')
    }
  })

  suite.test('the curve of another key', async () => {
    const jwk = { ...(await privateJwk('P-256')), crv: 'P-384' }
    for (const privateKey of [jwk, shapes.pkcs8(jwk), shapes.sec1(jwk)]) {
      await rejects(() => createTestSigner(lib, { privateKey }), 'ERR_KEY_INVALID')
    }
  })

  const malformed: [string, Record<string, unknown>][] = [
    ['x is missing', { x: undefined }],
    ['y is missing', { y: undefined }],
    ['x is empty', { x: '' }],
    ['d is empty', { d: '' }],
    ['d is a number', { d: 7 }],
    ['d is not base64url', { d: '$'.repeat(43) }],
    ['x is too short', { x: 'AQAB' }],
    ['x is too long', { x: 'A'.repeat(86) }],
    ['the curve is missing', { crv: undefined }],
    ['the key type is missing', { kty: undefined }],
  ]
  for (const [title, members] of malformed) {
    suite.test(`malformed JWK of P-256: ${title}`, async () => {
      const jwk = { ...(await privateJwk('P-256')), ...members } as Jwk
      await rejects(() => createTestSigner(lib, { privateKey: jwk }), 'ERR_KEY_INVALID')
      await rejects(() => createTestSigner(lib, { privateKey: JSON.stringify(jwk) }), 'ERR_KEY_INVALID')
    })
  }
}

type Damage = [title: string, damage: (jwk: Jwk, other: Jwk) => Jwk]

const rsaDamages: Damage[] = [
  ...(['n', 'd', 'p', 'q', 'dp', 'dq', 'qi'] as const).map(
    (member): Damage => [`a bit of ${member} flipped`, (jwk) => flipped(jwk, member)],
  ),
  ...(['n', 'd', 'p', 'dp', 'qi'] as const).map(
    (member): Damage => [
      `${member} of another key`,
      (jwk, other) => ({ ...jwk, [member]: other[member] }) as Jwk,
    ],
  ),
  ['the primes swapped, but not dp and dq', (jwk) => ({ ...jwk, p: jwk.q, q: jwk.p }) as Jwk],
  ['another exponent', (jwk) => ({ ...jwk, e: base64urlNumber(65_539n) })],
]

export const rsaNumbers: ConformanceModule = (suite, lib) => {
  for (const [title, damage] of rsaDamages) {
    suite.test(`RSA: ${title}`, async () => {
      const jwk = damage(await privateJwk('RSA'), await privateJwk('other RSA'))
      for (const privateKey of [jwk, JSON.stringify(jwk), shapes.pkcs1(jwk), shapes.pkcs8(jwk)]) {
        await rejects(() => createTestSigner(lib, { privateKey }), 'ERR_KEY_INVALID')
      }
    })
  }

  const malformed: [string, Record<string, unknown>][] = [
    ['n is missing', { n: undefined }],
    ['n is empty', { n: '' }],
    ['e is missing', { e: undefined }],
    ['n is a number', { n: 7 }],
    ['n is not base64url', { n: '$'.repeat(342) }],
    ['the key type is EC', { kty: 'EC' }],
    ['the key type is unknown', { kty: 'rsa' }],
  ]
  for (const [title, members] of malformed) {
    suite.test(`malformed JWK of RSA: ${title}`, async () => {
      const jwk = { ...(await privateJwk('RSA')), ...members } as Jwk
      await rejects(() => createTestSigner(lib, { privateKey: jwk }), 'ERR_KEY_INVALID')
    })
  }
}

export const weakRsa: [string, () => Jwk][] = [
  ['a modulus of 1024 bits', () => unusualRsaJwk(1024, 65_537n)],
  ['a modulus of 2041 bits, which engines report as 2048', () => unusualRsaJwk(2041, 65_537n)],
  ['an exponent of 1', () => unusualRsaJwk(2048, 1n)],
  ['an exponent of 2', () => ({ ...unusualRsaJwk(2048, 3n), e: base64urlNumber(2n) })],
  ['an even exponent', () => ({ ...unusualRsaJwk(2048, 65_537n), e: base64urlNumber(65_536n) })],
]

export const rsaStrength: ConformanceModule = (suite, lib) => {
  for (const [title, kind, code, reason] of [
    ['a composite prime', 'composite', 'ERR_KEY_INVALID', 'damaged'],
    ['primes of different sizes', 'unequal', 'ERR_KEY_WEAK', 'different sizes'],
    ['primes that are too close', 'close', 'ERR_KEY_WEAK', 'too close'],
    ['a modulus that can be factored (ROCA)', 'roca', 'ERR_KEY_WEAK', 'ROCA'],
  ] as const) {
    suite.test(`rejected: ${title}`, async () => {
      const jwk = unsoundRsaJwks[kind]()
      for (const algorithm of ['RS256', 'PS512'] as const) {
        for (const privateKey of [jwk, shapes.pkcs1(jwk), shapes.privatePem(jwk)])
          await rejects(() => createTestSigner(lib, { privateKey, algorithm }), code)
      }
      const { problems } = await lib.inspectKey(jwk)
      equal(problems[0]?.code, code)
      assert(problems[0]?.message.includes(reason), problems[0]?.message)
      // Some engines do not import it.
      const imported = await importFor('RS256', jwk, 'sign', true).catch(() => undefined)
      if (imported) await rejects(() => createTestSigner(lib, { privateKey: imported }), code)
    })
  }

  suite.test('a public key whose modulus can be factored (ROCA)', async () => {
    const publicKey = publicHalf(unsoundRsaJwks.roca())
    await rejects(() => createTestVerifier(lib, { publicKey }), 'ERR_KEY_WEAK')
  })

  suite.test('a modulus over 16384 bits', async () => {
    const jwk = { ...(await privateJwk('RSA')), n: 'w'.repeat(2800) }
    await rejects(() => createTestSigner(lib, { privateKey: jwk }), 'ERR_KEY_FORMAT_UNSUPPORTED')
    const publicKey = publicHalf(jwk)
    await rejects(() => createTestVerifier(lib, { publicKey }), 'ERR_KEY_FORMAT_UNSUPPORTED')
  })

  for (const [title, make] of weakRsa) {
    suite.test(`weak: ${title}`, async () => {
      const jwk = make()
      for (const privateKey of [
        jwk,
        JSON.stringify(jwk),
        shapes.pkcs1(jwk),
        shapes.pkcs8(jwk),
        toPem('RSA PRIVATE KEY', shapes.pkcs1(jwk)),
        shapes.privatePem(jwk),
      ]) {
        for (const algorithm of ['RS256', 'PS512'] as const) {
          await rejects(() => createTestSigner(lib, { privateKey, algorithm }), 'ERR_KEY_WEAK')
        }
      }
    })
  }

  suite.test('an exponent of 3 is unusual but valid', async () => {
    const jwk = unusualRsaJwk(2048, 3n)
    for (const privateKey of [jwk, shapes.pkcs1(jwk), shapes.pkcs8(jwk)]) {
      const signer = await createTestSigner(lib, { privateKey })
      const { token } = await signer.signCustomerToken(customer)
      assert(await verifies(token, 'RS256', publicHalf(jwk)), 'the signature does not verify')
    }
  })
}
