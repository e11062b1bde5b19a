import type { ClaimMapping } from '../../src/endpoint.ts'
import {
  atTime,
  audience,
  bearer,
  createSession,
  createTestEndpoint,
  expectGrant,
  expectProblem,
  inSilence,
  issuer,
  refuses,
  send,
  sessionToken,
  verifyCustomer,
} from './endpoint-harness.ts'
import { assert, type ConformanceModule, equal } from './suite.ts'
import { now } from './token-fixtures.ts'
import { issuedAt, workspaceKey } from './tokens.ts'

const claims = {
  name: 'Ada Lovelace',
  email: 'ada@example.com',
  o: { id: 'org_1', slg: 'acme', plan: { seats: 5 }, 'a.b': 'nested dots' },
  'https://app.example/customer': 'customer-9',
  'https://app.example/plan': 'team',
  'custom:tenant': 'tenant-3',
  'cognito:groups': ['admins', 'users'],
  'a.b': 'dotted name',
  a: { b: 'path' },
  zero: 0,
  no: false,
  nothing: null,
  number: 42,
  list: ['one', 'two'],
  empty: '',
  fraction: 4.2,
  large: 2 ** 53,
  blank: ' \t',
  control: 'customer\n7',
  placeholder: '{CUSTOMER_ID}',
  absent: 'undefined',
}

export const endpointClaims: ConformanceModule = ({ test }, lib) => {
  const good: [string, ClaimMapping, object][] = [
    ['by default', {}, { id: 'user-7', name: 'Ada Lovelace' }],
    ['a claim', { customerId: 'custom:tenant' }, { id: 'tenant-3', name: 'Ada Lovelace' }],
    ['a path', { customerId: 'o.id', customerName: 'o.slg' }, { id: 'org_1', name: 'acme' }],
    ['a URL', { customerId: 'https://app.example/customer' }, { id: 'customer-9', name: 'Ada Lovelace' }],
    ['a whole number', { customerId: 'number' }, { id: '42', name: 'Ada Lovelace' }],
    ['a function that returns a number', { customerId: () => 7 }, { id: '7', name: 'Ada Lovelace' }],
    ['an index into a list', { customerId: 'list.1', customerName: 'list.0' }, { id: 'two', name: 'one' }],
    ['functions', { customerId: (all) => `x-${all.sub}`, customerName: () => undefined }, { id: 'x-user-7' }],
    ['a missing name', { customerName: 'nickname' }, { id: 'user-7' }],
    ['a name that is a number', { customerName: 'number' }, { id: 'user-7' }],
    ['a name that is an object', { customerName: 'o' }, { id: 'user-7' }],
  ]
  for (const [title, mapping, customer] of good) {
    test(`the customer: ${title}`, async () => {
      const caller = await (await createSession(mapping))(bearer(await sessionToken(claims)))
      assert(caller?.kind === 'customer')
      equal(caller.customer, customer)
      equal(caller.subject, 'user-7')
    })
  }

  const fields: [string, ClaimMapping['fields'], object | undefined][] = [
    ['no mapping', undefined, undefined],
    ['an empty list', [], undefined],
    ['a claim', ['email'], { email: 'ada@example.com' }],
    ['the last part of a path', ['o.slg', 'o.plan'], { slg: 'acme', plan: { seats: 5 } }],
    ['the last part of a long path', ['o.plan.seats'], { seats: 5 }],
    ['the last part of a URL', ['https://app.example/plan'], { plan: 'team' }],
    ['a name with a colon', ['cognito:groups'], { 'cognito:groups': ['admins', 'users'] }],
    ['any value', ['zero', 'no', 'nothing', 'list'], pick('zero', 'no', 'nothing', 'list')],
    [
      'missing claims are left out',
      ['email', 'phone', 'o.telephone', 'email.x'],
      { email: 'ada@example.com' },
    ],
    ['inherited members are left out', ['email', 'o.toString', 'o.__proto__', 'constructor'], pick('email')],
    ['only missing claims', ['phone'], undefined],
    ['a function', ({ o }) => ({ org: o }), { org: claims.o }],
    ['a function that returns undefined', () => undefined, undefined],
    ['a function that returns {}', () => ({}), undefined],
  ]
  for (const [title, mapping, expected] of fields) {
    test(`fields: ${title}`, async () => {
      const customer = await verifyCustomer(await sessionToken(claims), { fields: mapping })
      equal(customer, { id: 'user-7', name: 'Ada Lovelace', ...(expected && { fields: expected }) })
    })
  }

  test('mapped claims reach the token', async () => {
    await atTime(now, async () => {
      const mapping = { customerId: 'o.id', customerName: 'o.slg', fields: ['o.plan', 'cognito:groups'] }
      const handler = await createTestEndpoint(lib, await createSession(mapping))
      const token = await sessionToken({ ...claims, exp: issuedAt + 60 })
      equal((await expectGrant(await send(handler, bearer(token)))).claims, {
        id: 'org_1',
        name: 'acme',
        fields: { plan: { seats: 5 }, 'cognito:groups': ['admins', 'users'] },
        iat: issuedAt,
        exp: issuedAt + 60,
        iss: workspaceKey,
      })
    })
  })
}

