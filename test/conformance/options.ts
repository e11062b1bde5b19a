import type { Algorithm, SignerOptions, TokenOptions } from '../../src/index.ts'
import { privateJwk } from './keys.ts'
import type { ConformanceModule } from './suite.ts'
import { assert, equal, rejects } from './suite.ts'
import {
  createLooseSigner,
  createTestSigner,
  customer,
  decode,
  importFor,
  secret,
  workspaceKey,
} from './tokens.ts'

const invalidOptions: [title: string, option: string, options: Record<string, unknown>, code?: string][] = [
  ['no workspace key', 'workspaceKey', { workspaceKey: undefined, secret }],
  ['an empty workspace key', 'workspaceKey', { workspaceKey: '', secret }],
  ['a numeric workspace key', 'workspaceKey', { workspaceKey: 42, secret }],
  ['a null workspace key', 'workspaceKey', { workspaceKey: null, secret }],
  ['no key', 'secret', {}],
  ['keys that are undefined', 'secret', { secret: undefined, privateKey: undefined }],
  ['a short secret', 'secret', { secret: 'short' }, 'ERR_KEY_WEAK'],
  ['a file name', 'privateKey', { privateKey: 'key.pem' }, 'ERR_KEY_INVALID'],
  ['none', 'algorithm', { secret, algorithm: 'none' }, 'ERR_ALGORITHM_UNSUPPORTED'],
  ['an unknown claim style', 'claimStyle', { secret, claimStyle: 'iss' }],
  ['a claim style in another case', 'claimStyle', { secret, claimStyle: 'Issuer' }],
  ['a claim style of toString', 'claimStyle', { secret, claimStyle: 'toString' }],
  ['a claim style of __proto__', 'claimStyle', { secret, claimStyle: '__proto__' }],
  ['a null claim style', 'claimStyle', { secret, claimStyle: null }],
  ['a numeric key id', 'keyId', { secret, keyId: 7 }],
  ['a null key id', 'keyId', { secret, keyId: null }],
  ['an empty key id', 'keyId', { secret, keyId: '' }],
  ['the thumbprint of a secret', 'keyId', { secret, keyId: 'thumbprint' }],
  ['a clock that is a number', 'now', { secret, now: 1_767_225_600_000 }],
  ['a clock that is a Date', 'now', { secret, now: new Date(0) }],
  ['a lifetime without a unit', 'expiresIn', { secret, expiresIn: '2' }, 'ERR_LIFETIME_INVALID'],
]

const misspelled: [create: string, option: string, meant: string | undefined][] = [
  ['createSigner', 'expires_in', 'expiresIn'],
  ['createSigner', 'expireIn', 'expiresIn'],
  ['createSigner', 'privatekey', 'privateKey'],
  ['createSigner', 'algorithms', 'algorithm'],
  ['createSigner', 'keyid', 'keyId'],
  ['createSigner', 'audience', undefined],
  ['createVerifier', 'algorithm', 'algorithms'],
  ['createVerifier', 'clock_tolerance', 'clockTolerance'],
  ['createVerifier', 'publickey', 'publicKey'],
  ['createVerifier', 'issuer', undefined],
  ['createRequestVerifier', 'algorithm', 'algorithms'],
  ['createRequestVerifier', 'publicKey', undefined],
  ['generateKeyPair', 'moduluslength', 'modulusLength'],
  ['signCustomerToken', 'expires_in', 'expiresIn'],
  ['signCustomerToken', 'jwtid', 'jwtId'],
  ['signAdminToken', 'expiresat', 'expiresAt'],
  ['signAdminToken', 'subject', undefined],
]

export const unknownOptions: ConformanceModule = (suite, lib) => {
  for (const [create, option, meant] of misspelled) {
    suite.test(`${create} rejects ${option}`, async () => {
      const base = { workspaceKey, secret, trustedBrowser: true }
      const signer = await lib.createSigner(base)
      const calls: Record<string, (options: never) => Promise<unknown>> = {
        createSigner: lib.createSigner,
        createVerifier: lib.createVerifier,
        createRequestVerifier: lib.createRequestVerifier,
        generateKeyPair: (options) => lib.generateKeyPair('RS256', options),
        signCustomerToken: (options) => signer.signCustomerToken(customer, options),
        signAdminToken: (options) => signer.signAdminToken(options),
      }
      const options = { ...(create.startsWith('create') && base), [option]: 60 }
      const error = await rejects(() => calls[create]?.(options as never), 'ERR_OPTION_INVALID')
      equal((error as { option?: string }).option, option)
      assert(error.message.includes(`\`${option}\``), error.message)
      if (meant) assert(error.message.includes(`did you mean \`${meant}\``), error.message)
    })
  }

  suite.test('an unknown name that may be a misplaced secret is not repeated', async () => {
    const errors = [
      await rejects(() => createLooseSigner(lib, { secret, [secret]: true }), 'ERR_OPTION_INVALID'),
      await rejects(async () => {
        const signer = await createTestSigner(lib, { secret })
        return signer.signCustomerToken({ ...customer, 's3cr3t with spaces': 1 } as never)
      }, 'ERR_CLAIM_INVALID'),
    ]
    for (const error of errors) equal((error as { option?: string }).option, undefined)
  })

  suite.test('every option is read once', async () => {
    const reads: string[] = []
    const given = { workspaceKey, secret, keyId: 'k1', trustedBrowser: true, expiresIn: '2h' }
    const options = new Proxy(given, {
      get: (target, name) => {
        reads.push(String(name))
        return Reflect.get(target, name)
      },
    })
    await lib.createSigner(options)
    equal(reads.length, new Set(reads).size)
  })
}

