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
  send,
  visitor,
} from './endpoint-harness.ts'
import type { ConformanceModule } from './suite.ts'
import { assert, equal, rejects } from './suite.ts'
import { createTestSigner, decode, issuedAt, secret, workspaceKey } from './tokens.ts'

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
      const answer = await send(handler, { body: { expiresIn: 60, [member]: 'x' } })
      assert(expectProblem(answer, 'ERR_BODY_INVALID').includes(member), 'the member is not named')
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
        const answer = await send(handler, { body: { expiresIn: 60, [member]: value } })
        assert(
          expectProblem(answer, 'ERR_CALLER_FORBIDDEN').includes(`"${member}"`),
          'the member is not named',
        )
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

  test('a session may send an unrelated query, but no unknown member', async () => {
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

  // A customer that was looked up and not found must never become an admin.
  for (const [title, caller] of [
    ['customer: undefined', { kind: 'customer', customer: undefined, subject: 'u' }],
    ['customer: null', { kind: 'customer', customer: null, subject: 'u' }],
    ['no customer', { kind: 'customer', subject: 'u' }],
    ['a kind that does not exist', { kind: 'admin', name: 'u', scopes: ['admin'] }],
    ['nothing', {}],
    ['undefined', undefined],
    ['no scopes', { kind: 'service', name: 's' }],
    ['a customer without an id', { kind: 'customer', subject: 'u', customer: {} }],
    ['true', true],
    ['text', 'customer-1'],
  ] as const) {
    for (const audited of [false, true]) {
      test(`no token for a caller with ${title}${audited ? ', audited' : ''}`, async () => {
        await inSilence(async () => {
          for (const kind of ['customer', 'admin'] as const) {
            const options = audited ? { kind, audit: () => {} } : { kind }
            const handler = await createTestEndpoint(lib, caller as unknown as Caller, options)
            const { status, text } = await send(handler, { method: 'POST' })
            const { token } = parse(text)
            const given = typeof token === 'string' ? decode(token).payload : 'no token'
            assert(status >= 400 && token === undefined, `${status} ${given}`)
          }
        })
      })
    }
  }
}

const hex = (member: string): string => member.charCodeAt(0).toString(16) + member.slice(1)

export const endpointFailures: ConformanceModule = ({ test }, lib) => {
  const secretDetail = 'hunter2'
  const failures: [string, () => unknown][] = [
    ['an error', () => new TypeError(secretDetail)],
    ['an error that the caller did not cause', () => membraneError(lib, secretDetail)],
    [
      'an error that imitates refusal()',
      () => Object.assign(new Error(secretDetail), { name: 'Refusal', code: 'toString' }),
    ],
    [
      'an imitation of refusal() without a code',
      () => Object.assign(new Error(secretDetail), { name: 'Refusal' }),
    ],
    [
      'an error with a code that is not from refusal()',
      () => Object.assign(new Error(secretDetail), { code: 'ERR_CREDENTIALS_INVALID' }),
    ],
    ['an error with a hostile name', () => Object.assign(new Error(secretDetail), { name: 'x\n{}' })],
    ['text', () => secretDetail],
    ['undefined', () => undefined],
    ['null', () => null],
  ]
  for (const [title, make] of failures) {
    for (const at of ['once', 'later'] as const) {
      test(`500: an authenticator that throws ${title}, ${at}`, async () => {
        await inSilence(async (lines) => {
          const authenticate = () => {
            if (at === 'later') return Promise.reject(make())
            throw make()
          }
          const handler = await createTestEndpoint(lib, authenticate)
          const answer = await send(handler, { headers: { 'X-Request-Id': 'request-1' } })
          expectProblem(answer, 'ERR_INTERNAL')
          equal(parse(answer.text).requestId, 'request-1')
          assert(!`${answer.text}${lines.join()}`.includes(secretDetail), 'the detail is revealed')
          equal([lines.length, lines[0]?.includes('request-1')], [1, true], 'what is logged')
        })
      })
    }
  }

  test('500: a signer that fails', async () => {
    const signer = await createTestSigner(lib, { secret })
    const failing = { ...signer, signCustomerToken: () => Promise.reject(new Error(secretDetail)) }
    await inSilence(async (lines) => {
      const handler = await createTestEndpoint(lib, visitor, { signer: failing })
      const answer = await send(handler)
      expectProblem(answer, 'ERR_INTERNAL')
      assert(!`${answer.text}${lines.join()}`.includes(secretDetail), 'the detail is revealed')
    })
  })

  test('the refusal() of an authenticator is returned unchanged', async () => {
    await inSilence(async (lines) => {
      const authenticate = async () => {
        throw refusal('ERR_RATE_LIMITED', 'Wait a moment.', { 'Retry-After': '7' })
      }
      const answer = await send(await createTestEndpoint(lib, authenticate))
      equal(expectProblem(answer, 'ERR_RATE_LIMITED'), 'Wait a moment.')
      equal(answer.headers.get('Retry-After'), '7')
      equal(lines, [])
    })
  })
}

function membraneError(lib: Library, message: string): Error {
  return new lib.MembraneTokenError('ERR_KEY_INVALID', message)
}

type Library = Parameters<ConformanceModule>[1]

export const endpointOptions: ConformanceModule = ({ test }, lib) => {
  const authenticate = async () => null
  const wrong: [string, Record<string, unknown>, string][] = [
    ['no signer', { signer: undefined }, 'ERR_OPTION_INVALID'],
    ['a promise instead of a signer', { signer: Promise.resolve() }, 'ERR_OPTION_INVALID'],
    ['no authenticator', { authenticate: undefined }, 'ERR_OPTION_INVALID'],
    ['an authenticator of null', { authenticate: null }, 'ERR_OPTION_INVALID'],
    ['a list of authenticators', { authenticate: [authenticate] }, 'ERR_OPTION_INVALID'],
    ['another kind', { kind: 'service' }, 'ERR_OPTION_INVALID'],
    ['a kind in capitals', { kind: 'Admin' }, 'ERR_OPTION_INVALID'],
    ['a kind that every object has', { kind: 'toString' }, 'ERR_OPTION_INVALID'],
    ['no kind', { kind: null }, 'ERR_OPTION_INVALID'],
    ...[0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '60', '1 hour', '', {}].map(
      (maxExpiresIn): [string, Record<string, unknown>, string] => [
        `maxExpiresIn ${JSON.stringify(maxExpiresIn)} ${typeof maxExpiresIn} ${maxExpiresIn}`,
        { maxExpiresIn },
        'ERR_LIFETIME_INVALID',
      ],
    ),
  ]
  for (const [title, options, code] of wrong) {
    test(title, async () => {
      const signer = await createTestSigner(lib, { secret })
      await rejects(loosely(createTokenEndpoint, { signer, authenticate, ...options }), code)
    })
  }

  for (const nothing of [undefined, null]) {
    test(`${nothing}`, () =>
      rejects(loosely(createTokenEndpoint, nothing), 'ERR_OPTION_INVALID').then(() => {}))
  }

  test('an audit that is not a function', async () => {
    const signer = await createTestSigner(lib, { secret })
    await rejects(loosely(createTokenEndpoint, { signer, authenticate, audit: {} }), 'ERR_OPTION_INVALID')
  })

  test('undefined options count as absent', async () => {
    const options = { kind: undefined, maxExpiresIn: undefined, audit: undefined }
    await expectGrant(await send(await createTestEndpoint(lib, visitor, options)))
  })
}
