import type { ConformanceModule, Library } from './suite.ts'
import { assert, equal, rejects } from './suite.ts'
import { expiresAt as defaultEnd } from './token-fixtures.ts'
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
    ...['', ' ', '3600', '0', '-1', '0s', '0w', '-5m', '+5m', '2 hours', '2hours', 'abc', 'h', '1y', '2h30m'],
    ...['1e3s', '0x10s', '٣h', 'Infinitys', 'NaNs', '2h\n', '\u00002h', `${'9'.repeat(400)}s`],
    '99999999999w',
  ].map((value): [string, unknown] => [`the text ${JSON.stringify(value).slice(0, 20)}`, value]),
  ['null', null],
  ['true', true],
  ['an object', {}],
  ['an array', [60]],
  ['a BigInt', 60n],
  ['a Date', new Date(0)],
  ['a function', () => 60],
]

async function rejectsLifetime(lib: Library, options: object): Promise<void> {
  const signer = await createTestSigner(lib, { secret })
  await rejects(() => signer.signCustomerToken(customer, options), 'ERR_LIFETIME_INVALID')
  await rejects(() => signer.signAdminToken(options), 'ERR_LIFETIME_INVALID')
}

function validityOf(token: string): [unknown, unknown] {
  const { iat, exp } = decode(token).claims
  return [iat, exp]
}

export const durations: ConformanceModule = (suite, lib) => {
  suite.test('two hours is the default', async () => {
    const signer = await createTestSigner(lib, { secret })
    const signed = await signer.signCustomerToken(customer)
    equal(validityOf(signed.token), [issuedAt, defaultEnd])
    equal(signed.issuedAt.getTime(), issuedAt * 1000)
    equal(signed.expiresAt.getTime(), defaultEnd * 1000)
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
      await rejectsLifetime(lib, { expiresIn })
    })
  }

  suite.test('a lifetime per token overrides the signer’s', async () => {
    const signer = await createTestSigner(lib, { secret, expiresIn: '7d' })
    equal(validityOf((await signer.signAdminToken({ expiresIn: 60 })).token), [issuedAt, issuedAt + 60])
    const expiresAt = new Date((issuedAt + 30) * 1000)
    equal(validityOf((await signer.signAdminToken({ expiresAt })).token), [issuedAt, issuedAt + 30])
    equal(validityOf((await signer.signAdminToken({})).token), [issuedAt, issuedAt + 604_800])
  })
}

const badInstants: [string, unknown][] = [
  ['the time of issue', new Date(issuedAt * 1000)],
  ['less than a second after issue', new Date(issuedAt * 1000 + 999)],
  ['in the past', new Date(issuedAt * 1000 - 1000)],
  ['the epoch', new Date(0)],
  ['an invalid Date', new Date(Number.NaN)],
  ['after the year 9999', new Date(253_402_300_800_000)],
  ['the last possible Date', new Date(8.64e15)],
  ['a number', issuedAt + 60],
  ['a string', '2026-01-01T02:00:00Z'],
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
    suite.test(`expiresAt rejected: ${title}`, () => rejectsLifetime(lib, { expiresAt }))
  }

  suite.test('expiresAt rejected: together with expiresIn', () =>
    rejectsLifetime(lib, { expiresIn: 60, expiresAt: new Date((issuedAt + 60) * 1000) }),
  )

  suite.test('a duration must end before the year 10000', async () => {
    const signer = await createTestSigner(lib, { secret })
    const tooLong = { expiresIn: 253_402_300_800 - issuedAt }
    await rejects(() => signer.signAdminToken(tooLong), 'ERR_LIFETIME_INVALID')
    const { token } = await signer.signAdminToken({ expiresIn: 253_402_300_799 - issuedAt })
    equal(decode(token).claims.exp, 253_402_300_799)
  })
}

export const clock: ConformanceModule = (suite, lib) => {
  suite.test('the time of the clock is rounded down to the second', async () => {
    const signer = await createTestSigner(lib, { secret, now: () => issuedAt * 1000 + 999.9 })
    const signed = await signer.signCustomerToken(customer, { expiresIn: 1 })
    equal(validityOf(signed.token), [issuedAt, issuedAt + 1])
    equal(signed.issuedAt.getTime(), issuedAt * 1000)
  })

  suite.test('the clock is read for every token', async () => {
    let seconds = issuedAt
    const signer = await createTestSigner(lib, { secret, now: () => seconds++ * 1000 })
    seconds = issuedAt
    equal(validityOf((await signer.signAdminToken()).token), [issuedAt, defaultEnd])
    equal(validityOf((await signer.signAdminToken()).token), [issuedAt + 1, defaultEnd + 1])
  })

  suite.test('the system clock is the default', async () => {
    const signer = await lib.createSigner({ workspaceKey: 'w', secret, trustedBrowser: true })
    const before = Math.floor(Date.now() / 1000)
    const { iat } = decode((await signer.signAdminToken()).token).claims
    assert(Number(iat) >= before && Number(iat) <= Date.now() / 1000, `iat is ${iat}`)
  })

  for (const [time, code] of [
    ...[Number.NaN, Number.POSITIVE_INFINITY, 'soon', undefined, null].map((t) => [t, 'ERR_OPTION_INVALID']),
    [8.64e15 + 1, 'ERR_LIFETIME_INVALID'],
  ] as [unknown, string][]) {
    suite.test(`rejected: a clock that returns ${time}`, async () => {
      const signer = await createLooseSigner(lib, { secret, now: () => time })
      await rejects(() => signer.signAdminToken(), code)
    })
  }
}
