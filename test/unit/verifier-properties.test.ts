import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import {
  type Algorithm,
  type Customer,
  createSigner,
  createVerifier,
  MembraneTokenError,
  type Verifier,
  type VerifierOptions,
} from '../../src/index.ts'
import { keysFor } from '../conformance/token-fixtures.ts'
import { algorithms, issuedAt, secret, workspaceKey } from '../conformance/tokens.ts'
import {
  anything,
  base64url,
  check,
  claims,
  dictionary,
  expectOurError,
  header,
  json,
  now,
  orOurError,
  quote,
  signTokens,
  text,
} from './arbitraries.ts'

let tokens: Map<Algorithm, string>
let verifiers: Verifier[]

beforeAll(async () => {
  tokens = await signTokens(algorithms)
  verifiers = await Promise.all((['HS256', 'ES256', 'RS256'] as const).map(verifierOf))
})

async function verifierOf(algorithm: Algorithm): Promise<Verifier> {
  const [, key] = await keysFor(algorithm)
  return createVerifier({ workspaceKey, ...key, now })
}

describe('input without a valid signature is rejected with our error', () => {
  const expectRejected = async (value: unknown) => {
    for (const { verify } of verifiers) await expectOurError(verify(value as string))
  }

  test('any text', () => check(fc.oneof(text, fc.string(), fc.base64String()), expectRejected))

  test('any value', () => check(anything, expectRejected))

  test('any parts', () =>
    check(
      fc.array(fc.oneof(text, fc.base64String(), json.map(quote).map(base64url)), { maxLength: 6 }),
      (parts) => expectRejected(parts.join('.')),
    ))

  test('any header, payload and signature', () =>
    check(fc.tuple(header, claims, fc.uint8Array({ maxLength: 300 })), ([header, claims, signature]) =>
      expectRejected([quote(header), quote(claims), signature].map(base64url).join('.')),
    ))

  test('any header bytes', () =>
    check(fc.tuple(fc.uint8Array(), fc.uint8Array(), fc.uint8Array()), (parts) =>
      expectRejected(parts.map(base64url).join('.')),
    ))

  test('a valid token, changed anywhere', () =>
    check(
      fc.tuple(
        fc.constantFrom(...algorithms),
        fc.nat(),
        fc.nat({ max: 10 }),
        fc.oneof(text, fc.base64String()),
      ),
      async ([algorithm, position, removed, added]) => {
        const token = tokens.get(algorithm)!
        const start = position % (token.length + 1)
        const changed = token.slice(0, start) + added + token.slice(start + removed)
        if (changed !== token) await expectOurError((await verifierOf(algorithm)).verify(changed))
      },
    ))

  test('recombined parts of valid tokens', () =>
    check(
      fc.tuple(...[0, 1, 2].map((part) => fc.tuple(fc.constantFrom(...algorithms), fc.constant(part)))),
      async (choice) => {
        const parts = choice.map(([algorithm, part]) => tokens.get(algorithm)!.split('.')[part])
        const token = parts.join('.')
        for (const algorithm of new Set(choice.map(([algorithm]) => algorithm))) {
          if (token !== tokens.get(algorithm))
            await expectOurError((await verifierOf(algorithm)).verify(token))
        }
      },
    ))
})

