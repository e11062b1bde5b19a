import type { VerifierOptions } from '../../src/index.ts'
import { privateJwk, publicJwk } from './keys.ts'
import { notKeys } from './options.ts'
import type { ConformanceModule } from './suite.ts'
import { equal, rejects } from './suite.ts'
import { createLooseVerifier, createTestVerifier, expiresAt, forge, now } from './token-fixtures.ts'
import { createTestSigner, customer, secret, workspaceKey } from './tokens.ts'

const invalidOptions: [title: string, option: string, options: Record<string, unknown>, code?: string][] = [
  ['no workspace key', 'workspaceKey', { workspaceKey: undefined, secret }],
  ['an empty workspace key', 'workspaceKey', { workspaceKey: '', secret }],
  ['a numeric workspace key', 'workspaceKey', { workspaceKey: 42, secret }],
  ['a null workspace key', 'workspaceKey', { workspaceKey: null, secret }],
  ['no key', 'secret', {}],
  ['keys that are undefined', 'secret', { secret: undefined, publicKey: undefined, jwks: undefined }],
  ['an empty secret', 'secret', { secret: '' }, 'ERR_KEY_WEAK'],
  ['a file name', 'publicKey', { publicKey: 'key.pem' }, 'ERR_KEY_INVALID'],
  ['an empty object', 'jwks', { jwks: {} }, 'ERR_KEY_INVALID'],
  ['an empty list of algorithms', 'algorithms', { secret, algorithms: [] }],
  ['one algorithm instead of a list', 'algorithms', { secret, algorithms: 'HS512' }],
  ['null for algorithms', 'algorithms', { secret, algorithms: null }],
  ['a set of algorithms', 'algorithms', { secret, algorithms: new Set(['HS512']) }],
  ['the algorithm none', 'algorithms', { secret, algorithms: ['none'] }, 'ERR_ALGORITHM_UNSUPPORTED'],
  ['a negative tolerance', 'clockTolerance', { secret, clockTolerance: -1 }],
  ['a tolerance of NaN', 'clockTolerance', { secret, clockTolerance: Number.NaN }],
  ['an infinite tolerance', 'clockTolerance', { secret, clockTolerance: Number.POSITIVE_INFINITY }],
  ['a tolerance as text', 'clockTolerance', { secret, clockTolerance: '5' }],
  ['a null tolerance', 'clockTolerance', { secret, clockTolerance: null }],
  ['a clock that is a number', 'now', { secret, now }],
  ['a clock that is a Date', 'now', { secret, now: new Date(now) }],
  ['a null clock', 'now', { secret, now: null }],
]

export const verifierOptions: ConformanceModule = (suite, lib) => {
  for (const [title, option, options, code = 'ERR_OPTION_INVALID'] of invalidOptions) {
    suite.test(`the error names ${option}: ${title}`, async () => {
      const error = await rejects(() => createLooseVerifier(lib, options), code)
      equal((error as { option?: string }).option, option)
    })
  }

  for (const names of [
    ['secret', 'publicKey'],
    ['secret', 'jwks'],
    ['publicKey', 'jwks'],
    ['secret', 'publicKey', 'jwks'],
  ]) {
    suite.test(`options rejected: ${names.join(' and ')} together`, async () => {
      const publicKey = await publicJwk('P-256')
      const all: Record<string, unknown> = { secret, publicKey, jwks: { keys: [publicKey] } }
      const options = Object.fromEntries(names.map((name) => [name, all[name]]))
      await rejects(() => createLooseVerifier(lib, options), 'ERR_OPTION_INVALID')
    })
  }

  for (const options of [undefined, null, 'secret', 42, true, [], () => ({})] as unknown[]) {
    suite.test(`options rejected: ${typeof options} ${String(options)}`, async () => {
      await rejects(() => lib.createVerifier(options as VerifierOptions), 'ERR_OPTION_INVALID')
    })
  }

  for (const [title, key] of notKeys) {
    suite.test(`not a key: ${title}`, async () => {
      await rejects(() => createLooseVerifier(lib, { secret: key }), 'ERR_OPTION_INVALID')
      for (const name of ['publicKey', 'jwks'])
        await rejects(() => createLooseVerifier(lib, { [name]: key }), 'ERR_KEY_INVALID')
    })
  }

  suite.test('allowShortSecret must be exactly true', async () => {
    for (const allowShortSecret of ['true', 1, {}])
      await rejects(() => createLooseVerifier(lib, { secret: 'short', allowShortSecret }), 'ERR_KEY_WEAK')
  })

  suite.test('a clock that does not return a time', async () => {
    for (const time of [Number.NaN, undefined, '0', new Date(now)]) {
      const verifier = await createLooseVerifier(lib, { secret, now: () => time })
      await rejects(async () => verifier.verify(await forge()), 'ERR_OPTION_INVALID')
    }
  })

  suite.test('the system clock is the default', async () => {
    const verifier = await lib.createVerifier({ workspaceKey, secret, trustedBrowser: true })
    const signer = await lib.createSigner({ workspaceKey, secret, trustedBrowser: true })
    equal((await verifier.verify((await signer.signAdminToken()).token)).kind, 'admin')
    await rejects(async () => verifier.verify(await forge({ exp: 1 })), 'ERR_TOKEN_EXPIRED')
  })

  suite.test('the clock is read for every token', async () => {
    let time = now
    const verifier = await createTestVerifier(lib, { secret, now: () => time })
    const token = await forge()
    equal((await verifier.verify(token)).kind, 'customer')
    time = expiresAt * 1000
    await rejects(() => verifier.verify(token), 'ERR_TOKEN_EXPIRED')
  })

  suite.test('verify works when detached from its object, and concurrently', async () => {
    const { verify } = await createTestVerifier(lib, { secret })
    const signer = await createTestSigner(lib, { secret })
    const ids = Array.from({ length: 30 }, (_, index) => `customer-${index}`)
    const tokens = await Promise.all(ids.map((id) => signer.signCustomerToken({ ...customer, id })))
    const verified = await Promise.all(tokens.map(({ token }) => verify(token)))
    equal(
      verified.map((token) => token.kind === 'customer' && token.id),
      ids,
    )
  })

  suite.test('failures are rejections, never thrown synchronously', async () => {
    const creating = lib.createVerifier({} as VerifierOptions)
    await rejects(() => creating, 'ERR_OPTION_INVALID')
    const verifying = (await createTestVerifier(lib, { secret })).verify('')
    await rejects(() => verifying, 'ERR_TOKEN_MALFORMED')
  })

  suite.test('later changes to the options have no effect', async () => {
    const options: VerifierOptions = {
      workspaceKey,
      secret,
      now: () => now,
      algorithms: ['HS512'],
      trustedBrowser: true,
    }
    const list = options.algorithms ?? []
    const creating = lib.createVerifier(options)
    list.push('HS256')
    Object.assign(options, { workspaceKey: 'other', now: () => 0, clockTolerance: 1e9, secret: 'other' })
    const verifier = await creating
    list.push('HS384')
    equal((await verifier.verify(await forge())).workspaceKey, workspaceKey)
    await rejects(async () => verifier.verify(await forge({ exp: now / 1000 })), 'ERR_TOKEN_EXPIRED')
    for (const algorithm of ['HS256', 'HS384'] as const) {
      const token = await forge({}, { algorithm })
      await rejects(() => verifier.verify(token), 'ERR_TOKEN_ALGORITHM_NOT_ALLOWED')
    }
    equal(
      [list, Object.isFrozen(options), Object.isFrozen(list)],
      [['HS512', 'HS256', 'HS384'], false, false],
    )
  })

  suite.test('changes to results do not affect the verifier', async () => {
    const verifier = await createTestVerifier(lib, { secret })
    const token = await forge({ fields: { plan: 'team' } })
    const first = await verifier.verify(token)
    first.expiresAt.setTime(0)
    Object.assign(first, { fields: undefined, workspaceKey: 'other' })
    const second = await verifier.verify(token)
    equal([second.expiresAt.getTime(), second.workspaceKey], [expiresAt * 1000, workspaceKey])
  })
}

