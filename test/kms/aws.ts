import type { Algorithm } from '../../src/index.ts'
import { type KmsModule, rejectsSaying, signsTokens } from './suite.ts'

/** local-kms salts PSS signatures otherwise than AWS does; `aws-api.ts` holds PS256 and the others. */
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
  const open = (keyId: string) => awsKms({ keyId, region, credentials, endpoint })

  for (const [spec, algorithms] of Object.entries(KEYS)) {
    for (const algorithm of algorithms) {
      test(`${spec} signs ${algorithm}`, async () =>
        signsTokens(suite, lib, 'AWS KMS', await open(keys[spec] as string), algorithm))
    }
  }

  test('opens an alias, with credentials of a function', async () => {
    const key = await awsKms({
      keyId: 'alias/membrane',
      region,
      endpoint,
      credentials: async () => credentials,
    })
    await signsTokens(suite, lib, 'AWS KMS by alias', key, 'ES256')
  })

  const variables = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test', AWS_REGION: region }
  const authority = endpoint.replace('http://', '')
  test('opens awskms://ENDPOINT/KEY with variables', async () => {
    await awsKms.open(`awskms://${authority}/alias/membrane`, variables)
    const arn = `arn:aws:kms:${region}:111122223333:key/${keys.ECC_NIST_P256}`
    await awsKms.open(`awskms://${authority}/${arn}`, { ...variables, AWS_REGION: undefined })
  })

  for (const uri of [
    'awskms://',
    'awskms:///',
    'awskms:///a?secret=b',
    'awskms://u:p@127.0.0.1/a',
    'gcpkms://a/b',
  ]) {
    test(`rejects the URI ${uri}`, () =>
      rejectsSaying(() => awsKms.open(uri, variables), 'ERR_OPTION_INVALID', /URI/, 'uri'))
  }

  for (const name of Object.keys(variables)) {
    test(`names ${name} where it is missing`, () =>
      rejectsSaying(
        () => awsKms.open('awskms:///alias/a', { ...variables, [name]: '' }),
        'ERR_OPTION_INVALID',
        new RegExp(name),
        name,
      ))
  }

  test('a key that does not exist', () =>
    rejectsSaying(() => open('11111111-2222-3333-4444-555555555555'), 'ERR_KEY_UNAVAILABLE', /no such key/))

  test('a disabled key, and one that is pending deletion', async () => {
    await rejectsSaying(() => open(server.disabled), 'ERR_KEY_UNAVAILABLE', /disabled/)
    await rejectsSaying(() => open(server.deleted), 'ERR_KEY_UNAVAILABLE', /pending deletion/)
  })

  test('secp256k1 and symmetric keys cannot sign tokens', async () => {
    for (const spec of ['ECC_SECG_P256K1', 'SYMMETRIC_DEFAULT'])
      await rejectsSaying(() => open(keys[spec] as string), 'ERR_KEY_FORMAT_UNSUPPORTED', /cannot sign/)
  })

  test('says what the key supports', async () => {
    const key = await open(keys.ECC_NIST_P256 as string)
    await rejectsSaying(
      () => key.sign(new Uint8Array(1), 'ES384'),
      'ERR_KEY_ALGORITHM_MISMATCH',
      /supports ES256/,
    )
  })

  test('more data than AWS takes unhashed', async () => {
    const key = await open(keys.ECC_NIST_P256 as string)
    await key.sign(new Uint8Array(5000), 'ES256')
  })

  const good = { keyId: 'k', region, credentials, endpoint }
  const wrong: [string, object][] = [
    ['keyId', { keyId: '' }],
    ['region', { region: 'Frankfurt' }],
    ['region', { region: 'evil.example/x' }],
    ['endpoint', { endpoint: 'http://kms.example.com' }],
    ['credentials', { credentials: 'AKIA' }],
    ['credentials.secretAccessKey', { credentials: { accessKeyId: 'a' } }],
    ['secretKey', { credentials: { ...credentials, secretKey: 'x' } }],
    ['credentials.roleArn', { credentials: { roleArn: '', webIdentityToken: 'a' } }],
  ]
  for (const [option, change] of wrong) {
    test(`rejects ${option} in ${JSON.stringify(change)}`, () =>
      rejectsSaying(() => awsKms({ ...good, ...change } as typeof good), 'ERR_OPTION_INVALID', /./, option))
  }
}
