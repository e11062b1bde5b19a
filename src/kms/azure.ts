import type { JWK } from 'jose'
import type { Algorithm } from '../algorithms.ts'
import { algorithmsFor } from '../algorithms.ts'
import { encodeBytes } from '../encoding.ts'
import type { RemoteKey } from '../keys/remote-key.ts'
import { invalidOption, readOptions } from '../options.ts'
import { AZURE_CREDENTIALS, type AzureCredentials, bindAzureCredentials } from './azure-credentials.ts'
import { callWithBearer, type TokenSource } from './bearer.ts'
import {
  failureByStatus,
  type Members,
  membersOf,
  type ServiceFailure,
  type ServiceResponse,
  withinTimeLimit,
} from './call.ts'
import { notForSigning, unavailable, unsupportedKey } from './errors.ts'
import { addressOf, checkAddress, checkText } from './options.ts'
import { asProvider, type KeyOpener, readKeyUri, readVariable, requireVariable } from './provider.ts'
import { toRemoteKey } from './remote-key.ts'

export type { AzureCredentials } from './azure-credentials.ts'

/** Options of {@link azureKeyVault}: the key, and the credentials. */
export interface AzureKeyVaultOptions extends AzureCredentials {
  /** Key identifier: `https://VAULT.vault.azure.net/keys/NAME`, or `…/NAME/VERSION`. Default: the latest version. */
  key: string
}

const SERVICE = 'Azure Key Vault'
const API_VERSION = '7.4'

const DISABLED = 'The key is disabled at Azure Key Vault; enable it.'
const FIREWALL = 'The firewall of Azure Key Vault blocks this network; allow it, or use a private endpoint.'
const OUTSIDE_VALIDITY = 'The key at Azure Key Vault is outside its validity period.'

/** Messages for Key Vault error codes. */
const FAILURES: Readonly<Record<string, string>> = {
  KeyDisabled: DISABLED,
  ForbiddenByFirewall: FIREWALL,
  ForbiddenByConnection: FIREWALL,
  KeyNotYetValid: OUTSIDE_VALIDITY,
  KeyExpired: OUTSIDE_VALIDITY,
}

/** The curves that both Key Vault and Membrane support. */
const CURVES: readonly unknown[] = ['P-256', 'P-384', 'P-521']

async function openAzureKey(options: AzureKeyVaultOptions): Promise<RemoteKey> {
  const given = readOptions(options, ['key', ...AZURE_CREDENTIALS])
  const { address, name, version: requested } = readIdentifier(given.key)
  const tokens = bindAzureCredentials(given, address)

  const path = `${address}/keys/${name}${requested === undefined ? '' : `/${requested}`}`
  const { body } = await withinTimeLimit(SERVICE, (signal) =>
    callAzure(tokens, path, undefined, 'keys/get', signal),
  )
  const jwk = membersOf(body.key)
  if (membersOf(body.attributes).enabled === false) {
    throw unavailable(DISABLED)
  }
  const { kid, key_ops: operations } = jwk
  const version = typeof kid === 'string' ? /\/keys\/[^/]+\/([^/?]+)$/.exec(kid)?.[1] : undefined
  const { publicKey, algorithms } = readPublicJwk(jwk)
  if (Array.isArray(operations) && !operations.includes('sign')) throw unsupportedKey(SERVICE, jwk.kty)
  const pinned = `${address}/keys/${name}/${version ?? requested ?? ''}`

  return toRemoteKey({
    service: SERVICE,
    publicKey,
    version: version ?? requested,
    algorithms,
    async signDigest(digest, algorithm, signal) {
      const value = encodeBytes(digest)
      const signed = await callAzure(tokens, `${pinned}/sign`, { alg: algorithm, value }, 'keys/sign', signal)
      return signed.body.value
    },
  })
}

/** The public key. The type of a key in an HSM has the suffix `-HSM`. */
function readPublicJwk(jwk: Members): { publicKey: JWK; algorithms: readonly Algorithm[] } {
  const kty = typeof jwk.kty === 'string' ? jwk.kty.replace(/-HSM$/, '') : undefined
  if (kty === 'RSA') {
    const { n, e } = jwk as Record<string, string>
    return { publicKey: { kty, n, e } as JWK, algorithms: algorithmsFor('RSA') }
  }
  if (kty === 'EC' && CURVES.includes(jwk.crv)) {
    const { crv, x, y } = jwk as Record<string, string>
    return { publicKey: { kty, crv, x, y } as JWK, algorithms: algorithmsFor('EC', crv) }
  }
  throw unsupportedKey(SERVICE, jwk.crv ?? jwk.kty)
}

