import { sessionJwt } from '../../src/endpoint.ts'
import { audience, bearer, issuer, keySet, loosely, rejectsOption, sessionToken } from './endpoint-harness.ts'
import { publicJwk } from './keys.ts'
import { assert, type ConformanceModule, equal, rejects } from './suite.ts'
import { now } from './token-fixtures.ts'

export const endpointSessionOptions: ConformanceModule = ({ test }) => {
  const wrong: [string, object, string?][] = [
    ['no issuer', { issuer: undefined }],
    ['an issuer that is not a URL', { issuer: 'id.example' }],
    ['an issuer that is a URL object', { issuer: new URL(issuer) }],
    ['an issuer over http', { issuer: 'http://id.example/' }],
    ['an issuer over ftp', { issuer: 'ftp://id.example/' }],
    ['a javascript: URL', { issuer: 'javascript:alert(1)' }],
    ['a host that only begins with localhost', { issuer: 'http://localhost.example/' }],
    ['an issuer with a query', { issuer: `${issuer}?a=1` }],
    ['an issuer with a fragment', { issuer: `${issuer}#a` }],
    ['an issuer with a password', { issuer: 'https://a:b@id.example/' }],
    ['no audience', { audience: undefined }],
    ['no audience, and anyAudience: false', { audience: undefined, anyAudience: false }],
    ['no audience, and anyAudience: "true"', { audience: undefined, anyAudience: 'true' }],
    ['no audience, and anyAudience: 1', { audience: undefined, anyAudience: 1 }],
    ['an empty audience', { audience: '' }],
    ['an empty list of audiences', { audience: [] }],
    ['a list with an empty audience', { audience: [audience, ''] }],
    ['an audience of null', { audience: null }],
    ['an audience that is a number', { audience: 5 }],
    ['an empty list of audiences, and anyAudience', { audience: [], anyAudience: true }],
    ['an empty list of parties', { authorizedParties: [] }],
    ['parties as a string', { authorizedParties: 'app' }],
    ['an empty party', { authorizedParties: [''] }],
    ['a negative tolerance', { clockTolerance: -1 }],
    ['a tolerance as a string', { clockTolerance: '5' }],
    ['an infinite tolerance', { clockTolerance: Number.POSITIVE_INFINITY }],
    ['a number as clock', { now: 5 }],
    ['a key set over http', { jwks: new URL('http://id.example/jwks') }],
    ['a key set with a password', { jwks: new URL('https://a:b@id.example/jwks') }],
    ['a number as key set', { jwks: 5 }],
    ['null as key set', { jwks: null }],
    ['a key set that is a promise', { jwks: Promise.resolve({ keys: [] }) }],
    ['a key as key set', { jwks: { kty: 'EC' } }],
    ['an empty list of algorithms', { algorithms: [] }],
    ['the algorithm none', { algorithms: ['none'] }, 'ERR_ALGORITHM_UNSUPPORTED'],
    ['EdDSA', { algorithms: ['EdDSA'] }, 'ERR_ALGORITHM_UNSUPPORTED'],
    ['an empty claim name', { customerId: '' }],
    ['a number as claim name', { customerId: 5 }],
    ['null as claim name', { customerName: null }],
    ['fields as a string', { fields: 'plan' }],
    ['an empty field', { fields: ['plan', ''] }],
    ['two fields with the same name', { fields: ['plan', 'app.plan'] }],
    ['two fields with the same name, one of them a URL', { fields: ['o.plan', 'https://app.example/plan'] }],
    ['a prefix that is a number', { customerIdPrefix: 5 }],
    ['a prefix with a control character', { customerIdPrefix: 'a\n' }],
    ['trustEmail as a string', { trustEmail: 'false' }],
    ['an unknown option', { audiences: audience }],
  ]
  for (const requiredScopes of ['membrane:token', [], [''], ['a b'], ['a"'], ['a\\'], ['ä'], [5], null]) {
    wrong.push([`requiredScopes ${JSON.stringify(requiredScopes)}`, { requiredScopes }])
  }
  for (const [title, options, code = 'ERR_OPTION_INVALID'] of wrong) {
    test(`invalid options: ${title}`, () => rejectsOption(sessionJwt, { issuer, audience }, options, code))
  }

  for (const options of [undefined, null, issuer]) {
    test(`invalid options: ${options}`, async () => {
      await rejects(loosely(sessionJwt, options), 'ERR_OPTION_INVALID')
    })
  }

  test('invalid options: an algorithm for secrets', async () => {
    const options = { issuer, audience, algorithms: ['HS256'] }
    await rejects(loosely(sessionJwt, options), 'ERR_KEY_ALGORITHM_MISMATCH')
  })

  const loopback = ['http://localhost:3000', 'http://127.0.0.1:3000/', 'http://[::1]:3000']
  for (const local of [...loopback, 'http://id.localhost']) {
    test(`accepted: ${local}`, () => {
      sessionJwt({ issuer: local, audience, jwks: new URL(`${local.replace(/\/$/, '')}/jwks`) })
    })
  }

  test('each option is read once', async () => {
    const reads: Record<string, number> = {}
    const given = {
      issuer,
      audience,
      jwks: await keySet(),
      customerId: 'sub',
      fields: ['plan'],
      now: () => now,
    }
    const options = new Proxy(given, {
      get: (target, name) => {
        reads[String(name)] = (reads[String(name)] ?? 0) + 1
        return Reflect.get(target, name)
      },
    })
    const authenticate = sessionJwt(options)
    assert(await authenticate(bearer(await sessionToken())))
    const repeated = Object.entries(reads).filter(([, count]) => count !== 1)
    equal(repeated, [])
  })

  test('later changes to the options have no effect', async () => {
    const audiences = [audience]
    const options = { issuer, audience: audiences, jwks: await keySet(), now: () => now }
    const authenticate = sessionJwt(options)
    audiences[0] = 'other'
    options.issuer = 'https://other.example/'
    Object.assign(options.jwks.keys[0] as object, await publicJwk('other P-256'))
    options.jwks.keys.push({ kty: 'oct', k: 'AAAA' })
    assert(await authenticate(bearer(await sessionToken())))
  })
}
