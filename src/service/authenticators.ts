import { apiKeys } from '../endpoint/auth/api-keys.ts'
import type { CredentialAuthenticator } from '../endpoint/auth/caller.ts'
import { cloudflareAccess } from '../endpoint/auth/cloudflare-access.ts'
import { sessionJwt } from '../endpoint/auth/session-jwt.ts'
import { type WorkloadIdentity, workloadIdentity } from '../endpoint/auth/workload-identity.ts'
import type { KeySetCache } from '../jwks/cache.ts'
import type { ReadSettings, SettingName } from './settings.ts'

/** An authenticator, and the setting that turns it on. */
export interface ConfiguredAuthenticator {
  readonly setting: SettingName
  readonly authenticate: CredentialAuthenticator
}

/**
 * Calls `make`. If it rejects an option, reports the setting of that option, or else `setting`.
 *
 * @param options The setting of each option
 * @returns The result of `make`, or `undefined` after a fault
 */
export type WithSetting = <Made>(
  setting: SettingName,
  options: Readonly<Record<string, SettingName>>,
  make: () => Made | Promise<Made>,
) => Promise<Made | undefined>

/** Creates the configured authenticators. */
export async function makeAuthenticators(
  settings: ReadSettings,
  keySetCache: KeySetCache | undefined,
  withSetting: WithSetting,
): Promise<ConfiguredAuthenticator[]> {
  const {
    API_KEYS: keys,
    SESSION_ISSUER: issuer,
    CLOUDFLARE_ACCESS_TEAM_DOMAIN: teamDomain,
    WORKLOAD_IDENTITIES: identities,
  } = settings
  const makers: readonly (readonly [
    SettingName,
    Readonly<Record<string, SettingName>>,
    (() => CredentialAuthenticator) | undefined,
  ])[] = [
    ['API_KEYS', {}, keys && (() => apiKeys({ keys }))],
    [
      'SESSION_ISSUER',
      SESSION_OPTIONS,
      issuer ? () => makeSession(issuer, settings, keySetCache) : undefined,
    ],
    [
      'CLOUDFLARE_ACCESS_TEAM_DOMAIN',
      ACCESS_OPTIONS,
      teamDomain ? () => makeAccess(teamDomain, settings, keySetCache) : undefined,
    ],
    ['WORKLOAD_IDENTITIES', {}, identities && (() => makeWorkloads(identities, keySetCache))],
  ]
  const configured: ConfiguredAuthenticator[] = []
  for (const [setting, options, make] of makers) {
    const authenticate = make && (await withSetting(setting, options, make))
    if (authenticate) configured.push({ setting, authenticate })
  }
  return configured
}

const SESSION_OPTIONS: Readonly<Record<string, SettingName>> = {
  issuer: 'SESSION_ISSUER',
  jwks: 'SESSION_JWKS_URI',
  audience: 'SESSION_AUDIENCE',
  authorizedParties: 'SESSION_AUTHORIZED_PARTIES',
  requiredScopes: 'SESSION_REQUIRED_SCOPES',
  type: 'SESSION_TOKEN_TYPE',
  customerId: 'SESSION_CUSTOMER_ID_CLAIM',
  customerName: 'SESSION_CUSTOMER_NAME_CLAIM',
  fields: 'SESSION_FIELD_CLAIMS',
}

function makeSession(
  issuer: string,
  settings: ReadSettings,
  keySetCache: KeySetCache | undefined,
): CredentialAuthenticator {
  return sessionJwt({
    issuer,
    jwks: settings.SESSION_JWKS_URI === undefined ? undefined : new URL(settings.SESSION_JWKS_URI),
    audience: settings.SESSION_AUDIENCE,
    authorizedParties: settings.SESSION_AUTHORIZED_PARTIES,
    anyAudience: settings.SESSION_ANY_AUDIENCE,
    requiredScopes: settings.SESSION_REQUIRED_SCOPES,
    type: settings.SESSION_TOKEN_TYPE,
    trustEmail: settings.SESSION_TRUST_EMAIL,
    customerId: settings.SESSION_CUSTOMER_ID_CLAIM,
    customerName: settings.SESSION_CUSTOMER_NAME_CLAIM,
    fields: settings.SESSION_FIELD_CLAIMS,
    keySetCache,
  })
}

const ACCESS_OPTIONS: Readonly<Record<string, SettingName>> = {
  teamDomain: 'CLOUDFLARE_ACCESS_TEAM_DOMAIN',
  audience: 'CLOUDFLARE_ACCESS_AUDIENCE',
  serviceScopes: 'CLOUDFLARE_ACCESS_SERVICE_SCOPES',
}

function makeAccess(
  teamDomain: string,
  settings: ReadSettings,
  keySetCache: KeySetCache | undefined,
): CredentialAuthenticator {
  return cloudflareAccess({
    teamDomain,
    audience: settings.CLOUDFLARE_ACCESS_AUDIENCE ?? [],
    serviceScopes: settings.CLOUDFLARE_ACCESS_SERVICE_SCOPES,
    keySetCache,
  })
}

/** In JSON, the URL of a key set is a string. */
function makeWorkloads(
  identities: readonly Record<string, unknown>[],
  keySetCache: KeySetCache | undefined,
): CredentialAuthenticator {
  const read = identities.map((identity) => {
    const { jwks } = identity
    const isUrl = typeof jwks === 'string' && URL.canParse(jwks)
    return (isUrl ? { ...identity, jwks: new URL(jwks) } : identity) as Partial<WorkloadIdentity>
  })
  // workloadIdentity validates the members and names the invalid one.
  return workloadIdentity({ identities: read as WorkloadIdentity[], keySetCache })
}
