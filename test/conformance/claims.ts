import type { ClaimStyle, Customer } from '../../src/index.ts'
import type { ConformanceModule } from './suite.ts'
import { assert, equal, rejects } from './suite.ts'
import { createTestSigner, customer, decode, issuedAt, secret, signCustomer, workspaceKey } from './tokens.ts'

const { id, name, fields } = customer
const iat = issuedAt
const exp = issuedAt + 7200
const jti = 'token-1'
const isAdmin = true

/** The order of the members counts: tokens equal those of `jsonwebtoken` byte for byte. */
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

  for (const absent of [undefined, null]) {
    suite.test(`members that are ${absent} are omitted`, async () => {
      const subject = { id, name: absent, fields: absent } as Customer
      const token = await signCustomer(lib, subject, { jwtId: undefined })
      equal(Object.keys(decode(token).claims), ['id', 'iat', 'exp', 'iss'])
    })
  }

  suite.test('an admin token cannot have members of a customer', async () => {
    const signer = await createTestSigner(lib, { secret, claimStyle: 'tenant' })
    for (const options of [{ id }, { name }, { fields }, { tenantKey: id }] as object[])
      await rejects(() => signer.signAdminToken(options), 'ERR_OPTION_INVALID')
  })
}

const wrongCustomers: [string, unknown][] = [
  ['undefined', undefined],
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
      await rejects(() => signCustomer(lib, wrong as Customer), 'ERR_CLAIM_INVALID')
    })
  }

  for (const wrong of placeholders) {
    suite.test(`customer rejected: ${JSON.stringify(wrong)} as id`, async () => {
      const error = await rejects(() => signCustomer(lib, { id: wrong }), 'ERR_CLAIM_INVALID')
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
      const token = await signCustomer(lib, { id: genuine, name: 'undefined' })
      equal(decode(token).claims.id, genuine)
    })
  }

  for (const [member, hint] of [
    ['isAdmin', 'put the rest into fields'],
    ['names', 'did you mean `name`?'],
    ['email', 'put the rest into fields'],
    ['expiresIn', 'second argument'],
    ['jwtId', 'second argument'],
  ] as const) {
    suite.test(`customer rejected: the unknown member ${member}`, async () => {
      const error = await rejects(
        () => signCustomer(lib, { ...customer, [member]: 'x' }),
        'ERR_CLAIM_INVALID',
      )
      equal((error as { option?: string }).option, member)
      assert(error.message.includes(member) && error.message.includes(hint), error.message)
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
