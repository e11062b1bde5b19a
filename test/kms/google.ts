import type { Algorithm } from '../../src/index.ts'
import { type KmsModule, rejectsSaying, signsTokens } from './suite.ts'

const KEYS: Record<string, Algorithm> = { p256: 'ES256', p384: 'ES384', rsa: 'RS256', pss: 'PS256' }

export const google: KmsModule = (suite, lib, { googleKms }, { cloud }) => {
  const { test } = suite
  const { address: endpoint, serviceAccountKey } = cloud
  const nameOf = (key: string) => `projects/p/locations/l/keyRings/r/cryptoKeys/${key}/cryptoKeyVersions/3`
  const open = (key: string) => googleKms({ key: nameOf(key), endpoint, credentials: { serviceAccountKey } })

  for (const [key, algorithm] of Object.entries(KEYS)) {
    test(`${key} signs ${algorithm}`, async () => {
      const opened = await open(key)
      if (opened.version !== '3') throw new Error('the version is not named')
      await signsTokens(suite, lib, 'Google Cloud KMS', opened, algorithm)
    })
  }

  test('an RSA version signs its own algorithm by default', async () => {
    const signer = await lib.createSigner({ workspaceKey: 'ws', privateKey: await open('pss') })
    if (signer.algorithm !== 'PS256') throw new Error(`it signs ${signer.algorithm}`)
  })

  test('opens gcpkms:// with a key file in a variable', async () => {
    await googleKms.open(`gcpkms://${nameOf('p256')}`, {
      GOOGLE_APPLICATION_CREDENTIALS_JSON: JSON.stringify(serviceAccountKey),
      GOOGLE_CLOUD_KMS_ENDPOINT: endpoint,
    })
  })

  test('a key file of another account is rejected', () =>
    rejectsSaying(
      async () => {
        const { privateKey } = await lib.generateKeyPair('RS256')
        const other = { ...serviceAccountKey, private_key: privateKey }
        return googleKms({ key: nameOf('p256'), endpoint, credentials: { serviceAccountKey: other } })
      },
      'ERR_KEY_UNAVAILABLE',
      /rejected the service account key/,
    ))

  const wrong: [what: string, key: string, code: string, message: RegExp][] = [
    ['that does not exist', 'absent', 'ERR_KEY_UNAVAILABLE', /no such key/],
    ['without permission', 'forbidden', 'ERR_KEY_UNAVAILABLE', /viewPublicKey/],
    ['that is disabled', 'disabled', 'ERR_KEY_UNAVAILABLE', /DISABLED/],
    ['of secp256k1', 'secp256k1', 'ERR_KEY_FORMAT_UNSUPPORTED', /cannot sign/],
  ]
  for (const [what, key, code, message] of wrong) {
    test(`a key ${what}`, () => rejectsSaying(() => open(key), code, message))
  }

  test('an access token that Google rejects', () =>
    rejectsSaying(
      () => googleKms({ key: nameOf('p256'), endpoint, credentials: async () => 'wrong' }),
      'ERR_KEY_UNAVAILABLE',
      /rejected the credentials/,
    ))

  test('says what the key supports', async () => {
    const key = await open('p256')
    await rejectsSaying(
      () => key.sign(new Uint8Array(1), 'RS256'),
      'ERR_KEY_ALGORITHM_MISMATCH',
      /supports ES256/,
    )
  })

  const good = { key: nameOf('p256'), endpoint, credentials: 'token' as const }
  const options: [option: string, change: object][] = [
    ['key', { key: 'projects/p/locations/l/keyRings/r/cryptoKeys/k' }],
    ['endpoint', { endpoint: 'http://kms.example.com' }],
    ['credentials', { credentials: {} }],
    ['credentials', { credentials: { serviceAccountKey: '{' } }],
    [
      'credentials.serviceAccountKey.private_key',
      { credentials: { serviceAccountKey: { client_email: 'a' } } },
    ],
    ['credentials.workloadIdentity.audience', { credentials: { workloadIdentity: { audience: '' } } }],
    ['region', { region: 'europe' }],
  ]
  for (const [option, change] of options) {
    test(`rejects ${option} in ${JSON.stringify(change)}`, () =>
      rejectsSaying(
        () => googleKms({ ...good, ...change } as typeof good),
        'ERR_OPTION_INVALID',
        /./,
        option,
      ))
  }
  for (const uri of [
    'gcpkms://',
    'gcpkms://projects/p/locations/l/keyRings/r/cryptoKeys/k',
    'gcpkms://u:p@x/y',
  ]) {
    test(`rejects the URI ${uri}`, () =>
      rejectsSaying(() => googleKms.open(uri, {}), 'ERR_OPTION_INVALID', /URI/, 'uri'))
  }
}
