import type { ClaimStyle } from '../../src/index.ts'
import type { ConformanceModule } from './suite.ts'
import { assert, equal, rejects } from './suite.ts'
import { createTestSigner, customer, decode, issuedAt, secret, workspaceKey } from './tokens.ts'

const { id, name, fields } = customer
const iat = issuedAt
const exp = issuedAt + 7200
const jti = 'token-1'
const isAdmin = true

/** The order of the members is part of the promise: it makes tokens equal to `jsonwebtoken`'s, byte for byte. */
const layouts: Record<ClaimStyle, { customerClaims: object; adminClaims: object }> = {
  issuer: {
    customerClaims: { id, name, fields, iat, exp, iss: workspaceKey },
    adminClaims: { isAdmin, iat, exp, iss: workspaceKey },
  },
  workspaceKey: {
    customerClaims: { workspaceKey, id, name, fields, iat, exp },
    adminClaims: { workspaceKey, isAdmin, iat, exp },
  },
  tenant: {
    customerClaims: { workspaceKey, tenantKey: id, name, fields, iat, exp },
    adminClaims: { workspaceKey, isAdmin, iat, exp },
  },
}

export const claimStyles: ConformanceModule = (suite, lib) => {
  for (const claimStyle of Object.keys(layouts) as ClaimStyle[]) {
    const { customerClaims, adminClaims } = layouts[claimStyle]

    suite.test(`${claimStyle}: claims of a customer token`, async () => {
      const signer = await createTestSigner(lib, { secret, claimStyle })
      equal(decode((await signer.signCustomerToken(customer)).token).payload, JSON.stringify(customerClaims))
      const { token } = await signer.signCustomerToken(customer, { jwtId: jti })
      equal(decode(token).payload, JSON.stringify({ ...customerClaims, jti }))
    })

    suite.test(`${claimStyle}: claims of an admin token`, async () => {
      const signer = await createTestSigner(lib, { secret, claimStyle })
      equal(decode((await signer.signAdminToken()).token).payload, JSON.stringify(adminClaims))
      const { token } = await signer.signAdminToken({ jwtId: jti })
      equal(decode(token).payload, JSON.stringify({ ...adminClaims, jti }))
    })

    suite.test(`${claimStyle}: absent members are omitted`, async () => {
      const signer = await createTestSigner(lib, { secret, claimStyle })
      const { token } = await signer.signCustomerToken({ id })
      const { name: _, fields: __, ...bare } = customerClaims as Record<string, unknown>
      equal(decode(token).payload, JSON.stringify(bare))
    })
  }

  suite.test('issuer is the default style', async () => {
    const signer = await createTestSigner(lib, { secret })
    const { token } = await signer.signCustomerToken(customer)
    equal(decode(token).payload, JSON.stringify(layouts.issuer.customerClaims))
  })

  suite.test('members that are undefined are omitted', async () => {
    const loose = { id, name: undefined, fields: undefined } as unknown as typeof customer
    const signer = await createTestSigner(lib, { secret })
    const { token } = await signer.signCustomerToken(loose, { jwtId: undefined } as unknown as {
      jwtId: string
    })
    equal(Object.keys(decode(token).claims), ['id', 'iat', 'exp', 'iss'])
  })

  suite.test('a name and fields of null are omitted', async () => {
    const loose = { id, name: null, fields: null } as unknown as typeof customer
    const signer = await createTestSigner(lib, { secret })
    equal(Object.keys(decode((await signer.signCustomerToken(loose)).token).claims), [
      'id',
      'iat',
      'exp',
      'iss',
    ])
  })

  suite.test('options that look like a customer never reach an admin token', async () => {
    const signer = await createTestSigner(lib, { secret, claimStyle: 'tenant' })
    for (const options of [{ id }, { name }, { fields }, { tenantKey: id }] as object[])
      await rejects(() => signer.signAdminToken(options), 'ERR_OPTION_INVALID')
  })
}