export const thumbprints: ConformanceModule = (suite, lib) => {
  suite.test('the key id "thumbprint" equals that of generateKeyPair', async () => {
    for (const algorithm of ['ES256', 'RS256'] as const) {
      const { privateKey, keyId } = await lib.generateKeyPair(algorithm)
      const signer = await createTestSigner(lib, { privateKey, algorithm, keyId: 'thumbprint' })
      equal([signer.keyId, signer.publicJwk?.kid], [keyId, keyId])
      const { token } = await signer.signAdminToken()
      equal(JSON.parse(decode(token).header).kid, keyId)
    }
  })

  suite.test('a CryptoKey that is not extractable has no thumbprint', async () => {
    const privateKey = await importFor('ES256', await privateJwk('P-256'), 'sign', false)
    await rejects(() => createTestSigner(lib, { privateKey, keyId: 'thumbprint' }), 'ERR_OPTION_INVALID')
  })
}

export const notKeys: [title: string, value: unknown][] = [
  ['null', null],
  ['a number', 42],
  ['true', true],
  ['a function', () => secret],
  ['a BigInt', 42n],
  ['an array', [1, 2, 3]],
]

export const signerOptions: ConformanceModule = (suite, lib) => {
  for (const [title, option, options, code = 'ERR_OPTION_INVALID'] of invalidOptions) {
    suite.test(`the error names ${option}: ${title}`, async () => {
      const error = await rejects(() => createLooseSigner(lib, options), code)
      equal((error as { option?: string }).option, option)
    })
  }

  suite.test('options rejected: both keys', async () => {
    const privateKey = await privateJwk('P-256')
    await rejects(() => createTestSigner(lib, { secret, privateKey }), 'ERR_OPTION_INVALID')
  })

  for (const options of [undefined, null, 'secret', 42, true, [], () => ({})] as unknown[]) {
    suite.test(`options rejected: ${typeof options} ${String(options)}`, async () => {
      await rejects(() => lib.createSigner(options as SignerOptions), 'ERR_OPTION_INVALID')
    })
  }

  for (const [title, key] of notKeys) {
    suite.test(`not a key: ${title}`, async () => {
      const error = await rejects(() => createLooseSigner(lib, { secret: key }), 'ERR_OPTION_INVALID')
      equal((error as { option?: string }).option, 'secret')
      await rejects(() => createLooseSigner(lib, { privateKey: key }), 'ERR_KEY_INVALID')
    })
  }

  for (const options of [null, 'P2D', 42, true] as unknown[]) {
    suite.test(`token options rejected: ${String(options)}`, async () => {
      const signer = await createTestSigner(lib, { secret })
      await rejects(() => signer.signCustomerToken(customer, options as TokenOptions), 'ERR_OPTION_INVALID')
      await rejects(() => signer.signAdminToken(options as TokenOptions), 'ERR_OPTION_INVALID')
    })
  }

  suite.test('failures are rejections, never thrown synchronously', async () => {
    const creating = lib.createSigner({} as SignerOptions)
    await rejects(() => creating, 'ERR_OPTION_INVALID')
    const signer = await createTestSigner(lib, { secret })
    const signing = signer.signCustomerToken({ id: '' })
    await rejects(() => signing, 'ERR_CLAIM_INVALID')
  })

  suite.test('the methods work when detached from their object', async () => {
    const { signCustomerToken, signAdminToken } = await createTestSigner(lib, { secret })
    assert((await signCustomerToken(customer)).token)
    assert((await signAdminToken()).token)
  })
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
    suite.test(`not an algorithm: ${JSON.stringify(algorithm)}`, async () => {
      await rejects(() => createLooseSigner(lib, { secret, algorithm }), 'ERR_ALGORITHM_UNSUPPORTED')
      const privateKey = await privateJwk('P-256')
      await rejects(() => createLooseSigner(lib, { privateKey, algorithm }), 'ERR_ALGORITHM_UNSUPPORTED')
    })
  }
}

const mismatches: [key: 'secret' | 'P-256' | 'P-384' | 'P-521' | 'RSA', others: Algorithm[]][] = [
  ['secret', ['RS256', 'PS384', 'ES512']],
  ['P-256', ['ES384', 'ES512', 'RS256', 'PS256', 'HS256']],
  ['P-384', ['ES256', 'ES512', 'RS384', 'HS384']],
  ['P-521', ['ES256', 'ES384', 'PS512', 'HS512']],
  ['RSA', ['ES256', 'ES384', 'ES512', 'HS256', 'HS512']],
]

export const algorithmMismatches: ConformanceModule = (suite, lib) => {
  for (const [key, others] of mismatches) {
    suite.test(`${key} does not match ${others.join(', ')}`, async () => {
      const options = key === 'secret' ? { secret } : { privateKey: await privateJwk(key) }
      for (const algorithm of others) {
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
    assert(error.message.length > 10, 'the message is too short')
  })
}
