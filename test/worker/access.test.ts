import { describe, expect, test } from 'vitest'
import { claimsOf, expectProblem, makeSettings, useWorkers } from './harness.ts'
import { inSeconds, makeProvider } from './provider-stub.ts'

// Which assertions are valid is tested in conformance/endpoint-access.ts; here: the settings, and credentials together.

const TAG = 'a1b2c3d4e5f6'
const SESSION_AUDIENCE = 'https://api.test'
const access = makeProvider('https://team.cloudflareaccess.com', '/cdn-cgi/access/certs')
const idp = makeProvider('https://id.test/')
const { settings, secret, apiKeys } = makeSettings()

const outbound = (url: URL) => (url.hostname === 'id.test' ? idp : access).outbound(url)
const onlyAccess = {
  ...settings,
  API_KEYS: '',
  CLOUDFLARE_ACCESS_TEAM_DOMAIN: 'team.cloudflareaccess.com',
  CLOUDFLARE_ACCESS_AUDIENCE: TAG,
}

const { send } = useWorkers({
  main: {
    bindings: { ...onlyAccess, API_KEYS: settings.API_KEYS, SESSION_ISSUER: idp.issuer, SESSION_AUDIENCE },
    outbound,
  },
  alone: { bindings: onlyAccess, outbound },
  short: {
    bindings: {
      ...onlyAccess,
      CLOUDFLARE_ACCESS_TEAM_DOMAIN: 'Team',
      CLOUDFLARE_ACCESS_AUDIENCE: `x, ${TAG}`,
    },
    outbound,
  },
})

const ASSERTION = 'Cf-Access-Jwt-Assertion'
const assertion = (claims = {}) =>
  access.sign({ aud: [TAG], type: 'app', email: 'ada@example.com', ...claims })
const serviceClaims = { sub: '', common_name: 'ci.access', email: undefined }

const CUSTOMER_ROUTE = '/api/membrane-token'
const ADMIN_ROUTE = '/api/membrane-admin-token'

interface RequestOptions {
  worker?: string
  path?: string
  body?: object
  method?: string
}

const sendWith = (
  headers: Record<string, string | string[]>,
  { path = CUSTOMER_ROUTE, body, ...options }: RequestOptions = {},
) =>
  send(path, {
    headers: { ...headers, ...(body && { 'Content-Type': 'application/json' }) },
    body,
    ...options,
  })

const sendThroughAccess = (claims: object, options: RequestOptions = {}) =>
  sendWith({ [ASSERTION]: assertion(claims) }, options)

describe('a user signed in through Access', () => {
  test.each(['main', 'alone', 'short'])('gets their own customer token: %s', async (worker) => {
    for (const method of ['GET', 'POST']) {
      const response = await sendThroughAccess({ exp: inSeconds(600) }, { worker, method })
      const claims = await claimsOf(response, secret)
      expect(claims).toMatchObject({ id: 'user-1', name: 'ada@example.com' })
      expect(claims.exp!).toBeLessThanOrEqual(inSeconds(600))
      expect(Object.keys(claims)).toEqual(['id', 'name', 'iat', 'exp', 'iss', 'jti'])
    }
  })

  test('is not authenticated by an assertion sent as a bearer token', async () => {
    for (const worker of ['main', 'alone']) {
      const response = await sendWith({ Authorization: `Bearer ${assertion()}` }, { worker })
      await expectProblem(response, 401, 'ERR_CREDENTIALS_INVALID')
    }
  })

  test('is not authenticated by an e-mail address in a header', async () => {
    const headers = { 'Cf-Access-Authenticated-User-Email': 'ada@example.com', 'X-User-Id': 'user-1' }
    await expectProblem(await sendWith(headers), 401, 'ERR_CREDENTIALS_MISSING')
  })
})

describe('an Access service token', () => {
  test('authenticates a service, which names the customer', async () => {
    const body = { id: 'customer-42', fields: { plan: 'trial' } }
    const response = await sendThroughAccess(serviceClaims, { body })
    expect(await claimsOf(response, secret)).toMatchObject(body)
  })

  test('never gets an admin token', async () => {
    const response = await sendThroughAccess(serviceClaims, { path: ADMIN_ROUTE, method: 'POST' })
    await expectProblem(response, 403, 'ERR_CALLER_FORBIDDEN')
  })
})

describe('an assertion is rejected with 401 invalid_token', () => {
  test.each<[string, object]>([
    ['for another application', { aud: ['ffffffffffff'] }],
    ['from another team', { iss: 'https://evil.cloudflareaccess.com' }],
    ['from the app’s identity provider', { iss: idp.issuer }],
  ])('%s', async (_, claims) => {
    for (const worker of ['main', 'alone']) {
      const response = await sendThroughAccess(claims, { worker, body: { id: 'customer-42' } })
      await expectProblem(response, 401, 'ERR_CREDENTIALS_INVALID')
    }
  })

  test.each([
    ['with a scheme', `Bearer ${assertion()}`],
    ['sent twice', [assertion(), assertion()]],
  ])('%s', async (_, value) => {
    const response = await sendWith({ [ASSERTION]: value }, { worker: 'alone' })
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
          const response = await sendWith(headers, { path, body: {} })
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
    const values = names.map((name) => bearer[name]())
    for (const Authorization of [values, [values.join(', ')], [values.join(',')]]) {
      await expectProblem(await sendWith({ Authorization }), 400, 'ERR_CREDENTIALS_AMBIGUOUS')
    }
  })

  test.each([
    ['Basic before Bearer', ['Basic dXNlcjpwYXNz', bearer['an API key']()]],
    ['Bearer before Basic', [bearer['an API key'](), 'Basic dXNlcjpwYXNz']],
    ['Bearer without a key before one with it', ['Bearer', bearer['an API key']()]],
  ])('%s in two headers gets no token', async (_, Authorization) => {
    const response = await sendWith({ Authorization }, { body: { id: 'c' } })
    expect([400, 401]).toContain(response.status)
    expect(await response.text()).not.toContain('"token"')
  })
})