const wrongCustomers: [string, unknown][] = [
  ['no customer', undefined],
  ['null', null],
  ['a bare id', 'customer-42'],
  ['a number', 42],
  ['a list', ['customer-42']],
  ['no id', { name }],
  ['an empty id', { id: '' }],
  ['a null id', { id: null }],
  ['a numeric id', { id: 42 }],
  ['an object as id', { id: { toString: () => 'customer-42' } }],
  ['a boxed id', { id: Object('customer-42') }],
  ['a numeric name', { id, name: 42 }],
  ['an object as name', { id, name: {} }],
]

const placeholders = [
  ...['undefined', 'null', 'NaN', '[object Object]', '{CUSTOMER_ID}', '<CUSTOMER_ID>', '{{customer.id}}'],
  ...['$' + '{customerId}', '{{}}', ' ', '\t', 'a\u0000b', 'a\n', 'a\u0085b'],
]

const genuineIds = [
  ...['{6F9619FF-8B86-D011-B42D-00C04FC964FF}', 'your-company-42', 'ada@example.com', 'Undefined', 'NULL'],
  ...['a b', 'org/team/42', '{customer}', '<b>', '0', 'false', '[object]', ' x', '$42', '{{', '{{a}'],
]

export const customers: ConformanceModule = (suite, lib) => {
  for (const [title, wrong] of wrongCustomers) {
    suite.test(`customer rejected: ${title}`, async () => {
      const signer = await createTestSigner(lib, { secret })
      await rejects(() => signer.signCustomerToken(wrong as typeof customer), 'ERR_CLAIM_INVALID')
    })
  }

  for (const wrong of placeholders) {
    suite.test(`customer rejected: ${JSON.stringify(wrong)} as id`, async () => {
      const signer = await createTestSigner(lib, { secret })
      const error = await rejects(() => signer.signCustomerToken({ id: wrong }), 'ERR_CLAIM_INVALID')
      equal((error as { option?: string }).option, 'id')
    })
  }

  for (const wrong of placeholders.filter((text) => text.trim() === text && !/\p{Cc}/u.test(text))) {
    suite.test(`workspace key rejected: ${wrong}`, async () => {
      const error = await rejects(
        () => createTestSigner(lib, { secret, workspaceKey: wrong }),
        'ERR_OPTION_INVALID',
      )
      equal((error as { option?: string }).option, 'workspaceKey')
    })
  }

  for (const genuine of genuineIds) {
    suite.test(`customer accepted: ${genuine} as id`, async () => {
      const signer = await createTestSigner(lib, { secret })
      const { token } = await signer.signCustomerToken({ id: genuine, name: 'undefined' })
      equal(decode(token).claims.id, genuine)
    })
  }

  for (const [member, said] of [
    ['isAdmin', 'put the rest into fields'],
    ['names', 'did you mean `name`?'],
    ['email', 'put the rest into fields'],
    ['expiresIn', 'second argument'],
    ['jwtId', 'second argument'],
  ] as const) {
    suite.test(`customer rejected: the unknown member ${member}`, async () => {
      const signer = await createTestSigner(lib, { secret })
      const error = await rejects(
        () => signer.signCustomerToken({ ...customer, [member]: 'x' }),
        'ERR_CLAIM_INVALID',
      )
      equal((error as { option?: string }).option, member)
      assert(error.message.includes(member) && error.message.includes(said), error.message)
    })
  }

  for (const jwtId of ['', '  ', 42, null, {}] as unknown[]) {
    suite.test(`token id rejected: ${JSON.stringify(jwtId)}`, async () => {
      const signer = await createTestSigner(lib, { secret })
      await rejects(() => signer.signCustomerToken(customer, { jwtId: jwtId as string }), 'ERR_CLAIM_INVALID')
      await rejects(() => signer.signAdminToken({ jwtId: jwtId as string }), 'ERR_CLAIM_INVALID')
    })
  }
}
