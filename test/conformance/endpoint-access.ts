import { type Caller, type CloudflareAccessOptions, cloudflareAccess } from '../../src/endpoint.ts'
import {
  createTestEndpoint,
  expectProblem,
  loosely,
  makeRequest,
  refuses,
  rejectsOption,
  send,
  sessionToken,
  withProvider,
} from './endpoint-harness.ts'
import { failing, respondWithKeys } from './key-server.ts'
import { privateJwk } from './keys.ts'
import { published } from './remote-key-set-harness.ts'
import { assert, type ConformanceModule, equal, rejects } from './suite.ts'
import { type Forgery, now } from './token-fixtures.ts'

const team = 'https://example.cloudflareaccess.com'
const certs = `${team}/cdn-cgi/access/certs`
const aud = '32eafc7626e737fd22c7ab5f4a3b1e0c2d4f6a8b0c1d2e3f4a5b6c7d8e9f0a1b'
const subject = '7335d417-61da-459d-899c-0a01c76a2f94'
const seconds = now / 1000

/** An application token as Cloudflare documents it. */
const assertion = (claims: object = {}, forgery: Forgery = {}) =>
  sessionToken(
    { iss: team, aud: [aud], type: 'app', sub: subject, email: 'ada@example.com', ...claims },
    forgery,
  )

const serviceAssertion = (claims: object = {}) =>
  assertion({ sub: '', email: undefined, common_name: 'e367826f93b8d71185e03fe518aff3b4.access', ...claims })

const carrying = (token: string) => makeRequest({ headers: { 'Cf-Access-Jwt-Assertion': token } })

const createAccess = (options: Partial<CloudflareAccessOptions> = {}) =>
  cloudflareAccess({ teamDomain: 'example', audience: aud, now: () => now, ...options })

async function authenticateWith(token: string, options: Partial<CloudflareAccessOptions> = {}) {
  const authenticate = createAccess(options)
  let caller = null as Caller | null
  await withProvider({ [certs]: respondWithKeys(await published('P-256', 'a')) }, async () => {
    caller = await authenticate(carrying(token))
  })
  return caller
}

