import { SETTING_READERS, type SettingName, type SettingReader, type Settings } from './settings.ts'

/** One setting: what it means, how its text is read, and what it is when it is not set. */
export interface SettingDefinition<Value> extends SettingReader<Value> {
  readonly description: string
}

const DESCRIPTIONS: Readonly<Record<SettingName, string>> = {
  MEMBRANE_WORKSPACE_KEY: 'Workspace key',
  MEMBRANE_WORKSPACE_SECRET: 'Workspace secret; this or MEMBRANE_PRIVATE_KEY',
  MEMBRANE_PRIVATE_KEY:
    'Private key as PEM or JWK, or the URI of a key in a KMS; this or MEMBRANE_WORKSPACE_SECRET',
  MEMBRANE_ALGORITHM: 'Signature algorithm; default: HS512 for a secret, else the one that fits the key',
  MEMBRANE_CLAIM_STYLE: 'Spelling of workspace and customer in the token',
  MEMBRANE_KEY_ID: 'Key id; default: the RFC 7638 thumbprint of an asymmetric key',
  MEMBRANE_ADDITIONAL_KEYS:
    'JWK set of public keys to publish besides: the next one before it signs, the previous one after',
  MEMBRANE_API_URI: 'Address of a self-hosted Membrane, put into answers as `apiUri`',
  TOKEN_EXPIRES_IN: 'Lifetime of a token when none is requested',
  TOKEN_MAX_EXPIRES_IN: 'Longest lifetime that is granted',
  SESSION_ISSUER: "The app's identity provider: `iss` of its tokens, exactly",
  SESSION_JWKS_URI: 'Its key set; default: discovered from the issuer',
  SESSION_AUDIENCE: '`aud` of the tokens; several with commas',
  SESSION_AUTHORIZED_PARTIES: '`azp` of the tokens, for providers without `aud`; several with commas',
  SESSION_ANY_AUDIENCE:
    '`true` accepts tokens regardless of audience: only for an issuer that serves your app alone',
  SESSION_REQUIRED_SCOPES: 'Scopes that the tokens must have; several with commas',
  SESSION_TOKEN_TYPE: '`typ` that the header of the tokens must have, such as `at+jwt`',
  SESSION_TRUST_EMAIL:
    '`true` where the provider verifies e-mail addresses without saying so in `email_verified`',
  SESSION_CUSTOMER_ID_CLAIM: "Claim with the customer's id; a dotted path reaches into objects",
  SESSION_CUSTOMER_NAME_CLAIM: "Claim with the customer's name",
  SESSION_FIELD_CLAIMS: 'Claims to pass to Membrane as fields, with commas',
  CLOUDFLARE_ACCESS_TEAM_DOMAIN: 'Cloudflare Access: the team domain',
  CLOUDFLARE_ACCESS_AUDIENCE: 'Cloudflare Access: AUD tag of the application',
  CLOUDFLARE_ACCESS_SERVICE_SCOPES:
    'Cloudflare Access: scopes of service tokens (`customer`, `admin`, both, or `none`)',
  API_KEYS: 'JSON list of {name, sha256, scopes}',
  WORKLOAD_IDENTITIES: 'JSON list of {name, issuer, audience, claims, scopes}: CI jobs and cloud workloads',
  ALLOWED_ORIGINS: 'Exact origins for CORS, with commas; none: same origin only',
  OAUTH_ISSUER: 'https URL of this service; turns on /oauth/token',
  TRUSTED_PROXIES: 'For `membrane-token serve`: networks whose X-Forwarded-For and X-Forwarded-Proto count',
}

/** Every setting there is, for documentation and tools. */
export const SETTINGS: { readonly [Name in SettingName]: SettingDefinition<Settings[Name]> } =
  /* @__PURE__ */ describeAll()

function describeAll(): { readonly [Name in SettingName]: SettingDefinition<Settings[Name]> } {
  const settings = (Object.keys(DESCRIPTIONS) as SettingName[]).map(
    (name) => [name, { description: DESCRIPTIONS[name], ...SETTING_READERS[name] }] as const,
  )
  return Object.fromEntries(settings) as { readonly [Name in SettingName]: SettingDefinition<Settings[Name]> }
}
