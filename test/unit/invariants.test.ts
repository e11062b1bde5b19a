import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { createTokenProvider } from '../../src/client.ts'
import {
  apiKeys,
  cloudflareAccess,
  createTokenEndpoint,
  sessionJwt,
  workloadIdentity,
} from '../../src/endpoint.ts'
import {
  createRequestVerifier,
  createSigner,
  createVerifier,
  generateKeyPair,
  inspectToken,
  MembraneTokenError,
  type Signer,
} from '../../src/index.ts'
import { createTokenService, createTokenServiceFromEnv, readSettings } from '../../src/service.ts'
import { keysFor } from '../conformance/token-fixtures.ts'
import { algorithms, secret, workspaceKey } from '../conformance/tokens.ts'
import { check, dictionary, json, now, orOurError, text } from './arbitraries.ts'

/** Two invariants: `inspectToken` finds no error in a token that we sign, and no unknown option is ignored. */

const claimStyles = ['issuer', 'workspaceKey', 'tenant'] as const
const placeholders = fc.constantFrom(
  ...['undefined', 'null', 'NaN', '{ID}', '<ID>', '{{id}}', `$\{id}`, '{6F96-8B}'],
)
const label = fc.oneof(
  text,
  placeholders,
  fc.constantFrom(' a', 'a b', 'a/b', 'https://id.example', '\u0085'),
)
const customer = fc.record(
  { id: label, name: fc.oneof(label, fc.constant(undefined)), fields: dictionary(json) },
  { requiredKeys: ['id'] },
)
const tokenOptions = fc.oneof(
  fc.record(
    {
      expiresIn: fc.oneof(
        fc.integer({ min: 1, max: 1e12 }),
        fc.constantFrom('1s', '30m', '2h', '7d', '900w'),
      ),
      jwtId: text,
    },
    { requiredKeys: [] },
  ),
  fc.record({ expiresAt: fc.date({ min: new Date(now()), noInvalidDate: true }) }),
)

function expectNoError(token: string, clock: () => number): void {
  const { problems } = inspectToken(token, { now: clock })
  expect(problems.filter(({ severity }) => severity === 'error')).toEqual([])
}

describe('a token that the signer makes never gets an error from inspectToken', () => {
  const signers: Signer[] = []
  beforeAll(async () => {
    for (const algorithm of algorithms) {
      const [key] = await keysFor(algorithm)
      for (const claimStyle of claimStyles) {
        signers.push(
          await createSigner({ workspaceKey, ...key, algorithm, claimStyle, now, allowShortSecret: true }),
        )
      }
    }
  })

  test('for any customer, options, claim style and algorithm', async () => {
    let customers = 0
    let admins = 0
    await check(fc.tuple(fc.nat(), customer, tokenOptions), async ([choice, given, options]) => {
      const signer = signers[choice % signers.length]!
      const signed = await orOurError(signer.signCustomerToken(given as { id: string }, options))
      if (signed) expectNoError(signed.token, now)
      if (signed) customers++
      const admin = await orOurError(signer.signAdminToken(options))
      if (admin) expectNoError(admin.token, now)
      if (admin) admins++
    })
    expect(Math.min(customers, admins)).toBeGreaterThan(10)
  })

  test('for any workspace key, key id and time', async () => {
    let tokens = 0
    await check(
      fc.tuple(
        label,
        fc.constantFrom(...claimStyles),
        label,
        fc.integer({ min: 0, max: 253_402_300_799_999 }),
      ),
      async ([workspaceKey, claimStyle, keyId, time]) => {
        const clock = (): number => time
        const options = { workspaceKey, secret, claimStyle, keyId, now: clock }
        const signer = await orOurError(createSigner(options))
        const signed = signer && (await orOurError(signer.signCustomerToken({ id: 'customer-42' })))
        if (signed) expectNoError(signed.token, clock)
        if (signed) tokens++
      },
    )
    expect(tokens).toBeGreaterThan(10)
  })
})

type Options = Record<string, unknown>

/** Every public function that takes options, called with its required arguments. */
const calls: Record<string, (options: never) => unknown> = {
  createSigner: (options: Options) => createSigner({ workspaceKey, secret, ...options }),
  createVerifier: (options: Options) => createVerifier({ workspaceKey, secret, ...options }),
  createRequestVerifier: (options: Options) => createRequestVerifier({ workspaceKey, secret, ...options }),
  generateKeyPair: (options) => generateKeyPair('ES256', options),
  inspectToken: (options) => inspectToken('', options),
  'options of signCustomerToken': async (options) =>
    (await createSigner({ workspaceKey, secret })).signCustomerToken({ id: 'c' }, options),
  'options of signAdminToken': async (options) =>
    (await createSigner({ workspaceKey, secret })).signAdminToken(options),
  'customer of signCustomerToken': async (members: Options) =>
    (await createSigner({ workspaceKey, secret })).signCustomerToken({ id: 'c', ...members }),
  createTokenEndpoint,
  sessionJwt,
  cloudflareAccess,
  apiKeys,
  workloadIdentity,
  createTokenService,
  'hooks of readSettings': (hooks) => readSettings({}, hooks),
  'hooks of createTokenServiceFromEnv': (hooks) => createTokenServiceFromEnv({}, hooks),
  createTokenProvider: (options: Options) => createTokenProvider({ url: 'https://app.example/', ...options }),
}

async function rejectionOf(call: (options: never) => unknown, name: string): Promise<MembraneTokenError> {
  try {
    await call(Object.fromEntries([[name, 1]]) as never)
  } catch (error) {
    expect(error).toBeInstanceOf(MembraneTokenError)
    return error as MembraneTokenError
  }
  throw new Error(`${name} was accepted`)
}

/** Typical misspellings. */
const edits: readonly ((name: string, at: number) => string)[] = [
  (name, at) => name.slice(0, at) + name.slice(at + 1),
  (name, at) => `${name.slice(0, at)}x${name.slice(at)}`,
  (name, at) => `${name.slice(0, at)}x${name.slice(at + 1)}`,
  (name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
  (name) => name.toUpperCase(),
]

describe.each(Object.entries(calls))('%s ignores no unknown name', (_, call) => {
  let known: string[]
  beforeAll(async () => {
    const { message } = await rejectionOf(call, 'xxxxxxxxxxxxxxxx')
    known = message
      .match(/(?:known|options): ([^.]*)\./)![1]!
      .split(', ')
      .map((name) => name.replace(/ .*/, ''))
  })

  test('an unknown name is rejected by name', () =>
    check(
      fc.oneof(text, fc.string(), fc.constantFrom('__proto__', 'constructor', 'toString', 'audience')),
      async (name) => {
        if (known.includes(name)) return
        const { code, message, option } = await rejectionOf(call, name)
        expect(['ERR_OPTION_INVALID', 'ERR_CLAIM_INVALID']).toContain(code)
        if (/^[\w.-]{1,40}$/.test(name)) {
          expect(message).toContain(name)
          expect(option).toBe(name)
        }
      },
      100,
    ))

  test('a misspelled name is rejected with a suggestion', () =>
    check(
      fc.tuple(fc.nat(), fc.nat(), fc.constantFrom(...edits)),
      async ([choice, at, edit]) => {
        const right = known[choice % known.length]!
        const wrong = edit(right, at % right.length)
        if (known.includes(wrong) || right.length < 3) return
        const { message } = await rejectionOf(call, wrong)
        expect(known.filter((name) => message.includes(name))).not.toEqual([])
        expect(message).toMatch(/did you mean|options:/)
      },
      100,
    ))
})
