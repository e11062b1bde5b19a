import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import {
  type Algorithm,
  type ClaimStyle,
  type Customer,
  createSigner,
  createVerifier,
  generateKeyPair,
  MembraneTokenError,
  type Signer,
  type Verifier,
  type VerifierOptions,
} from '../../src/index.ts'
import {
  anything,
  base64url,
  check,
  claims,
  dictionary,
  expectOurError,
  header,
  json,
  orOurError,
  quote,
  text,
  time,
} from './arbitraries.ts'
import { now, secret, workspaceKey } from './genuine-tokens.ts'

const claimStyles: ClaimStyle[] = ['issuer', 'workspaceKey', 'tenant']
const symmetric: Algorithm[] = ['HS256', 'HS384', 'HS512']
const elliptic: Algorithm[] = ['ES256', 'ES384', 'ES512']
const rsa: Algorithm[] = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512']
const algorithms: Algorithm[] = [...symmetric, ...elliptic, ...rsa]

type SigningKey = { secret: string } | { privateKey: string }
type VerifyingKey = { secret: string } | { publicKey: string }
const keys = new Map<Algorithm, { signing: SigningKey; verifying: VerifyingKey }>()
const tokens = new Map<Algorithm, string>()
let verifiers: Verifier[]

beforeAll(async () => {
  for (const algorithm of symmetric) keys.set(algorithm, { signing: { secret }, verifying: { secret } })
  // One RSA key serves all six, and makes six times fewer primes.
  for (const group of [rsa, ...elliptic.map((algorithm) => [algorithm])]) {
    const { privateKey, publicKey } = await generateKeyPair(group[0])
    for (const algorithm of group) keys.set(algorithm, { signing: { privateKey }, verifying: { publicKey } })
  }
  for (const algorithm of algorithms) {
    const signer = await sign(algorithm)
    tokens.set(algorithm, (await signer.signCustomerToken({ id: algorithm, name: 'Zoë' })).token)
  }
  verifiers = await Promise.all(
    (['HS256', 'ES256', 'RS256'] as const).map((algorithm) => verifier(algorithm)),
  )
})

function sign(algorithm: Algorithm, claimStyle?: ClaimStyle): Promise<Signer> {
  return createSigner({ workspaceKey, ...keys.get(algorithm)!.signing, algorithm, claimStyle, now })
}

function verifier(algorithm: Algorithm): Promise<Verifier> {
  return createVerifier({ workspaceKey, ...keys.get(algorithm)!.verifying, now })
}

describe('unsigned input is rejected, always with our error', () => {
  const refused = (value: unknown) =>
    Promise.all(verifiers.map((verifier) => expectOurError(verifier.verify(value as string)))).then(() => {})

  test('any text', () => check(fc.oneof(text, fc.string(), fc.base64String()), refused))

  test('any value', () =>
    check(
      fc.anything({ withBigInt: true, withMap: true, withTypedArray: true, withNullPrototype: true }),
      refused,
    ))

  test('any parts', () =>
    check(
      fc.array(fc.oneof(text, fc.base64String(), json.map(quote).map(base64url)), { maxLength: 6 }),
      (parts) => refused(parts.join('.')),
    ))

  test('any header, payload and signature', () =>
    check(fc.tuple(header, claims, fc.uint8Array({ maxLength: 300 })), ([header, claims, signature]) =>
      refused([quote(header), quote(claims), signature].map(base64url).join('.')),
    ))

  test('any header bytes', () =>
    check(fc.tuple(fc.uint8Array(), fc.uint8Array(), fc.uint8Array()), (parts) =>
      refused(parts.map(base64url).join('.')),
    ))

  test('a genuine token, changed anywhere', () =>
    check(
      fc.tuple(
        fc.constantFrom(...algorithms),
        fc.nat(),
        fc.nat({ max: 10 }),
        fc.oneof(text, fc.base64String()),
      ),
      async ([algorithm, position, missing, added]) => {
        const token = tokens.get(algorithm)!
        const start = position % (token.length + 1)
        const changed = token.slice(0, start) + added + token.slice(start + missing)
        if (changed !== token) await expectOurError((await verifier(algorithm)).verify(changed))
      },
    ))

  test('recombined parts of genuine tokens', () =>
    check(
      fc.tuple(...[0, 1, 2].map((part) => fc.tuple(fc.constantFrom(...algorithms), fc.constant(part)))),
      async (choice) => {
        const parts = choice.map(([algorithm, part]) => tokens.get(algorithm)!.split('.')[part])
        const token = parts.join('.')
        for (const algorithm of new Set(choice.map(([algorithm]) => algorithm))) {
          if (token !== tokens.get(algorithm)) await expectOurError((await verifier(algorithm)).verify(token))
        }
      },
    ))
})

