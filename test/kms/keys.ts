// Creates the keys and logins of the suite with the servers' own APIs.
import { AwsClient } from 'aws4fetch'
import type { KmsServers } from './servers.ts'
import type { Environment } from './suite.ts'

const VAULT_KEYS = ['ecdsa-p256', 'ecdsa-p384', 'ecdsa-p521', 'rsa-2048', 'ed25519', 'aes256-gcm96']
const AWS_KEYS = ['ECC_NIST_P256', 'ECC_NIST_P384', 'ECC_NIST_P521', 'RSA_2048', 'ECC_SECG_P256K1']

const POLICY = `
path "transit/keys/+" { capabilities = ["read"] }
path "transit/sign/+" { capabilities = ["update"] }`
const READ_ONLY = 'path "transit/keys/+" { capabilities = ["read"] }'

// biome-ignore lint/suspicious/noExplicitAny: responses of servers that the tests have started
type Json = Record<string, any>

type Vault = (method: string, path: string, body?: object) => Promise<Json>

function vaultApi({ address, rootToken }: KmsServers['vault']): Vault {
  return async (method, path, body) => {
    const response = await fetch(`${address}/v1/${path}`, {
      method,
      headers: { 'x-vault-token': rootToken },
      ...(body && { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`)
    return text ? JSON.parse(text) : {}
  }
}

export async function createVaultKeys(server: KmsServers['vault']): Promise<Environment['vault']> {
  const vault = vaultApi(server)
  await vault('POST', 'sys/mounts/transit', { type: 'transit' })
  for (const type of VAULT_KEYS) await vault('POST', `transit/keys/${type}`, { type })
  await vault('POST', 'transit/keys/rotated', { type: 'ecdsa-p256' })
  await vault('PUT', 'sys/policies/acl/signer', { policy: POLICY })
  await vault('PUT', 'sys/policies/acl/reader', { policy: READ_ONLY })
  await vault('POST', 'sys/auth/approle', { type: 'approle' })
  await vault('POST', 'auth/approle/role/signer', { token_policies: ['signer'], token_ttl: '1h' })
  const { data: role } = await vault('GET', 'auth/approle/role/signer/role-id')
  const { data: secret } = await vault('POST', 'auth/approle/role/signer/secret-id', {})
  const token = async (policy: string): Promise<string> =>
    (await vault('POST', 'auth/token/create', { policies: [policy] })).auth.client_token
  return {
    address: server.address,
    rootToken: server.rootToken,
    token: await token('signer'),
    readOnlyToken: await token('reader'),
    roleId: role.role_id,
    secretId: secret.secret_id,
  }
}

export async function createAwsKeys({ endpoint }: KmsServers['aws']): Promise<Environment['aws']> {
  const client = new AwsClient({
    accessKeyId: 'test',
    secretAccessKey: 'test',
    service: 'kms',
    region: 'eu-central-1',
  })
  const kms = async (action: string, body: object): Promise<Json> => {
    const response = await client.fetch(`${endpoint}/`, {
      method: 'POST',
      headers: { 'x-amz-target': `TrentService.${action}`, 'content-type': 'application/x-amz-json-1.1' },
      body: JSON.stringify(body),
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`${action}: ${response.status} ${text}`)
    return text ? JSON.parse(text) : {}
  }
  const create = async (KeySpec: string): Promise<string> => {
    const KeyUsage = KeySpec === 'SYMMETRIC_DEFAULT' ? 'ENCRYPT_DECRYPT' : 'SIGN_VERIFY'
    const { KeyMetadata } = await kms('CreateKey', { KeySpec, KeyUsage })
    return KeyMetadata.KeyId
  }
  const keys: Record<string, string> = {}
  for (const spec of [...AWS_KEYS, 'SYMMETRIC_DEFAULT']) keys[spec] = await create(spec)
  await kms('CreateAlias', { AliasName: 'alias/membrane', TargetKeyId: keys.ECC_NIST_P256 })
  const disabled = await create('ECC_NIST_P256')
  await kms('DisableKey', { KeyId: disabled })
  const deleted = await create('ECC_NIST_P256')
  await kms('ScheduleKeyDeletion', { KeyId: deleted, PendingWindowInDays: 7 })
  return { endpoint, keys, disabled, deleted }
}
