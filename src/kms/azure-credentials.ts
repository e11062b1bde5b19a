import { invalidOption } from '../options.ts'
import { createTemporary } from './access-token.ts'
import { requestAccessToken, suppliedTokens, type TokenSource } from './bearer.ts'
import { checkAddress, checkSupplied, checkText, type Supplied, supplyText } from './options.ts'

/** How to get access tokens from Microsoft Entra ID for Key Vault; set exactly one of the four credentials. */
export interface AzureCredentials {
  /** Id of the tenant; with `clientSecret` and `federatedToken`. */
  tenantId?: string | undefined
  /** Id of the application, or of a user-assigned managed identity. */
  clientId?: string | undefined
  clientSecret?: Supplied<string> | undefined
  /** An OIDC token of another platform (workload identity federation); a function gets a new one each time. */
  federatedToken?: Supplied<string> | undefined
  /** `true` gets tokens for the managed identity from Azure's metadata server. */
  managedIdentity?: boolean | undefined
  /** An access token, or a function that gets the current one. */
  token?: Supplied<string> | undefined
  /** Address of the login service. Default `https://login.microsoftonline.com`. */
  authority?: string | undefined
}

const SERVICE = 'Microsoft Entra ID'
/** Domains of vaults and managed HSMs in Azure's clouds; each is also the resource that access tokens are for. */
const DOMAINS = [
  'vault.azure.net',
  'managedhsm.azure.net',
  'vault.azure.cn',
  'managedhsm.azure.cn',
  'vault.usgovcloudapi.net',
  'managedhsm.usgovcloudapi.net',
]
const METADATA = 'http://169.254.169.254/metadata/identity/oauth2/token'
const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

/** The resource to request access tokens for; a vault with a custom domain counts as one in the public cloud. */
function resourceOf(address: string): string {
  const { hostname } = new URL(address)
  return `https://${DOMAINS.find((domain) => hostname.endsWith(`.${domain}`)) ?? DOMAINS[0]}`
}

/**
 * @param address Of the vault
 * @throws `ERR_OPTION_INVALID`
 */
export function bindAzureCredentials(given: AzureCredentials, address: string): TokenSource {
  const { tenantId, clientId, clientSecret, federatedToken, managedIdentity, token } = given
  const ways = { token, clientSecret, federatedToken, managedIdentity: managedIdentity || undefined }
  if (Object.values(ways).filter((way) => way !== undefined).length !== 1) {
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
    return createTemporary(SERVICE, (signal) =>
      requestAccessToken({
        service: SERVICE,
        request: [`${METADATA}?${query}`, { headers: { Metadata: 'true' } }],
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
  return createTemporary(SERVICE, async (signal) => {
    const value = await supplyText(secret as Supplied<string>, option)
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
      rejection: rejectionOf("the client's credentials"),
      signal,
    })
  })
}

function rejectionOf(what: string): string {
  return `${SERVICE} rejected ${what}: check tenant, client and secret, and that none has expired.`
}

/** Options of {@link AzureCredentials}, for `readOptions`. */
export const AZURE_CREDENTIALS: readonly (keyof AzureCredentials)[] = [
  'tenantId',
  'clientId',
  'clientSecret',
  'federatedToken',
  'managedIdentity',
  'token',
  'authority',
]