describe('what the holder of the secret signed, whatever it says', () => {
  const signed = (header: string, payload: string | Uint8Array): string => {
    const input = `${base64url(header)}.${base64url(payload)}`
    return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`
  }

  test('any claims give a token that holds together, or our error', async () => {
    const end = fc.oneof(
      fc.constant(time + 60),
      fc.integer({ min: time - 2, max: time + 2 }),
      fc.double(),
      json,
    )
    const likely = fc
      .tuple(claims, end)
      .map(([claims, exp]): typeof claims => ({ iss: workspaceKey, id: 'c', ...claims, exp }))
    const kinds = new Set<string>()
    await check(
      fc.oneof(claims, likely),
      async (claims) => {
        const verified = await orOurError(verifiers[0]!.verify(signed('{"alg":"HS256"}', quote(claims))))
        if (!verified) return
        kinds.add(verified.kind)
        expect(verified).toMatchObject({ workspaceKey, algorithm: 'HS256' })
        // A Date holds whole milliseconds.
        expect(verified.expiresAt.getTime()).toBe(Math.trunc((claims.exp as number) * 1000))
        expect(verified.expiresAt.getTime()).toBeGreaterThan(now())
        expect([claims.iss ?? workspaceKey, claims.workspaceKey ?? workspaceKey]).toEqual([
          workspaceKey,
          workspaceKey,
        ])
        // Libraries of other languages write a missing value as null.
        const ids = [claims.id, claims.tenantKey].filter((id) => id !== undefined && id !== null)
        if (verified.kind === 'admin') expect([...ids, claims.isAdmin]).toEqual([claims.isAdmin])
        else expect(ids).toEqual(ids.map(() => verified.id))
        expect(Boolean(claims.isAdmin)).toBe(verified.kind === 'admin')
      },
      1000,
    )
    // Otherwise the claims above would have become too unlikely to say anything.
    expect([...kinds]).toContain('customer')
  })

  test.each([
    ['a byte order mark', (json: string) => `\ufeff${json}`],
    ['a byte that is no UTF-8', (json: string) => Buffer.from(json.replace('Zoe', 'Zo\xeb'), 'latin1')],
    ['half of a character', (json: string) => Buffer.from(json.replace('Zoe', '\xf0\x9f'), 'latin1')],
    ['UTF-16', (json: string) => Buffer.from(json, 'utf16le')],
    ['a list around it', (json: string) => `[${json}]`],
    ['a comment', (json: string) => `${json}//`],
  ])('claims with %s are malformed', async (_, write) => {
    const payload = quote({ iss: workspaceKey, id: 'c', name: 'Zoe', exp: time + 60 })
    const verify = (payload: string | Uint8Array) => verifiers[0]!.verify(signed('{"alg":"HS256"}', payload))
    await verify(payload)
    await expect(verify(write(payload))).rejects.toMatchObject({ code: 'ERR_TOKEN_MALFORMED' })
  })

  test('any payload bytes, any JSON and any header', async () => {
    const valid = fc.constant(quote({ iss: workspaceKey, id: 'c', exp: time + 60 }))
    const payload = fc.oneof(valid, fc.uint8Array(), json.map(quote), fc.string())
    const anyHeader = fc.oneof(
      fc.constant('{"alg":"HS256"}'),
      fc.record({ alg: fc.constant('HS256'), kid: json }).map(quote),
      header.map((header) => quote({ ...header, alg: 'HS256' })),
      fc.string(),
    )
    await check(fc.tuple(anyHeader, payload), async ([header, payload]) => {
      const verified = await orOurError(verifiers[0]!.verify(signed(header, payload)))
      if (verified) expect(['string', 'undefined']).toContain(typeof verified.keyId)
    })
  })
})

