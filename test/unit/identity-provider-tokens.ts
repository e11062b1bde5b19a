/** The tokens of the identity providers that `examples/identity-providers/` has settings for. */

export interface Provider {
  /** What is served beside the key set: metadata as the provider documents it. Default: none. */
  discovery?: { url: string; metadata: { issuer: string; jwks_uri: string } }
  jwks: string
  algorithm: 'RS256' | 'ES256'
  /** Seconds. */
  lifetime: number
  /** As the provider's documentation shows them, dates apart. */
  claims: Record<string, unknown>
  customer: { id: string; name: string; fields: Record<string, unknown> }
  /** Claims put over the good ones, for which the token must be refused. */
  refused: Record<string, Record<string, unknown>>
  /** Claims without which there is no customer. */
  incomplete: Record<string, unknown>
  /** Other customers the comments tell of. */
  variants?: { settings: Record<string, string>; id: string }[]
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
    refused: {
      'the ID token': { aud: 'kbyuFDidLLm280LIwVFiazOqjO3ty8KH' },
      'the token for userinfo alone': { aud: 'https://example.eu.auth0.com/userinfo' },
      'another API': { aud: 'https://api.example.com/v2' },
      'another tenant': { iss: 'https://other.eu.auth0.com/' },
      'the issuer without its slash': { iss: 'https://example.eu.auth0.com' },
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
    refused: {
      'another app': { azp: 'https://other.example.com' },
      'an app below ours': { azp: 'https://app.example.com.evil.example' },
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
      user_metadata: { tenant_id: 'tenant-of-somebody-else', plan: 'gold' },
    },
    customer: { id: 'tenant-7', name: 'ada@example.com', fields: { plan: 'team' } },
    refused: {
      'the key for everybody': { aud: 'anon', role: 'anon' },
      'no audience': { aud: undefined },
      'another project': { iss: 'https://zyxwvutsrqponmlkjihg.supabase.co/auth/v1' },
    },
    // What users write into user_metadata does not stand in for it.
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
    // All projects share their keys, so that nothing but these two tells them apart.
    refused: {
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
    refused: {
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
    refused: {
      'an authentication domain': { iss: 'https://auth.example.com' },
      'the issuer with a slash': { iss: 'https://api.workos.com/' },
    },
    incomplete: { org_id: undefined },
    variants: [{ settings: { SESSION_CUSTOMER_ID_CLAIM: 'sub' }, id: 'user_01HBEQKA6K4QJAS93VPE39W1JT' }],
  },
  oidc: {
    discovery: {
      url: 'https://id.example.com/realms/example/.well-known/openid-configuration',
      metadata: {
        issuer: 'https://id.example.com/realms/example',
        jwks_uri: 'https://id.example.com/realms/example/protocol/openid-connect/certs',
      },
    },
    jwks: 'https://id.example.com/realms/example/protocol/openid-connect/certs',
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
    refused: {
      'another audience': { aud: ['account'] },
      'another realm': { iss: 'https://id.example.com/realms/other' },
      'the issuer with a slash': { iss: 'https://id.example.com/realms/example/' },
    },
    incomplete: { organization: 'org-5' },
  },
}

/** The little of TOML that stands in these files; anything else is a fault of theirs. */
