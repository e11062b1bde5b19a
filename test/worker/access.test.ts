import { describe, expect, test } from 'vitest'
import { claimsOf, expectProblem, makeSettings, useStage } from './harness.ts'
import { inSeconds, makeProvider, type Writing } from './provider-stub.ts'

const TAG = 'a1b2c3d4e5f6'
const SESSION_AUDIENCE = 'https://api.test'
const access = makeProvider('https://team.cloudflareaccess.com', '/cdn-cgi/access/certs')
const idp = makeProvider('https://id.test/')
const { settings, secret, apiKeys } = makeSettings()

const outbound = (url: URL) => (url.hostname === 'id.test' ? idp : access).outbound(url)
const ways = {
  API_KEYS: { API_KEYS: settings.API_KEYS! },
  SESSION: { SESSION_ISSUER: idp.issuer, SESSION_AUDIENCE },
  ACCESS: { CLOUDFLARE_ACCESS_TEAM_DOMAIN: 'team.cloudflareaccess.com', CLOUDFLARE_ACCESS_AUDIENCE: TAG },
}
const keyless = { ...settings, API_KEYS: '' }

const { send } = useStage({
  main: { bindings: { ...keyless, ...ways.API_KEYS, ...ways.SESSION, ...ways.ACCESS }, outbound },
  alone: { bindings: { ...keyless, ...ways.ACCESS }, outbound },
  short: {
    bindings: { ...keyless, CLOUDFLARE_ACCESS_TEAM_DOMAIN: 'Team', CLOUDFLARE_ACCESS_AUDIENCE: `x, ${TAG}` },
    outbound,
  },
})

const ASSERTION = 'Cf-Access-Jwt-Assertion'
const assertion = (claims = {}, writing: Writing = {}) =>
  access.sign({ aud: [TAG], type: 'app', email: 'ada@example.com', ...claims }, writing)
const serviceClaims = { sub: '', common_name: 'ci.access', email: undefined }

const CUSTOMER_ROUTE = '/api/membrane-token'
const ADMIN_ROUTE = '/api/membrane-admin-token'

interface Asking {
  worker?: string
  path?: string
  body?: object
  method?: string
}

const as = (
  headers: Record<string, string | string[]>,
  { path = CUSTOMER_ROUTE, body, ...sent }: Asking = {},
) =>
  send(path, { headers: { ...headers, ...(body && { 'Content-Type': 'application/json' }) }, body, ...sent })

const through = (claims: object, asking: Asking = {}, writing: Writing = {}) =>
  as({ [ASSERTION]: assertion(claims, writing) }, asking)

describe('a user signed in through Access', () => {
  test.each(['main', 'alone', 'short'])('gets their own customer token: %s', async (worker) => {
    for (const method of ['GET', 'POST']) {
      const claims = await claimsOf(await through({ exp: inSeconds(600) }, { worker, method }), secret)
      expect(claims).toMatchObject({ id: 'user-1', name: 'ada@example.com' })
      expect(claims.exp!).toBeLessThanOrEqual(inSeconds(600))
      expect(Object.keys(claims)).toEqual(['id', 'name', 'iat', 'exp', 'iss', 'jti'])
    }
  })

  test('cannot get an admin token', async () => {
    const response = await through({ isAdmin: true }, { path: ADMIN_ROUTE, method: 'POST' })
    await expectProblem(response, 403, 'ERR_CALLER_FORBIDDEN')
  })

  test('is not authenticated by the cookie, which cross-site requests carry too', async () => {
    for (const worker of ['main', 'alone']) {
      const response = await as({ Cookie: `CF_Authorization=${assertion()}` }, { worker })
      await expectProblem(response, 401, 'ERR_CREDENTIALS_MISSING')
    }
  })

  test('is not authenticated by an assertion sent as a bearer token', async () => {
    for (const worker of ['main', 'alone']) {
      const response = await as({ Authorization: `Bearer ${assertion()}` }, { worker })
      await expectProblem(response, 401, 'ERR_CREDENTIALS_INVALID')
    }
  })

  test('is not authenticated by an e-mail address in a header', async () => {
    const headers = { 'Cf-Access-Authenticated-User-Email': 'ada@example.com', 'X-User-Id': 'user-1' }
    await expectProblem(await as(headers), 401, 'ERR_CREDENTIALS_MISSING')
  })
})

