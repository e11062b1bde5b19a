/** Tokens of the identity providers in `examples/identity-providers/`. */

export interface Provider {
  /** Metadata as the provider documents it. Default: the provider has none. */
  discovery?: { url: string; metadata: { issuer: string; jwks_uri: string } }
  jwks: string
  algorithm: 'RS256' | 'ES256'
  /** Seconds. */
  lifetime: number
  /** As the provider documents them, without `iat` and `exp`. */
  claims: Record<string, unknown>
  customer: { id: string; name: string; fields: Record<string, unknown> }
  /** Claims that replace the valid ones in a token that must be rejected. */
  rejected: Record<string, Record<string, unknown>>
  /** Claims that replace the valid ones in a token without a customer id. */
  incomplete: Record<string, unknown>
  /** Alternative customer ids that the file's comment describes. */
  variants?: { settings: Record<string, string>; id: string }[]
}

/** The Keycloak realm of both `keycloak` and `oidc`. */
const REALM: Pick<Provider, 'discovery' | 'jwks'> = {
  discovery: {
    url: 'https://id.example.com/realms/example/.well-known/openid-configuration',
    metadata: {
      issuer: 'https://id.example.com/realms/example',
      jwks_uri: 'https://id.example.com/realms/example/protocol/openid-connect/certs',
    },
  },
  jwks: 'https://id.example.com/realms/example/protocol/openid-connect/certs',
}