export const endpointAccess: ConformanceModule = ({ test }, lib) => {
  const person = { kind: 'customer', method: 'access', subject, expiresAt: new Date((seconds + 3600) * 1000) }
  const service = { kind: 'service', method: 'access', name: 'e367826f93b8d71185e03fe518aff3b4.access' }

  const people: [string, object, Partial<CloudflareAccessOptions>, object][] = [
    ['by subject and e-mail', {}, {}, { id: subject, name: 'ada@example.com' }],
    ['with the audience as a string', { aud }, {}, { id: subject, name: 'ada@example.com' }],
    [
      'with one of several audiences',
      {},
      { audience: ['other', aud] },
      { id: subject, name: 'ada@example.com' },
    ],
    ['by e-mail', {}, { customerId: 'email' }, { id: 'ada@example.com', name: 'ada@example.com' }],
    [
      'by a claim of the identity provider',
      { custom: { tenant: 't1', plan: 'team' } },
      { customerId: 'custom.tenant', fields: ['custom.plan'] },
      { id: 't1', name: 'ada@example.com', fields: { plan: 'team' } },
    ],
    ['without e-mail', { email: undefined }, {}, { id: subject }],
    ['with a common name', { common_name: 'x.access' }, {}, { id: subject, name: 'ada@example.com' }],
  ]
  for (const [title, claims, options, customer] of people) {
    test(`a person, ${title}`, async () => {
      equal({ ...(await authenticateWith(await assertion(claims), options)) }, { ...person, customer })
    })
  }

  test('a service token has the scopes of the option, by default customer', async () => {
    equal({ ...(await authenticateWith(await serviceAssertion())) }, { ...service, scopes: ['customer'] })
    const options = { serviceScopes: ['admin', 'customer'] as const }
    const caller = await authenticateWith(await serviceAssertion(), options)
    equal({ ...caller }, { ...service, scopes: ['admin', 'customer'] })
  })

  test('a service token may have no scopes', async () => {
    const caller = await authenticateWith(await serviceAssertion(), { serviceScopes: [] })
    equal({ ...caller }, { ...service, scopes: [] })
  })

  const neither: [string, object][] = [
    ['no common name', { common_name: undefined }],
    ['an empty common name', { common_name: '' }],
    ['a list of common names', { common_name: ['ci'] }],
    ['a common name that is a number', { common_name: 5 }],
    ['an e-mail address', { email: 'ada@example.com' }],
    ['no subject', { sub: undefined }],
    ['a subject of null', { sub: null }],
    ['a subject that is a number', { sub: 0 }],
  ]
  for (const [title, claims] of neither) {
    test(`rejected: a service token with ${title}`, async () => {
      const token = await serviceAssertion(claims)
      for (const customerId of ['sub', 'email', 'common_name'])
        await refuses(() => authenticateWith(token, { customerId }), 'ERR_CREDENTIALS_INVALID')
    })
  }

  const bad: [string, object, Forgery?][] = [
    ['another team', { iss: 'https://other.cloudflareaccess.com' }],
    ['the team with a trailing slash', { iss: `${team}/` }],
    ['a domain with the team as its prefix', { iss: `${team}.evil.example` }],
    ['no issuer', { iss: undefined }],
    ['another application', { aud: ['other'] }],
    ['no application', { aud: undefined }],
    ['an empty list of applications', { aud: [] }],
    ['the type org', { type: 'org' }],
    ['no type', { type: undefined }],
    ['the type in capitals', { type: 'APP' }],
    ['expired', { exp: seconds - 5 }],
    ['no expiry', { exp: undefined }],
    ['not valid yet', { nbf: seconds + 6 }],
    ['alg none', {}, { header: { kid: 'a', alg: 'none' } }],
    ['HS256', {}, { algorithm: 'HS256', key: 'x'.repeat(64) }],
    ['an unknown key', {}, { header: { kid: 'b' } }],
  ]
  for (const [title, claims, forgery] of bad) {
    test(`rejected: ${title}`, async () => {
      const token = await assertion(claims, forgery)
      await refuses(() => authenticateWith(token), 'ERR_CREDENTIALS_INVALID')
    })
  }

  test('rejected: the key of another issuer', async () => {
    const token = await assertion({}, { key: await privateJwk('other P-256') })
    await refuses(() => authenticateWith(token), 'ERR_CREDENTIALS_INVALID')
  })

  for (const text of ['', 'opaque', 'e30.e30.e30', 'a.b', 'e30.e30.e30.e30.e30', 'x'.repeat(9000)]) {
    test(`rejected: not a token: ${JSON.stringify(text.slice(0, 20))}`, async () => {
      await refuses(() => authenticateWith(text), 'ERR_CREDENTIALS_INVALID')
    })
  }

  test('rejected: two headers', async () => {
    const token = await assertion()
    await refuses(() => authenticateWith(`${token}, ${token}`), 'ERR_CREDENTIALS_INVALID')
  })

  test('returns null: the token in a cookie or as a bearer token', async () => {
    const [authenticate, token] = [createAccess(), await assertion()]
    const headers = { Cookie: `CF_Authorization=${token}`, Authorization: `Bearer ${token}` }
    equal(await authenticate(makeRequest({ headers })), null)
    equal(await authenticate(makeRequest()), null)
  })

  test('503 while the keys of the team are unreachable', async () => {
    const handler = await createTestEndpoint(lib, createAccess())
    await withProvider({ [certs]: failing(500) }, async () => {
      const response = await send(handler, carrying(await assertion()))
      expectProblem(response, 'ERR_JWKS_UNAVAILABLE')
      assert(Number(response.headers.get('Retry-After')) > 0, 'no Retry-After')
    })
  })
}

export const endpointAccessOptions: ConformanceModule = ({ test }) => {
  const domains = ['example.cloudflareaccess.com', 'Example.CloudflareAccess.com']
  for (const teamDomain of ['example', 'EXAMPLE', ...domains]) {
    test(`accepted: ${teamDomain}`, async () =>
      assert(await authenticateWith(await assertion(), { teamDomain })))
  }

  const wrong: [string, object][] = [
    ['no audience', { audience: undefined }],
    ['an empty audience', { audience: '' }],
    ['an empty list of audiences', { audience: [] }],
    ['another scope', { serviceScopes: ['owner'] }],
    ['scopes as a string', { serviceScopes: 'admin' }],
    ['a negative tolerance', { clockTolerance: -1 }],
    ['a number as clock', { now: 5 }],
    ['an empty claim name', { customerId: '' }],
    ['fields as a string', { fields: 'email' }],
  ]
  const foreign = ['evil.example', 'evil.example#.cloudflareaccess.com', 'a.b.cloudflareaccess.com']
  const suffixed = ['example.cloudflareaccess.com/', 'example.cloudflareaccess.com.evil.example']
  for (const teamDomain of [undefined, '', 5, team, ...suffixed, ...foreign, 'example\n', 'example@evil']) {
    wrong.push([`team ${JSON.stringify(teamDomain)}`, { teamDomain }])
  }
  for (const [title, options] of wrong) {
    test(`invalid options: ${title}`, () =>
      rejectsOption(cloudflareAccess, { teamDomain: 'example', audience: aud }, options))
  }

  for (const options of [undefined, null]) {
    test(`invalid options: ${options}`, async () => {
      await rejects(loosely(cloudflareAccess, options), 'ERR_OPTION_INVALID')
    })
  }
}
