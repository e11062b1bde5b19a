import type { Customer } from '../../src/index.ts'
import type { ConformanceModule } from './suite.ts'
import { assert, equal, rejects } from './suite.ts'
import { expiresAt } from './token-fixtures.ts'
import {
  createTestSigner,
  customer,
  decode,
  expectedToken,
  headerOf,
  issuedAt,
  secret,
  signCustomer,
  verifies,
  workspaceKey,
} from './tokens.ts'

const { id } = customer

type Fields = Record<string, unknown>

class Session {
  user = 'ada'
}

function cycle(): Fields {
  const fields: Fields = { user: 'ada' }
  fields.self = { again: [fields] }
  return fields
}

const invalidFields: [string, () => unknown][] = [
  ['a string', () => 'plan=team'],
  ['a number', () => 1],
  ['a boolean', () => true],
  ['an array', () => ['team']],
  ['a function', () => () => 'team'],
  ['a Map', () => new Map([['plan', 'team']])],
  ['a Date', () => new Date(0)],
  ['a class instance', () => new Session()],
  ['a cycle', cycle],
  ['a BigInt', () => ({ balance: 1n })],
  ['a BigInt deep inside', () => ({ list: [{ balance: 1n }] })],
  ['a function inside', () => ({ get: () => 1 })],
  ['a symbol inside', () => ({ tag: Symbol('tag') })],
  ['NaN inside', () => ({ ratio: Number.NaN })],
  ['an invalid Date', () => ({ trialEnds: new Date('soon') })],
  ['a toJSON that returns nothing', () => ({ plan: { toJSON: () => undefined } })],
  ['Infinity inside', () => ({ list: [1, Number.POSITIVE_INFINITY] })],
  ['a Map inside', () => ({ plans: new Map([['plan', 'team']]) })],
  ['a Set inside', () => ({ plans: new Set(['team']) })],
  [
    'a getter that throws',
    () => ({
      get plan() {
        throw new TypeError('no plan')
      },
    }),
  ],
  [
    'a toJSON that throws',
    () => ({
      plan: {
        toJSON() {
          throw new TypeError('no plan')
        },
      },
    }),
  ],
]

const keptFields: [string, () => Fields, string][] = [
  ['an empty object', () => ({}), '{}'],
  [
    'every JSON type',
    () => ({ a: null, b: [true, 1.5, -0, 'x', []], c: { d: {} } }),
    '{"a":null,"b":[true,1.5,0,"x",[]],"c":{"d":{}}}',
  ],
  [
    'members that are undefined are dropped',
    () => ({ a: undefined, b: { c: undefined, d: 1 } }),
    '{"b":{"d":1}}',
  ],
  ['dates become ISO strings', () => ({ since: new Date(0) }), '{"since":"1970-01-01T00:00:00.000Z"}'],
  ['an object without a prototype', () => Object.assign(Object.create(null), { a: 1 }), '{"a":1}'],
  [
    '__proto__ as an own member',
    () => JSON.parse('{"__proto__":{"a":1},"b":2}'),
    '{"__proto__":{"a":1},"b":2}',
  ],
  [
    'the same object twice is not a cycle',
    () => {
      const o = { x: 1 }
      return { a: o, b: o }
    },
    '{"a":{"x":1},"b":{"x":1}}',
  ],
  [
    'names of registered claims',
    () => ({ exp: 1, iss: 'x', isAdmin: true }),
    '{"exp":1,"iss":"x","isAdmin":true}',
  ],
]