function readIdentifier(key: unknown): { address: string; name: string; version: string | undefined } {
  checkText(key, 'key')
  const match = /^(https?:\/\/[^/?#]+)\/keys\/([\w-]{1,127})(?:\/([\w-]{1,127}))?\/?$/.exec(key)
  if (!match) {
    throw invalidOption(
      'key must be the identifier of a key: https://VAULT.vault.azure.net/keys/NAME, optionally with /VERSION.',
      'key',
    )
  }
  return { address: checkAddress(match[1], 'key'), name: match[2] as string, version: match[3] }
}

function callAzure(
  tokens: TokenSource,
  url: string,
  body: Members | undefined,
  permission: string,
  signal: AbortSignal,
): Promise<ServiceResponse> {
  return callWithBearer({
    service: SERVICE,
    url: `${url}?api-version=${API_VERSION}`,
    body,
    tokens,
    readFailure: (response) => readAzureFailure(response, permission),
    signal,
  })
}

/** Reads a Key Vault error: `{"error":{"code","message","innererror":{"code"}}}`. */
function readAzureFailure({ status, body }: ServiceResponse, permission: string): ServiceFailure {
  const error = membersOf(body.error)
  const inner = membersOf(error.innererror)
  const code = typeof inner.code === 'string' ? inner.code : error.code
  const message = typeof code === 'string' && Object.hasOwn(FAILURES, code) ? FAILURES[code] : undefined
  if (message !== undefined) return { error: unavailable(message) }
  if (status === 400) return { error: notForSigning(SERVICE) }
  return failureByStatus(SERVICE, status, permission)
}

/**
 * Opens a signing key in Azure Key Vault or Managed HSM: fetches its public key once and has the service sign digests.
 * Without a version, it uses the latest version at the time the key is opened. A signature may take at most 4 seconds,
 * and at most 32 run concurrently. Needs the permissions `keys/get` and `keys/sign`.
 *
 * As a KMS provider, it opens `azurekms://VAULT.vault.azure.net/NAME` and `…/NAME/VERSION` with `AZURE_TENANT_ID`,
 * `AZURE_CLIENT_ID` and `AZURE_CLIENT_SECRET` or `AZURE_FEDERATED_TOKEN`, with `AZURE_ACCESS_TOKEN`, or with
 * `AZURE_MANAGED_IDENTITY=true`. `AZURE_AUTHORITY_HOST` sets another login service.
 *
 * @throws `ERR_OPTION_INVALID` with the `option` at fault
 * @throws `ERR_KEY_FORMAT_UNSUPPORTED` for a key that cannot sign Membrane tokens
 * @throws `ERR_KEY_UNAVAILABLE` if the service is unreachable, throttles or denies access, or the key is disabled; the
 *   message says which. Signing throws it too, and `ERR_KEY_ALGORITHM_MISMATCH` for an algorithm that the key does not
 *   support
 *
 * @example Sign with a key in Azure Key Vault
 *
 * ```ts
 * const privateKey = await azureKeyVault({
 *   key: 'https://example.vault.azure.net/keys/membrane',
 *   tenantId,
 *   clientId,
 *   clientSecret,
 * })
 * const signer = await createSigner({ workspaceKey, privateKey, keyId: 'thumbprint' })
 * ```
 */
export const azureKeyVault: KeyOpener<AzureKeyVaultOptions> = /* @__PURE__ */ asProvider(openAzureKey, {
  scheme: 'azurekms',
  variables: [
    'AZURE_TENANT_ID',
    'AZURE_CLIENT_ID',
    'AZURE_CLIENT_SECRET',
    'AZURE_FEDERATED_TOKEN',
    'AZURE_ACCESS_TOKEN',
    'AZURE_MANAGED_IDENTITY',
    'AZURE_AUTHORITY_HOST',
  ],
  async open(uri, env) {
    const form = 'azurekms://VAULT.vault.azure.net/NAME or azurekms://VAULT.vault.azure.net/NAME/VERSION'
    const { authority, path } = readKeyUri(uri, 'azurekms', form)
    if (authority === '' || !/^[\w-]+(\/[\w-]+)?$/.test(path)) {
      throw invalidOption(`The key must be a URI of the form ${form}.`, 'uri')
    }
    return openAzureKey({ key: `${addressOf(authority)}/keys/${path}`, ...(await readCredentials(env)) })
  },
})

async function readCredentials(env: Readonly<Record<string, unknown>>): Promise<AzureCredentials> {
  const token = await readVariable(env, 'AZURE_ACCESS_TOKEN')
  if (token !== undefined) return { token }
  const clientId = await readVariable(env, 'AZURE_CLIENT_ID')
  if ((await readVariable(env, 'AZURE_MANAGED_IDENTITY')) === 'true')
    return { managedIdentity: true, clientId }
  const federatedToken = await readVariable(env, 'AZURE_FEDERATED_TOKEN')
  return {
    tenantId: await requireVariable(env, 'AZURE_TENANT_ID'),
    clientId: await requireVariable(env, 'AZURE_CLIENT_ID'),
    authority: await readVariable(env, 'AZURE_AUTHORITY_HOST'),
    ...(federatedToken === undefined
      ? { clientSecret: await requireVariable(env, 'AZURE_CLIENT_SECRET') }
      : { federatedToken }),
  }
}