describe('an Access service token', () => {
  test('authenticates a service, which names the customer', async () => {
    const response = await through(serviceClaims, { body: { id: 'customer-42', fields: { plan: 'trial' } } })
    expect(await claimsOf(response, secret)).toMatchObject({ id: 'customer-42', fields: { plan: 'trial' } })
  })

  test('never gets an admin token', async () => {
    const response = await through(serviceClaims, { path: ADMIN_ROUTE, method: 'POST' })
    await expectProblem(response, 403, 'ERR_CALLER_FORBIDDEN')
  })
})

// All other reasons to reject one are proven in conformance/endpoint-access.ts.
describe('an assertion that is rejected with 401 invalid_token', () => {
  test.each<[string, object, Writing]>([
    ['is for another application', { aud: ['ffffffffffff'] }, {}],
    ['is from another team', { iss: 'https://evil.cloudflareaccess.com' }, {}],
    ['is from the app’s identity provider', { iss: idp.issuer }, {}],
    ['is an organization token (type org)', { type: 'org' }, {}],
    ['says none', {}, { algorithm: 'none' }],
  ])('%s', async (_, claims, writing) => {
    for (const worker of ['main', 'alone']) {
      const response = await through(claims, { worker, body: { id: 'customer-42' } }, writing)
      await expectProblem(response, 401, 'ERR_CREDENTIALS_INVALID')
    }
  })

  test.each([
    ['is empty', ''],
    ['is an API key', apiKeys.backend!],
    ['has a scheme before it', `Bearer ${assertion()}`],
    ['comes twice', [assertion(), assertion()]],
  ])('%s', async (_, value) => {
    const response = await as({ [ASSERTION]: value }, { worker: 'alone' })
    await expectProblem(response, 401, 'ERR_CREDENTIALS_INVALID')
  })
})

const bearer = {
  'an API key': () => `Bearer ${apiKeys.backend}`,
  'an API key with scope admin': () => `Bearer ${apiKeys.console}`,
  'a session': () => `Bearer ${idp.sign({ aud: SESSION_AUDIENCE })}`,
}

describe('two credentials on one request', () => {
  test.each(Object.entries(bearer))(
    '%s and an assertion are rejected, even if both are valid',
    async (_, authorization) => {
      for (const claims of [{}, serviceClaims]) {
        for (const path of [CUSTOMER_ROUTE, ADMIN_ROUTE]) {
          const headers = { Authorization: authorization(), [ASSERTION]: assertion(claims) }
          const response = await as(headers, { path, body: {} })
          await expectProblem(response, 400, 'ERR_CREDENTIALS_AMBIGUOUS')
        }
      }
    },
  )

  test.each([
    ['the same API key', ['an API key', 'an API key']],
    ['two API keys', ['an API key', 'an API key with scope admin']],
    ['two sessions', ['a session', 'a session']],
    ['an API key and a session', ['an API key', 'a session']],
    ['a session and an API key', ['a session', 'an API key']],
  ] as const)('%s in two Authorization headers are rejected', async (_, names) => {
    const authorizations = names.map((name) => bearer[name]())
    for (const Authorization of [authorizations, [authorizations.join(', ')], [authorizations.join(',')]]) {
      await expectProblem(await as({ Authorization }), 400, 'ERR_CREDENTIALS_AMBIGUOUS')
    }
  })

  test.each([
    ['Basic before Bearer', ['Basic dXNlcjpwYXNz', bearer['an API key']()]],
    ['Bearer before Basic', [bearer['an API key'](), 'Basic dXNlcjpwYXNz']],
    ['Bearer without a key before one with it', ['Bearer', bearer['an API key']()]],
  ])('%s in two headers makes no token', async (_, Authorization) => {
    const response = await as({ Authorization }, { body: { id: 'c' } })
    expect([400, 401]).toContain(response.status)
    expect(await response.text()).not.toContain('"token"')
  })
})
