import type { Algorithm } from '../../src/index.ts'
import type { GoogleKmsOptions } from '../../src/kms.ts'
import { equal } from '../conformance/suite.ts'
import { type KmsModule, rejectsWith, testInvalidOptions, testInvalidUris, testSignatures } from './suite.ts'

const KEYS: Record<string, Algorithm[]> = { p256: ['ES256'], p384: ['ES384'], rsa: ['RS256'], pss: ['PS256'] }

export const google: KmsModule = (suite, lib, { googleKms }, { cloud }) => {
  const { test } = suite
  const { address: endpoint, serviceAccountKey } = cloud
  const nameOf = (key: string) => `projects/p/locations/l/keyRings/r/cryptoKeys/${key}/cryptoKeyVersions/3`
  const valid = { key: nameOf('p256'), endpoint, credentials: { serviceAccountKey } }
  const open = (key: string) => googleKms({ ...valid, key: nameOf(key) })

  testSignatures(suite, lib, 'Google Cloud KMS', KEYS, open, '3')

  test('a signer uses the algorithm of an RSA key by default', async () => {
    const signer = await lib.createSigner({ workspaceKey: 'ws', privateKey: await open('pss') })
    equal(signer.algorithm, 'PS256')
  })

  test('opens gcpkms:// with a key file in an environment variable', async () => {
    await googleKms.open(`gcpkms://${nameOf('p256')}`, {
      GOOGLE_APPLICATION_CREDENTIALS_JSON: JSON.stringify(serviceAccountKey),
      GOOGLE_CLOUD_KMS_ENDPOINT: endpoint,
    })
  })

  test('reports a key file that Google rejects', () =>
    rejectsWith(
      async () => {
        const { privateKey } = await lib.generateKeyPair('RS256')
        const other = { ...serviceAccountKey, private_key: privateKey }
        return googleKms({ ...valid, credentials: { serviceAccountKey: other } })
      },
      'ERR_KEY_UNAVAILABLE',
      /rejected the service account key/,
    ))

  const unusable: [what: string, key: string, code: string, message: RegExp][] = [
    ['that does not exist', 'absent', 'ERR_KEY_UNAVAILABLE', /no such key/],
    ['without permission', 'forbidden', 'ERR_KEY_UNAVAILABLE', /viewPublicKey/],
    ['that is disabled', 'disabled', 'ERR_KEY_UNAVAILABLE', /DISABLED/],
    ['of secp256k1', 'secp256k1', 'ERR_KEY_FORMAT_UNSUPPORTED', /cannot sign/],
  ]
  for (const [what, key, code, message] of unusable) {
    test(`rejects a key ${what}`, () => rejectsWith(() => open(key), code, message))
  }

  test('reports an access token that Google rejects', () =>
    rejectsWith(
      () => googleKms({ ...valid, credentials: async () => 'wrong' }),
      'ERR_KEY_UNAVAILABLE',
      /rejected the credentials/,
    ))

  test('names the supported algorithms', async () => {
    const key = await open('p256')
    await rejectsWith(
      () => key.sign(new Uint8Array(1), 'RS256'),
      'ERR_KEY_ALGORITHM_MISMATCH',
      /supports ES256/,
    )
  })

  const withToken: GoogleKmsOptions = { ...valid, credentials: 'token' }
  testInvalidOptions(suite, googleKms, withToken, [
    ['key', { key: 'projects/p/locations/l/keyRings/r/cryptoKeys/k' }],
    ['endpoint', { endpoint: 'http://kms.example.com' }],
    ['credentials', { credentials: {} }],
    ['credentials', { credentials: { serviceAccountKey: '{' } }, /serviceAccountKey/],
    [
      'credentials.serviceAccountKey.private_key',
      { credentials: { serviceAccountKey: { client_email: 'a' } } },
    ],
    ['credentials.workloadIdentity.audience', { credentials: { workloadIdentity: { audience: '' } } }],
    ['region', { region: 'europe' }],
  ])
  testInvalidUris(suite, googleKms, [
    'gcpkms://',
    'gcpkms://projects/p/locations/l/keyRings/r/cryptoKeys/k',
    'gcpkms://u:p@x/y',
  ])
}
