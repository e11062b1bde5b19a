import { describe, expect, test, vi } from 'vitest'
import {
  expectProblem,
  fetchInProcess,
  makeSettings,
  markConfidential,
  randomKey,
  useWorkers,
} from './harness.ts'
import { makeProvider } from './provider-stub.ts'

const access = makeProvider('https://team.cloudflareaccess.com', '/cdn-cgi/access/certs')
const idp = makeProvider('https://id.test/')
const { settings, apiKeys } = makeSettings()

const bindings = {
  ...settings,
  SESSION_ISSUER: idp.issuer,
  SESSION_AUDIENCE: 'https://api.test',
  SESSION_FIELD_CLAIMS: 'plan',
  CLOUDFLARE_ACCESS_TEAM_DOMAIN: 'team',
  CLOUDFLARE_ACCESS_AUDIENCE: 'a1b2c3',
}
const outbound = (url: URL) => (url.hostname === 'id.test' ? idp : access).outbound(url)

const BROKEN_LIMITER = `
  import { WorkerEntrypoint } from 'cloudflare:workers'
  export default class extends WorkerEntrypoint {
    limit() { throw new RangeError(${JSON.stringify(randomKey())}) }
  }`

const { send, logged } = useWorkers({
  main: { bindings, outbound },
  limited: {
    bindings,
    outbound,
    options: { ratelimits: { RATE_LIMITER: { namespace_id: '1', simple: { limit: 1, period: 60 } } } },
  },
  broken: { bindings, outbound, options: { serviceBindings: { RATE_LIMITER: 'limiter' } } },
  limiter: { bindings: {}, options: { script: BROKEN_LIMITER } },
})

const CUSTOMER_ROUTE = '/api/membrane-token'
const ADMIN_ROUTE = '/api/membrane-admin-token'
const FIELD = markConfidential(`field-${randomKey()}`)
const NAME = markConfidential(`name-${randomKey()}`)

const bearer = (credentials: string) => ({ Authorization: `Bearer ${credentials}` })
const BACKEND = bearer(apiKeys.backend!)
const CONSOLE = bearer(apiKeys.console!)
const session = () => bearer(idp.sign({ aud: 'https://api.test', name: NAME, plan: FIELD }))
const assertion = (claims = {}) => ({
  'Cf-Access-Jwt-Assertion': access.sign({ aud: ['a1b2c3'], type: 'app', email: NAME, ...claims }),
})

type Headers = Record<string, string>
type Line = Record<string, unknown>

const linesOf = (requestId: string): Line[] =>
  logged.filter((line) => line.includes(requestId)).map((line) => JSON.parse(line) as Line)

let count = 0

const jwtIdOf = (token: string): unknown =>
  JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()).jti

/** Sends a request for a token. @returns also its one log line, and the `jti` or the detail of the response */
async function requestToken(path: string, headers: Headers, body?: object, worker = 'main') {
  count += 1
  const requestId = `request-${count}-x`
  const response = await send(path, {
    method: 'POST',
    headers: { ...headers, 'X-Request-Id': requestId, ...(body && { 'Content-Type': 'application/json' }) },
    body,
    worker,
  })
  const { token, detail } = (await response.clone().json()) as { token?: string; detail?: string }
  const jwtId = token === undefined ? undefined : jwtIdOf(token)
  // Logs arrive separately from the response.
  await vi.waitUntil(() => linesOf(requestId).length > 0)
  const [line = {}, ...others] = linesOf(requestId)
  expect(others).toEqual([])
  return { response, jwtId, detail, line, requestId }
}

const COMMON = {
  time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
  requestId: expect.any(String),
  algorithm: 'HS512',
  duration: expect.any(Number),
}

const CALLERS = {
  backend: { callerKind: 'service', callerName: 'backend', method: 'api-key' },
  console: { callerKind: 'service', callerName: 'console', method: 'api-key' },
  session: { callerKind: 'customer', callerName: 'user-1', method: 'session', customerId: 'user-1' },
  person: { callerKind: 'customer', callerName: 'user-1', method: 'access', customerId: 'user-1' },
  service: { callerKind: 'service', callerName: 'ci.access', method: 'access' },
}

const customer = { id: 'customer-42', name: NAME, fields: { plan: FIELD } }

describe('an issued token is logged as one line', () => {
  test.each<[what: string, headers: () => Headers, members: Line, body?: object, path?: string]>([
    ['to a service', () => BACKEND, { ...CALLERS.backend, customerId: 'customer-42' }, customer],
    ['to an admin service', () => CONSOLE, CALLERS.console, {}, ADMIN_ROUTE],
    ['to a session', session, CALLERS.session],
    ['to a user signed in through Access', assertion, CALLERS.person],
    [
      'to an Access service token',
      () => assertion({ sub: '', common_name: 'ci.access', email: undefined }),
      { ...CALLERS.service, customerId: 'customer-42' },
      customer,
    ],
  ])('%s', async (_, headers, members, body, path = CUSTOMER_ROUTE) => {
    const { response, jwtId, line } = await requestToken(path, headers(), body)
    expect(response.status).toBe(200)
    expect(line).toEqual({
      ...COMMON,
      ...members,
      tokenKind: path === ADMIN_ROUTE ? 'admin' : 'customer',
      outcome: 'issued',
      jwtId,
    })
    expect(jwtId).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
    expect(Math.abs(Date.parse(line.time as string) - Date.now())).toBeLessThan(60_000)
    expect(line.duration).toBeGreaterThanOrEqual(0)
  })
})

