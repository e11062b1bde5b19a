import type { Inspection } from 'membrane-token'

/** A value to enter, with the identity provider's own name for it. */
export interface ProviderField {
  name: string
  label: string
  placeholder: string
}

/** An identity provider: the values it needs, and the settings they produce. */
export interface Provider {
  id: string
  label: string
  /** Matches the `iss` of its tokens. */
  issuer: RegExp
  fields: readonly ProviderField[]
  /** Settings, with `{field}` in place of each field's value. */
  settings: Readonly<Record<string, string>>
  claims: { id: string; name: string; fields: string }
  /** The token that the app must send, and pitfalls. */
  note: string
}

const AUDIENCE: ProviderField = {
  name: 'audience',
  label: 'API identifier (aud)',
  placeholder: 'https://api.example.com',
}

export const PROVIDERS: readonly Provider[] = [
  {
    id: 'auth0',
    label: 'Auth0',
    issuer: /\.auth0\.com\/$/,
    fields: [{ name: 'domain', label: 'Domain', placeholder: 'example.eu.auth0.com' }, AUDIENCE],
    settings: { SESSION_ISSUER: 'https://{domain}/', SESSION_AUDIENCE: '{audience}' },
    claims: { id: 'sub', name: '', fields: '' },
    note: 'Send the access token for your API, as getAccessTokenSilently() returns it. If organizations are your customers, choose org_id. A post-login Action adds the name.',
  },
  {
    id: 'clerk',
    label: 'Clerk',
    issuer: /^https:\/\/(clerk\.|.*\.clerk\.accounts\.dev$)/,
    fields: [
      { name: 'api', label: 'Frontend API URL', placeholder: 'https://clerk.example.com' },
      { name: 'origin', label: 'Origin of your app (azp)', placeholder: 'https://app.example.com' },
    ],
    settings: {
      SESSION_ISSUER: '{api}',
      SESSION_JWKS_URI: '{api}/.well-known/jwks.json',
      SESSION_AUTHORIZED_PARTIES: '{origin}',
    },
    claims: { id: 'o.id', name: '', fields: '' },
    note: 'Send the session token, as getToken() returns it. If users are your customers, choose sub. It lasts 60 seconds, and no Membrane token outlives it.',
  },
  {
    id: 'supabase',
    label: 'Supabase',
    issuer: /\.supabase\.co\/auth\/v1$/,
    fields: [{ name: 'ref', label: 'Project reference', placeholder: 'abcdefghijklmnopqrst' }],
    settings: {
      SESSION_ISSUER: 'https://{ref}.supabase.co/auth/v1',
      SESSION_JWKS_URI: 'https://{ref}.supabase.co/auth/v1/.well-known/jwks.json',
      SESSION_AUDIENCE: 'authenticated',
    },
    claims: { id: 'app_metadata.tenant_id', name: '', fields: '' },
    note: 'Send the access_token of the session. The project must sign with an asymmetric key. Never choose a claim in user_metadata: users can write it.',
  },
  {
    id: 'firebase',
    label: 'Firebase',
    issuer: /^https:\/\/securetoken\.google\.com\//,
    fields: [{ name: 'project', label: 'Project ID', placeholder: 'example-project' }],
    settings: {
      SESSION_ISSUER: 'https://securetoken.google.com/{project}',
      SESSION_AUDIENCE: '{project}',
    },
    claims: { id: 'sub', name: 'name', fields: '' },
    note: 'Send the ID token, as getIdToken() returns it. setCustomUserClaims() of the Admin SDK adds claims.',
  },
  {
    id: 'cognito',
    label: 'Cognito',
    issuer: /^https:\/\/cognito-idp\./,
    fields: [
      { name: 'region', label: 'Region', placeholder: 'eu-central-1' },
      { name: 'pool', label: 'User pool ID', placeholder: 'eu-central-1_Example12' },
      { name: 'client', label: 'App client ID', placeholder: '1example23456789abcdefghij' },
    ],
    settings: {
      SESSION_ISSUER: 'https://cognito-idp.{region}.amazonaws.com/{pool}',
      SESSION_AUDIENCE: '{client}',
    },
    claims: { id: 'sub', name: '', fields: '' },
    note: 'Send the ID token, not the access token, which has no aud. If you choose a custom attribute, do not let the app client write it.',
  },
  {
    id: 'workos',
    label: 'WorkOS',
    issuer: /^https:\/\/api\.workos\.com/,
    fields: [{ name: 'client', label: 'Client ID', placeholder: 'client_01EXAMPLE' }],
    settings: {
      SESSION_ISSUER: 'https://api.workos.com',
      SESSION_JWKS_URI: 'https://api.workos.com/sso/jwks/{client}',
      SESSION_ANY_AUDIENCE: 'true',
    },
    claims: { id: 'org_id', name: '', fields: 'role' },
    note: 'Send the access token of AuthKit. Compare the issuer with the iss of a token: it can end with a slash. The key set belongs to your client alone, so any audience is safe.',
  },
  {
    id: 'keycloak',
    label: 'Keycloak',
    issuer: /\/realms\/[^/]+$/,
    fields: [
      { name: 'url', label: 'Server URL', placeholder: 'https://id.example.com' },
      { name: 'realm', label: 'Realm', placeholder: 'example' },
      AUDIENCE,
    ],
    settings: { SESSION_ISSUER: '{url}/realms/{realm}', SESSION_AUDIENCE: '{audience}' },
    claims: { id: 'sub', name: 'name', fields: '' },
    note: 'Send the access token. An audience mapper in a client scope adds your API to aud.',
  },
  {
    id: 'entra',
    label: 'Entra ID',
    issuer: /^https:\/\/login\.microsoftonline\.com\//,
    fields: [
      { name: 'tenant', label: 'Directory (tenant) ID', placeholder: '00000000-0000-0000-0000-000000000000' },
      {
        name: 'client',
        label: 'Application (client) ID',
        placeholder: '11111111-1111-1111-1111-111111111111',
      },
    ],
    settings: {
      SESSION_ISSUER: 'https://login.microsoftonline.com/{tenant}/v2.0',
      SESSION_AUDIENCE: '{client}',
    },
    claims: { id: 'oid', name: 'name', fields: '' },
    note: 'Send the access token for your own API; set requestedAccessTokenVersion to 2 in its manifest.',
  },
  {
    id: 'okta',
    label: 'Okta',
    issuer: /\.okta(preview)?\.com\//,
    fields: [
      { name: 'domain', label: 'Okta domain', placeholder: 'example.okta.com' },
      { name: 'server', label: 'Authorization server ID', placeholder: 'default' },
      AUDIENCE,
    ],
    settings: { SESSION_ISSUER: 'https://{domain}/oauth2/{server}', SESSION_AUDIENCE: '{audience}' },
    claims: { id: 'uid', name: '', fields: '' },
    note: 'Send the access token of a custom authorization server. The tokens of the org server are not meant to be verified.',
  },
  {
    id: 'oidc',
    label: 'Other OIDC',
    issuer: /^https?:\/\//i,
    fields: [
      { name: 'issuer', label: 'Issuer (iss)', placeholder: 'https://id.example.com' },
      { name: 'audience', label: 'Audience (aud)', placeholder: 'https://api.example.com' },
    ],
    settings: { SESSION_ISSUER: '{issuer}', SESSION_AUDIENCE: '{audience}' },
    claims: { id: 'sub', name: 'name', fields: '' },
    note: 'Send an access token that is a JWT and has your API as aud. The issuer must be exactly the iss of the tokens.',
  },
]

/** The identity provider that issued the inspected token, if any. */
export function findSessionProvider({ claims, problems }: Inspection): Provider | undefined {
  if (!problems.some(({ code }) => code === 'IDENTITY_PROVIDER_TOKEN')) return undefined
  return PROVIDERS.find(({ issuer }) => issuer.test(String(claims?.iss)))
}
