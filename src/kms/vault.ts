import { ALGORITHMS, type Algorithm, algorithmsFor } from '../algorithms.ts'
import type { RemoteKey } from '../keys/remote-key.ts'
import { checkExactlyOne, invalidOption, readOptions } from '../options.ts'
import { encodeBase64 } from './base64.ts'
import {
  call,
  failureByStatus,
  type Members,
  membersOf,
  missingPermission,
  type ServiceFailure,
  type ServiceResponse,
  withinTimeLimit,
} from './call.ts'
import { unavailable, unexpectedResponse, unsupportedKey } from './errors.ts'
import { checkAddress, checkText, type Supplied } from './options.ts'
import { asProvider, type KeyOpener, readKeyUri, readVariable, requireVariable } from './provider.ts'
import { toRemoteKey } from './remote-key.ts'
import {
  authenticateVault,
  checkLogin,
  type VaultAppRole,
  type VaultAuthentication,
  type VaultKubernetes,
  vaultHeaders,
} from './vault-login.ts'

export type { VaultAppRole, VaultKubernetes } from './vault-login.ts'

/** Options of {@link vaultTransit}: exactly one of `token`, `appRole` and `kubernetes`. */
export interface VaultTransitOptions {
  /** URL of the server, such as `https://vault.example.com:8200`; http only for localhost. */
  address: string
  /** Name of the key in the transit engine. */
  key: string
  /** A token with `update` on `transit/sign/KEY` and `read` on `transit/keys/KEY`, or a function called per request. */
  token?: Supplied<string> | undefined
  /** Logs in with AppRole. */
  appRole?: VaultAppRole | undefined
  /** Logs in with a Kubernetes service account. */
  kubernetes?: VaultKubernetes | undefined
  /** Namespace, for Vault Enterprise, HCP Vault and OpenBao. */
  namespace?: string | undefined
  /** Key version to sign with. Default: the latest version at the time the key is opened. */
  version?: number | undefined
  /** Path of the transit engine. Default: `transit`. */
  mount?: string | undefined
}

const OPTIONS = [
  'address',
  'key',
  'token',
  'appRole',
  'kubernetes',
  'namespace',
  'version',
  'mount',
] as const satisfies readonly (keyof VaultTransitOptions)[]

const SERVICE = 'Vault'

/** The algorithms of each type of transit key. */
const KEY_TYPES: Readonly<Record<string, readonly Algorithm[]>> = {
  'ecdsa-p256': ['ES256'],
  'ecdsa-p384': ['ES384'],
  'ecdsa-p521': ['ES512'],
  'rsa-2048': /* @__PURE__ */ algorithmsFor('RSA'),
  'rsa-3072': /* @__PURE__ */ algorithmsFor('RSA'),
  'rsa-4096': /* @__PURE__ */ algorithmsFor('RSA'),
}

const HASHES = { 'SHA-256': 'sha2-256', 'SHA-384': 'sha2-384', 'SHA-512': 'sha2-512' } as const

const SIGNATURE_PARAMETERS = {
  ECDSA: { marshaling_algorithm: 'jws' },
  'RSASSA-PKCS1-v1_5': { signature_algorithm: 'pkcs1v15' },
  'RSA-PSS': { signature_algorithm: 'pss', salt_length: 'hash' },
  HMAC: {},
} as const

interface Server {
  readonly address: string
  readonly authentication: VaultAuthentication
}

async function openVaultKey(options: VaultTransitOptions): Promise<RemoteKey> {
  const given = readOptions(options, OPTIONS)
  const { key, token, appRole, kubernetes, namespace, version, mount = 'transit' } = given
  const address = checkAddress(given.address, 'address')
  checkSegment(key, 'key')
  checkPath(mount)
  if (namespace !== undefined) checkText(namespace, 'namespace')
  if (version !== undefined && !(Number.isSafeInteger(version) && version > 0))
    throw invalidOption('version must be a positive whole number.', 'version')
  checkExactlyOne({ token, appRole, kubernetes })
  const login = checkLogin({ token, appRole, kubernetes })
  const server = { address, authentication: authenticateVault(address, namespace, login) }

  const path = `${mount}/keys/${encodeURIComponent(key)}`
  const { body } = await withinTimeLimit(SERVICE, (signal) =>
    callVault(server, path, undefined, 'read', signal),
  )
  const { type, keys, latest_version: latest } = membersOf(body.data)
  const algorithms = typeof type === 'string' && Object.hasOwn(KEY_TYPES, type) ? KEY_TYPES[type] : undefined
  if (!algorithms) throw unsupportedKey(SERVICE, type)
  const chosen = version ?? latest
  const { public_key: publicKey } = membersOf(membersOf(keys)[String(chosen)])
  if (publicKey === undefined) {
    throw unavailable(
      `Version ${version ?? 'latest'} of this key does not exist at Vault, or was archived or trimmed; pass an existing version.`,
    )
  }
  if (typeof publicKey !== 'string') throw unexpectedResponse(SERVICE)

  return toRemoteKey({
    service: SERVICE,
    publicKey,
    version: String(chosen),
    algorithms,
    async signDigest(digest, algorithm, signal) {
      const { name, hash } = ALGORITHMS[algorithm]
      const signed = await callVault(
        server,
        `${mount}/sign/${encodeURIComponent(key)}`,
        {
          input: encodeBase64(digest),
          prehashed: true,
          hash_algorithm: HASHES[hash],
          key_version: chosen,
          ...SIGNATURE_PARAMETERS[name],
        },
        'update',
        signal,
      )
      const { signature } = membersOf(signed.body.data)
      const match = typeof signature === 'string' ? /^vault:v\d+:(.+)$/.exec(signature) : null
      return match?.[1]
    },
  })
}

