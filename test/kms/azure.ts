import type { Algorithm } from '../../src/index.ts'
import { type KmsModule, rejectsWith, testInvalidOptions, testInvalidUris, testSignatures } from './suite.ts'

const KEYS: Record<string, Algorithm[]> = {
  p256: ['ES256'],
  p384: ['ES384'],
  p521: ['ES512'],
  rsa: ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
}

export const azure: KmsModule = (suite, lib, { azureKeyVault }, { cloud }) => {
  const { test } = suite
  const { address: authority } = cloud
  const client = { tenantId: 'tenant', clientId: 'client', clientSecret: 'client-secret', authority }
  const valid = { key: `${authority}/keys/p256`, ...client }
  const open = (key: string) => azureKeyVault({ ...valid, key: `${authority}/keys/${key}` })

  testSignatures(suite, lib, 'Azure Key Vault', KEYS, open, 'v1')

  test('opens azurekms:// with environment variables', async () => {
    await azureKeyVault.open(`azurekms://${authority.replace('http://', '')}/p256`, {
      AZURE_TENANT_ID: 'tenant',
      AZURE_CLIENT_ID: 'client',
      AZURE_FEDERATED_TOKEN: 'federated',
      AZURE_AUTHORITY_HOST: authority,
    })
  })

  const unusable: [what: string, key: string, code: string, message: RegExp][] = [
    ['that does not exist', 'absent', 'ERR_KEY_UNAVAILABLE', /no such key/],
    ['without permission', 'forbidden', 'ERR_KEY_UNAVAILABLE', /keys\/get/],
    ['that is disabled', 'disabled', 'ERR_KEY_UNAVAILABLE', /disabled/],
    ['of secp256k1', 'secp256k1', 'ERR_KEY_FORMAT_UNSUPPORTED', /cannot sign/],
  ]
  for (const [what, key, code, message] of unusable) {
    test(`rejects a key ${what}`, () => rejectsWith(() => open(key), code, message))
  }

  test('reports a client secret that Entra ID rejects', () =>
    rejectsWith(
      () => azureKeyVault({ ...valid, clientSecret: async () => 'wrong' }),
      'ERR_KEY_UNAVAILABLE',
      /rejected the client/,
    ))

  testInvalidOptions(suite, azureKeyVault, valid, [
    ['key', { key: `${authority}/secrets/p256` }],
    ['key', { key: 'http://vault.example.com/keys/a' }],
    ['clientSecret', { clientSecret: undefined }],
    ['clientSecret', { token: 'a' }],
    ['tenantId', { tenantId: 'a/b' }],
    ['authority', { authority: 'http://login.example.com' }],
    ['keyId', { keyId: 'a' }],
  ])
  testInvalidUris(suite, azureKeyVault, [
    'azurekms://',
    'azurekms://vault.azure.net/',
    'azurekms://u:p@x/y',
    'azurekms://x/y?z=1',
  ])
}
