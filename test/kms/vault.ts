import type { Algorithm } from '../../src/index.ts'
import { assert, equal } from '../conformance/suite.ts'
import { type KmsModule, rejectsSaying, signsTokens } from './suite.ts'

const RSA: Algorithm[] = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512']
const KEYS: Record<string, Algorithm[]> = {
  'ecdsa-p256': ['ES256'],
  'ecdsa-p384': ['ES384'],
  'ecdsa-p521': ['ES512'],
  'rsa-2048': RSA,
}

export const vault: KmsModule = (suite, lib, { vaultTransit }, { vault: server }) => {
  const { test } = suite
  const { address, token, rootToken } = server
  for (const [key, algorithms] of Object.entries(KEYS)) {
    for (const algorithm of algorithms) {
      test(`${key} signs ${algorithm}`, async () =>
        signsTokens(suite, lib, 'Vault', await vaultTransit({ address, key, token }), algorithm))
    }
  }

  test('signs after a login with AppRole', async () => {
    const { roleId, secretId } = server
    const appRole = { roleId, secretId: async () => secretId }
    const key = await vaultTransit({ address, key: 'ecdsa-p256', appRole })
    await signsTokens(suite, lib, 'Vault with AppRole', key, 'ES256')
  })

  test('a wrong AppRole login is reported as a login error', () =>
    rejectsSaying(
      () => vaultTransit({ address, key: 'ecdsa-p256', appRole: { roleId: 'no', secretId: 'no' } }),
      'ERR_KEY_UNAVAILABLE',
      /rejected the login/,
    ))

  test('opens hashivault://KEY with variables', async () => {
    const key = await vaultTransit.open('hashivault://ecdsa-p256', {
      VAULT_ADDR: address,
      VAULT_TOKEN: token,
    })
    equal(key.version, '1')
    const { roleId, secretId } = server
    await vaultTransit.open('hashivault://ecdsa-p256', {
      VAULT_ADDR: address,
      VAULT_ROLE_ID: roleId,
      VAULT_SECRET_ID: { get: async () => secretId },
    })
  })

  test('a missing variable is named', () =>
    rejectsSaying(
      () => vaultTransit.open('hashivault://ecdsa-p256', { VAULT_ADDR: address }),
      'ERR_OPTION_INVALID',
      /VAULT_TOKEN/,
      'VAULT_TOKEN',
    ))

  for (const uri of [
    'hashivault://',
    'hashivault://u:p@key',
    'hashivault://key?token=x',
    'hashivault://a/b',
    'awskms:///a',
  ]) {
    test(`rejects the URI ${uri}`, () =>
      rejectsSaying(
        () => vaultTransit.open(uri, { VAULT_ADDR: address, VAULT_TOKEN: token }),
        'ERR_OPTION_INVALID',
        /URI/,
        'uri',
      ))
  }

  test('the version stays what it was when the key was opened', async () => {
    const before = await vaultTransit({ address, key: 'rotated', token })
    const rotate = await fetch(`${address}/v1/transit/keys/rotated/rotate`, {
      method: 'POST',
      headers: { 'x-vault-token': rootToken },
    })
    assert(rotate.ok)
    await signsTokens(suite, lib, 'Vault after a rotation', before, 'ES256')
    const after = await vaultTransit({ address, key: 'rotated', token })
    equal(Number(after.version), Number(before.version) + 1)
    const old = await vaultTransit({ address, key: 'rotated', token, version: Number(before.version) })
    equal(old.version, before.version)
  })

  test('a version that does not exist', () =>
    rejectsSaying(
      () => vaultTransit({ address, key: 'ecdsa-p256', token, version: 99 }),
      'ERR_KEY_UNAVAILABLE',
      /99/,
    ))

  test('a key that does not exist', () =>
    rejectsSaying(
      () => vaultTransit({ address, key: 'absent', token: rootToken }),
      'ERR_KEY_UNAVAILABLE',
      /no such key/,
    ))

  test('names the permission that is missing', async () => {
    const key = await vaultTransit({ address, key: 'ecdsa-p256', token: server.readOnlyToken })
    await rejectsSaying(
      () => key.sign(new Uint8Array(1), 'ES256'),
      'ERR_KEY_UNAVAILABLE',
      /update on transit\/sign\/ecdsa-p256/,
    )
  })

  for (const key of ['ed25519', 'aes256-gcm96']) {
    test(`${key} cannot sign tokens`, () =>
      rejectsSaying(
        () => vaultTransit({ address, key, token }),
        'ERR_KEY_FORMAT_UNSUPPORTED',
        new RegExp(key),
      ))
  }

  test('says what the key supports', async () => {
    const key = await vaultTransit({ address, key: 'ecdsa-p256', token })
    await rejectsSaying(
      () => key.sign(new Uint8Array(1), 'RS256'),
      'ERR_KEY_ALGORITHM_MISMATCH',
      /supports ES256/,
    )
    await rejectsSaying(
      () => key.sign(new Uint8Array(1), 'HS256'),
      'ERR_KEY_ALGORITHM_MISMATCH',
      /supports ES256/,
    )
  })

  const good = { address, key: 'ecdsa-p256', token }
  for (const [option, wrong] of Object.entries({
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
  })) {
    for (const value of wrong) {
      test(`rejects ${option} ${JSON.stringify(value)}`, () =>
        rejectsSaying(
          () => vaultTransit({ ...good, [option]: value } as Parameters<typeof vaultTransit>[0]),
          'ERR_OPTION_INVALID',
          new RegExp(option),
          option,
        ))
    }
  }

  test('rejects two logins, none, and unknown options', async () => {
    const appRole = { roleId: 'r', secretId: 's' }
    await rejectsSaying(() => vaultTransit({ ...good, appRole }), 'ERR_OPTION_INVALID', /token and appRole/)
    await rejectsSaying(() => vaultTransit({ address, key: 'k' }), 'ERR_OPTION_INVALID', /exactly one/)
    const misspelt = { ...good, adress: address }
    await rejectsSaying(() => vaultTransit(misspelt), 'ERR_OPTION_INVALID', /did you mean `address`/)
  })
}
