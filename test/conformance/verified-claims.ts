import type { ConformanceModule } from './suite.ts'
import { assert, equal, rejects } from './suite.ts'
import { createTestVerifier, expiresAt, forge, goodClaims, now, verify } from './token-fixtures.ts'
import { customer, issuedAt, secret, workspaceKey } from './tokens.ts'

type Claims = Record<string, unknown>

const other = 'another-workspace'

const workspaces: [string, Claims, genuine: boolean][] = [
  ['iss', { iss: workspaceKey }, true],
  ['workspaceKey', { iss: undefined, workspaceKey }, true],
  ['both, and equal', { workspaceKey }, true],
  ['both, iss of another', { iss: other, workspaceKey }, false],
  ['both, workspaceKey of another', { workspaceKey: other }, false],
  ['both of the same other', { iss: other, workspaceKey: other }, false],
  ['neither', { iss: undefined }, false],
  ['iss of another', { iss: other }, false],
  ['workspaceKey of another', { iss: undefined, workspaceKey: other }, false],
  ['an empty iss', { iss: '' }, false],
  ['an empty iss beside workspaceKey', { iss: '', workspaceKey }, false],
  ['a null iss', { iss: null }, false],
  ['a numeric iss', { iss: 42 }, false],
  ['iss true', { iss: true }, false],
  ['a list with the workspace as iss', { iss: [workspaceKey] }, false],
  ['a list with the workspace as workspaceKey', { iss: undefined, workspaceKey: [workspaceKey] }, false],
  ['an object as iss', { iss: { toString: workspaceKey } }, false],
  ['iss in capitals', { iss: workspaceKey.toUpperCase() }, false],
  ['iss with a space', { iss: `${workspaceKey} ` }, false],
  ['iss truncated', { iss: workspaceKey.slice(0, -1) }, false],
  ['the workspace as aud', { iss: undefined, aud: workspaceKey }, false],
  ['workspaceKey in another case', { iss: undefined, WorkspaceKey: workspaceKey }, false],
]

export const verifiedWorkspace: ConformanceModule = (suite, lib) => {
  for (const [title, claims, genuine] of workspaces) {
    suite.test(`workspace: ${title}`, async () => {
      for (const subject of [{}, { id: undefined, isAdmin: true }]) {
        const token = await forge({ ...claims, ...subject })
        if (genuine) equal((await verify(lib, token)).workspaceKey, workspaceKey)
        else await rejects(() => verify(lib, token), 'ERR_TOKEN_WORKSPACE_MISMATCH')
      }
    })
  }

  suite.test('workspace: the same text in another normalization form', async () => {
    const composed = 'caf\u00e9'
    const verifier = await createTestVerifier(lib, { secret, workspaceKey: composed })
    equal((await verifier.verify(await forge({ iss: composed }))).workspaceKey, composed)
    const token = await forge({ iss: 'cafe\u0301' })
    await rejects(() => verifier.verify(token), 'ERR_TOKEN_WORKSPACE_MISMATCH')
  })
}

const { id } = customer

const subjects: [string, Claims, kind: 'customer' | 'admin' | undefined][] = [
  ['id', {}, 'customer'],
  ['tenantKey', { id: undefined, tenantKey: id }, 'customer'],
  ['id and tenantKey, equal', { tenantKey: id }, 'customer'],
  ['id and tenantKey, different', { tenantKey: 'other' }, undefined],
  ['id and an empty tenantKey', { tenantKey: '' }, undefined],
  ['id and a numeric tenantKey', { tenantKey: 42 }, undefined],
  ['an empty id and tenantKey', { id: '', tenantKey: id }, undefined],
  ['neither customer nor admin', { id: undefined }, undefined],
  ['sub alone', { id: undefined, sub: id }, undefined],
  ['userId alone', { id: undefined, userId: id }, undefined],
  ['an empty id', { id: '' }, undefined],
  ['a null id', { id: null }, undefined],
  ['a null id and tenantKey', { id: null, tenantKey: id }, 'customer'],
  ['id and a null tenantKey', { tenantKey: null }, 'customer'],
  ['a numeric id', { id: 42 }, undefined],
  ['an id of zero', { id: 0 }, undefined],
  ['an id of true', { id: true }, undefined],
  ['a list as id', { id: [id] }, undefined],
  ['an object as id', { id: { id } }, undefined],
  ['an empty tenantKey', { id: undefined, tenantKey: '' }, undefined],
  ['a numeric tenantKey', { id: undefined, tenantKey: 42 }, undefined],
  ['isAdmin true', { id: undefined, isAdmin: true }, 'admin'],
  ['isAdmin 1', { id: undefined, isAdmin: 1 }, 'admin'],
  ['isAdmin "yes"', { id: undefined, isAdmin: 'yes' }, 'admin'],
  ...['false', 'FALSE', 'no', 'No', '0'].map((text): [string, Claims, undefined] => [
    `isAdmin "${text}"`,
    { id: undefined, isAdmin: text },
    undefined,
  ]),
  ['isAdmin "false" with an id', { isAdmin: 'false' }, undefined],
  ['isAdmin true with a null id', { id: null, isAdmin: true }, 'admin'],
  ['isAdmin true with an id', { isAdmin: true }, undefined],
  ['isAdmin 1 with an id', { isAdmin: 1 }, undefined],
  ['isAdmin "yes" with an id', { isAdmin: 'yes' }, undefined],
  ['isAdmin true with a tenantKey', { id: undefined, tenantKey: id, isAdmin: true }, undefined],
  ['isAdmin true with both', { tenantKey: id, isAdmin: true }, undefined],
  ['isAdmin false with an id', { isAdmin: false }, 'customer'],
  ['isAdmin 0 with an id', { isAdmin: 0 }, 'customer'],
  ['isAdmin "" with an id', { isAdmin: '' }, 'customer'],
  ['isAdmin null with an id', { isAdmin: null }, 'customer'],
  ['isAdmin false alone', { id: undefined, isAdmin: false }, undefined],
  ['isAdmin 0 alone', { id: undefined, isAdmin: 0 }, undefined],
  ['isAdmin "" alone', { id: undefined, isAdmin: '' }, undefined],
  ['isAdmin null alone', { id: undefined, isAdmin: null }, undefined],
  ['isadmin in another case', { id: undefined, isadmin: true, IsAdmin: true }, undefined],
  ['role admin', { id: undefined, role: 'admin' }, undefined],
]