function pick(...names: (keyof typeof claims)[]): object {
  return Object.fromEntries(names.map((name) => [name, claims[name]]))
}

export const endpointMissingClaims: ConformanceModule = ({ test }, lib) => {
  const missing: [string, ClaimMapping['customerId']][] = [
    ['a missing claim', 'tenant'],
    ['a missing path', 'o.tenant'],
    ['a path through a missing claim', 'tenant.id'],
    ['a path through a string', 'sub.length'],
    ['a path through null', 'nothing.id'],
    ['a path through the length of a list', 'list.length.x'],
    ['a fraction', 'fraction'],
    ['a number beyond the safe integers', 'large'],
    ['a dotted claim name and a path with different values', 'a.b'],
    ['a blank string', 'blank'],
    ['a control character', 'control'],
    ['a placeholder', 'placeholder'],
    ['the string undefined', 'absent'],
    ['an object', 'o'],
    ['a list', 'list'],
    ['null', 'nothing'],
    ['false', 'no'],
    ['an empty string', 'empty'],
    ['a dotted name in a path', 'o.a.b'],
    ['a path with an empty part', 'o..id'],
    ['__proto__', '__proto__'],
    ['__proto__ first in a path', '__proto__.id'],
    ['__proto__ inside a path', 'o.__proto__.id'],
    ['constructor.name', 'constructor.name'],
    ['toString', 'toString'],
    ['a function that returns undefined', () => undefined],
    ['a function that returns an empty string', () => ''],
    ['a function that returns a fraction', () => 4.2],
    ['a function that returns a placeholder', () => '{{customer_id}}'],
    ['a function that returns a promise', (async () => 'customer-1') as never],
  ]
  for (const [title, customerId] of missing) {
    test(`403: ${title}`, async () => {
      const authenticate = await createSession({ customerId })
      const handler = await createTestEndpoint(lib, authenticate)
      const response = await send(handler, bearer(await sessionToken(claims)))
      const detail = expectProblem(response, 'ERR_CALLER_FORBIDDEN')
      if (typeof customerId === 'string') assert(detail.includes(customerId), 'the claim is not named')
      assert(!detail.includes('ada@example.com') && !detail.includes('org_1'), 'claims are revealed')
    })
  }

  test('500: a function that throws', async () => {
    const failing = () => {
      throw new TypeError('hunter2')
    }
    const token = await sessionToken(claims)
    for (const mapping of [{ customerId: failing }, { customerName: failing }, { fields: failing }]) {
      await inSilence(async () => {
        const handler = await createTestEndpoint(lib, await createSession(mapping))
        const response = await send(handler, bearer(token))
        expectProblem(response, 'ERR_INTERNAL')
        assert(!response.text.includes('hunter2'), 'the detail is revealed')
      })
    }
  })

  test('__proto__ in the claims has no effect', async () => {
    const payload = JSON.stringify({ iss: issuer, aud: audience, exp: issuedAt + 3600, o: {} })
      .replace(/}$/, ',"__proto__":{"sub":"admin","polluted":true}}')
      .replace('"o":{}', '"o":{"__proto__":{"id":"admin","polluted":true}}')
    const token = await sessionToken(payload)
    for (const customerId of ['sub', 'polluted', 'o.id', 'o.polluted']) {
      const authenticate = await createSession({ customerId })
      await refuses(() => authenticate(bearer(token)), 'ERR_CREDENTIALS_INVALID')
    }
    assert(!('polluted' in {}), 'Object.prototype is changed')
  })

  test('__proto__ inside a claim adds no members to it', async () => {
    const payload = JSON.stringify({ iss: issuer, aud: audience, exp: issuedAt + 3600, sub: 'user-7', o: 1 })
    const token = await sessionToken(
      payload.replace('"o":1', '"o":{"__proto__":{"id":"admin","plan":"gold"}}'),
    )
    const byId = await createSession({ customerId: 'o.id' })
    await refuses(() => byId(bearer(token)), 'ERR_CALLER_FORBIDDEN')
    equal(await verifyCustomer(token, { fields: ['o.plan'] }), { id: 'user-7' })
  })
}
