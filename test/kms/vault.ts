import type { Algorithm } from '../../src/index.ts'
import { assert, equal } from '../conformance/suite.ts'
import {
  type KmsModule,
  rejectsWith,
  signsTokens,
  testInvalidOptions,
  testInvalidUris,
  testSignatures,
} from './suite.ts'

const RSA: Algorithm[] = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512']
const KEYS: Record<string, Algorithm[]> = {
  'ecdsa-p256': ['ES256'],
  'ecdsa-p384': ['ES384'],
  'ecdsa-p521': ['ES512'],
  'rsa-2048': RSA,
}

export const vault: KmsModule = (suite, lib, { vaultTransit }, { vault: server }) => {
  const { test } = suite
  const { address, token, rootToken, roleId, secretId } = server
  const valid = { address, key: 'ecdsa-p256', token }
  const open = (key: string) => vaultTransit({ ...valid, key })

  testSignatures(suite, lib, 'Vault', KEYS, open)

  test('signs after a login with AppRole', async () => {
    const appRole = { roleId, secretId: async () => secretId }
    const key = await vaultTransit({ address, key: 'ecdsa-p256', appRole })
    await signsTokens(suite, lib, 'Vault with AppRole', key, 'ES256')
  })

  test('reports a wrong AppRole login as a login error', () =>
    rejectsWith(
      () => vaultTransit({ address, key: 'ecdsa-p256', appRole: { roleId: 'no', secretId: 'no' } }),
      'ERR_KEY_UNAVAILABLE',
      /rejected the login/,
    ))

  test('opens hashivault://KEY with environment variables', async () => {
    const key = await vaultTransit.open('hashivault://ecdsa-p256', {
      VAULT_ADDR: address,
      VAULT_TOKEN: token,
    })
    equal(key.version, '1')
    await vaultTransit.open('hashivault://ecdsa-p256', {
      VAULT_ADDR: address,
      VAULT_ROLE_ID: roleId,
      VAULT_SECRET_ID: { get: async () => secretId },
    })
  })

  test('names a missing variable', () =>
    rejectsWith(
      () => vaultTransit.open('hashivault://ecdsa-p256', { VAULT_ADDR: address }),
      'ERR_OPTION_INVALID',
      /VAULT_TOKEN/,
      'VAULT_TOKEN',
    ))

  const uris = [
    'hashivault://',
    'hashivault://u:p@key',
    'hashivault://key?token=x',
    'hashivault://a/b',
    'awskms:///a',
  ]
  testInvalidUris(suite, vaultTransit, uris, { VAULT_ADDR: address, VAULT_TOKEN: token })

  test('keeps the version that the key had when it was opened', async () => {
    const before = await open('rotated')
    const rotate = await fetch(`${address}/v1/transit/keys/rotated/rotate`, {
      method: 'POST',
      headers: { 'x-vault-token': rootToken },
    })
    assert(rotate.ok)
    await signsTokens(suite, lib, 'Vault after a rotation', before, 'ES256')
    const after = await open('rotated')
    equal(Number(after.version), Number(before.version) + 1)
    const old = await vaultTransit({ ...valid, key: 'rotated', version: Number(before.version) })
    equal(old.version, before.version)
  })

  test('rejects a version that does not exist', () =>
    rejectsWith(() => vaultTransit({ ...valid, version: 99 }), 'ERR_KEY_UNAVAILABLE', /99/))

  test('rejects a key that does not exist', () =>
    rejectsWith(
      () => vaultTransit({ address, key: 'absent', token: rootToken }),
      'ERR_KEY_UNAVAILABLE',
      /no such key/,
    ))

  test('names the missing permission', async () => {
    const key = await vaultTransit({ ...valid, token: server.readOnlyToken })
    await rejectsWith(
      () => key.sign(new Uint8Array(1), 'ES256'),
      'ERR_KEY_UNAVAILABLE',
      /update on transit\/sign\/ecdsa-p256/,
    )
  })

  for (const key of ['ed25519', 'aes256-gcm96']) {
    test(`rejects a key of type ${key}`, () =>
      rejectsWith(() => open(key), 'ERR_KEY_FORMAT_UNSUPPORTED', new RegExp(key)))
  }

  test('names the supported algorithms', async () => {
    const key = await open('ecdsa-p256')
    for (const algorithm of ['RS256', 'HS256'] as const) {
      const sign = () => key.sign(new Uint8Array(1), algorithm)
      await rejectsWith(sign, 'ERR_KEY_ALGORITHM_MISMATCH', /supports ES256/)
    }
  })

  const invalid = {
    address: [
      'http://vault.example.com',
      'https://u:p@vault.example.com',
      'https://vault.example.com/?a',
      'vault',
    ],
    key: ['', '..', 'a/b', 'a?b'],
    token: ['', 'a\nb'],
    version: [0, 1.5, '1'],
    mount: ['', '/transit', 'a/../b'],
    namespace: [''],
  }
  const cases = Object.entries(invalid).flatMap(([option, values]) =>
    values.map((value) => [option, { [option]: value }] as const),
  )
  testInvalidOptions(suite, vaultTransit, valid, cases)

  test('rejects two logins, none, and unknown options', async () => {
    const appRole = { roleId: 'r', secretId: 's' }
    await rejectsWith(() => vaultTransit({ ...valid, appRole }), 'ERR_OPTION_INVALID', /token and appRole/)
    await rejectsWith(() => vaultTransit({ address, key: 'k' }), 'ERR_OPTION_INVALID', /exactly one/)
    const misspelled = { ...valid, adress: address }
    await rejectsWith(() => vaultTransit(misspelled), 'ERR_OPTION_INVALID', /did you mean `address`/)
  })
}
