import {
  bearer,
  createSession,
  createTestEndpoint,
  refuses,
  send,
  sessionToken,
  verifyCustomer,
} from './endpoint-harness.ts'
import { assert, type ConformanceModule, equal } from './suite.ts'

export const endpointRequiredScopes: ConformanceModule = ({ test }, lib) => {
  const requiredScopes = ['membrane:token']
  const granted: [string, object, string[]?][] = [
    ['scope', { scope: 'openid membrane:token profile' }],
    ['scope as a list', { scope: ['openid', 'membrane:token'] }],
    ['scp as a string', { scp: 'openid membrane:token' }],
    ['scp as a list', { scp: ['membrane:token'] }],
    ['permissions', { permissions: ['read', 'membrane:token'] }],
    ['three scopes, each in another claim', { scope: 'a', scp: ['b'], permissions: ['c'] }, ['a', 'b', 'c']],
  ]
  for (const [title, claims, required = requiredScopes] of granted) {
    test(`granted: ${title}`, async () => {
      const token = await sessionToken(claims)
      equal(await verifyCustomer(token, { requiredScopes: required }), { id: 'user-7' })
    })
  }

  const missing: [string, object][] = [
    ['no scopes', {}],
    ['other scopes', { scope: 'openid profile', scp: ['a'], permissions: ['b'] }],
    ['a scope with it as a prefix', { scope: 'membrane:token:x' }],
    ['a scope with it as a suffix', { scope: 'x:membrane:token' }],
    ['another case', { scope: 'Membrane:Token' }],
    ['commas', { scope: 'openid,membrane:token' }],
    ['permissions as a string', { permissions: 'membrane:token' }],
    ['an object', { scope: { 'membrane:token': true }, scp: { 0: 'membrane:token' } }],
    ['a list in a list', { scp: [['membrane:token']] }],
    ['null', { scope: null, scp: null, permissions: null }],
  ]
  for (const [title, claims] of missing) {
    test(`403: ${title}`, async () => {
      const token = await sessionToken(claims)
      await refuses(() => verifyCustomer(token, { requiredScopes }), 'ERR_CALLER_FORBIDDEN')
    })
  }

  test('the challenge of RFC 6750 names the scopes', async () => {
    const handler = await createTestEndpoint(lib, await createSession({ requiredScopes: ['a', 'b'] }))
    const response = await send(handler, bearer(await sessionToken({ scope: 'a' })))
    equal(response.status, 403)
    equal(response.headers.get('WWW-Authenticate'), 'Bearer error="insufficient_scope", scope="a b"')
    assert(JSON.parse(response.text).detail.includes(': b.'), response.text)
  })
}

export const endpointCustomerIds: ConformanceModule = ({ test }) => {
  const customerId = 'tenant'
  const good: [string, unknown, string][] = [
    ['a GUID in braces', '{6F9619FF-8B86-D011-B42D-00C04FC964FF}', '{6F9619FF-8B86-D011-B42D-00C04FC964FF}'],
    ['a name that looks like a sample', 'your-company-42', 'your-company-42'],
    ['an e-mail address', 'ada@example.com', 'ada@example.com'],
    ['spaces and slashes inside', 'a b/c', 'a b/c'],
    ['Null as a name', 'Null', 'Null'],
    ['zero', 0, '0'],
    ['a negative number', -7, '-7'],
    ['the largest exact number', Number.MAX_SAFE_INTEGER, '9007199254740991'],
  ]
  for (const [title, tenant, id] of good) {
    test(`accepted: ${title}`, async () => {
      equal(await verifyCustomer(await sessionToken({ tenant }), { customerId }), { id })
    })
  }

  const bad: [string, unknown][] = [
    ['a space', ' '],
    ['a no-break space', '\u00a0'],
    ['a line break inside', 'a\nb'],
    ['a zero byte', 'a\0'],
    ['the string undefined', 'undefined'],
    ['the string null', 'null'],
    ['the string NaN', 'NaN'],
    ['the string of an object', '[object Object]'],
    ['a placeholder in braces', '{CUSTOMER_ID}'],
    ['a placeholder in angle brackets', '<CUSTOMER_ID>'],
    ['a Handlebars template', '{{org.id}}'],
    ['a JavaScript template', '$' + '{org.id}'],
    ['a fraction', 1.5],
    ['a number beyond the safe integers', 2 ** 53],
    ['true', true],
  ]
  for (const [title, tenant] of bad) {
    test(`403, naming the claim: ${title}`, async () => {
      const token = await sessionToken({ tenant })
      const error = await refuses(() => verifyCustomer(token, { customerId }), 'ERR_CALLER_FORBIDDEN')
      assert(error.message.includes('the claim tenant'), error.message)
    })
  }

  test('an ambiguous path is rejected in every mapping', async () => {
    const token = await sessionToken({ 'a.b': 'one', a: { b: 'two' } })
    for (const mapping of [{ customerId: 'a.b' }, { customerName: 'a.b' }, { fields: ['a.b'] }]) {
      const error = await refuses(() => verifyCustomer(token, mapping), 'ERR_CALLER_FORBIDDEN')
      assert(error.message.includes('a.b'), error.message)
    }
  })

  test('a path without a value does not make a dotted name ambiguous', async () => {
    const token = await sessionToken({ 'a.b': 'one', a: { c: 'two' } })
    equal(await verifyCustomer(token, { customerId: 'a.b' }), { id: 'one' })
  })

  test('a prefix keeps the customers of two issuers apart', async () => {
    const options = { customerId, customerIdPrefix: 'eu:' }
    equal(await verifyCustomer(await sessionToken({ tenant: 7 }), options), { id: 'eu:7' })
    for (const tenant of ['', ' ', undefined]) {
      const token = await sessionToken({ tenant })
      await refuses(() => verifyCustomer(token, options), 'ERR_CALLER_FORBIDDEN')
    }
  })

  test('email as customer id requires email_verified or trustEmail', async () => {
    const email = 'ada@example.com'
    for (const email_verified of [undefined, false, 'true', 1, null]) {
      const token = await sessionToken({ email, email_verified })
      const error = await refuses(
        () => verifyCustomer(token, { customerId: 'email' }),
        'ERR_CALLER_FORBIDDEN',
      )
      assert(error.message.includes('email_verified'), error.message)
      equal(await verifyCustomer(token, { customerId: 'email', trustEmail: true }), { id: email })
      equal(await verifyCustomer(token, { customerName: 'email' }), { id: 'user-7', name: email })
    }
    const token = await sessionToken({ email, email_verified: true })
    equal(await verifyCustomer(token, { customerId: 'email' }), { id: email })
  })
}