describe.each(algorithms)('signing then verifying gives the customer back: %s', (algorithm) => {
  const customer: fc.Arbitrary<Customer> = fc.record(
    {
      id: text.map((id) => `customer-${id.replace(/\p{C}|\p{Z}/gu, '')}`),
      name: text,
      fields: dictionary(json),
    },
    { requiredKeys: ['id'] },
  )

  test.each(claimStyles)('%s', async (claimStyle) => {
    const signer = await sign(algorithm, claimStyle)
    const { verify } = await verifier(algorithm)
    const run = async (customer: Customer) => {
      const { token, issuedAt, expiresAt } = await signer.signCustomerToken(customer)
      const { fields, ...verified } = (await verify(token)) as Awaited<ReturnType<typeof verify>> & Customer
      const { fields: given, ...identity } = customer
      expect(verified).toStrictEqual({
        kind: 'customer',
        workspaceKey,
        ...identity,
        issuedAt,
        expiresAt,
        algorithm,
      })
      // As text, since matchers do not tell an own __proto__ from a prototype.
      expect(quote(fields)).toBe(quote(given))
    }
    await check(customer, run, algorithm.startsWith('HS') ? 200 : 30)
  })
})

describe('a token with one character changed', () => {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  // The other base64 alphabet, padding, white space, and what some decoders skip or take for a letter.
  const others = [
    '.',
    '=',
    '+',
    '/',
    ' ',
    '\n',
    '\0',
    '%',
    '~',
    '\u00a0',
    '\u200b',
    '\ufeff',
    'А',
    'Ａ',
    'ſ',
    '\ud83d',
  ]

  // All letters where a signature costs microseconds, and some where it costs ten times as much.
  describe.each([
    ['HS256', alphabet],
    ['ES256', 'AEQgwz09-_'],
  ] as const)('%s', (algorithm, letters) => {
    /** How many characters are taken away at a position, and what is put there. */
    const changes: [name: string, removed: number, added: string[]][] = [
      ['replaced', 1, [...letters, ...others]],
      ['left out', 1, ['']],
      ['added', 0, ['A', '.A', ...others]],
    ]

    test.each(changes)('%s, is rejected at every position', async (_, removed, added) => {
      const { verify } = await verifier(algorithm)
      const token = tokens.get(algorithm)!
      const wrong: unknown[] = []
      await verify(token)
      for (let position = 0; position <= token.length - removed; position++) {
        const changed = added
          .map((text) => token.slice(0, position) + text + token.slice(position + removed))
          .filter((changed) => changed !== token)
        const outcomes = await Promise.allSettled(changed.map(verify))
        outcomes.forEach((outcome, index) => {
          if (outcome.status === 'fulfilled') wrong.push([position, changed[index]])
          else if (!(outcome.reason instanceof MembraneTokenError)) wrong.push(outcome.reason)
        })
      }
      expect(wrong).toEqual([])
    })
  })
})

test('any value in the place of the options gives our error', () =>
  check(
    fc.oneof(
      anything,
      fc.dictionary(fc.constantFrom('secret', 'publicKey', 'jwks', 'algorithms', 'clockTolerance'), anything),
    ),
    async (value) => {
      const options = value as VerifierOptions
      await expectOurError(createVerifier(options))
      if (typeof value !== 'object') return
      for (const key of [{}, { secret }]) {
        await orOurError(createVerifier({ ...key, ...options, workspaceKey }))
      }
    },
  ))
