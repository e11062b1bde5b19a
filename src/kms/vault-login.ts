import { readOptions } from '../options.ts'
import { createTemporary, type Issued } from './access-token.ts'
import {
  type Answer,
  type Credentials,
  call,
  type Members,
  membersOf,
  type Refusal,
  refuseByStatus,
} from './call.ts'
import { unavailable, unexpectedAnswer } from './errors.ts'
import { checkSupplied, checkText, type Supplied, supplyText } from './options.ts'

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
  /** The pod's service account token; a function is called for each login, because the token is replaced hourly. */
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
      body: async () => ({ role_id: roleId, secret_id: await supplyText(secretId, 'appRole.secretId') }),
    }
  }
  if (kubernetes !== undefined) {
    const { role, jwt, mount = 'kubernetes' } = readOptions(kubernetes, ['role', 'jwt', 'mount'])
    checkText(role, 'kubernetes.role')
    checkSupplied(jwt, 'kubernetes.jwt')
    checkText(mount, 'kubernetes.mount')
    return { mount, body: async () => ({ role, jwt: await supplyText(jwt, 'kubernetes.jwt') }) }
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

/** A token as it is given, or one that is logged in for, renewed, and logged in for again. */
export function authenticateVault(
  address: string,
  namespace: string | undefined,
  login: Supplied<string> | Login,
): VaultAuthentication {
  if (typeof login !== 'object')
    return { namespace, get: async () => ({ token: await supplyText(login, 'token') }), reject: () => false }

  const post = (path: string, body: Members, token: string | undefined, signal: AbortSignal) =>
    call({
      service: SERVICE,
      signal,
      refuse: refuseLogin,
      prepare: () => [
        `${address}/v1/auth/${path}`,
        { method: 'POST', headers: vaultHeaders(token, namespace), body: JSON.stringify(body) },
      ],
    })
  const logIn = async (signal: AbortSignal): Promise<Session> =>
    readSession(await post(`${login.mount}/login`, await login.body(), undefined, signal))

  /** Seconds of the first lease of the present login: a renewal that gets much less is at its maximum. */
  const renew = async ({ token, lease }: Session, signal: AbortSignal): Promise<Session | undefined> => {
    try {
      const renewed = readSession(await post('token/renew-self', {}, token, signal))
      return renewed.lease >= lease / 2 ? { ...renewed, lease: Math.max(lease, renewed.lease) } : undefined
    } catch {
      return undefined
    }
  }

  const session = createTemporary<Session>(SERVICE, async (signal, last): Promise<Issued<Session>> => {
    const value = (last?.isRenewable && (await renew(last, signal))) || (await logIn(signal))
    return { value, expiresIn: value.lease || UNLIMITED }
  })
  return { namespace, ...session }
}

interface Session {
  readonly token: string
  /** Seconds; 0 for no expiry. */
  readonly lease: number
  readonly isRenewable: boolean
}

/** Seconds for which a token without expiry is kept. */
const UNLIMITED = 86_400

function readSession({ body }: Answer): Session {
  const { client_token: token, lease_duration: lease, renewable } = membersOf(body.auth)
  if (typeof token !== 'string' || typeof lease !== 'number') throw unexpectedAnswer(SERVICE)
  return { token, lease, isRenewable: renewable === true }
}

function refuseLogin({ status }: Answer): Refusal {
  if (status < 500 && status !== 429)
    return {
      error: unavailable(
        'Vault refused the login; check the role, its credentials, the path of the auth method and the namespace.',
      ),
    }
  return refuseByStatus(SERVICE, status, 'create on the login path')
}
