import { type Caller, createTokenEndpoint, refusal } from '../../src/endpoint.ts'
import {
  backend,
  bearer,
  createTestEndpoint,
  expectGrant,
  expectProblem,
  inSilence,
  loosely,
  makeRequest,
  parse,
  rejectsOption,
  send,
  visitor,
} from './endpoint-harness.ts'
import { assert, type ConformanceModule, equal, rejects } from './suite.ts'
import { createTestSigner, issuedAt, secret, workspaceKey } from './tokens.ts'

const admin = { isAdmin: true, iat: issuedAt, exp: issuedAt + 7200, iss: workspaceKey }

export const endpointCallers: ConformanceModule = ({ test }, lib) => {
  test('a service with the scope gets an admin token', async () => {
    const handler = await createTestEndpoint(lib, { ...backend, scopes: ['admin'] }, { kind: 'admin' })
    equal((await expectGrant(await send(handler, { method: 'POST' }))).claims, admin)
    const { claims } = await expectGrant(await send(handler, { body: { expiresIn: 60 } }))
    equal(claims, { ...admin, exp: issuedAt + 60 })
  })

  for (const member of ['id', 'tenantKey', 'name', 'fields', 'isAdmin', 'other']) {
    test(`400: an admin request with ${member}`, async () => {
      const handler = await createTestEndpoint(lib, backend, { kind: 'admin' })
      const response = await send(handler, { body: { expiresIn: 60, [member]: 'x' } })
      assert(expectProblem(response, 'ERR_BODY_INVALID').includes(member), 'the member is not named')
    })
  }

  const forbidden: [string, 'customer' | 'admin', Caller][] = [
    ['a service without the scope admin', 'admin', { ...backend, scopes: ['customer'] }],
    ['a service without the scope customer', 'customer', { ...backend, scopes: ['admin'] }],
    ['a service without any scope', 'customer', { ...backend, scopes: [] }],
    ['a session that requests an admin token', 'admin', visitor],
  ]
  for (const [title, kind, caller] of forbidden) {
    test(`403: ${title}`, async () => {
      const handler = await createTestEndpoint(lib, caller, { kind })
      expectProblem(await send(handler, { body: { id: 'c' } }), 'ERR_CALLER_FORBIDDEN')
    })
  }

  for (const member of ['id', 'name', 'fields', 'isAdmin']) {
    for (const value of ['customer-42', null, false, {}]) {
      test(`403: a session that sends ${member}: ${JSON.stringify(value)}`, async () => {
        const handler = await createTestEndpoint(lib, visitor)
        const response = await send(handler, { body: { expiresIn: 60, [member]: value } })
        const detail = expectProblem(response, 'ERR_CALLER_FORBIDDEN')
        assert(detail.includes(`"${member}"`), detail)
      })
    }
    for (const search of [`?${member}=customer-42`, `?${member}`, `?a=1&${member}=`, `?%${hex(member)}=x`]) {
      test(`403: a session with the query ${search}`, async () => {
        const handler = await createTestEndpoint(lib, visitor)
        for (const method of ['GET', 'POST']) {
          expectProblem(await send(handler, { method, search }), 'ERR_CALLER_FORBIDDEN')
        }
      })
    }
  }

  test('a session may send an unrelated query, but not an unknown member', async () => {
    const handler = await createTestEndpoint(lib, visitor)
    await expectGrant(await send(handler, { search: '?cache=no&Id=x', body: { expiresIn: 60 } }))
    const detail = expectProblem(await send(handler, { body: { other: 1 } }), 'ERR_BODY_INVALID')
    assert(detail.includes('other'), detail)
  })

  test('401: a bare challenge without credentials, invalid_token with unknown ones', async () => {
    const handler = await createTestEndpoint(lib, null)
    const basic = makeRequest({ headers: { Authorization: 'Basic YTpi' } })
    for (const request of [makeRequest(), basic, makeRequest({ body: { id: 'c' } })]) {
      expectProblem(await send(handler, request), 'ERR_CREDENTIALS_MISSING')
    }
    for (const credentials of ['opaque', 'a.b.c', '']) {
      expectProblem(await send(handler, bearer(credentials)), 'ERR_CREDENTIALS_INVALID')
    }
  })

  test('400: two credentials', async () => {
    const handler = await createTestEndpoint(lib, null)
    const request = bearer('one')
    request.headers.append('Authorization', 'Bearer two')
    expectProblem(await send(handler, request), 'ERR_CREDENTIALS_AMBIGUOUS')
  })

  // A customer who was looked up and not found must never become an admin.
  for (const [title, caller] of [
    ['customer: undefined', { kind: 'customer', customer: undefined, subject: 'u' }],
    ['customer: null', { kind: 'customer', customer: null, subject: 'u' }],
    ['no customer', { kind: 'customer', subject: 'u' }],
    ['an unknown kind', { kind: 'admin', name: 'u', scopes: ['admin'] }],
    ['nothing', {}],
    ['undefined', undefined],
    ['no scopes', { kind: 'service', name: 's' }],
    ['a customer without an id', { kind: 'customer', subject: 'u', customer: {} }],
    ['true', true],
    ['a string', 'customer-1'],
  ] as const) {
    for (const audited of [false, true]) {
      test(`no token for a caller with ${title}${audited ? ', audited' : ''}`, async () => {
        await inSilence(async () => {
          for (const kind of ['customer', 'admin'] as const) {
            const options = audited ? { kind, audit: () => {} } : { kind }
            const handler = await createTestEndpoint(lib, caller as unknown as Caller, options)
            const { status, text } = await send(handler, { method: 'POST' })
            assert(status >= 400 && parse(text).token === undefined, text)
          }
        })
      })
    }
  }
}