const algorithmsOf = {
  secret: ['HS256', 'HS384', 'HS512'],
  'P-256': ['ES256'],
  'P-384': ['ES384'],
  'P-521': ['ES512'],
  RSA: ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
} as const

export const allowedAlgorithms: ConformanceModule = (suite, lib) => {
  const unsupported = ['none', 'None', 'hs256', '', 'EdDSA', 'ES256K', 'toString', '__proto__', null, 256]
  for (const algorithm of unsupported) {
    suite.test(`not an algorithm: ${JSON.stringify(algorithm)}`, async () => {
      for (const algorithms of [[algorithm], ['HS512', algorithm]]) {
        await rejects(() => createLooseVerifier(lib, { secret, algorithms }), 'ERR_ALGORITHM_UNSUPPORTED')
      }
    })
  }

  for (const key of Object.keys(algorithmsOf) as (keyof typeof algorithmsOf)[]) {
    const others = Object.values(algorithmsOf)
      .filter((list) => list !== algorithmsOf[key])
      .flat()
    const optionsFor = async (): Promise<Partial<VerifierOptions>> =>
      key === 'secret' ? { secret } : { publicKey: await publicJwk(key) }

    suite.test(`${key} does not match ${others.join(', ')}`, async () => {
      const options = await optionsFor()
      for (const algorithms of [[...others], others.slice(0, 1)]) {
        await rejects(() => createTestVerifier(lib, { ...options, algorithms }), 'ERR_KEY_ALGORITHM_MISMATCH')
      }
    })

    suite.test(`${key} verifies only its algorithms in the list`, async () => {
      const wanted = algorithmsOf[key][0]
      const options = { ...(await optionsFor()), algorithms: [...others, wanted] }
      const verifier = await createTestVerifier(lib, options)
      const material = key === 'secret' ? secret : await privateJwk(key)
      for (const algorithm of algorithmsOf[key]) {
        const token = await forge({}, { algorithm, key: material })
        if (algorithm === wanted) equal((await verifier.verify(token)).algorithm, wanted)
        else await rejects(() => verifier.verify(token), 'ERR_TOKEN_ALGORITHM_NOT_ALLOWED')
      }
    })
  }

  suite.test('a JWK whose alg is not in the list', async () => {
    const publicKey = { ...(await publicJwk('RSA')), alg: 'RS256' }
    const options = { publicKey, algorithms: ['PS256', 'RS512'] }
    await rejects(() => createLooseVerifier(lib, options), 'ERR_KEY_ALGORITHM_MISMATCH')
  })

  suite.test('a key set with only HS algorithms in the list', async () => {
    const options = { jwks: { keys: [await publicJwk('P-256')] }, algorithms: ['HS256', 'HS512'] }
    await rejects(() => createLooseVerifier(lib, options), 'ERR_KEY_ALGORITHM_MISMATCH')
  })
}