export const verifiedSubject: ConformanceModule = (suite, lib) => {
  for (const [title, claims, kind] of subjects) {
    suite.test(`subject: ${title}`, async () => {
      const token = await forge(claims)
      if (!kind) {
        await rejects(() => verify(lib, token), 'ERR_TOKEN_CLAIM_INVALID')
        return
      }
      const dates = { issuedAt: new Date(now), expiresAt: new Date(expiresAt * 1000) }
      const subject = kind === 'customer' ? { kind, id } : { kind }
      equal(await verify(lib, token), { ...subject, workspaceKey, ...dates, algorithm: 'HS512' })
    })
  }

  for (const [claim, values] of Object.entries({
    name: [42, true, {}, ['Ada']],
    fields: [42, 'plan', '', true, false, 0, [{ plan: 'team' }]],
    jti: [42, true, {}, ['x']],
  })) {
    for (const value of values) {
      suite.test(`${claim} rejected: ${JSON.stringify(value)}`, async () => {
        await rejects(async () => verify(lib, await forge({ [claim]: value })), 'ERR_TOKEN_CLAIM_INVALID')
      })
    }
  }

  suite.test('a name and fields of null count as absent', async () => {
    const verified = await verify(lib, await forge({ name: null, fields: null }))
    equal(['name' in verified, 'fields' in verified], [false, false])
  })

  suite.test('fields that are an empty array, as PHP writes them, count as absent', async () => {
    equal('fields' in (await verify(lib, await forge({ fields: [] }))), false)
  })

  suite.test('the name and fields of an admin token are ignored', async () => {
    const claims = { id: undefined, isAdmin: true, name: 'Ada', fields: { plan: 'team' }, sub: id }
    const verified = await verify(lib, await forge(claims))
    equal(Object.keys(verified).sort(), ['algorithm', 'expiresAt', 'issuedAt', 'kind', 'workspaceKey'])
  })
}

/** `JSON.parse` creates `__proto__` as an ordinary member; assigning it to another object sets a prototype. */
export const pollution: ConformanceModule = (suite, lib) => {
  const texts: [string, string, string][] = [
    ['no id', '{"__proto__":{"id":"customer-42"},"iss":"WORKSPACE","exp":EXP}', 'ERR_TOKEN_CLAIM_INVALID'],
    ['no isAdmin', '{"__proto__":{"isAdmin":true},"iss":"WORKSPACE","exp":EXP}', 'ERR_TOKEN_CLAIM_INVALID'],
    ['no exp', '{"__proto__":{"exp":EXP},"iss":"WORKSPACE","id":"a"}', 'ERR_TOKEN_CLAIM_INVALID'],
    ['no workspace', '{"__proto__":{"iss":"WORKSPACE"},"exp":EXP,"id":"a"}', 'ERR_TOKEN_WORKSPACE_MISMATCH'],
    ['no constructor', '{"constructor":{"id":"a"},"iss":"WORKSPACE","exp":EXP}', 'ERR_TOKEN_CLAIM_INVALID'],
  ]
  for (const [title, text, code] of texts) {
    suite.test(`__proto__ in the claims gives ${title}`, async () => {
      await rejects(async () => verify(lib, await forge(fill(text))), code)
    })
  }

  suite.test('__proto__ in the claims changes neither kind nor customer', async () => {
    const text = '{"__proto__":{"isAdmin":true,"name":"x","jti":"x"},"id":"a","iss":"WORKSPACE","exp":EXP}'
    const verified = await verify(lib, await forge(fill(text)))
    equal(Object.keys(verified).sort(), ['algorithm', 'expiresAt', 'id', 'kind', 'workspaceKey'])
    const named = verified as unknown as Claims
    equal([named.name, named.isAdmin, named.jwtId], [undefined, undefined, undefined])
  })

  suite.test('__proto__ in the fields stays a member and sets no prototype', async () => {
    const fields = '{"__proto__":{"polluted":1},"a":{"__proto__":{"polluted":2}},"constructor":{"x":1}}'
    const text = `{"id":"a","iss":"WORKSPACE","exp":EXP,"fields":${fields}}`
    const verified = await verify(lib, await forge(fill(text)))
    assert(verified.kind === 'customer' && verified.fields)
    equal(verified.fields.polluted, undefined)
    equal((verified.fields.a as Claims).polluted, undefined)
    equal(JSON.stringify(verified.fields), fields)
    equal(({} as Claims).polluted, undefined)
  })

  function fill(text: string): string {
    return text.replace('WORKSPACE', workspaceKey).replace('EXP', String(expiresAt))
  }
}