export const PROVIDERS: Record<string, Provider> = {
  auth0: {
    discovery: {
      url: 'https://example.eu.auth0.com/.well-known/openid-configuration',
      metadata: {
        issuer: 'https://example.eu.auth0.com/',
        jwks_uri: 'https://example.eu.auth0.com/.well-known/jwks.json',
      },
    },
    jwks: 'https://example.eu.auth0.com/.well-known/jwks.json',
    algorithm: 'RS256',
    lifetime: 86_400,
    claims: {
      'https://app.example.com/name': 'Ada Lovelace',
      'https://app.example.com/plan': 'team',
      iss: 'https://example.eu.auth0.com/',
      sub: 'auth0|64b5c8e2f1a2b3c4d5e6f708',
      aud: ['https://api.example.com', 'https://example.eu.auth0.com/userinfo'],
      azp: 'kbyuFDidLLm280LIwVFiazOqjO3ty8KH',
      org_id: 'org_9ybsU1dN2dKfDkBi',
      scope: 'openid profile email',
    },
    customer: { id: 'auth0|64b5c8e2f1a2b3c4d5e6f708', name: 'Ada Lovelace', fields: { plan: 'team' } },
    rejected: {
      'the ID token': { aud: 'kbyuFDidLLm280LIwVFiazOqjO3ty8KH' },
      'the token for userinfo only': { aud: 'https://example.eu.auth0.com/userinfo' },
      'another API': { aud: 'https://api.example.com/v2' },
      'another tenant': { iss: 'https://other.eu.auth0.com/' },
      'the issuer without its slash': { iss: 'https://example.eu.auth0.com' },
      'a client without a user': {
        sub: 'kbyuFDidLLm280LIwVFiazOqjO3ty8KH@clients',
        gty: 'client-credentials',
      },
    },
    incomplete: { sub: undefined },
    variants: [{ settings: { SESSION_CUSTOMER_ID_CLAIM: 'org_id' }, id: 'org_9ybsU1dN2dKfDkBi' }],
  },
  clerk: {
    jwks: 'https://clerk.example.com/.well-known/jwks.json',
    algorithm: 'RS256',
    lifetime: 60,
    claims: {
      azp: 'https://app.example.com',
      fva: [7, -1],
      iss: 'https://clerk.example.com',
      jti: '0dd1f1a8c3b24f9b9c1e',
      o: { id: 'org_2hLmNpQrStUvWxYz', slg: 'acme', rol: 'admin', per: 'read,manage', fpm: '3' },
      org_name: 'Acme Inc.',
      sid: 'sess_2hLmNpQrStUvWxYz',
      sts: 'active',
      sub: 'user_2hLmNpQrStUvWxYz',
      v: 2,
    },
    customer: { id: 'org_2hLmNpQrStUvWxYz', name: 'Acme Inc.', fields: { slg: 'acme' } },
    rejected: {
      'another app': { azp: 'https://other.example.com' },
      'a subdomain of another domain': { azp: 'https://app.example.com.evil.example' },
      'no azp': { azp: undefined },
      'another instance': { iss: 'https://example.clerk.accounts.dev' },
    },
    incomplete: { o: undefined },
    variants: [{ settings: { SESSION_CUSTOMER_ID_CLAIM: 'sub' }, id: 'user_2hLmNpQrStUvWxYz' }],
  },
  supabase: {
    jwks: 'https://abcdefghijklmnopqrst.supabase.co/auth/v1/.well-known/jwks.json',
    algorithm: 'ES256',
    lifetime: 3600,
    claims: {
      aal: 'aal1',
      amr: [{ method: 'password', timestamp: 1_767_225_600 }],
      app_metadata: { provider: 'email', providers: ['email'], tenant_id: 'tenant-7', plan: 'team' },
      aud: 'authenticated',
      email: 'ada@example.com',
      is_anonymous: false,
      iss: 'https://abcdefghijklmnopqrst.supabase.co/auth/v1',
      phone: '',
      role: 'authenticated',
      session_id: '4b938a09-5372-4177-a314-cfa292099ea2',
      sub: '8ccaa7af-909f-44e7-84cb-67cdccb56be6',
      user_metadata: { tenant_id: 'tenant-of-another-user', plan: 'gold' },
    },
    customer: { id: 'tenant-7', name: 'ada@example.com', fields: { plan: 'team' } },
    rejected: {
      'the anonymous key': { aud: 'anon', role: 'anon' },
      'no audience': { aud: undefined },
      'another project': { iss: 'https://zyxwvutsrqponmlkjihg.supabase.co/auth/v1' },
    },
    // user_metadata, which users can change, is not used instead.
    incomplete: { app_metadata: { provider: 'email' } },
  },
  firebase: {
    discovery: {
      url: 'https://securetoken.google.com/example-project/.well-known/openid-configuration',
      metadata: {
        issuer: 'https://securetoken.google.com/example-project',
        jwks_uri: 'https://www.googleapis.com/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com',
      },
    },
    jwks: 'https://www.googleapis.com/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com',
    algorithm: 'RS256',
    lifetime: 3600,
    claims: {
      name: 'Ada Lovelace',
      plan: 'team',
      team: 'team-9',
      iss: 'https://securetoken.google.com/example-project',
      aud: 'example-project',
      auth_time: 1_767_225_600,
      user_id: 'Zk3vQp8sT2aB4cD6eF8gH0iJ2kL4',
      sub: 'Zk3vQp8sT2aB4cD6eF8gH0iJ2kL4',
      email: 'ada@example.com',
      email_verified: true,
      firebase: { identities: { email: ['ada@example.com'] }, sign_in_provider: 'password' },
    },
    customer: { id: 'Zk3vQp8sT2aB4cD6eF8gH0iJ2kL4', name: 'Ada Lovelace', fields: { plan: 'team' } },
    // All projects share the same keys and differ only in issuer and audience.
    rejected: {
      'another project': { iss: 'https://securetoken.google.com/other-project', aud: 'other-project' },
      'another audience': { aud: 'other-project' },
    },
    incomplete: { sub: undefined },
    variants: [{ settings: { SESSION_CUSTOMER_ID_CLAIM: 'team' }, id: 'team-9' }],
  },
  cognito: {
    discovery: {
      url: 'https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Example12/.well-known/openid-configuration',
      metadata: {
        issuer: 'https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Example12',
        jwks_uri:
          'https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Example12/.well-known/jwks.json',
      },
    },
    jwks: 'https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Example12/.well-known/jwks.json',
    algorithm: 'RS256',
    lifetime: 3600,
    claims: {
      sub: 'aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee',
      'cognito:groups': ['admins', 'editors'],
      email_verified: true,
      iss: 'https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Example12',
      'cognito:username': 'ada',
      origin_jti: 'aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee',
      aud: '1example23456789abcdefghij',
      event_id: '64f513be-32db-42b0-b78e-b02127b4f463',
      token_use: 'id',
      auth_time: 1_767_225_600,
      'custom:tenant': 'tenant-3',
      email: 'ada@example.com',
    },
    customer: {
      id: 'tenant-3',
      name: 'ada@example.com',
      fields: { 'cognito:groups': ['admins', 'editors'] },
    },
    rejected: {
      'the access token': { aud: undefined, token_use: 'access', client_id: '1example23456789abcdefghij' },
      'another app client': { aud: '2example23456789abcdefghij' },
      'another pool': { iss: 'https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Other1234' },
    },
    incomplete: { 'custom:tenant': undefined },
    variants: [
      { settings: { SESSION_CUSTOMER_ID_CLAIM: 'sub' }, id: 'aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee' },
    ],
  },
  workos: {
    jwks: 'https://api.workos.com/sso/jwks/client_01EXAMPLE',
    algorithm: 'RS256',
    lifetime: 300,
    claims: {
      iss: 'https://api.workos.com',
      sub: 'user_01HBEQKA6K4QJAS93VPE39W1JT',
      org_id: 'org_01HRDMC6CM357W30QMHMQ96Q0S',
      org_name: 'Acme Inc.',
      role: 'member',
      roles: ['member'],
      permissions: ['posts:read', 'posts:write'],
      sid: 'session_01HQSXZGF8FHF7A9ZZFCW4387R',
      jti: '01HQSXZXPPFPKMDD32RKTFY6PV',
    },
    customer: { id: 'org_01HRDMC6CM357W30QMHMQ96Q0S', name: 'Acme Inc.', fields: { role: 'member' } },
    rejected: {
      'an authentication domain': { iss: 'https://auth.example.com' },
      'the issuer with a slash': { iss: 'https://api.workos.com/' },
    },
    incomplete: { org_id: undefined },
    variants: [{ settings: { SESSION_CUSTOMER_ID_CLAIM: 'sub' }, id: 'user_01HBEQKA6K4QJAS93VPE39W1JT' }],
  },
  keycloak: {
    ...REALM,
    algorithm: 'RS256',
    lifetime: 300,
    claims: {
      auth_time: 1_767_225_600,
      jti: 'onrtac:d58f5dc8-fd8f-462b-8a19-716f8f83985b',
      iss: 'https://id.example.com/realms/example',
      aud: ['https://api.example.com', 'account'],
      sub: '36fa0f91-f94d-4a0c-afed-6b7d952e47da',
      typ: 'Bearer',
      azp: 'web',
      sid: '2a88c258-f73a-4103-b862-e1fbd8f4e04e',
      acr: '1',
      'allowed-origins': ['https://app.example.com'],
      realm_access: { roles: ['offline_access', 'default-roles-example', 'uma_authorization'] },
      resource_access: { account: { roles: ['manage-account', 'view-profile'] } },
      scope: 'openid email profile',
      email_verified: true,
      name: 'Ada Lovelace',
      preferred_username: 'ada',
      given_name: 'Ada',
      family_name: 'Lovelace',
      email: 'ada@example.com',
      locale: 'en',
      organization: { acme: { id: '42c3e46f-2477-44d7-a85b-d3b43f6b31fa' } },
      tenant: 'tenant-5',
    },
    customer: { id: 'tenant-5', name: 'Ada Lovelace', fields: { locale: 'en' } },
    rejected: {
      'the token without an audience mapper': { aud: 'account' },
      'the ID token': { aud: 'web', typ: 'ID' },
      'a service account': {
        azp: 'backend',
        client_id: 'backend',
        preferred_username: 'service-account-backend',
      },
      'another realm': { iss: 'https://id.example.com/realms/other' },
    },
    incomplete: { tenant: undefined },
    variants: [
      { settings: { SESSION_CUSTOMER_ID_CLAIM: 'sub' }, id: '36fa0f91-f94d-4a0c-afed-6b7d952e47da' },
    ],
  },
  'entra-id': {
    discovery: {
      url: 'https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0/.well-known/openid-configuration',
      metadata: {
        issuer: 'https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0',
        jwks_uri:
          'https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/discovery/v2.0/keys',
      },
    },
    jwks: 'https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/discovery/v2.0/keys',
    algorithm: 'RS256',
    lifetime: 4500,
    claims: {
      aud: '6e74172b-be56-4843-9ff4-e66a39bb12e3',
      iss: 'https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0',
      aio: 'AXQAi/8IAAAA',
      azp: '3d1cdd54-2a3e-4b6d-8d0f-1e5c8a2b7f90',
      azpacr: '0',
      name: 'Ada Lovelace',
      oid: '690222be-ff1a-4d56-abd1-7e4f7d38e474',
      preferred_username: 'ada@example.com',
      rh: '0.AXkAy1k',
      scp: 'access_as_user',
      sub: 'HKZpfaHyWadeOouYlitjrI-KffTm222X5rrV3xDqfKQ',
      tid: '9188040d-6c67-4c5b-b112-36a304b66dad',
      uti: 'fqiBqXLPj0eQa82S-IYFAA',
      ver: '2.0',
    },
    customer: {
      id: '690222be-ff1a-4d56-abd1-7e4f7d38e474',
      name: 'Ada Lovelace',
      fields: { tid: '9188040d-6c67-4c5b-b112-36a304b66dad' },
    },
    rejected: {
      'the token for Microsoft Graph': { aud: '00000003-0000-0000-c000-000000000000' },
      'the ID token of the app': { aud: '3d1cdd54-2a3e-4b6d-8d0f-1e5c8a2b7f90' },
      'an app without a user': { idtyp: 'app', scp: undefined, roles: ['access_as_app'] },
      'another tenant': {
        iss: 'https://login.microsoftonline.com/1c3a5b7d-0000-4000-8000-36a304b66dad/v2.0',
      },
      'a token of version 1': {
        iss: 'https://sts.windows.net/9188040d-6c67-4c5b-b112-36a304b66dad/',
        aud: 'api://6e74172b-be56-4843-9ff4-e66a39bb12e3',
        ver: '1.0',
      },
    },
    incomplete: { oid: undefined },
    variants: [
      { settings: { SESSION_CUSTOMER_ID_CLAIM: 'tid' }, id: '9188040d-6c67-4c5b-b112-36a304b66dad' },
    ],
  },
  okta: {
    discovery: {
      url: 'https://example.okta.com/oauth2/default/.well-known/openid-configuration',
      metadata: {
        issuer: 'https://example.okta.com/oauth2/default',
        jwks_uri: 'https://example.okta.com/oauth2/default/v1/keys',
      },
    },
    jwks: 'https://example.okta.com/oauth2/default/v1/keys',
    algorithm: 'RS256',
    lifetime: 3600,
    claims: {
      ver: 1,
      jti: 'AT.0mP4JKAZX1iACIT4vbEDF7LpvDVjxypPMf0D7uX39RE',
      iss: 'https://example.okta.com/oauth2/default',
      aud: 'api://default',
      cid: '0oa9kxhyzABCDEFGH5d7',
      uid: '00u9kxi2zJKLMNOPQ5d7',
      scp: ['openid', 'profile'],
      auth_time: 1_767_225_600,
      sub: 'ada@example.com',
      plan: 'team',
    },
    customer: { id: '00u9kxi2zJKLMNOPQ5d7', name: 'ada@example.com', fields: { plan: 'team' } },
    rejected: {
      'the ID token': { aud: '0oa9kxhyzABCDEFGH5d7' },
      'a token of the org authorization server': {
        iss: 'https://example.okta.com',
        aud: 'https://example.okta.com',
      },
      'a client without a user': { sub: '0oa9kxhyzABCDEFGH5d7', uid: undefined },
    },
    incomplete: { uid: undefined },
    variants: [{ settings: { SESSION_CUSTOMER_ID_CLAIM: 'sub' }, id: 'ada@example.com' }],
  },
  oidc: {
    ...REALM,
    algorithm: 'ES256',
    lifetime: 300,
    claims: {
      iss: 'https://id.example.com/realms/example',
      aud: ['account', 'https://api.example.com'],
      sub: 'f1c2a6b8-3f0e-4f67-9d62-0d2f0f9f8a11',
      azp: 'web',
      locale: 'sv',
      organization: { id: 'org-5', name: 'Acme Inc.', plan: 'team' },
    },
    customer: { id: 'org-5', name: 'Acme Inc.', fields: { plan: 'team', locale: 'sv' } },
    rejected: {
      'another audience': { aud: ['account'] },
      'another realm': { iss: 'https://id.example.com/realms/other' },
      'the issuer with a slash': { iss: 'https://id.example.com/realms/example/' },
    },
    incomplete: { organization: 'org-5' },
  },
}