const hex = (member: string): string => member.charCodeAt(0).toString(16) + member.slice(1)

export const endpointFailures: ConformanceModule = ({ test }, lib) => {
  const secretDetail = 'hunter2'
  const errorWith = (members: object) => Object.assign(new Error(secretDetail), members)
  const failures: [string, () => unknown][] = [
    ['an error', () => new TypeError(secretDetail)],
    ['a key error', () => new lib.MembraneTokenError('ERR_KEY_INVALID', secretDetail)],
    [
      'an error that means 400 elsewhere',
      () => new lib.MembraneTokenError('ERR_CLAIM_INVALID', secretDetail),
    ],
    [
      'an error that means 503 elsewhere',
      () => new lib.MembraneTokenError('ERR_KEY_UNAVAILABLE', secretDetail),
    ],
    ['an imitation of refusal() with another code', () => errorWith({ name: 'Refusal', code: 'toString' })],
    ['an imitation of refusal() without a code', () => errorWith({ name: 'Refusal' })],
    ['an error with a code of refusal()', () => errorWith({ code: 'ERR_CREDENTIALS_INVALID' })],
    ['an error with a hostile name', () => errorWith({ name: 'x\n{}' })],
    ['a string', () => secretDetail],
    ['undefined', () => undefined],
    ['null', () => null],
  ]
  for (const hook of ['authenticate', 'rateLimit', 'audit']) {
    for (const how of ['throws', 'rejects with']) {
      for (const [title, make] of failures) {
        test(`500: ${hook} ${how} ${title}`, async () => {
          await inSilence(async (lines) => {
            const fail = () => {
              if (how !== 'throws') return Promise.reject(make())
              throw make()
            }
            const handler = await createTestEndpoint(lib, visitor, { [hook]: fail })
            const response = await send(handler, { headers: { 'X-Request-Id': 'request-1' } })
            expectProblem(response, 'ERR_INTERNAL')
            equal(parse(response.text).requestId, 'request-1')
            assert(!`${response.text}${lines.join()}`.includes(secretDetail), 'the detail is revealed')
            equal([lines.length, lines[0]?.includes('request-1')], [1, true], 'the log')
          })
        })
      }
    }
  }

  test('500: a signer that fails', async () => {
    const signer = await createTestSigner(lib, { secret })
    const failing = { ...signer, signCustomerToken: () => Promise.reject(new Error(secretDetail)) }
    await inSilence(async (lines) => {
      const handler = await createTestEndpoint(lib, visitor, { signer: failing })
      const response = await send(handler)
      expectProblem(response, 'ERR_INTERNAL')
      assert(!`${response.text}${lines.join()}`.includes(secretDetail), 'the detail is revealed')
    })
  })

  for (const hook of ['authenticate', 'rateLimit']) {
    test(`the refusal() of ${hook} is returned unchanged`, async () => {
      await inSilence(async (lines) => {
        const refuse = async () => {
          throw refusal('ERR_RATE_LIMITED', 'Wait a moment.', { 'Retry-After': '7' })
        }
        const response = await send(await createTestEndpoint(lib, visitor, { [hook]: refuse }))
        equal(expectProblem(response, 'ERR_RATE_LIMITED'), 'Wait a moment.')
        equal(response.headers.get('Retry-After'), '7')
        equal(lines, [])
      })
    })
  }
}

export const endpointOptions: ConformanceModule = ({ test }, lib) => {
  const authenticate = async () => null
  const wrong: [string, object, string?][] = [
    ['no signer', { signer: undefined }],
    ['a promise instead of a signer', { signer: Promise.resolve() }],
    ['no authenticator', { authenticate: undefined }],
    ['an authenticator of null', { authenticate: null }],
    ['a list of authenticators', { authenticate: [authenticate] }],
    ['another kind', { kind: 'service' }],
    ['a kind in capitals', { kind: 'Admin' }],
    ['a kind from Object.prototype', { kind: 'toString' }],
    ['a kind of null', { kind: null }],
    ['an audit that is not a function', { audit: {} }],
  ]
  for (const maxExpiresIn of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '60', '1 hour', '', {}]) {
    wrong.push([
      `maxExpiresIn: ${typeof maxExpiresIn} ${maxExpiresIn}`,
      { maxExpiresIn },
      'ERR_LIFETIME_INVALID',
    ])
  }
  for (const [title, options, code = 'ERR_OPTION_INVALID'] of wrong) {
    test(`invalid options: ${title}`, async () => {
      const signer = await createTestSigner(lib, { secret })
      await rejectsOption(createTokenEndpoint, { signer, authenticate }, options, code)
    })
  }

  for (const nothing of [undefined, null]) {
    test(`invalid options: ${nothing}`, async () => {
      await rejects(loosely(createTokenEndpoint, nothing), 'ERR_OPTION_INVALID')
    })
  }

  test('undefined options count as absent', async () => {
    const options = { kind: undefined, maxExpiresIn: undefined, audit: undefined }
    await expectGrant(await send(await createTestEndpoint(lib, visitor, options)))
  })
}