const wrongDates: [string, string][] = [
  ['a text', `"${expiresAt}"`],
  ['an ISO date', '"2026-01-01T02:00:00Z"'],
  ['an empty text', '""'],
  ['null', 'null'],
  ['true', 'true'],
  ['a list', `[${expiresAt}]`],
  ['an object', '{}'],
  ['1e308', '1e308'],
  ['-1e308', '-1e308'],
  ['1e309, which is Infinity', '1e309'],
  ['milliseconds', String(expiresAt * 1000)],
  ['the first second of the year 10000', '253402300800'],
]

export const verifiedDates: ConformanceModule = (suite, lib) => {
  for (const claim of ['exp', 'nbf', 'iat']) {
    for (const [title, value] of wrongDates) {
      suite.test(`${claim} rejected: ${title}`, async () => {
        const text = JSON.stringify({ ...goodClaims, [claim]: 'CLAIM' })
        const token = await forge(text.replace('"CLAIM"', value))
        await rejects(() => verify(lib, token), 'ERR_TOKEN_CLAIM_INVALID')
      })
    }
  }

  suite.test('exp rejected: missing, in a customer token and in an admin token', async () => {
    for (const subject of [{}, { id: undefined, isAdmin: true }]) {
      const token = await forge({ exp: undefined, ...subject })
      await rejects(() => verify(lib, token), 'ERR_TOKEN_CLAIM_INVALID')
    }
  })

  for (const exp of ['0', '-1', '-0', '1', `${issuedAt - 1}`, `${issuedAt - 0.001}`]) {
    suite.test(`expired: exp ${exp}`, async () => {
      const text = JSON.stringify({ ...goodClaims, exp: 'CLAIM' })
      const token = await forge(text.replace('"CLAIM"', exp))
      await rejects(() => verify(lib, token), 'ERR_TOKEN_EXPIRED')
    })
  }

  suite.test('the last second of the year 9999 is valid', async () => {
    const verified = await verify(lib, await forge({ exp: 253_402_300_799 }))
    equal(verified.expiresAt.toISOString(), '9999-12-31T23:59:59.000Z')
  })

  suite.test('fractions of seconds are valid (RFC 7519 section 2)', async () => {
    const verified = await verify(lib, await forge({ iat: issuedAt + 0.25, exp: issuedAt + 0.5 }))
    equal([verified.issuedAt, verified.expiresAt], [new Date(now + 250), new Date(now + 500)])
    const later = await createTestVerifier(lib, { secret, now: () => now + 500 })
    await rejects(async () => later.verify(await forge({ exp: issuedAt + 0.5 })), 'ERR_TOKEN_EXPIRED')
  })

  const boundaries: ['exp' | 'nbf', toleranceSeconds: number, clockOffsetMs: number, code?: string][] = [
    ['exp', 0, -1],
    ['exp', 0, 0, 'ERR_TOKEN_EXPIRED'],
    ['exp', 0, 1, 'ERR_TOKEN_EXPIRED'],
    ['exp', 5, 4999],
    ['exp', 5, 5000, 'ERR_TOKEN_EXPIRED'],
    ['exp', 0.5, 499],
    ['exp', 0.5, 500, 'ERR_TOKEN_EXPIRED'],
    ['nbf', 0, -1, 'ERR_TOKEN_NOT_YET_VALID'],
    ['nbf', 0, 0],
    ['nbf', 0, 1],
    ['nbf', 5, -5001, 'ERR_TOKEN_NOT_YET_VALID'],
    ['nbf', 5, -5000],
  ]
  for (const [claim, clockTolerance, offset, code] of boundaries) {
    suite.test(`the clock at ${claim} ${offset} ms, with a tolerance of ${clockTolerance} s`, async () => {
      const date = issuedAt + 60
      const clock = () => date * 1000 + offset
      const verifier = await createTestVerifier(lib, { secret, clockTolerance, now: clock })
      const token = await forge({ [claim]: date })
      if (code) await rejects(() => verifier.verify(token), code)
      else equal((await verifier.verify(token)).kind, 'customer')
    })
  }

  suite.test('iat in the future is accepted, as by Membrane', async () => {
    const verified = await verify(lib, await forge({ iat: issuedAt + 3600 }))
    equal(verified.issuedAt, new Date(now + 3_600_000))
  })
}
