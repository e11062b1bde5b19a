import type { TokenOptions } from '../../src/index.ts'
import type { ConformanceModule } from './suite.ts'
import { assert, equal, rejects } from './suite.ts'
import { createLooseSigner, createTestSigner, customer, decode, issuedAt, secret } from './tokens.ts'

const goodDurations: [number | string, number][] = [
  [1, 1],
  [60, 60],
  [7200, 7200],
  ['1s', 1],
  ['90s', 90],
  ['30m', 1800],
  ['2h', 7200],
  ['7d', 604_800],
  ['1w', 604_800],
  ['100w', 60_480_000],
]

const badDurations: [string, unknown][] = [
  ...[0, -1, 0.5, 1.5, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 2 ** 53, 1e308].map(
    (value): [string, unknown] => [`the number ${value}`, value],
  ),
  ...[
    '',
    ' ',
    '3600',
    '0',
    '-1',
    '0s',
    '0w',
    '-5m',
    '+5m',
    '2 hours',
    '2hours',
    'abc',
    'h',
    '1y',
    '2h30m',
    '1e3s',
  ].map((value): [string, unknown] => [`the text "${value}"`, value]),
  ...['0x10s', '٣h', 'Infinitys', 'NaNs', '2h\n', '\u00002h', `${'9'.repeat(400)}s`, '99999999999w'].map(
    (value): [string, unknown] => [`the text ${JSON.stringify(value).slice(0, 20)}`, value],
  ),
  ['null', null],
  ['true', true],
  ['an object', {}],
  ['a list', [60]],
  ['a BigInt', 60n],
  ['a Date', new Date(0)],
  ['a function', () => 60],
]

function validityOf(token: string): [unknown, unknown] {
  const { iat, exp } = decode(token).claims
  return [iat, exp]
}

export const durations: ConformanceModule = (suite, lib) => {
  suite.test('two hours is the default', async () => {
    const signer = await createTestSigner(lib, { secret })
    const signed = await signer.signCustomerToken(customer)
    equal(validityOf(signed.token), [issuedAt, issuedAt + 7200])
    equal(signed.issuedAt.getTime(), issuedAt * 1000)
    equal(signed.expiresAt.getTime(), (issuedAt + 7200) * 1000)
  })

  for (const [expiresIn, seconds] of goodDurations) {
    suite.test(`a duration of ${JSON.stringify(expiresIn)}`, async () => {
      const expected = [issuedAt, issuedAt + seconds]
      const plain = await createTestSigner(lib, { secret })
      const set = await createTestSigner(lib, { secret, expiresIn })
      equal(validityOf((await plain.signCustomerToken(customer, { expiresIn })).token), expected)
      equal(validityOf((await plain.signAdminToken({ expiresIn })).token), expected)
      equal(validityOf((await set.signCustomerToken(customer)).token), expected)
      equal((await set.signAdminToken()).expiresAt.getTime(), (issuedAt + seconds) * 1000)
    })
  }

  for (const [title, expiresIn] of badDurations) {
    suite.test(`a duration rejected: ${title}`, async () => {
      await rejects(() => createLooseSigner(lib, { secret, expiresIn }), 'ERR_LIFETIME_INVALID')
      const signer = await createTestSigner(lib, { secret })
      const options = { expiresIn } as TokenOptions
      await rejects(() => signer.signCustomerToken(customer, options), 'ERR_LIFETIME_INVALID')
      await rejects(() => signer.signAdminToken(options), 'ERR_LIFETIME_INVALID')
    })
  }

  suite.test('the per-token lifetime overrides the signer’s', async () => {
    const signer = await createTestSigner(lib, { secret, expiresIn: '7d' })
    equal(validityOf((await signer.signAdminToken({ expiresIn: 60 })).token), [issuedAt, issuedAt + 60])
    const expiresAt = new Date((issuedAt + 30) * 1000)
    equal(validityOf((await signer.signAdminToken({ expiresAt })).token), [issuedAt, issuedAt + 30])
    equal(validityOf((await signer.signAdminToken({})).token), [issuedAt, issuedAt + 604_800])
  })
}

const badInstants: [string, unknown][] = [
  ['the very instant of issue', new Date(issuedAt * 1000)],
  ['within the second of issue', new Date(issuedAt * 1000 + 999)],
  ['in the past', new Date(issuedAt * 1000 - 1000)],
  ['the epoch', new Date(0)],
  ['an invalid Date', new Date(Number.NaN)],
  ['beyond the year 9999', new Date(253_402_300_800_000)],
  ['the last Date there is', new Date(8.64e15)],
  ['a number', issuedAt + 60],
  ['a text', '2026-01-01T02:00:00Z'],
  ['null', null],
  ['an object with getTime', { getTime: () => (issuedAt + 60) * 1000 }],
]

