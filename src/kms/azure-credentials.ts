import { invalidOption } from '../options.ts'
import { requestAccessToken, suppliedTokens, type TokenSource } from './bearer.ts'
import { cacheCredential } from './credential-cache.ts'
import { checkAddress, checkSupplied, checkText, resolveText, type Supplied } from './options.ts'

/**
 * Credentials for Microsoft Entra ID, which issues access tokens for Key Vault. Set exactly one of `clientSecret`,
 * `federatedToken`, `managedIdentity` and `token`.
 */
export interface AzureCredentials {
  /** Tenant id or domain; required with `clientSecret` and `federatedToken`. */
  tenantId?: string | undefined
  /** Application (client) id, or the client id of a user-assigned managed identity. */
  clientId?: string | undefined
  clientSecret?: Supplied<string> | undefined
  /** Another platform's OIDC token (workload identity federation). A function is called for each token request. */
  federatedToken?: Supplied<string> | undefined
  /** `true` requests tokens for the managed identity from Azure's metadata server. */
  managedIdentity?: boolean | undefined
  /** An access token, or a function that returns the current one. */
  token?: Supplied<string> | undefined
  /** URL of the login service. Default `https://login.microsoftonline.com`. */
  authority?: string | undefined
}

const SERVICE = 'Microsoft Entra ID'
/** Domains of vaults and managed HSMs in Azure's clouds; each is also the resource of the access tokens. */
const DOMAINS = [
  'vault.azure.net',
  'managedhsm.azure.net',
  'vault.azure.cn',
  'managedhsm.azure.cn',
  'vault.usgovcloudapi.net',
  'managedhsm.usgovcloudapi.net',
]
const METADATA_URL = 'http://169.254.169.254/metadata/identity/oauth2/token'
const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

/** The resource to request access tokens for. A custom domain is treated as the public cloud. */
function resourceOf(address: string): string {
  const { hostname } = new URL(address)
  return `https://${DOMAINS.find((domain) => hostname.endsWith(`.${domain}`)) ?? DOMAINS[0]}`
}

/**
 * @param address URL of the vault
 * @throws `ERR_OPTION_INVALID`
 */
export function bindAzureCredentials(given: AzureCredentials, address: string): TokenSource {
  const { tenantId, clientId, clientSecret, federatedToken, managedIdentity, token } = given
  const choices = { token, clientSecret, federatedToken, managedIdentity: managedIdentity || undefined }
  if (Object.values(choices).filter((choice) => choice !== undefined).length !== 1) {
    throw invalidOption(
      'Pass exactly one of token, clientSecret, federatedToken and managedIdentity: true.',
      'clientSecret',
    )
  }
  const resource = resourceOf(address)
  if (token !== undefined) return suppliedTokens(token, 'token')
  if (managedIdentity) {
    if (clientId !== undefined) checkText(clientId, 'clientId')
    const query = new URLSearchParams({ 'api-version': '2018-02-01', resource })
    if (clientId !== undefined) query.set('client_id', clientId)
    return cacheCredential(SERVICE, (signal) =>
      requestAccessToken({
        service: SERVICE,
        request: [`${METADATA_URL}?${query}`, { headers: { Metadata: 'true' } }],
        rejection: rejectionOf('the managed identity'),
        signal,
      }),
    )
  }
  checkText(tenantId, 'tenantId')
  checkText(clientId, 'clientId')
  if (!/^[\w.-]+$/.test(tenantId))
    throw invalidOption('tenantId must be the id or domain of a tenant.', 'tenantId')
  const authority = checkAddress(given.authority ?? 'https://login.microsoftonline.com', 'authority')
  const url = `${authority}/${tenantId}/oauth2/v2.0/token`
  const secret = clientSecret ?? federatedToken
  const option = clientSecret === undefined ? 'federatedToken' : 'clientSecret'
  checkSupplied(secret, option)
  return cacheCredential(SERVICE, async (signal) => {
    const value = await resolveText(secret as Supplied<string>, option)
    const body = new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: clientId,
      scope: `${resource}/.default`,
      ...(clientSecret === undefined
        ? { client_assertion_type: ASSERTION_TYPE, client_assertion: value }
        : { client_secret: value }),
    })
    return requestAccessToken({
      service: SERVICE,
      request: [url, { method: 'POST', body }],
      rejection: rejectionOf('the client credentials'),
      signal,
    })
  })
}

function rejectionOf(credential: string): string {
  return `${SERVICE} rejected ${credential}: check tenant, client and secret, and that none has expired.`
}

/** Names of the options in {@link AzureCredentials}. */
export const AZURE_CREDENTIALS: readonly (keyof AzureCredentials)[] = [
  'tenantId',
  'clientId',
  'clientSecret',
  'federatedToken',
  'managedIdentity',
  'token',
  'authority',
]