/** @param capability The capability that a policy must grant on the path */
async function callVault(
  server: Server,
  path: string,
  body: Members | undefined,
  capability: string,
  signal: AbortSignal,
): Promise<ServiceResponse> {
  const { address, authentication } = server
  return call({
    service: SERVICE,
    signal,
    credentials: authentication,
    readFailure: (response) => readVaultFailure(response, `${capability} on ${path}`),
    prepare: ({ token }) => [
      `${address}/v1/${path}`,
      {
        ...(body && { method: 'POST', body: JSON.stringify(body) }),
        headers: vaultHeaders(token, authentication.namespace),
      },
    ],
  })
}

function readVaultFailure({ status, body }: ServiceResponse, permission: string): ServiceFailure {
  const errors = body.errors
  const text = (Array.isArray(errors) ? errors : []).join(' ')
  if (/sealed/i.test(text) || (status === 503 && text !== ''))
    return { error: unavailable('Vault is sealed or not active; unseal it.') }
  if (status === 400 && /version/i.test(text)) {
    return {
      error: unavailable(
        'Vault cannot sign with this version of the key: it is below min_encryption_version or was trimmed; open the key again, or pass another version.',
      ),
    }
  }
  // Vault returns 403 for a revoked token and for a missing permission alike, so a new login is tried.
  if (status === 403) return { error: missingPermission(SERVICE, permission), isUnauthenticated: true }
  if (status === 404) return { error: unavailable('Vault has no such key; check key, mount and namespace.') }
  return failureByStatus(SERVICE, status, permission)
}

function checkSegment(value: unknown, option: string): void {
  checkText(value, option)
  if (!/^[\w.-]+$/.test(value) || /^\.+$/.test(value))
    throw invalidOption(`${option} must be the key's name: letters, digits, ".", "_" and "-".`, option)
}

function checkPath(mount: unknown): void {
  checkText(mount, 'mount')
  if (!/^[\w-][\w.-]*(\/[\w-][\w.-]*)*$/.test(mount))
    throw invalidOption('mount must be a path without leading or trailing slashes, such as transit.', 'mount')
}

/**
 * Opens a key in the transit engine of HashiCorp Vault or OpenBao: fetches its public key once and has the server sign
 * digests. The version is fixed when the key is opened; after a rotation, open the key again. A signature may take at
 * most 4 seconds, and at most 32 run concurrently.
 *
 * As a KMS provider, it opens `hashivault://KEY` with `VAULT_ADDR`, `VAULT_NAMESPACE`, and `VAULT_TOKEN` or
 * `VAULT_ROLE_ID` and `VAULT_SECRET_ID`; `TRANSIT_SECRET_ENGINE_PATH` sets another mount.
 *
 * @throws `ERR_OPTION_INVALID` with the `option` at fault
 * @throws `ERR_KEY_FORMAT_UNSUPPORTED` for a key that cannot sign Membrane tokens
 * @throws `ERR_KEY_UNAVAILABLE` if the server is unreachable, throttles, is sealed, or denies access; the message says
 *   which. Signing throws it too, and `ERR_KEY_ALGORITHM_MISMATCH` for an algorithm that the key does not support
 *
 * @example Sign with a key in Vault
 *
 * ```ts
 * const privateKey = await vaultTransit({ address: 'https://vault.example.com:8200', key: 'membrane', token })
 * const signer = await createSigner({ workspaceKey, privateKey, keyId: 'thumbprint' })
 * ```
 */
export const vaultTransit: KeyOpener<VaultTransitOptions> = /* @__PURE__ */ asProvider(openVaultKey, {
  scheme: 'hashivault',
  variables: [
    'VAULT_ADDR',
    'VAULT_TOKEN',
    'VAULT_NAMESPACE',
    'VAULT_ROLE_ID',
    'VAULT_SECRET_ID',
    'TRANSIT_SECRET_ENGINE_PATH',
  ],
  async open(uri, env) {
    const { authority, path } = readKeyUri(uri, 'hashivault', 'hashivault://KEY')
    if (authority === '' || path !== '')
      throw invalidOption('The key must be a URI of the form hashivault://KEY.', 'uri')
    const roleId = await readVariable(env, 'VAULT_ROLE_ID')
    const credentials =
      roleId === undefined
        ? { token: await requireVariable(env, 'VAULT_TOKEN') }
        : { appRole: { roleId, secretId: await requireVariable(env, 'VAULT_SECRET_ID') } }
    return openVaultKey({
      address: await requireVariable(env, 'VAULT_ADDR'),
      key: authority,
      namespace: await readVariable(env, 'VAULT_NAMESPACE'),
      mount: await readVariable(env, 'TRANSIT_SECRET_ENGINE_PATH'),
      ...credentials,
    })
  },
})