describe('a rejected request is logged as one line', () => {
  test.each<
    [
      what: string,
      headers: () => Headers,
      code: string,
      members: Line,
      body?: object | undefined,
      path?: string,
    ]
  >([
    ['with unknown credentials', () => bearer(randomKey()), 'ERR_CREDENTIALS_INVALID', {}, customer],
    ['with an invalid session', () => bearer(idp.sign({ aud: 'x' })), 'ERR_CREDENTIALS_INVALID', {}],
    ['with two credentials', () => ({ ...BACKEND, ...assertion() }), 'ERR_CREDENTIALS_AMBIGUOUS', {}],
    ['without the scope', () => BACKEND, 'ERR_CALLER_FORBIDDEN', CALLERS.backend, {}, ADMIN_ROUTE],
    [
      'of a session for an admin token',
      session,
      'ERR_CALLER_FORBIDDEN',
      CALLERS.session,
      undefined,
      ADMIN_ROUTE,
    ],
    ['for an invalid lifetime', session, 'ERR_LIFETIME_INVALID', CALLERS.session, { expiresIn: 0 }],
    [
      'for a body that is too large',
      () => BACKEND,
      'ERR_BODY_TOO_LARGE',
      CALLERS.backend,
      { id: 'c', x: 'x'.repeat(17_000) },
    ],
  ])('%s', async (_, headers, code, members, body, path = CUSTOMER_ROUTE) => {
    const { response, detail, line } = await requestToken(path, headers(), body)
    expect(response.status).toBeGreaterThanOrEqual(400)
    expect(line).toEqual({
      ...COMMON,
      ...members,
      tokenKind: path === ADMIN_ROUTE ? 'admin' : 'customer',
      outcome: 'refused',
      code,
      detail,
    })
  })

  test('over the rate limit', async () => {
    const request = () => requestToken(CUSTOMER_ROUTE, BACKEND, customer, 'limited')
    // The second request is over the limit, unless a new minute has begun.
    const results = [await request(), await request(), await request()]
    const { line } = results.find(({ response }) => response.status === 429)!
    expect(line).toMatchObject({ outcome: 'refused', code: 'ERR_RATE_LIMITED', callerName: 'backend' })
  })
})

describe('a line', () => {
  test('cannot be split or forged by request data', async () => {
    const id = 'c"}\u2028{"outcome":"issued"}'
    const { line } = await requestToken(CUSTOMER_ROUTE, BACKEND, { id })
    expect(line.customerId).toBe(id)
    const headers = bearer(idp.sign({ aud: 'https://api.test', sub: id }))
    const user = await requestToken(CUSTOMER_ROUTE, headers)
    expect(user.line.callerName).toBe(id)
    const broken = await requestToken(CUSTOMER_ROUTE, BACKEND, { id: 'c\n{"outcome":"issued"}\u001b[2K' })
    expect(broken.line).toMatchObject({ outcome: 'refused', code: 'ERR_CLAIM_INVALID' })
    expect(JSON.stringify(broken.line)).not.toContain('issued')
  })

  test('is written for decisions only', async () => {
    for (const path of ['/healthz', '/.well-known/jwks.json', '/nowhere']) {
      await send(path, { headers: { ...BACKEND, 'X-Request-Id': 'no-decision' } })
    }
    // Once this decision is logged, an earlier line would have arrived too.
    await requestToken(CUSTOMER_ROUTE, BACKEND, customer)
    expect(linesOf('no-decision')).toEqual([])
  })

  test('is written for each of many concurrent requests', async () => {
    const ids = Array.from({ length: 40 }, (_, index) => `customer-${index}`)
    const results = await Promise.all(ids.map((id) => requestToken(CUSTOMER_ROUTE, BACKEND, { id })))
    for (const [index, { line, jwtId }] of results.entries()) {
      expect([line.customerId, line.jwtId]).toEqual([ids[index], jwtId])
    }
    expect(new Set(results.map(({ jwtId }) => jwtId)).size).toBe(40)
  })

  test('is JSON, and nothing else is logged', async () => {
    await requestToken(CUSTOMER_ROUTE, BACKEND, customer)
    for (const line of logged) expect(Object.keys(JSON.parse(line))).toContain('requestId')
  })
})

describe('an unexpected failure', () => {
  test('is a 500 with only the request id, and one log line with the error name', async () => {
    const { response, line, requestId } = await requestToken(CUSTOMER_ROUTE, BACKEND, customer, 'broken')
    const { detail, ...problem } = (await response.clone().json()) as Line
    expect(problem.requestId).toBe(requestId)
    expect(detail).toBe('Something went wrong on the server.')
    await expectProblem(response, 500, 'ERR_INTERNAL')
    expect(line).toEqual({
      ...COMMON,
      tokenKind: 'customer',
      callerKind: 'service',
      callerName: 'backend',
      method: 'api-key',
      outcome: 'failed',
      code: 'ERR_INTERNAL',
      detail,
      error: 'RangeError',
    })
  })

  // No binding of workerd throws when it is read.
  test('in the Worker itself is also a 500', async () => {
    const log = vi.spyOn(console, 'error').mockImplementation(() => {})
    const message = randomKey()
    const env = {
      ...settings,
      get RATE_LIMITER(): never {
        throw new TypeError(message)
      },
    }
    const headers = { 'X-Request-Id': 'failed-1' }
    const response = await fetchInProcess('/api/membrane-token', { method: 'POST', headers }, env)
    expect(await response.clone().text()).not.toContain(message)
    expect(await response.clone().json()).toMatchObject({ requestId: 'failed-1' })
    await expectProblem(response, 500, 'ERR_INTERNAL')
    const lines = log.mock.calls.map(([line]) => JSON.parse(line as string) as Line)
    expect(lines).toEqual([
      { requestId: 'failed-1', outcome: 'failed', code: 'ERR_INTERNAL', error: 'TypeError' },
    ])
    log.mockRestore()
  })
})
