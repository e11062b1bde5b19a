import type { Algorithm } from '../../src/index.ts'
import {
  type KmsModule,
  rejectsWith,
  signsTokens,
  testInvalidOptions,
  testInvalidUris,
  testSignatures,
} from './suite.ts'

/** Without PS*, for which local-kms uses another salt length than AWS. */
const KEYS: Record<string, Algorithm[]> = {
  ECC_NIST_P256: ['ES256'],
  ECC_NIST_P384: ['ES384'],
  ECC_NIST_P521: ['ES512'],
  RSA_2048: ['RS256', 'RS384', 'RS512'],
}

const region = 'eu-central-1'
const credentials = { accessKeyId: 'test', secretAccessKey: 'test' }

export const aws: KmsModule = (suite, lib, { awsKms }, { aws: server }) => {
  const { test } = suite
  const { endpoint, keys } = server
  const valid = { keyId: 'k', region, credentials, endpoint }
  const open = (keyId: string) => awsKms({ ...valid, keyId })

  testSignatures(suite, lib, 'AWS KMS', KEYS, (spec) => open(keys[spec] as string))

  test('opens an alias, with credentials from a function', async () => {
    const key = await awsKms({ ...valid, keyId: 'alias/membrane', credentials: async () => credentials })
    await signsTokens(suite, lib, 'AWS KMS by alias', key, 'ES256')
  })

  const variables = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test', AWS_REGION: region }
  const authority = endpoint.replace('http://', '')
  test('opens awskms://ENDPOINT/KEY with environment variables', async () => {
    await awsKms.open(`awskms://${authority}/alias/membrane`, variables)
    const arn = `arn:aws:kms:${region}:111122223333:key/${keys.ECC_NIST_P256}`
    await awsKms.open(`awskms://${authority}/${arn}`, { ...variables, AWS_REGION: undefined })
  })

  const uris = ['awskms://', 'awskms:///', 'awskms:///a?secret=b', 'awskms://u:p@127.0.0.1/a', 'gcpkms://a/b']
  testInvalidUris(suite, awsKms, uris, variables)

  for (const name of Object.keys(variables)) {
    test(`names the missing variable ${name}`, () =>
      rejectsWith(
        () => awsKms.open('awskms:///alias/a', { ...variables, [name]: '' }),
        'ERR_OPTION_INVALID',
        new RegExp(name),
        name,
      ))
  }

  test('rejects a key that does not exist', () =>
    rejectsWith(() => open('11111111-2222-3333-4444-555555555555'), 'ERR_KEY_UNAVAILABLE', /no such key/))

  test('rejects a disabled key and a key pending deletion', async () => {
    await rejectsWith(() => open(server.disabled), 'ERR_KEY_UNAVAILABLE', /disabled/)
    await rejectsWith(() => open(server.deleted), 'ERR_KEY_UNAVAILABLE', /pending deletion/)
  })

  test('rejects secp256k1 and symmetric keys', async () => {
    for (const spec of ['ECC_SECG_P256K1', 'SYMMETRIC_DEFAULT'])
      await rejectsWith(() => open(keys[spec] as string), 'ERR_KEY_FORMAT_UNSUPPORTED', /cannot sign/)
  })

  test('names the supported algorithms', async () => {
    const key = await open(keys.ECC_NIST_P256 as string)
    await rejectsWith(
      () => key.sign(new Uint8Array(1), 'ES384'),
      'ERR_KEY_ALGORITHM_MISMATCH',
      /supports ES256/,
    )
  })

  test('signs more data than AWS accepts without hashing', async () => {
    const key = await open(keys.ECC_NIST_P256 as string)
    await key.sign(new Uint8Array(5000), 'ES256')
  })

  testInvalidOptions(suite, awsKms, valid, [
    ['keyId', { keyId: '' }],
    ['region', { region: 'Frankfurt' }],
    ['region', { region: 'evil.example/x' }],
    ['endpoint', { endpoint: 'http://kms.example.com' }],
    ['credentials', { credentials: 'AKIA' }],
    ['credentials.secretAccessKey', { credentials: { accessKeyId: 'a' } }],
    ['secretKey', { credentials: { ...credentials, secretKey: 'x' } }],
    ['credentials.roleArn', { credentials: { roleArn: '', webIdentityToken: 'a' } }],
  ])
}
