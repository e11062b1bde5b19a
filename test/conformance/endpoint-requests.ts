import { utf8 } from './encoding.ts'
import {
  type Asked,
  backend,
  createTestEndpoint,
  expectGrant,
  expectProblem,
  parse,
  send,
  statuses,
  visitor,
} from './endpoint-harness.ts'
import type { ConformanceModule } from './suite.ts'
import { assert, equal } from './suite.ts'
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
      test(`${kind}: ${method} is not allowed, with or without credentials`, async () => {
        const never = async () => assert(false, 'the caller is looked at') as never
        const handler = await createTestEndpoint(lib, never, { kind })
        const answer = await send(handler, { method })
        expectProblem(answer, 'ERR_METHOD_NOT_ALLOWED')
        equal(answer.headers.get('Allow'), allow)
      })
    }
  }
}

const padded = (size: number) => '{"id":"customer-42"}'.padEnd(size, ' ')
const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)

export const endpointBodies: ConformanceModule = ({ test }, lib) => {
  const good: [string, Asked, object][] = [
    ['the id', { body: { id: 'c' } }, { id: 'c' }],
    ['all of it', { body: customer }, customer],
    ['id in Unicode', { body: { id: 'Zoë 🦋' } }, { id: 'Zoë 🦋' }],
    ['name and fields null', { body: { id: 'c', name: null, fields: null } }, { id: 'c' }],
    ['no fields', { body: { id: 'c', fields: {} } }, { id: 'c', fields: {} }],
    [
      'prototype words',
      { body: { id: 'toString', name: 'constructor' } },
      { id: 'toString', name: 'constructor' },
    ],
    [
      'names of Object.prototype',
      { body: '{"id":"c","fields":{"toString":1}}' },
      { id: 'c', fields: { toString: 1 } },
    ],
    [
      'one name in two objects',
      { body: '{"id":"c","fields":{"id":"{\\"id\\":1}","a":{"id":2}}}' },
      { id: 'c', fields: { id: '{"id":1}', a: { id: 2 } } },
    ],
    ['a charset', { body: { id: 'c' }, type: 'application/json; charset=utf-8' }, { id: 'c' }],
    ['a charset in quotes', { body: { id: 'c' }, type: 'application/json;charset="UTF-8"' }, { id: 'c' }],
    ['the type in capitals', { body: { id: 'c' }, type: 'Application/JSON' }, { id: 'c' }],
    ['16 KiB', { body: padded(16_384) }, { id: 'customer-42' }],
  ]
  for (const [title, asked, expected] of good) {
    test(`good: ${title}`, async () => {
      const { claims } = await expectGrant(await send(await createTestEndpoint(lib, backend), asked))
      equal(claims, { ...expected, ...dates })
    })
  }

  const bad: [string, Asked, string][] = [
    ['no body', { method: 'POST' }, 'ERR_BODY_INVALID'],
    ['an empty body', { body: '' }, 'ERR_BODY_INVALID'],
    ['no JSON', { body: '{"id":' }, 'ERR_BODY_INVALID'],
    ['JSON and more', { body: '{"id":"c"}}' }, 'ERR_BODY_INVALID'],
    ['a comment', { body: '{"id":"c"/**/}' }, 'ERR_BODY_INVALID'],
    ['a trailing comma', { body: '{"id":"c",}' }, 'ERR_BODY_INVALID'],
    ['a trailing NUL', { body: '{"id":"c"}\0' }, 'ERR_BODY_INVALID'],
    ['two ids', { body: '{"id":"victim","id":"c"}' }, 'ERR_BODY_INVALID'],
    ['two ids, one of them in disguise', { body: '{"id":"c","\\u0069d":"victim"}' }, 'ERR_BODY_INVALID'],
    ['a member of fields twice', { body: '{"id":"c","fields":{"a":{"b":1,"b":2}}}' }, 'ERR_BODY_INVALID'],
    ['a list', { body: [{ id: 'c' }] }, 'ERR_BODY_INVALID'],
    ['a text', { body: '"customer-42"' }, 'ERR_BODY_INVALID'],
    ['a number', { body: '42' }, 'ERR_BODY_INVALID'],
    ['null', { body: 'null' }, 'ERR_BODY_INVALID'],
    ['spaces', { body: '   ' }, 'ERR_BODY_INVALID'],
    ['NaN', { body: '{"id":"c","fields":{"a":NaN}}' }, 'ERR_BODY_INVALID'],
    ['not UTF-8', { body: Uint8Array.of(...utf8('{"id":"'), 0xff, ...utf8('"}')) }, 'ERR_BODY_INVALID'],
    ['UTF-8 cut short', { body: Uint8Array.of(...utf8('{"id":"c"}'), 0xc3) }, 'ERR_BODY_INVALID'],
    [
      'UTF-16',
      { body: Uint8Array.from([...'{"id":"c"}'].flatMap((c) => [c.charCodeAt(0), 0])) },
      'ERR_BODY_INVALID',
    ],
    ['__proto__', { body: '{"id":"c","__proto__":{"id":"d"}}' }, 'ERR_BODY_INVALID'],
    ['the id in __proto__', { body: '{"__proto__":{"id":"victim"}}' }, 'ERR_BODY_INVALID'],
    ['__proto__ within', { body: '{"id":"c","fields":{"a":[{"__proto__":1}]}}' }, 'ERR_BODY_INVALID'],
    ['__proto__ in disguise', { body: '{"id":"c","\\u005f_proto__":1}' }, 'ERR_BODY_INVALID'],
    ['a byte too many', { body: padded(16_385) }, 'ERR_BODY_TOO_LARGE'],
    ['a megabyte', { body: padded(1_048_576) }, 'ERR_BODY_TOO_LARGE'],
    [
      'fields for 9000 characters',
      { body: { id: 'c', fields: { a: 'x'.repeat(9000) } } },
      'ERR_TOKEN_TOO_LARGE',
    ],
    ['id empty', { body: { id: '' } }, 'ERR_CLAIM_INVALID'],
    ['id a number', { body: { id: 42 } }, 'ERR_CLAIM_INVALID'],
    ['id null', { body: { id: null } }, 'ERR_CLAIM_INVALID'],
    ['id a list', { body: { id: ['c'] } }, 'ERR_CLAIM_INVALID'],
    ['id an object', { body: { id: { toString: 'c' } } }, 'ERR_CLAIM_INVALID'],
    ['fields text', { body: { id: 'c', fields: 'x' } }, 'ERR_CLAIM_INVALID'],
    ['infinity in fields', { body: '{"id":"c","fields":{"a":1e999}}' }, 'ERR_CLAIM_INVALID'],
    ['an infinite lifetime', { body: '{"id":"c","expiresIn":1e999}' }, 'ERR_LIFETIME_INVALID'],
    ['name a number', { body: { id: 'c', name: 1 } }, 'ERR_CLAIM_INVALID'],
    ['fields a list', { body: { id: 'c', fields: [] } }, 'ERR_CLAIM_INVALID'],
    ['fields 300 deep', { body: `{"id":"c","fields":{"a":${nested(300)}}}` }, 'ERR_CLAIM_INVALID'],
    ['no type', { body: { id: 'c' }, type: null }, 'ERR_CONTENT_TYPE_UNSUPPORTED'],
  ]
  for (const type of [
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
  ]) {
    bad.push([type, { body: { id: 'c' }, type }, 'ERR_CONTENT_TYPE_UNSUPPORTED'])
  }
  for (const [title, asked, code] of bad) {
    test(`bad: ${title}`, async () => {
      const answer = await send(await createTestEndpoint(lib, backend), asked)
      expectProblem(answer, code)
      equal(answer.headers.get('Accept'), statuses[code]?.[0] === 415 ? 'application/json' : null)
    })
  }

  const misspelt: [string, string][] = [
    ['tenantKey', 'known: id, name, fields, expiresIn'],
    ['expireIn', 'did you mean `expiresIn`?'],
    ['ID', 'did you mean `id`?'],
    ['feilds', 'did you mean `fields`?'],
    ['isAdmin', 'known: id, name, fields, expiresIn'],
    ['iss', '`iss`'],
    ['constructor', '`constructor`'],
  ]
  for (const [member, hint] of misspelt) {
    test(`bad: the unknown member ${member} is named`, async () => {
      const handler = await createTestEndpoint(lib, backend)
      const detail = expectProblem(
        await send(handler, { body: { id: 'c', [member]: 'x' } }),
        'ERR_BODY_INVALID',
      )
      assert(detail.includes(`\`${member}\``) && detail.includes(hint), detail)
    })
  }

  test('bad: nested as deep as possible', async () => {
    const handler = await createTestEndpoint(lib, backend)
    for (const body of [nested(8000), `{"id":"c","fields":{"a":${nested(8000)}}}`, '['.repeat(16_384)]) {
      equal((await send(handler, { body })).status, 400)
    }
  })

  test('bad: the body is not quoted', async () => {
    const handler = await createTestEndpoint(lib, backend)
    const bodies = ['{"id":hunter2}', '{"id":"c","fields":"hunter2"}', '{"id":["hunter2"]}', 'hunter2']
    for (const body of [...bodies, '{"id":"c","expiresIn":"hunter2"}']) {
      const { text } = await send(handler, { body })
      assert(!text.includes('hunter2'), text)
    }
  })

  test('the body is read only for callers who may have a token at all', async () => {
    const asked = { body: '{"id":' }
    expectProblem(await send(await createTestEndpoint(lib, null), asked), 'ERR_CREDENTIALS_MISSING')
    const other = { ...backend, scopes: ['admin'] as const }
    expectProblem(await send(await createTestEndpoint(lib, other), asked), 'ERR_CALLER_FORBIDDEN')
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
    test(`${accept}: ${bare ? 'the bare token' : 'JSON'}`, async () => {
      const handler = await createTestEndpoint(lib, visitor)
      const answer = await send(handler, accept === undefined ? {} : { headers: { Accept: accept } })
      if (!bare) return void (await expectGrant(answer))
      equal([answer.status, answer.headers.get('Content-Type')], [200, 'application/jwt'])
      equal(answer.headers.get('Cache-Control'), 'no-store')
      equal(answer.headers.get('X-Content-Type-Options'), 'nosniff')
      assert(await verifies(answer.text, 'HS512', secret), 'not the token alone')
    })
  }

  test('an error is a problem, whatever Accept says', async () => {
    const handler = await createTestEndpoint(lib, null)
    const answer = await send(handler, { headers: { Accept: 'application/jwt' } })
    expectProblem(answer, 'ERR_CREDENTIALS_MISSING')
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
    test(`request id ${given?.slice(0, 20)}: ${kept ? 'kept' : 'replaced'}`, async () => {
      const headers: Record<string, string> = given === undefined ? {} : { 'X-Request-Id': given }
      const { text } = await send(await createTestEndpoint(lib, null), { headers })
      const { requestId } = parse(text)
      if (kept) equal(requestId, given)
      else assert(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(String(requestId)), String(requestId))
    })
  }
}
