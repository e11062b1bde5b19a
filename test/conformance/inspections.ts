import { toBase64url } from './encoding.ts'
import { privateJwk } from './keys.ts'
import type { ConformanceModule, Library } from './suite.ts'
import { assert, equal, rejects } from './suite.ts'
import { encodePart, expiresAt, type Forgery, forge, goodClaims, now } from './token-fixtures.ts'
import { issuedAt, secret, workspaceKey } from './tokens.ts'

const HOUR = 3600

function codesOf(lib: Library, token: unknown): string[] {
  return lib.inspectToken(token as string, { now: () => now }).problems.map(({ code }) => code)
}

/** Claims that override valid ones, and the problems found. */
const claimTable: readonly [name: string, claims: Record<string, unknown>, codes: string[]][] = [
  ['a valid token', {}, []],
  ['expired', { iat: issuedAt - 9000, exp: issuedAt - 1800 }, ['EXPIRED']],
  ['expiring right now', { iat: issuedAt - 7200, exp: issuedAt }, ['EXPIRED']],
  ['no exp', { exp: undefined }, ['EXP_MISSING']],
  ['exp as a string', { exp: String(expiresAt) }, ['EXP_NOT_A_NUMBER']],
  ['exp as null', { exp: null }, ['EXP_NOT_A_NUMBER']],
  ['exp in milliseconds', { exp: expiresAt * 1000 }, ['EXP_IN_MILLISECONDS']],
  ['a lifetime of 25 hours', { exp: issuedAt + 25 * HOUR }, ['LIFETIME_LONG']],
  ['a lifetime of 24 hours', { exp: issuedAt + 24 * HOUR }, []],
  [
    'Python’s local time in New York, with iat',
    { exp: issuedAt + 1440 - 5 * HOUR },
    ['EXPIRED', 'EXP_NAIVE_LOCAL_TIME'],
  ],
  [
    'Python’s local time in New York',
    { iat: undefined, exp: issuedAt + 1440 - 5 * HOUR },
    ['EXPIRED', 'EXP_NAIVE_LOCAL_TIME'],
  ],
  [
    'Python’s local time in Tokyo',
    { iat: undefined, exp: issuedAt + 1440 + 9 * HOUR },
    ['EXP_NAIVE_LOCAL_TIME'],
  ],
  [
    'two hours, in local time four hours west',
    { exp: issuedAt - 2 * HOUR },
    ['EXPIRED', 'EXP_NAIVE_LOCAL_TIME'],
  ],
  ['iat in the future', { iat: issuedAt + 60 }, ['IAT_IN_FUTURE']],
  ['iat as a string', { iat: String(issuedAt) }, ['IAT_NOT_A_NUMBER']],
  ['nbf in the future', { nbf: issuedAt + 60 }, ['NBF_IN_FUTURE']],
  ['nbf as a string', { nbf: 'now' }, ['NBF_NOT_A_NUMBER']],
  ['no workspace', { iss: undefined }, ['WORKSPACE_MISSING']],
  ['two workspaces', { workspaceKey: 'another' }, ['WORKSPACE_CONFLICT']],
  ['the same workspace twice', { workspaceKey }, []],
  ['a workspace with a line break', { iss: `${workspaceKey}\n` }, ['WORKSPACE_INVALID']],
  ['a workspace that is a list', { iss: [workspaceKey] }, ['WORKSPACE_INVALID']],
  ['the workspace placeholder of the documentation', { iss: '<WORKSPACE_KEY>' }, ['PLACEHOLDER']],
  ['the workspace undefined, as text', { iss: 'undefined' }, ['PLACEHOLDER']],
  ['no customer', { id: undefined }, ['CUSTOMER_MISSING']],
  ['sub instead of id', { id: undefined, sub: 'customer-42' }, ['CUSTOMER_MISNAMED']],
  ['userId instead of id', { id: undefined, userId: 'customer-42' }, ['CUSTOMER_MISNAMED']],
  ['tenantKey', { id: undefined, tenantKey: 'customer-42' }, []],
  ['two customers', { tenantKey: 'customer-43' }, ['CUSTOMER_CONFLICT']],
  ['an empty id', { id: '' }, ['CUSTOMER_INVALID']],
  ['a numeric id', { id: 42 }, ['CUSTOMER_INVALID']],
  ['the id placeholder of the documentation', { id: '{CUSTOMER_ID}' }, ['PLACEHOLDER']],
  ['the id null, as text', { id: 'null' }, ['PLACEHOLDER']],
  ['an admin', { id: undefined, isAdmin: true }, []],
  ['an admin with an id', { isAdmin: true }, ['ADMIN_WITH_CUSTOMER']],
  ['isAdmin: false', { isAdmin: false }, ['ADMIN_FALSY']],
  ['isAdmin: 0', { isAdmin: 0 }, ['ADMIN_FALSY']],
  ['a name that is not a string', { name: 42 }, ['NAME_NOT_A_STRING']],
  ['the name placeholder of the documentation', { name: '{CUSTOMER_NAME}' }, ['NAME_PLACEHOLDER']],
  ['a GUID in braces', { id: '{6F9619FF-8B86-D011-B42D-00C04FC964FF}' }, []],
  ['an id that begins with your', { id: 'your-company-42' }, []],
  ['an id with a control character', { id: 'a\u0000b' }, ['CUSTOMER_INVALID']],
  ['isAdmin "False"', { id: undefined, isAdmin: 'False' }, ['ADMIN_DENIED_AS_TEXT']],
  ['isAdmin "no" with an id', { isAdmin: 'no' }, ['ADMIN_DENIED_AS_TEXT']],
  [
    'a session of an identity provider',
    { iss: 'https://id.example', id: undefined, sub: 'user-1' },
    ['IDENTITY_PROVIDER_TOKEN'],
  ],
  [
    'Python’s local time in India',
    { iat: undefined, exp: issuedAt + 1440 + 5.5 * HOUR },
    ['EXP_NAIVE_LOCAL_TIME'],
  ],
  ['Python’s local time in India, with iat', { exp: issuedAt + 1440 + 5.5 * HOUR }, ['EXP_NAIVE_LOCAL_TIME']],
  [
    'two hours, in local time five hours west, without iat',
    { iat: undefined, exp: issuedAt - 3 * HOUR },
    ['EXPIRED', 'EXP_NAIVE_LOCAL_TIME'],
  ],
  ['an empty list as fields', { fields: [] }, []],
  ['fields as a list', { fields: [1] }, ['FIELDS_NOT_AN_OBJECT']],
  ['fields as JSON text', { fields: '{}' }, ['FIELDS_NOT_AN_OBJECT']],
  ['fields that are null', { fields: null }, []],
  ['over 8192 characters', { fields: { note: 'x'.repeat(8192) } }, ['TOO_LARGE']],
]

