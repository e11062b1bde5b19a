import { oneOf, type SessionJwtOptions } from '../../src/endpoint.ts'
import { bearer, createSession, sessionToken, verifyCustomer } from './endpoint-harness.ts'
import { assert, type ConformanceModule, equal } from './suite.ts'
import type { Forgery } from './token-fixtures.ts'

const tenant = '9188040d-6c67-4c5b-b112-36a304b66dad'
const api = '6e74172b-be56-4843-9ff4-e66a39bb12e3'
const user = {
  oid: '690222be-ff1a-4d56-abd1-7e4f7d38e474',
  sub: 'HKZpfaHyWadeOouYlitjrI',
  name: 'Ada Lovelace',
}

/** Session tokens as identity providers document them, in addition to the tokens of the examples. */
const shapes: [string, object, SessionJwtOptions, string, Forgery?][] = [
  [
    'Auth0, the RFC 9068 profile',
    {
      iss: 'https://example.eu.auth0.com/',
      aud: ['https://api.example.com', 'https://example.eu.auth0.com/userinfo'],
      sub: 'auth0|64b5c8e2f1a2b3c4d5e6f708',
      client_id: 'kbyuFDidLLm280LIwVFiazOqjO3ty8KH',
      jti: 'hGr3Fv1x',
      scope: 'openid profile read:things',
      permissions: ['read:things'],
    },
    {
      issuer: 'https://example.eu.auth0.com/',
      audience: 'https://api.example.com',
      type: 'at+jwt',
      requiredScopes: ['read:things'],
    },
    'auth0|64b5c8e2f1a2b3c4d5e6f708',
    { header: { kid: 'a', typ: 'at+jwt' } },
  ],
  [
    'Auth0, after a refresh',
    {
      iss: 'https://example.eu.auth0.com/',
      aud: 'https://api.example.com',
      sub: 'google-oauth2|103547991597142817347',
      azp: 'kbyuFDidLLm280LIwVFiazOqjO3ty8KH',
      gty: ['refresh_token', 'password'],
    },
    { issuer: 'https://example.eu.auth0.com/', audience: 'https://api.example.com' },
    'google-oauth2|103547991597142817347',
  ],
  [
    'Clerk, the session token of version 1',
    {
      iss: 'https://example.clerk.accounts.dev',
      aud: undefined,
      azp: 'http://localhost:3000',
      org_id: 'org_2hLmNpQrStUvWxYz',
      org_role: 'org:admin',
      org_slug: 'acme',
      sid: 'sess_2hLmNpQrStUvWxYz',
      sub: 'user_2hLmNpQrStUvWxYz',
    },
    {
      issuer: 'https://example.clerk.accounts.dev',
      authorizedParties: ['http://localhost:3000'],
      customerId: 'org_id',
    },
    'org_2hLmNpQrStUvWxYz',
    { header: { kid: 'a', cat: 'cl_B7d4PD111AAA' } },
  ],
  [
    'Supabase, a user by address',
    {
      iss: 'https://abcdefghijklmnopqrst.supabase.co/auth/v1',
      aud: 'authenticated',
      sub: '8ccaa7af-909f-44e7-84cb-67cdccb56be6',
      email: 'ada@example.com',
      role: 'authenticated',
      is_anonymous: false,
    },
    {
      issuer: 'https://abcdefghijklmnopqrst.supabase.co/auth/v1',
      audience: 'authenticated',
      customerId: 'email',
      trustEmail: true,
    },
    'ada@example.com',
  ],
  [
    'Firebase, a tenant of Identity Platform',
    {
      iss: 'https://securetoken.google.com/example-project',
      aud: 'example-project',
      sub: 'Zk3vQp8sT2aB4cD6eF8gH0iJ2kL4',
      user_id: 'Zk3vQp8sT2aB4cD6eF8gH0iJ2kL4',
      firebase: { identities: {}, sign_in_provider: 'anonymous', tenant: 'acme-7f3k2' },
    },
    {
      issuer: 'https://securetoken.google.com/example-project',
      audience: 'example-project',
      customerId: 'firebase.tenant',
    },
    'acme-7f3k2',
  ],
  [
    'Cognito, the access token',
    {
      iss: 'https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Example12',
      aud: undefined,
      sub: 'aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee',
      client_id: '1example23456789abcdefghij',
      token_use: 'access',
      scope: 'openid email',
      username: 'ada',
      version: 2,
    },
    {
      issuer: 'https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Example12',
      anyAudience: true,
    },
    'aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee',
    { header: { kid: 'a', typ: undefined } },
  ],
  [
    'WorkOS, an access token of a custom domain',
    {
      iss: 'https://auth.example.com/',
      aud: undefined,
      sub: 'user_01HBEQKA6K4QJAS93VPE39W1JT',
      org_id: 'org_01HRDMC6CM357W30QMHMQ96Q0S',
      sid: 'session_01HQSXZGF8FHF7A9ZZFCW4387R',
      permissions: ['posts:read'],
      act: { sub: 'admin@example.com' },
    },
    {
      issuer: 'https://auth.example.com/',
      anyAudience: true,
      customerId: 'org_id',
      requiredScopes: ['posts:read'],
    },
    'org_01HRDMC6CM357W30QMHMQ96Q0S',
  ],
  [
    'Keycloak, the attribute of an organization',
    {
      iss: 'https://id.example.com/realms/example',
      aud: ['api', 'account'],
      sub: '36fa0f91-f94d-4a0c-afed-6b7d952e47da',
      azp: 'web',
      typ: 'Bearer',
      preferred_username: 'ada',
      organization: { acme: { id: '42c3e46f-2477-44d7-a85b-d3b43f6b31fa' } },
    },
    {
      issuer: 'https://id.example.com/realms/example',
      audience: 'api',
      customerId: ({ organization }) => Object.keys(Object(organization))[0],
    },
    'acme',
  ],
  [
    'Entra ID, an access token of version 1',
    {
      iss: `https://sts.windows.net/${tenant}/`,
      aud: `api://${api}`,
      ...user,
      acr: '1',
      amr: ['pwd', 'mfa'],
      appid: '3d1cdd54-2a3e-4b6d-8d0f-1e5c8a2b7f90',
      appidacr: '0',
      idtyp: 'user',
      ipaddr: '203.0.113.7',
      scp: 'access_as_user',
      tid: tenant,
      unique_name: 'ada@example.com',
      upn: 'ada@example.com',
      ver: '1.0',
    },
    {
      issuer: `https://sts.windows.net/${tenant}/`,
      audience: `api://${api}`,
      customerId: 'oid',
      requiredScopes: ['access_as_user'],
    },
    user.oid,
    { header: { kid: 'a', x5t: 'nOo3ZDrODXEK1jKWhXslHR_KXEg' } },
  ],
  [
    'Entra ID, an ID token of version 2',
    {
      iss: `https://login.microsoftonline.com/${tenant}/v2.0`,
      aud: api,
      ...user,
      preferred_username: 'ada@example.com',
      nonce: '12345',
      tid: tenant,
      ver: '2.0',
    },
    { issuer: `https://login.microsoftonline.com/${tenant}/v2.0`, audience: api, customerId: 'tid' },
    tenant,
  ],
  [
    'Okta, an ID token',
    {
      ver: 1,
      iss: 'https://example.okta.com',
      aud: '0oa9kxhyzABCDEFGH5d7',
      sub: '00u9kxi2zJKLMNOPQ5d7',
      amr: ['pwd'],
      idp: '00o1mb8mMcZtHOYt40h7',
      preferred_username: 'ada@example.com',
      at_hash: 'Fhz0NnUaJwUZ5vRXm9dXYA',
    },
    { issuer: 'https://example.okta.com', audience: '0oa9kxhyzABCDEFGH5d7' },
    '00u9kxi2zJKLMNOPQ5d7',
    { header: { kid: 'a', typ: undefined } },
  ],
  [
    'Okta, an access token',
    {
      ver: 1,
      iss: 'https://example.okta.com/oauth2/default',
      aud: 'api://default',
      cid: '0oa9kxhyzABCDEFGH5d7',
      uid: '00u9kxi2zJKLMNOPQ5d7',
      scp: ['openid', 'profile'],
      sub: 'ada@example.com',
    },
    {
      issuer: 'https://example.okta.com/oauth2/default',
      audience: 'api://default',
      customerId: 'uid',
      requiredScopes: ['profile'],
    },
    '00u9kxi2zJKLMNOPQ5d7',
    { header: { kid: 'a', typ: undefined } },
  ],
]