describe('any input signed with the secret', () => {
  const signed = (header: string, payload: string | Uint8Array): string => {
    const input = `${base64url(header)}.${base64url(payload)}`
    return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`
  }

  test('any claims give a consistent result or our error', async () => {
    const end = fc.oneof(
      fc.constant(issuedAt + 60),
      fc.integer({ min: issuedAt - 2, max: issuedAt + 2 }),
      fc.double(),
      json,
    )
    const likely = fc
      .tuple(claims, end)
      .map(([claims, exp]): typeof claims => ({ iss: workspaceKey, id: 'c', ...claims, exp }))
    const admin = fc.tuple(claims, end).map(([{ id: _, tenantKey: __, ...rest }, exp]): typeof rest => ({
      iss: workspaceKey,
      ...rest,
      isAdmin: true,
      exp,
    }))
    const kinds = new Set<string>()
    await check(
      fc.oneof(claims, likely, admin),
      async (claims) => {
        const verified = await orOurError(verifiers[0]!.verify(signed('{"alg":"HS256"}', quote(claims))))
        if (!verified) return
        kinds.add(verified.kind)
        expect(verified).toMatchObject({ workspaceKey, algorithm: 'HS256' })
        // A Date has whole milliseconds.
        expect(verified.expiresAt.getTime()).toBe(Math.trunc((claims.exp as number) * 1000))
        expect(verified.expiresAt.getTime()).toBeGreaterThan(now())
        expect([claims.iss ?? workspaceKey, claims.workspaceKey ?? workspaceKey]).toEqual([
          workspaceKey,
          workspaceKey,
        ])
        // Libraries in other languages write a missing value as null.
        const ids = [claims.id, claims.tenantKey].filter((id) => id !== undefined && id !== null)
        if (verified.kind === 'admin') expect([...ids, claims.isAdmin]).toEqual([claims.isAdmin])
        else expect(ids).toEqual(ids.map(() => verified.id))
        expect(Boolean(claims.isAdmin)).toBe(verified.kind === 'admin')
      },
      1000,
    )
    // Otherwise the claims above are too rarely valid to prove anything.
    expect([...kinds].sort()).toEqual(['admin', 'customer'])
  })

  test('any payload bytes, any JSON and any header', async () => {
    const valid = fc.constant(quote({ iss: workspaceKey, id: 'c', exp: issuedAt + 60 }))
    const payload = fc.oneof(valid, fc.uint8Array(), json.map(quote), fc.string())
    const anyHeader = fc.oneof(
      fc.constant('{"alg":"HS256"}'),
      fc.record({ alg: fc.constant('HS256'), kid: json }).map(quote),
      header.map((header) => quote({ ...header, alg: 'HS256' })),
      fc.string(),
    )
    let accepted = 0
    await check(fc.tuple(anyHeader, payload), async ([header, payload]) => {
      const verified = await orOurError(verifiers[0]!.verify(signed(header, payload)))
      if (!verified) return
      accepted++
      expect(['string', 'undefined']).toContain(typeof verified.keyId)
    })
    expect(accepted).toBeGreaterThan(0)
  })
})

describe.each(algorithms)('the verifier returns the customer that was signed: %s', (algorithm) => {
  const customer: fc.Arbitrary<Customer> = fc.record(
    {
      id: text.map((id) => `customer-${id.replace(/\p{C}|\p{Z}/gu, '')}`),
      name: text,
      fields: dictionary(json),
    },
    { requiredKeys: ['id'] },
  )

  test.each(['issuer', 'workspaceKey', 'tenant'] as const)('%s', async (claimStyle) => {
    const [key] = await keysFor(algorithm)
    const signer = await createSigner({ workspaceKey, ...key, algorithm, claimStyle, now })
    const { verify } = await verifierOf(algorithm)
    const run = async ({ fields, ...identity }: Customer) => {
      const { token, issuedAt, expiresAt } = await signer.signCustomerToken({ ...identity, fields })
      const { fields: verifiedFields, ...verified } = (await verify(token)) as Customer
      expect(verified).toStrictEqual({
        kind: 'customer',
        workspaceKey,
        ...identity,
        issuedAt,
        expiresAt,
        algorithm,
      })
      // Compared as text, because matchers do not distinguish an own `__proto__` from a prototype.
      expect(quote(verifiedFields)).toBe(quote(fields))
    }
    await check(customer, run, algorithm.startsWith('HS') ? 200 : 30)
  })
})

describe('a token with one character changed', () => {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  // The other base64 alphabet, padding, white space, and characters that some decoders skip or confuse.
  const others = [...'.=+/ \n\0%~\u00a0\u200b\ufeffАＡſ', '\ud83d']

  // Fewer letters for ES256, whose signatures take ten times as long to verify.
  describe.each([
    ['HS256', alphabet],
    ['ES256', 'AEQgwz09-_'],
  ] as const)('%s', (algorithm, letters) => {
    /** The number of characters removed at each position, and the text inserted there. */
    const changes: [name: string, removed: number, added: string[]][] = [
      ['replaced', 1, [...letters, ...others]],
      ['removed', 1, ['']],
      ['added', 0, ['A', '.A', ...others]],
    ]

    test.each(changes)('%s: rejected at every position', async (_, removed, added) => {
      const { verify } = await verifierOf(algorithm)
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

test('any value as the options is rejected with our error', () =>
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