const headerTable: readonly [name: string, forgery: Forgery, codes: string[]][] = [
  ['alg none', { header: { alg: 'none' } }, ['ALGORITHM_NONE']],
  ['alg NoNe', { header: { alg: 'NoNe' } }, ['ALGORITHM_NONE']],
  ['EdDSA', { header: { alg: 'EdDSA' } }, ['ALGORITHM_UNSUPPORTED']],
  ['hs512 in lower case', { header: { alg: 'hs512' } }, ['ALGORITHM_UNSUPPORTED']],
  ['no alg', { header: { alg: undefined } }, ['ALGORITHM_UNSUPPORTED']],
  ['crit', { header: { crit: ['exp'] } }, ['CRITICAL_HEADER']],
  ['b64: false', { header: { b64: false } }, ['CRITICAL_HEADER']],
  ['a signature of another algorithm', { header: { alg: 'HS256' } }, ['SIGNATURE_LENGTH']],
]

/** Common mistakes when a token is copied or passed on. */
const wrappingTable: readonly [name: string, wrap: (token: string) => unknown, codes: string[]][] = [
  ['Bearer before it', (token) => `Bearer ${token}`, ['BEARER_PREFIX']],
  ['bearer before it', (token) => `bearer ${token}`, ['BEARER_PREFIX']],
  ['a whole Authorization header', (token) => `Authorization: Bearer ${token}`, ['BEARER_PREFIX']],
  ['in a URL', (token) => `https://app.example.com/connect?token=${token}&x=1`, ['IN_URL']],
  ['a personal access token', () => 'pat-0123456789abcdef', ['PERSONAL_ACCESS_TOKEN']],
  ['quotes around it', (token) => `"${token}"`, ['QUOTED']],
  [
    'quoted twice, as JSON in JSON',
    (token) => JSON.stringify(JSON.stringify(token)),
    ['JSON_ESCAPED', 'QUOTED'],
  ],
  ['a line break after it', (token) => `${token}\n`, ['WHITE_SPACE']],
  ['line breaks inside', (token) => token.replace(/.{60}/g, '$&\n'), ['WHITE_SPACE']],
  ['URL-encoded', (token) => encodeURIComponent(`"${token}"`), ['QUOTED', 'URL_ENCODED']],
  ['in the JSON of its response', (token) => JSON.stringify({ token, expiresIn: 7200 }), ['IN_JSON']],
  ['truncated in the claims', (token) => token.slice(0, 70), ['TRUNCATED']],
  ['without its signature', (token) => token.slice(0, token.lastIndexOf('.')), ['TRUNCATED']],
  ['with an empty signature', (token) => token.slice(0, token.lastIndexOf('.') + 1), ['SIGNATURE_MISSING']],
  ['truncated in the signature', (token) => token.slice(0, -4), ['SIGNATURE_LENGTH']],
  ['with padding', (token) => `${token}==`, ['NOT_BASE64URL']],
  ['encrypted', (token) => `${token}.AAAA.AAAA`, ['ENCRYPTED']],
  ['empty', () => '', ['EMPTY']],
  ['the word undefined', () => 'undefined', ['EMPTY']],
  ['the word null, as a bearer', () => 'Bearer null', ['BEARER_PREFIX', 'EMPTY']],
  ['undefined', () => undefined, ['NOT_A_STRING']],
  ['an object', (token) => ({ token }), ['NOT_A_STRING']],
]

