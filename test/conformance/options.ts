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
  ['a clock that is not a function', { secret, now: 1_767_225_600_000 }],
  ['a clock that is a Date', { secret, now: new Date(0) }],
]

const ignorePromise = (): undefined => undefined

/** What people write, and what they mean. */
const misspelt: [create: string, option: string, meant: string | undefined][] = [
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
  for (const [create, option, meant] of misspelt) {
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

  const named: [option: string, options: Record<string, unknown>, code: string][] = [
    ['workspaceKey', { secret, workspaceKey: '' }, 'ERR_OPTION_INVALID'],
    ['secret', {}, 'ERR_OPTION_INVALID'],
    ['secret', { secret: 'short' }, 'ERR_KEY_WEAK'],
    ['privateKey', { privateKey: 'key.pem' }, 'ERR_KEY_INVALID'],
    ['algorithm', { secret, algorithm: 'none' }, 'ERR_ALGORITHM_UNSUPPORTED'],
    ['keyId', { secret, keyId: '' }, 'ERR_OPTION_INVALID'],
    ['keyId', { secret, keyId: 'thumbprint' }, 'ERR_OPTION_INVALID'],
    ['claimStyle', { secret, claimStyle: 'iss' }, 'ERR_OPTION_INVALID'],
    ['now', { secret, now: 0 }, 'ERR_OPTION_INVALID'],
    ['expiresIn', { secret, expiresIn: '2' }, 'ERR_LIFETIME_INVALID'],
  ]
  for (const [option, options, code] of named) {
    suite.test(`the error names ${option}: ${JSON.stringify(options)}`, async () => {
      const error = await rejects(() => createLooseSigner(lib, options), code)
      equal((error as { option?: string }).option, option)
    })
  }

  suite.test('a verifier’s errors name its options', async () => {
    const base = { workspaceKey, trustedBrowser: true }
    for (const [option, options] of [
      ['secret', { secret: '' }],
      ['publicKey', { publicKey: 'key.pem' }],
      ['jwks', { jwks: {} }],
      ['algorithms', { secret, algorithms: ['none'] }],
      ['clockTolerance', { secret, clockTolerance: -1 }],
    ] as [string, object][]) {
      const error = await lib.createVerifier({ ...base, ...options }).then(ignorePromise, (thrown) => thrown)
      equal((error as { option?: string }).option, option)
    }
  })

  suite.test('a name that may be a secret in the wrong place is not repeated', async () => {
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
  suite.test('the key id "thumbprint" is that of generateKeyPair', async () => {
    for (const algorithm of ['ES256', 'RS256'] as const) {
      const { privateKey, keyId } = await lib.generateKeyPair(algorithm)
      const signer = await createTestSigner(lib, { privateKey, algorithm, keyId: 'thumbprint' })
      equal([signer.keyId, signer.publicJwk?.kid], [keyId, keyId])
      const { token } = await signer.signAdminToken()
      equal(JSON.parse(decode(token).header).kid, keyId)
    }
  })

  suite.test('there is none for a CryptoKey that is not extractable', async () => {
    const privateKey = await importFor('ES256', await privateJwk('P-256'), 'sign', false)
    await rejects(() => createTestSigner(lib, { privateKey, keyId: 'thumbprint' }), 'ERR_OPTION_INVALID')
  })
}

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
    suite.test(`options rejected: ${title}`, async () => {
      await rejects(() => createLooseSigner(lib, options), 'ERR_OPTION_INVALID')
    })
  }

  suite.test('options rejected: both keys', async () => {
    const privateKey = await privateJwk('P-256')
    await rejects(() => createTestSigner(lib, { secret, privateKey }), 'ERR_OPTION_INVALID')
  })

  for (const options of [undefined, null, 'secret', 42, true, [], () => ({})] as unknown[]) {
    suite.test(`options rejected: ${typeof options} ${String(options)} in their place`, async () => {
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
    suite.test(`token options rejected: ${String(options)}`, async () => {
      const signer = await createTestSigner(lib, { secret })
      await assertRefused(() => signer.signCustomerToken(customer, options as TokenOptions))
      await assertRefused(() => signer.signAdminToken(options as TokenOptions))
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

  suite.test('the signer shows its workspace, algorithm and key id', async () => {
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