export const fields: ConformanceModule = (suite, lib) => {
  for (const [title, make] of invalidFields) {
    suite.test(`fields rejected: ${title}`, async () => {
      await rejects(() => signCustomer(lib, { id, fields: make() as Fields }), 'ERR_CLAIM_INVALID')
    })
  }

  for (const [title, make, json] of keptFields) {
    suite.test(`fields kept: ${title}`, async () => {
      const token = await signCustomer(lib, { id, fields: make() })
      const claims = `{"id":"${id}","fields":${json},"iat":${issuedAt},"exp":${expiresAt},"iss":"${workspaceKey}"}`
      equal(decode(token).payload, claims)
    })
  }

  suite.test('fields never change a prototype', async () => {
    await signCustomer(lib, { id, fields: JSON.parse('{"__proto__":{"polluted":true}}') as Fields })
    equal(({} as Fields).polluted, undefined)
  })
}

const texts: [string, string][] = [
  ['Cyrillic', 'Ада Лавлейс'],
  ['Arabic', 'آدا لوفلايس'],
  ['emoji with joiners', '👩‍💻🇬🇧'],
  ['combining marks', 'e\u0301 \u00e9'],
  ['quotes and line separators', '"\\\u2028\u2029'],
  ['a lone high surrogate', 'a\ud83d'],
  ['a lone low surrogate', '\ude00b'],
  ['a zero-width BOM', '\ufeffAda'],
  ['HTML', '</script><!--'],
]

export const unicode: ConformanceModule = (suite, lib) => {
  for (const [title, text] of texts) {
    suite.test(`text is signed unchanged: ${title}`, async () => {
      const signer = await createTestSigner(lib, { secret, workspaceKey: `w-${text}-w`, keyId: `k-${text}` })
      const given: Customer = { id: text, name: text, fields: { [text]: text } }
      const { token } = await signer.signCustomerToken(given, { jwtId: text })
      const dates = { iat: issuedAt, exp: expiresAt }
      const payload = JSON.stringify({ ...given, ...dates, iss: `w-${text}-w`, jti: text })
      equal(token, await expectedToken('HS512', secret, headerOf('HS512', `k-${text}`), payload))
    })
  }

  suite.test('control characters are allowed outside the id', async () => {
    const text = '\u0000\b\n\t"\\\u007f'
    const { claims } = decode(await signCustomer(lib, { id, name: text, fields: { [text]: text } }))
    equal([claims.name, claims.fields], [text, { [text]: text }])
  })

  suite.test('an empty name is kept', async () => {
    equal(decode(await signCustomer(lib, { id, name: '' })).claims.name, '')
  })
}

/** Bytes in the longest payload with HS512: 8192 characters, less 36 for the header, 86 for the signature and two dots. */
const longestPayload = ((8192 - 36 - 86 - 2) / 4) * 3

export const tokenSize: ConformanceModule = (suite, lib) => {
  const dates = { iat: issuedAt, exp: expiresAt }
  const shortest = JSON.stringify({ id, fields: { pad: '' }, ...dates, iss: workspaceKey })
  const room = longestPayload - shortest.length

  suite.test('4 KB of fields fit', async () => {
    const token = await signCustomer(lib, { id, fields: { pad: 'ж'.repeat(2048) } })
    assert(await verifies(token, 'HS512', secret), 'the signature does not verify')
  })

  suite.test('a token of 8192 characters is the longest', async () => {
    equal((await signCustomer(lib, { id, fields: { pad: 'x'.repeat(room) } })).length, 8192)
  })

  for (const [title, pad] of [
    ['one byte more', 'x'.repeat(room + 1)],
    ['bytes are counted, not characters', 'ж'.repeat(room / 2 + 1)],
    ['a megabyte', 'x'.repeat(2 ** 20)],
  ] as const) {
    suite.test(`too large: ${title}`, async () => {
      const error = await rejects(() => signCustomer(lib, { id, fields: { pad } }), 'ERR_TOKEN_TOO_LARGE')
      assert(error.message.length < 1000, 'the message repeats the token')
    })
  }

  suite.test('too large: the signature counts as well', async () => {
    const signer = await createTestSigner(lib, { secret, algorithm: 'HS256', keyId: 'k'.repeat(8192) })
    await rejects(() => signer.signAdminToken(), 'ERR_TOKEN_TOO_LARGE')
  })
}
