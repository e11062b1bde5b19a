import { describe, expect, test } from 'vitest'
import { claimsOf, expectProblem, makeSettings, type TokenBody, useWorkers } from './harness.ts'
import { inSeconds, makeProvider, type TokenOptions } from './provider-stub.ts'

// Which tokens are sessions and how claims are mapped is tested in conformance/endpoint-session*; here: the settings.

const AUDIENCE = 'https://api.test'
const idp = makeProvider('https://id.test/')
const { settings, secret } = makeSettings()
const discovered = { ...settings, SESSION_ISSUER: idp.issuer, SESSION_AUDIENCE: AUDIENCE }
const session = { ...discovered, SESSION_JWKS_URI: 'https://id.test/.well-known/jwks.json' }
const { SESSION_AUDIENCE: _, ...withoutAudience } = session

const { outbound } = idp
const { send } = useWorkers({
  main: { bindings: session, outbound },
  discovered: { bindings: discovered, outbound },
  alone: { bindings: { ...session, API_KEYS: '' }, outbound },
  mapped: {
    bindings: {
      ...session,
      SESSION_CUSTOMER_ID_CLAIM: 'org.id',
      SESSION_CUSTOMER_NAME_CLAIM: 'https://app.test/org_name',
      SESSION_FIELD_CLAIMS: 'plan, org.size, https://app.test/region',
    },
    outbound,
  },
  parties: {
    bindings: { ...withoutAudience, SESSION_AUTHORIZED_PARTIES: 'https://app.test, https://other.test' },
    outbound,
  },
  both: { bindings: { ...session, SESSION_AUTHORIZED_PARTIES: 'https://app.test' }, outbound },
  audiences: { bindings: { ...session, SESSION_AUDIENCE: `first, ${AUDIENCE}` }, outbound },
  any: { bindings: { ...withoutAudience, SESSION_ANY_AUDIENCE: 'true' }, outbound },
})

interface RequestOptions {
  worker?: string
  method?: string
  body?: object
}

const sendSession = (token: string, { body, ...options }: RequestOptions = {}) =>
  send('/api/membrane-token', {
    headers: { Authorization: `Bearer ${token}`, ...(body && { 'Content-Type': 'application/json' }) },
    body,
    ...options,
  })

/** A valid session, apart from these claims and options. */
const sign = (claims?: object, options?: TokenOptions) => idp.sign({ aud: AUDIENCE, ...claims }, options)

describe('a session', () => {
  test.each<[string, RequestOptions]>([
    ['GET', {}],
    ['POST without a body', { method: 'POST' }],
    ['POST with an empty object', { body: {} }],
    ['discovered keys', { worker: 'discovered' }],
    ['no other callers', { worker: 'alone' }],
  ])('gets the token of its customer, and nothing more: %s', async (_, options) => {
    const token = sign({ name: 'Ada', plan: 'trial', isAdmin: true, fields: { a: 1 } })
    const response = await sendSession(token, options)
    expect(response.headers.get('Cache-Control')).toBe('no-store')
    expect(await claimsOf(response, secret, { algorithms: ['HS512'] })).toEqual({
      id: 'user-1',
      name: 'Ada',
      jti: expect.any(String),
      iss: settings.MEMBRANE_WORKSPACE_KEY,
      iat: expect.any(Number),
      exp: expect.any(Number),
    })
  })

  test('has its customer read from the configured claims', async () => {
    const claims = {
      org: { id: 'org-1', size: 5 },
      'https://app.test/org_name': 'Org One',
      plan: { tier: 'gold' },
      'https://app.test/region': 'eu',
      name: 'Ada',
    }
    expect(await claimsOf(await sendSession(sign(claims), { worker: 'mapped' }), secret)).toMatchObject({
      id: 'org-1',
      name: 'Org One',
      fields: { plan: { tier: 'gold' }, size: 5, region: 'eu' },
    })
    const without = await sendSession(sign(), { worker: 'mapped' })
    expect(await expectProblem(without, 403, 'ERR_CALLER_FORBIDDEN')).toContain('org.id')
  })

  test.each<[string, object, string]>([
    ['the second of two audiences', {}, 'audiences'],
    ['one of two parties', { azp: 'https://other.test', aud: undefined }, 'parties'],
    ['the right party and the right audience', { azp: 'https://app.test' }, 'both'],
    ['any audience', { aud: 'anything' }, 'any'],
    ['no audience', { aud: undefined }, 'any'],
  ])('is accepted with %s, if configured so', async (_, claims, worker) => {
    const response = await sendSession(sign(claims), { worker })
    expect(await claimsOf(response, secret)).toMatchObject({ id: 'user-1' })
  })

  test.each<[string, object, TokenOptions, string]>([
    ['has another audience', { aud: 'https://other.test' }, {}, 'main'],
    ['was issued to another party', { azp: 'https://evil.test' }, {}, 'parties'],
    ['has no azp', { aud: undefined }, {}, 'parties'],
    ['has the right azp but another audience', { azp: 'https://app.test', aud: 'x' }, {}, 'both'],
    ['has the right audience but another azp', { azp: 'https://evil.test' }, {}, 'both'],
    ['has expired, with any audience accepted', { exp: inSeconds(-10) }, {}, 'any'],
    ['is from another issuer, with any audience accepted', { iss: 'https://evil.test/' }, {}, 'any'],
    ['is a Membrane token', { iss: settings.MEMBRANE_WORKSPACE_KEY }, { algorithm: 'HS256', secret }, 'main'],
    ['is signed with the workspace secret', {}, { algorithm: 'HS256', secret }, 'main'],
    ['has alg none, without other callers', {}, { algorithm: 'none' }, 'alone'],
  ])('that %s gets 401 invalid_token', async (_, claims, options, worker) => {
    await expectProblem(await sendSession(sign(claims, options), { worker }), 401, 'ERR_CREDENTIALS_INVALID')
  })

  test('is not the token that was issued for it', async () => {
    const { token } = (await (await sendSession(sign())).json()) as TokenBody
    await expectProblem(await sendSession(token), 401, 'ERR_CREDENTIALS_INVALID')
  })

  test('does not cause a request to the identity provider for every token', async () => {
    await sendSession(sign())
    idp.requests.length = 0
    await Promise.all(Array.from({ length: 10 }, () => sendSession(sign())))
    expect(idp.requests).toEqual([])
  })
})
