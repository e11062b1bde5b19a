import { SETTING_READERS, type SettingName, type SettingReader, type Settings } from './settings.ts'

/** A setting: its description, schema and default. */
export interface SettingDefinition<Value> extends SettingReader<Value> {
  readonly description: string
}

const DESCRIPTIONS: Readonly<Record<SettingName, string>> = {
  MEMBRANE_WORKSPACE_KEY: 'Workspace key',
  MEMBRANE_WORKSPACE_SECRET: 'Workspace secret; set either this or MEMBRANE_PRIVATE_KEY',
  MEMBRANE_PRIVATE_KEY:
    'Private key as PEM or JWK, or the URI of a key in a KMS; set either this or MEMBRANE_WORKSPACE_SECRET',
  MEMBRANE_ALGORITHM:
    'Signature algorithm; default: HS512 for a secret, RS256 for an RSA key, that of the curve for an EC key',
  MEMBRANE_CLAIM_STYLE: 'Claim names for workspace and customer: `issuer`, `workspaceKey` or `tenant`',
  MEMBRANE_KEY_ID: 'Key id; default: the RFC 7638 thumbprint of an asymmetric key',
  MEMBRANE_ADDITIONAL_KEYS:
    'JWK set of other public keys to publish: the next key before it signs, the previous one after',
  MEMBRANE_API_URI: 'Address of a self-hosted Membrane API, returned in responses as `apiUri`',
  TOKEN_EXPIRES_IN: 'Token lifetime if the request does not set one',
  TOKEN_MAX_EXPIRES_IN: 'Maximum token lifetime; longer requests are capped',
  SESSION_ISSUER: "The app's identity provider: exactly the `iss` of its tokens",
  SESSION_JWKS_URI: 'URL of its key set; default: discovered from the issuer',
  SESSION_AUDIENCE: 'Accepted `aud`, comma-separated',
  SESSION_AUTHORIZED_PARTIES: 'Accepted `azp`, comma-separated, for identity providers that set no `aud`',
  SESSION_ANY_AUDIENCE:
    '`true` accepts tokens for any audience; use it only if the issuer serves no other app',
  SESSION_REQUIRED_SCOPES: 'Scopes that the tokens must have, comma-separated',
  SESSION_TOKEN_TYPE: 'Required `typ` in the token header, such as `at+jwt`',
  SESSION_TRUST_EMAIL:
    '`true` if the identity provider verifies e-mail addresses but does not set `email_verified`',
  SESSION_CUSTOMER_ID_CLAIM:
    "Claim with the customer's id; a dotted path such as `org.id` reads nested claims",
  SESSION_CUSTOMER_NAME_CLAIM: "Claim with the customer's name",
  SESSION_FIELD_CLAIMS: 'Claims to pass to Membrane as fields, comma-separated',
  CLOUDFLARE_ACCESS_TEAM_DOMAIN: 'Cloudflare Access: the team domain',
  CLOUDFLARE_ACCESS_AUDIENCE: 'Cloudflare Access: AUD tag of the application',
  CLOUDFLARE_ACCESS_SERVICE_SCOPES:
    'Cloudflare Access: scopes of service tokens (`customer`, `admin`, both, or `none`)',
  API_KEYS: 'JSON list of {name, sha256, scopes}',
  WORKLOAD_IDENTITIES: 'JSON list of {name, issuer, audience, claims, scopes}: CI jobs and cloud workloads',
  ALLOWED_ORIGINS: 'Exact origins for CORS, comma-separated; default: same origin only',
  OAUTH_ISSUER: 'https URL of this service; enables /oauth/token',
  TRUSTED_PROXIES:
    'For `membrane-token serve`: proxy networks whose X-Forwarded-For and X-Forwarded-Proto are trusted',
}

/** All settings, for documentation and tools. */
export const SETTINGS: { readonly [Name in SettingName]: SettingDefinition<Settings[Name]> } =
  /* @__PURE__ */ describeAll()

function describeAll(): { readonly [Name in SettingName]: SettingDefinition<Settings[Name]> } {
  const settings = (Object.keys(DESCRIPTIONS) as SettingName[]).map(
    (name) => [name, { description: DESCRIPTIONS[name], ...SETTING_READERS[name] }] as const,
  )
  return Object.fromEntries(settings) as { readonly [Name in SettingName]: SettingDefinition<Settings[Name]> }
}
