import { readOptions } from '../options.ts'
import {
  type Credentials,
  call,
  type Members,
  membersOf,
  type ServiceFailure,
  type ServiceResponse,
  transientFailure,
} from './call.ts'
import { cacheCredential, type IssuedCredential } from './credential-cache.ts'
import { unavailable, unexpectedResponse } from './errors.ts'
import { checkSupplied, checkText, resolveText, type Supplied } from './options.ts'

/** An AppRole login of Vault. */
export interface VaultAppRole {
  roleId: string
  secretId: Supplied<string>
  /** Path of the auth method. Default: `approle`. */
  mount?: string | undefined
}

/** A Kubernetes login of Vault. */
export interface VaultKubernetes {
  role: string
  /** The pod's service account token. A function is called for each login, because Kubernetes rotates the token. */
  jwt: Supplied<string>
  /** Path of the auth method. Default: `kubernetes`. */
  mount?: string | undefined
}

export interface VaultCredentials {
  token?: Supplied<string> | undefined
  appRole?: VaultAppRole | undefined
  kubernetes?: VaultKubernetes | undefined
}

export interface VaultAuthentication extends Credentials<{ readonly token: string }> {
  readonly namespace: string | undefined
}

interface Login {
  readonly mount: string
  readonly body: () => Promise<Members>
}

const SERVICE = 'Vault'

/** @throws `ERR_OPTION_INVALID` */
export function checkLogin({ token, appRole, kubernetes }: VaultCredentials): Supplied<string> | Login {
  if (appRole !== undefined) {
    const { roleId, secretId, mount = 'approle' } = readOptions(appRole, ['roleId', 'secretId', 'mount'])
    checkText(roleId, 'appRole.roleId')
    checkSupplied(secretId, 'appRole.secretId')
    checkText(mount, 'appRole.mount')
    return {
      mount,
      body: async () => ({ role_id: roleId, secret_id: await resolveText(secretId, 'appRole.secretId') }),
    }
  }
  if (kubernetes !== undefined) {
    const { role, jwt, mount = 'kubernetes' } = readOptions(kubernetes, ['role', 'jwt', 'mount'])
    checkText(role, 'kubernetes.role')
    checkSupplied(jwt, 'kubernetes.jwt')
    checkText(mount, 'kubernetes.mount')
    return { mount, body: async () => ({ role, jwt: await resolveText(jwt, 'kubernetes.jwt') }) }
  }
  checkSupplied(token, 'token')
  return token as Supplied<string>
}

export function vaultHeaders(
  token: string | undefined,
  namespace: string | undefined,
): Record<string, string> {
  return {
    'content-type': 'application/json',
    'x-vault-request': 'true',
    ...(token !== undefined && { 'x-vault-token': token }),
    ...(namespace !== undefined && { 'x-vault-namespace': namespace }),
  }
}

/**
 * Uses the given token; or logs in, renews the token, and logs in again once it can no longer be renewed.
 */
export function authenticateVault(
  address: string,
  namespace: string | undefined,
  login: Supplied<string> | Login,
): VaultAuthentication {
  if (typeof login !== 'object')
    return { namespace, get: async () => ({ token: await resolveText(login, 'token') }), reject: () => false }

  const post = (path: string, body: Members, token: string | undefined, signal: AbortSignal) =>
    call({
      service: SERVICE,
      signal,
      readFailure: readLoginFailure,
      prepare: () => [
        `${address}/v1/auth/${path}`,
        { method: 'POST', headers: vaultHeaders(token, namespace), body: JSON.stringify(body) },
      ],
    })
  const logIn = async (signal: AbortSignal): Promise<Session> =>
    readSession(await post(`${login.mount}/login`, await login.body(), undefined, signal))

  // Vault shortens leases near the token's maximum lifetime. Logging in again is better than a short lease.
  const renew = async ({ token, fullLease }: Session, signal: AbortSignal): Promise<Session | undefined> => {
    try {
      const renewed = readSession(await post('token/renew-self', {}, token, signal), fullLease)
      return renewed.lease >= fullLease / 2 ? renewed : undefined
    } catch {
      return undefined
    }
  }

  const session = cacheCredential<Session>(
    SERVICE,
    async (signal, previous): Promise<IssuedCredential<Session>> => {
      const value = (previous?.isRenewable && (await renew(previous, signal))) || (await logIn(signal))
      return { value, expiresIn: value.lease || UNLIMITED }
    },
  )
  return { namespace, ...session }
}

interface Session {
  readonly token: string
  /** Seconds until the token expires; 0 for no expiry. */
  readonly lease: number
  /** The longest lease since the login, in seconds. */
  readonly fullLease: number
  readonly isRenewable: boolean
}

/** Seconds for which a token without expiry is used. */
const UNLIMITED = 86_400

function readSession({ body }: ServiceResponse, fullLease = 0): Session {
  const { client_token: token, lease_duration: lease, renewable } = membersOf(body.auth)
  if (typeof token !== 'string' || typeof lease !== 'number') throw unexpectedResponse(SERVICE)
  return { token, lease, fullLease: Math.max(lease, fullLease), isRenewable: renewable === true }
}

function readLoginFailure({ status }: ServiceResponse): ServiceFailure {
  return (
    transientFailure(SERVICE, status) ?? {
      error: unavailable(
        'Vault rejected the login; check the role, its credentials, the path of the auth method and the namespace.',
      ),
    }
  )
}