export const inspections: ConformanceModule = (suite, lib) => {
  for (const [name, claims, codes] of claimTable) {
    suite.test(`claims: ${name}`, async () =>
      equal(codesOf(lib, await forge(claims)).sort(), [...codes].sort()),
    )
  }

  for (const [name, forgery, codes] of headerTable) {
    suite.test(`header: ${name}`, async () => equal(codesOf(lib, await forge({}, forgery)), codes))
  }

  for (const [name, wrap, codes] of wrappingTable) {
    suite.test(`wrapping: ${name}`, async () => {
      const found = codesOf(lib, wrap(await forge()))
      for (const code of codes) assert(found.includes(code), `${code} is not among ${found}`)
    })
  }

  suite.test('a DER-encoded ECDSA signature', async () => {
    const key = await privateJwk('P-256')
    const [header, payload] = (await forge({}, { algorithm: 'ES256', key })).split('.')
    const der = toBase64url(
      Uint8Array.from([0x30, 0x44, 2, 0x20, ...Array(32).fill(7), 2, 0x20, ...Array(32).fill(9)]),
    )
    equal(codesOf(lib, `${header}.${payload}.${der}`), ['SIGNATURE_DER'])
  })

  suite.test('an alg that cannot be converted to text', () => {
    const header = encodePart('{"alg":{"toString":0}}')
    equal(codesOf(lib, `${header}.${encodePart({}, goodClaims)}.AAAA`), ['ALGORITHM_UNSUPPORTED'])
  })

  suite.test('text that is too long for a token is not searched', () => {
    equal(codesOf(lib, `${' '.repeat(70_000)}x`), ['TOO_LARGE'])
  })

  suite.test('an unknown option is rejected', async () => {
    await rejects(() => lib.inspectToken('', { nwo: 1 } as object), 'ERR_OPTION_INVALID')
  })

  suite.test('a header or payload that is not a JSON object', () => {
    equal(codesOf(lib, `${encodePart('"HS512"')}.${encodePart({}, goodClaims)}.AAAA`), ['NOT_JSON'])
    equal(codesOf(lib, `${encodePart({ alg: 'HS512' })}.${encodePart('[1]')}.${'A'.repeat(86)}`), [
      'NOT_JSON',
    ])
  })
}

export const inspectionResults: ConformanceModule = (suite, lib) => {
  suite.test('the header, claims, kind and claim style', async () => {
    const { header, claims, kind, claimStyle, problems } = lib.inspectToken(await forge(), { now: () => now })
    equal(header, { alg: 'HS512', typ: 'JWT' })
    equal(claims, { ...goodClaims })
    equal([kind, claimStyle, problems], ['customer', 'issuer', []])
  })

  const styles: [Record<string, unknown>, string, string | undefined][] = [
    [{}, 'customer', 'issuer'],
    [{ iss: undefined, workspaceKey }, 'customer', 'workspaceKey'],
    [{ iss: undefined, id: undefined, workspaceKey, tenantKey: 'c' }, 'customer', 'tenant'],
    [{ id: undefined, isAdmin: 1 }, 'admin', 'issuer'],
    [{ isAdmin: true }, 'unknown', 'issuer'],
    [{ id: undefined, iss: undefined }, 'unknown', undefined],
  ]
  suite.test('each kind and claim style', async () => {
    for (const [claims, kind, claimStyle] of styles) {
      const inspection = lib.inspectToken(await forge(claims), { now: () => now })
      equal([inspection.kind, inspection.claimStyle], [kind, claimStyle])
    }
  })

  suite.test('every problem has a severity, a message and a fix', async () => {
    const { problems } = lib.inspectToken(
      `Bearer ${await forge({ iss: undefined, id: '', exp: 'soon', isAdmin: false })}`,
    )
    assert(problems.length >= 5)
    for (const { severity, message, fix } of problems) {
      assert(severity === 'error' || severity === 'warning')
      assert(message.endsWith('.') && fix.endsWith('.'))
    }
  })

  suite.test('the time of expiry is in the message', async () => {
    const { problems } = lib.inspectToken(await forge({ exp: issuedAt - 3 * HOUR }), { now: () => now })
    assert(problems[0]?.message.includes('2025-12-31T21:00:00.000Z'))
  })

  suite.test('the signature is not verified', async () => {
    equal(codesOf(lib, await forge({}, { key: `another ${secret}` })), [])
  })

  suite.test('tokens of the signer have no problems', async () => {
    for (const claimStyle of ['issuer', 'workspaceKey', 'tenant'] as const) {
      const signer = await lib.createSigner({ workspaceKey, secret, claimStyle, trustedBrowser: true })
      for (const { token } of [await signer.signCustomerToken({ id: 'c' }), await signer.signAdminToken()]) {
        equal(lib.inspectToken(token).problems, [])
      }
    }
  })
}
