import type { Algorithm } from '../../src/index.ts'
import { type KmsModule, rejectsSaying, signsTokens } from './suite.ts'

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
  const open = (key: string) => azureKeyVault({ key: `${authority}/keys/${key}`, ...client })

  for (const [key, algorithms] of Object.entries(KEYS)) {
    for (const algorithm of algorithms) {
      test(`${key} signs ${algorithm}`, async () => {
        const opened = await open(key)
        if (opened.version !== 'v1') throw new Error('the version is not named')
        await signsTokens(suite, lib, 'Azure Key Vault', opened, algorithm)
      })
    }
  }

  test('opens azurekms:// with variables', async () => {
    await azureKeyVault.open(`azurekms://${authority.replace('http://', '')}/p256`, {
      AZURE_TENANT_ID: 'tenant',
      AZURE_CLIENT_ID: 'client',
      AZURE_FEDERATED_TOKEN: 'federated',
      AZURE_AUTHORITY_HOST: authority,
    })
  })

  const wrong: [what: string, key: string, code: string, message: RegExp][] = [
    ['that does not exist', 'absent', 'ERR_KEY_UNAVAILABLE', /no such key/],
    ['without permission', 'forbidden', 'ERR_KEY_UNAVAILABLE', /keys\/get/],
    ['that is disabled', 'disabled', 'ERR_KEY_UNAVAILABLE', /disabled/],
    ['of secp256k1', 'secp256k1', 'ERR_KEY_FORMAT_UNSUPPORTED', /cannot sign/],
  ]
  for (const [what, key, code, message] of wrong) {
    test(`a key ${what}`, () => rejectsSaying(() => open(key), code, message))
  }

  test('a client secret that Entra ID rejects', () =>
    rejectsSaying(
      () => azureKeyVault({ key: `${authority}/keys/p256`, ...client, clientSecret: async () => 'wrong' }),
      'ERR_KEY_UNAVAILABLE',
      /rejected the client/,
    ))

  const good = { key: `${authority}/keys/p256`, ...client }
  const options: [option: string, change: object][] = [
    ['key', { key: `${authority}/secrets/p256` }],
    ['key', { key: 'http://vault.example.com/keys/a' }],
    ['clientSecret', { clientSecret: undefined }],
    ['clientSecret', { token: 'a' }],
    ['tenantId', { tenantId: 'a/b' }],
    ['authority', { authority: 'http://login.example.com' }],
    ['keyId', { keyId: 'a' }],
  ]
  for (const [option, change] of options) {
    test(`rejects ${option} in ${JSON.stringify(change)}`, () =>
      rejectsSaying(
        () => azureKeyVault({ ...good, ...change } as typeof good),
        'ERR_OPTION_INVALID',
        /./,
        option,
      ))
  }
  for (const uri of [
    'azurekms://',
    'azurekms://vault.azure.net/',
    'azurekms://u:p@x/y',
    'azurekms://x/y?z=1',
  ]) {
    test(`rejects the URI ${uri}`, () =>
      rejectsSaying(() => azureKeyVault.open(uri, {}), 'ERR_OPTION_INVALID', /URI/, 'uri'))
  }
}