export const endpointProviderShapes: ConformanceModule = ({ test }) => {
  for (const [title, claims, options, id, forgery] of shapes) {
    test(`accepted: ${title}`, async () => {
      const token = await sessionToken(claims, forgery)
      equal((await verifyCustomer(token, { audience: undefined, ...options })).id, id)
    })
  }

  test('a multi-tenant app of Entra ID: an issuer for each tenant, one audience', async () => {
    const tenants = [tenant, '1c3a5b7d-0000-4000-8000-36a304b66dad']
    const issuerOf = (id: string) => `https://login.microsoftonline.com/${id}/v2.0`
    const sessions = tenants.map((id) =>
      createSession({ issuer: issuerOf(id), audience: api, customerId: 'tid' }),
    )
    const authenticate = oneOf(...(await Promise.all(sessions)))
    for (const tid of tenants) {
      const caller = await authenticate(
        bearer(await sessionToken({ iss: issuerOf(tid), aud: api, ...user, tid })),
      )
      assert(caller?.kind === 'customer')
      equal(caller.customer.id, tid)
    }
    const stranger = '72f988bf-86f1-41af-91ab-2d7cd011db47'
    const token = await sessionToken({ iss: issuerOf(stranger), aud: api, ...user, tid: stranger })
    equal(await authenticate(bearer(token)), null)
  })
}
