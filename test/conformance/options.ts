import type { Algorithm, SignerOptions, TokenOptions } from '../../src/index.ts'
import { privateJwk } from './keys.ts'
import type { ConformanceModule } from './suite.ts'
import { assert, equal, rejects } from './suite.ts'
import { createLooseSigner, createTestSigner, customer, secret, workspaceKey } from './tokens.ts'

const wrongOptions: [string, Record<string, unknown>][] = [
  ['no workspace key', { workspaceKey: undefined, secret }],
  ['an empty workspace key', { workspaceKey: '', secret }],
  ['a numeric workspace key', { workspaceKey: 42, secret }],
  ['a null workspace key', { workspaceKey: null, secret }],
  ['no key at all', {}],
  ['keys that are undefined', { secret: undefined, privateKey: undefined }],
  ['an unknown claim style', { secret, claimStyle: 'iss' }],
  ['a claim style in capitals', { secret, claimStyle: 'Issuer' }],
  ['a claim style that every object has', { secret, claimStyle: 'toString' }],
  ['a claim style of __proto__', { secret, claimStyle: '__proto__' }],
  ['a null claim style', { secret, claimStyle: null }],
  ['a numeric key id', { secret, keyId: 7 }],
  ['a null key id', { secret, keyId: null }],
  ['a clock that is no function', { secret, now: 1_767_225_600_000 }],
  ['a clock that is a Date', { secret, now: new Date(0) }],
]

const noKeys: [string, unknown][] = [
  ['null', null],
  ['a number', 42],
  ['true', true],
  ['a function', () => secret],
  ['a BigInt', 42n],
  ['a list', [1, 2, 3]],
]

export const signerOptions: ConformanceModule = (suite, lib) => {
  for (const [title, options] of wrongOptions) {
    suite.test(`options refused: ${title}`, async () => {
      await rejects(() => createLooseSigner(lib, options), 'ERR_OPTION_INVALID')
    })
  }

  suite.test('options refused: both keys', async () => {
    const privateKey = await privateJwk('P-256')
    await rejects(() => createTestSigner(lib, { secret, privateKey }), 'ERR_OPTION_INVALID')
  })

  for (const options of [undefined, null, 'secret', 42, true, [], () => ({})] as unknown[]) {
    suite.test(`options refused: ${typeof options} ${String(options)} in their place`, async () => {
      await rejects(() => lib.createSigner(options as SignerOptions), 'ERR_OPTION_INVALID')
    })
  }

  for (const [title, key] of noKeys) {
    suite.test(`no key: ${title}`, async () => {
      await assertRefused(() => createLooseSigner(lib, { secret: key }))
      await assertRefused(() => createLooseSigner(lib, { privateKey: key }))
    })
  }

  for (const options of [null, 'P2D', 42, true] as unknown[]) {
    suite.test(`token options refused: ${String(options)}`, async () => {
      const signer = await createTestSigner(lib, { secret })
      await assertRefused(() => signer.signCustomerToken(customer, options as TokenOptions))
      await assertRefused(() => signer.signAdminToken(options as TokenOptions))
    })
  }

  suite.test('failures are rejections, never thrown on the spot', async () => {
    const creating = lib.createSigner({} as SignerOptions)
    await rejects(() => creating, 'ERR_OPTION_INVALID')
    const signer = await createTestSigner(lib, { secret })
    const signing = signer.signCustomerToken({ id: '' })
    await rejects(() => signing, 'ERR_CLAIM_INVALID')
  })

  suite.test('the methods work without their signer', async () => {
    const { signCustomerToken, signAdminToken } = await createTestSigner(lib, { secret })
    assert((await signCustomerToken(customer)).token)
    assert((await signAdminToken()).token)
  })

  suite.test('the signer tells what it is bound to', async () => {
    const signer = await createTestSigner(lib, { secret, keyId: 'k1', algorithm: 'HS384' })
    equal([signer.workspaceKey, signer.algorithm, signer.keyId], [workspaceKey, 'HS384', 'k1'])
  })
}

/** Which code fits an argument of no type at all is a matter of taste; that it is ours, and no TypeError, is not. */
async function assertRefused(run: () => unknown): Promise<void> {
  let error: unknown
  try {
    await run()
  } catch (thrown) {
    error = thrown
  }
  assert(error instanceof Error && error.name === 'MembraneTokenError', `got ${String(error)}`)
}

const unsupported: unknown[] = [
  ...[
    'none',
    'None',
    'NONE',
    '',
    'hs256',
    'Hs256',
    'HS256 ',
    'HS1',
    'HS224',
    'RS1',
    'rs256',
    'es256',
    'ES256K',
  ],
  ...[
    'EdDSA',
    'Ed25519',
    'ML-DSA-44',
    'RSA-OAEP',
    'dir',
    'A256GCM',
    'SHA-256',
    'HMAC',
    'toString',
    '__proto__',
  ],
  ...[null, 256, true, ['HS256'], { name: 'HS256' }],
]

export const unsupportedAlgorithms: ConformanceModule = (suite, lib) => {
  for (const algorithm of unsupported) {
    suite.test(`no algorithm: ${JSON.stringify(algorithm)}`, async () => {
      await rejects(() => createLooseSigner(lib, { secret, algorithm }), 'ERR_ALGORITHM_UNSUPPORTED')
      const privateKey = await privateJwk('P-256')
      await rejects(() => createLooseSigner(lib, { privateKey, algorithm }), 'ERR_ALGORITHM_UNSUPPORTED')
    })
  }
}

const misfits: ['secret' | 'P-256' | 'P-384' | 'P-521' | 'RSA', Algorithm[]][] = [
  ['secret', ['RS256', 'PS384', 'ES512']],
  ['P-256', ['ES384', 'ES512', 'RS256', 'PS256', 'HS256']],
  ['P-384', ['ES256', 'ES512', 'RS384', 'HS384']],
  ['P-521', ['ES256', 'ES384', 'PS512', 'HS512']],
  ['RSA', ['ES256', 'ES384', 'ES512', 'HS256', 'HS512']],
]

export const algorithmMisfits: ConformanceModule = (suite, lib) => {
  for (const [key, list] of misfits) {
    suite.test(`${key} fits none of ${list.join(', ')}`, async () => {
      for (const algorithm of list) {
        const options = key === 'secret' ? { secret } : { privateKey: await privateJwk(key) }
        await rejects(() => createTestSigner(lib, { ...options, algorithm }), 'ERR_KEY_ALGORITHM_MISMATCH')
      }
    })
  }
}

export const errorClass: ConformanceModule = (suite, lib) => {
  suite.test('errors are MembraneTokenErrors with a code and a message', async () => {
    const error = await rejects(() => createLooseSigner(lib, {}), 'ERR_OPTION_INVALID')
    assert(error instanceof lib.MembraneTokenError && error instanceof Error)
    equal(error.name, 'MembraneTokenError')
    assert(error.message.length > 10, 'the message says nothing')
  })
}
