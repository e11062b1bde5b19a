import { utf8 } from './encoding.ts'
import {
  backend,
  createTestEndpoint,
  expectGrant,
  expectHeaders,
  expectProblem,
  parse,
  send,
  statuses,
  type TestRequest,
  visitor,
} from './endpoint-harness.ts'
import { assert, type ConformanceModule, equal } from './suite.ts'
import { customer, issuedAt, secret, verifies, workspaceKey } from './tokens.ts'

const dates = { iat: issuedAt, exp: issuedAt + 7200, iss: workspaceKey }

export const endpointMethods: ConformanceModule = ({ test }, lib) => {
  for (const method of ['GET', 'POST']) {
    test(`a session gets its own token by ${method}`, async () => {
      const handler = await createTestEndpoint(lib, visitor)
      const { claims } = await expectGrant(await send(handler, { method }))
      equal(claims, { ...customer, ...dates })
    })
  }

  for (const member of ['id', 'name', 'fields', 'isAdmin', 'expiresIn']) {
    test(`${member} belongs in the body, not in the query`, async () => {
      for (const [caller, code] of [
        [backend, 'ERR_QUERY_INVALID'],
        [visitor, member === 'expiresIn' ? 'ERR_QUERY_INVALID' : 'ERR_CALLER_FORBIDDEN'],
      ] as const) {
        const handler = await createTestEndpoint(lib, caller)
        const detail = expectProblem(await send(handler, { search: `?${member}=1h` }), code)
        assert(detail.includes(`"${member}"`), detail)
      }
    })
  }

  for (const [kind, allow, methods] of [
    ['customer', 'GET, POST', ['HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'QUERY']],
    ['admin', 'POST', ['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'QUERY']],
  ] as const) {
    for (const method of methods) {
      test(`${kind}: ${method} is not allowed, and the caller is not authenticated`, async () => {
        const never = async () => assert(false, 'the caller is authenticated') as never
        const handler = await createTestEndpoint(lib, never, { kind })
        const response = await send(handler, { method })
        expectProblem(response, 'ERR_METHOD_NOT_ALLOWED')
        equal(response.headers.get('Allow'), allow)
      })
    }
  }
}

const padded = (size: number) => '{"id":"customer-42"}'.padEnd(size, ' ')
const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)
const utf16 = (text: string) => Uint8Array.from([...text].flatMap((c) => [c.charCodeAt(0), 0]))

export const endpointBodies: ConformanceModule = ({ test }, lib) => {
  const accepted: [string, TestRequest, object][] = [
    ['only an id', { body: { id: 'c' } }, { id: 'c' }],
    ['id, name and fields', { body: customer }, customer],
    ['an id in Unicode', { body: { id: 'Zoë 🦋' } }, { id: 'Zoë 🦋' }],
    ['name and fields of null', { body: { id: 'c', name: null, fields: null } }, { id: 'c' }],
    ['empty fields', { body: { id: 'c', fields: {} } }, { id: 'c', fields: {} }],
    [
      'an id and a name from Object.prototype',
      { body: { id: 'toString', name: 'constructor' } },
      { id: 'toString', name: 'constructor' },
    ],
    [
      'a field name from Object.prototype',
      { body: '{"id":"c","fields":{"toString":1}}' },
      { id: 'c', fields: { toString: 1 } },
    ],
    [
      'the same name in different objects',
      { body: '{"id":"c","fields":{"id":"{\\"id\\":1}","a":{"id":2}}}' },
      { id: 'c', fields: { id: '{"id":1}', a: { id: 2 } } },
    ],
    ['a charset', { body: { id: 'c' }, type: 'application/json; charset=utf-8' }, { id: 'c' }],
    ['a charset in quotes', { body: { id: 'c' }, type: 'application/json;charset="UTF-8"' }, { id: 'c' }],
    ['the type in capitals', { body: { id: 'c' }, type: 'Application/JSON' }, { id: 'c' }],
    ['16 KiB', { body: padded(16_384) }, { id: 'customer-42' }],
  ]
  for (const [title, request, expected] of accepted) {
    test(`accepted: ${title}`, async () => {
      const { claims } = await expectGrant(await send(await createTestEndpoint(lib, backend), request))
      equal(claims, { ...expected, ...dates })
    })
  }

  const types = [
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/jsonp',
    'application/merge-patch+json',
    'application/json; charset=utf-16',
    'application/json; charset=iso-8859-1',
    'text/json',
    'json',
    'application/json; charset=utf-8; boundary=x',
    'application/json, text/plain',
    'text/plain; a=application/json',
    '*/*',
  ]
  const rejected: Record<string, [string, TestRequest][]> = {
    ERR_BODY_INVALID: [
      ['no body', { method: 'POST' }],
      ['an empty body', { body: '' }],
      ['truncated JSON', { body: '{"id":' }],
      ['text after the JSON', { body: '{"id":"c"}}' }],
      ['a comment', { body: '{"id":"c"/**/}' }],
      ['a trailing comma', { body: '{"id":"c",}' }],
      ['a trailing NUL', { body: '{"id":"c"}\0' }],
      ['two ids', { body: '{"id":"victim","id":"c"}' }],
      ['two ids, one of them escaped', { body: '{"id":"c","\\u0069d":"victim"}' }],
      ['a member of fields twice', { body: '{"id":"c","fields":{"a":{"b":1,"b":2}}}' }],
      ['a list', { body: [{ id: 'c' }] }],
      ['a string', { body: '"customer-42"' }],
      ['a number', { body: '42' }],
      ['null', { body: 'null' }],
      ['only spaces', { body: '   ' }],
      ['NaN', { body: '{"id":"c","fields":{"a":NaN}}' }],
      ['invalid UTF-8', { body: Uint8Array.of(...utf8('{"id":"'), 0xff, ...utf8('"}')) }],
      ['truncated UTF-8', { body: Uint8Array.of(...utf8('{"id":"c"}'), 0xc3) }],
      ['UTF-16', { body: utf16('{"id":"c"}') }],
      ['__proto__', { body: '{"id":"c","__proto__":{"id":"d"}}' }],
      ['the id in __proto__', { body: '{"__proto__":{"id":"victim"}}' }],
      ['a nested __proto__', { body: '{"id":"c","fields":{"a":[{"__proto__":1}]}}' }],
      ['an escaped __proto__', { body: '{"id":"c","\\u005f_proto__":1}' }],
    ],
    ERR_BODY_TOO_LARGE: [
      ['one byte too many', { body: padded(16_385) }],
      ['a megabyte', { body: padded(1_048_576) }],
    ],
    ERR_TOKEN_TOO_LARGE: [
      ['fields of 9000 characters', { body: { id: 'c', fields: { a: 'x'.repeat(9000) } } }],
    ],
    ERR_CLAIM_INVALID: [
      ['an empty id', { body: { id: '' } }],
      ['a number as id', { body: { id: 42 } }],
      ['null as id', { body: { id: null } }],
      ['a list as id', { body: { id: ['c'] } }],
      ['an object as id', { body: { id: { toString: 'c' } } }],
      ['a string as fields', { body: { id: 'c', fields: 'x' } }],
      ['infinity in fields', { body: '{"id":"c","fields":{"a":1e999}}' }],
      ['a number as name', { body: { id: 'c', name: 1 } }],
      ['a list as fields', { body: { id: 'c', fields: [] } }],
      ['fields nested 300 deep', { body: `{"id":"c","fields":{"a":${nested(300)}}}` }],
    ],
    ERR_LIFETIME_INVALID: [['an infinite lifetime', { body: '{"id":"c","expiresIn":1e999}' }]],
    ERR_CONTENT_TYPE_UNSUPPORTED: [
      ['no type', { body: { id: 'c' }, type: null }],
      ...types.map((type): [string, TestRequest] => [type, { body: { id: 'c' }, type }]),
    ],
  }
  for (const [code, requests] of Object.entries(rejected)) {
    for (const [title, request] of requests) {
      test(`rejected: ${title}`, async () => {
        const response = await send(await createTestEndpoint(lib, backend), request)
        expectProblem(response, code)
        equal(response.headers.get('Accept'), statuses[code]?.[0] === 415 ? 'application/json' : null)
      })
    }
  }

  const misspelled: [string, string][] = [
    ['tenantKey', 'known: id, name, fields, expiresIn'],
    ['expireIn', 'did you mean `expiresIn`?'],
    ['ID', 'did you mean `id`?'],
    ['feilds', 'did you mean `fields`?'],
    ['isAdmin', 'known: id, name, fields, expiresIn'],
    ['iss', '`iss`'],
    ['constructor', '`constructor`'],
  ]
  for (const [member, hint] of misspelled) {
    test(`rejected, naming the unknown member: ${member}`, async () => {
      const response = await send(await createTestEndpoint(lib, backend), {
        body: { id: 'c', [member]: 'x' },
      })
      const detail = expectProblem(response, 'ERR_BODY_INVALID')
      assert(detail.includes(`\`${member}\``) && detail.includes(hint), detail)
    })
  }

  test('rejected: the deepest possible nesting', async () => {
    const handler = await createTestEndpoint(lib, backend)
    for (const body of [nested(8000), `{"id":"c","fields":{"a":${nested(8000)}}}`, '['.repeat(16_384)]) {
      equal((await send(handler, { body })).status, 400)
    }
  })

  test('a rejected body is not quoted', async () => {
    const handler = await createTestEndpoint(lib, backend)
    const bodies = ['{"id":hunter2}', '{"id":"c","fields":"hunter2"}', '{"id":["hunter2"]}', 'hunter2']
    for (const body of [...bodies, '{"id":"c","expiresIn":"hunter2"}']) {
      const { text } = await send(handler, { body })
      assert(!text.includes('hunter2'), text)
    }
  })

  test('the body is read only for callers who may get a token', async () => {
    const request = { body: '{"id":' }
    expectProblem(await send(await createTestEndpoint(lib, null), request), 'ERR_CREDENTIALS_MISSING')
    const other = { ...backend, scopes: ['admin'] as const }
    expectProblem(await send(await createTestEndpoint(lib, other), request), 'ERR_CALLER_FORBIDDEN')
  })
}

export const endpointAccept: ConformanceModule = ({ test }, lib) => {
  const accepts: [accept: string | undefined, bare: boolean][] = [
    [undefined, false],
    ['', false],
    ['*/*', false],
    ['text/html', false],
    ['application/json', false],
    ['application/jwt', true],
    ['APPLICATION/JWT', true],
    ['text/html, application/jwt', true],
    ['application/jwt;q=0.5', true],
    ['application/jwt; q=0', false],
    ['application/jwt, application/json', false],
    ['application/json;q=0.9,application/jwt', true],
    ['application/json, application/jwt;q=0.9', false],
    ['application/jwt;q=0.4, application/*;q=0.5', false],
    ['application/jwt;q=0.6, application/*;q=0.5, */*;q=0.9', true],
    ['application/jwt, */*;q=0.1', true],
    ['application/jwt, */*', false],
    ['application/jwt;q=x', false],
    ['application/jwt+json', false],
    ['application/problem+json', false],
  ]
  for (const [accept, bare] of accepts) {
    test(`Accept ${accept}: ${bare ? 'the bare token' : 'JSON'}`, async () => {
      const handler = await createTestEndpoint(lib, visitor)
      const response = await send(handler, accept === undefined ? {} : { headers: { Accept: accept } })
      if (!bare) return void (await expectGrant(response))
      equal(response.status, 200)
      expectHeaders(response, 'application/jwt')
      assert(await verifies(response.text, 'HS512', secret), 'not a bare token')
    })
  }

  test('an error is a problem, regardless of Accept', async () => {
    const handler = await createTestEndpoint(lib, null)
    const response = await send(handler, { headers: { Accept: 'application/jwt' } })
    expectProblem(response, 'ERR_CREDENTIALS_MISSING')
  })

  for (const [given, kept] of [
    ['request-1', true],
    ['0af7651916cd43dd8448eb211c80319c', true],
    ['a='.repeat(100), true],
    ['a'.repeat(256), false],
    ['a b', false],
    ['<script>', false],
    ['a", "b', false],
    ['', false],
    [undefined, false],
  ] as const) {
    test(`X-Request-Id ${given?.slice(0, 20)}: ${kept ? 'kept' : 'replaced'}`, async () => {
      const headers: Record<string, string> = given === undefined ? {} : { 'X-Request-Id': given }
      const { text } = await send(await createTestEndpoint(lib, null), { headers })
      const { requestId } = parse(text)
      if (kept) equal(requestId, given)
      else assert(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(String(requestId)), String(requestId))
    })
  }
}