export const instants: ConformanceModule = (suite, lib) => {
  suite.test('expiresAt is rounded down to the second', async () => {
    const signer = await createTestSigner(lib, { secret })
    const expiresAt = new Date((issuedAt + 100) * 1000 + 999)
    const signed = await signer.signCustomerToken(customer, { expiresAt })
    equal(validityOf(signed.token), [issuedAt, issuedAt + 100])
    equal(signed.expiresAt.getTime(), (issuedAt + 100) * 1000)
    equal(expiresAt.getTime(), (issuedAt + 100) * 1000 + 999)
  })

  suite.test('the last second of the year 9999 is allowed', async () => {
    const signer = await createTestSigner(lib, { secret })
    const { token } = await signer.signAdminToken({ expiresAt: new Date(253_402_300_799_000) })
    equal(decode(token).claims.exp, 253_402_300_799)
  })

  for (const [title, expiresAt] of badInstants) {
    suite.test(`expiresAt rejected: ${title}`, async () => {
      const signer = await createTestSigner(lib, { secret })
      const options = { expiresAt } as TokenOptions
      await rejects(() => signer.signCustomerToken(customer, options), 'ERR_LIFETIME_INVALID')
      await rejects(() => signer.signAdminToken(options), 'ERR_LIFETIME_INVALID')
    })
  }

  suite.test('expiresIn together with expiresAt', async () => {
    const signer = await createTestSigner(lib, { secret })
    const both = { expiresIn: 60, expiresAt: new Date((issuedAt + 60) * 1000) }
    await rejects(() => signer.signCustomerToken(customer, both), 'ERR_LIFETIME_INVALID')
    await rejects(() => signer.signAdminToken(both), 'ERR_LIFETIME_INVALID')
  })

  suite.test('a duration that ends after the year 9999', async () => {
    const signer = await createTestSigner(lib, { secret })
    await rejects(
      () => signer.signAdminToken({ expiresIn: 253_402_300_800 - issuedAt }),
      'ERR_LIFETIME_INVALID',
    )
    const { token } = await signer.signAdminToken({ expiresIn: 253_402_300_799 - issuedAt })
    equal(decode(token).claims.exp, 253_402_300_799)
  })
}

export const clock: ConformanceModule = (suite, lib) => {
  suite.test('milliseconds of the clock become whole seconds in the token', async () => {
    const signer = await createTestSigner(lib, { secret, now: () => issuedAt * 1000 + 999.9 })
    const signed = await signer.signCustomerToken(customer, { expiresIn: 1 })
    equal(validityOf(signed.token), [issuedAt, issuedAt + 1])
    equal(signed.issuedAt.getTime(), issuedAt * 1000)
  })

  suite.test('the clock is read for every token', async () => {
    let seconds = issuedAt
    const signer = await createTestSigner(lib, { secret, now: () => seconds++ * 1000 })
    seconds = issuedAt
    equal(validityOf((await signer.signAdminToken()).token), [issuedAt, issuedAt + 7200])
    equal(validityOf((await signer.signAdminToken()).token), [issuedAt + 1, issuedAt + 7201])
  })

  suite.test('the system clock is the default', async () => {
    const signer = await lib.createSigner({ workspaceKey: 'w', secret, trustedBrowser: true })
    const before = Math.floor(Date.now() / 1000)
    const { iat } = decode((await signer.signAdminToken()).token).claims
    assert(Number(iat) >= before && Number(iat) <= Date.now() / 1000, `iat is ${iat}`)
  })

  for (const time of [
    Number.NaN,
    Number.POSITIVE_INFINITY,
    'soon',
    undefined,
    null,
    8.64e15 + 1,
  ] as unknown[]) {
    suite.test(`a clock that returns ${time} never yields a token`, async () => {
      const refused = async () => {
        const signer = await createTestSigner(lib, { secret, now: () => time as number })
        return signer.signAdminToken()
      }
      const code = await refused().then(
        () => 'a token',
        (error: { code?: unknown }) => error.code,
      )
      assert(code === 'ERR_LIFETIME_INVALID' || code === 'ERR_OPTION_INVALID', `got ${String(code)}`)
    })
  }
}
