import type { Customer, SignerOptions } from '../../src/index.ts'
import { toPem, utf8 } from './encoding.ts'
import { replaceFor } from './globals.ts'
import * as shapes from './key-shapes.ts'
import type { TestKeys } from './keys.ts'
import { privateJwk, publicJwk, testKeys } from './keys.ts'
import type { ConformanceModule } from './suite.ts'
import { assert, equal } from './suite.ts'
import { createTestVerifier, keysFor } from './token-fixtures.ts'
import {
  algorithms,
  createTestSigner,
  customer,
  customerPayload,
  decode,
  expectedToken,
  headerOf,
  issuedAt,
  keyNameFor,
  secret,
  verifies,
  workspaceKey,
} from './tokens.ts'

function copyOf<Value>(value: Value): Value {
  return JSON.parse(JSON.stringify(value)) as Value
}

function deepFreeze<Value extends object>(value: Value): Value {
  for (const member of Object.values(value)) if (typeof member === 'object' && member) deepFreeze(member)
  return Object.freeze(value)
}

export const inputs: ConformanceModule = (suite, lib) => {
  suite.test('inputs are not changed or frozen', async () => {
    const jwk = { ...(await privateJwk('P-256')), key_ops: ['sign'] }
    const options = { workspaceKey, privateKey: jwk, now: () => issuedAt * 1000, trustedBrowser: true }
    const given = copyOf(customer)
    const tokenOptions = { expiresIn: 60 }
    const before = copyOf([options, given, tokenOptions])
    const signer = await lib.createSigner(options)
    await signer.signCustomerToken(given, tokenOptions)
    await signer.signAdminToken(tokenOptions)
    equal(copyOf([options, given, tokenOptions]), before)
    for (const value of [options, jwk, jwk.key_ops, given, given.fields, tokenOptions]) {
      assert(Object.isExtensible(value) && !Object.isFrozen(value), 'an input was frozen')
    }
  })

  suite.test('bytes passed as input are not changed', async () => {
    const der = shapes.pkcs8(await privateJwk('P-256'))
    const pem = utf8(toPem('EC PRIVATE KEY', shapes.sec1(await privateJwk('P-256'))))
    for (const privateKey of [der, pem]) {
      const before = [...privateKey]
      await createTestSigner(lib, { privateKey })
      equal([...privateKey], before)
    }
    const bytes = utf8(secret)
    await createTestSigner(lib, { secret: bytes })
    equal([...bytes], [...utf8(secret)])
  })

  suite.test('inputs may be frozen', async () => {
    const privateKey = deepFreeze({ ...(await privateJwk('RSA')), key_ops: ['sign'] })
    const options = { workspaceKey, privateKey, now: () => issuedAt * 1000, trustedBrowser: true }
    const signer = await lib.createSigner(Object.freeze(options))
    const tokenOptions = deepFreeze({ expiresIn: 60 })
    const { token } = await signer.signCustomerToken(deepFreeze(copyOf(customer)), tokenOptions)
    assert(await verifies(token, 'RS256', await publicJwk('RSA')), 'the signature does not verify')
  })

  suite.test('later changes to the options have no effect', async () => {
    const bytes = utf8(secret)
    const options = { workspaceKey, secret: bytes, now: () => issuedAt * 1000, trustedBrowser: true }
    const creating = lib.createSigner(options)
    bytes.fill(0)
    Object.assign(options, { workspaceKey: 'other', keyId: 'other', claimStyle: 'tenant', now: () => 0 })
    const { token } = await (await creating).signCustomerToken(customer)
    equal(token, await expectedToken('HS512', secret, headerOf('HS512'), customerPayload))
  })

  suite.test('later changes to a JWK have no effect', async () => {
    const jwk = await privateJwk('P-256')
    const creating = createTestSigner(lib, { privateKey: jwk })
    Object.assign(jwk, await privateJwk('other P-256'))
    const signer = await creating
    Object.assign(jwk, { d: '' })
    const { token } = await signer.signCustomerToken(customer)
    assert(await verifies(token, 'ES256', await publicJwk('P-256')), 'signed with the later key')
  })

  suite.test('later changes to a private key’s bytes have no effect', async () => {
    const privateKey = shapes.pkcs8(await privateJwk('P-256'))
    const creating = createTestSigner(lib, { privateKey })
    privateKey.fill(0)
    const { token } = await (await creating).signCustomerToken(customer)
    assert(await verifies(token, 'ES256', await publicJwk('P-256')), 'signed with the later bytes')
  })

  suite.test('changes to the customer while signing have no effect', async () => {
    const signer = await createTestSigner(lib, { secret })
    const given: Customer = copyOf(customer)
    const options = { expiresIn: 7200 }
    const signing = signer.signCustomerToken(given, options)
    Object.assign(given.fields ?? {}, { userField: 'other' })
    Object.assign(given, { id: 'other', name: 'other' })
    options.expiresIn = 1
    const { token } = await signing
    equal(token, await expectedToken('HS512', secret, headerOf('HS512'), customerPayload))
  })

  suite.test('changes to results do not affect the signer', async () => {
    const signer = await createTestSigner(lib, { secret })
    const signed = await signer.signAdminToken()
    signed.expiresAt.setTime(0)
    signed.issuedAt.setTime(0)
    const again = await signer.signAdminToken()
    equal([again.issuedAt.getTime(), again.expiresAt.getTime()], [issuedAt * 1000, (issuedAt + 7200) * 1000])
  })
}

export const concurrency: ConformanceModule = (suite, lib) => {
  suite.test('50 concurrent tokens equal 50 sequential ones', async () => {
    const ids = Array.from({ length: 50 }, (_, index) => `customer-${index}`)
    const signer = await createTestSigner(lib, { secret })
    const together = await Promise.all(ids.map((id) => signer.signCustomerToken({ ...customer, id })))
    for (const [index, id] of ids.entries()) {
      equal(together[index]?.token, (await signer.signCustomerToken({ ...customer, id })).token)
    }
  })

  suite.test('concurrent tokens of all algorithms and lengths do not mix', async () => {
    const signers = await Promise.all(
      algorithms.map(async (algorithm) =>
        createTestSigner(lib, { ...(await keysFor(algorithm))[0], algorithm }),
      ),
    )
    // The longest name is too long for a token.
    const customers = [0, 5000, 1, 9000, 700].map((length) => ({ id: 'c', name: 'é'.repeat(length / 2) }))
    const pairs = signers.flatMap((signer) => customers.map((customer) => ({ signer, customer })))
    const results = await Promise.allSettled(
      pairs.map(({ signer, customer }) => signer.signCustomerToken(customer)),
    )
    for (const [index, { signer, customer }] of pairs.entries()) {
      const result = results[index]
      if (result?.status !== 'fulfilled') {
        equal(customer.name.length, 4500, 'only the longest fails')
        continue
      }
      const { token } = result.value
      equal(decode(token).claims.name, customer.name)
      const isSecret = signer.algorithm.startsWith('HS')
      const key = isSecret ? secret : await publicJwk(keyNameFor(signer.algorithm))
      assert(await verifies(token, signer.algorithm, key), `${signer.algorithm}: it does not verify`)
    }
    equal(results.filter(({ status }) => status === 'rejected').length, signers.length)
  })

  // Web Crypto copies its input at once, but wrappers for tracing may read it later.
  suite.test('two tokens do not mix if the engine reads its input late', async () => {
    const verifier = await createTestVerifier(lib, { secret })
    const signer = await createTestSigner(lib, { secret })
    const { subtle } = crypto
    const [sign, verify] = [subtle.sign.bind(subtle), subtle.verify.bind(subtle)]
    const lateSign: SubtleCrypto['sign'] = async (...args) => Promise.resolve().then(() => sign(...args))
    const lateVerify: SubtleCrypto['verify'] = async (...args) =>
      Promise.resolve().then(() => verify(...args))
    await replaceFor(subtle, 'sign', lateSign, () =>
      replaceFor(subtle, 'verify', lateVerify, async () => {
        const ids = ['mallory', 'victims']
        const signed = await Promise.all(ids.map((id) => signer.signCustomerToken({ id })))
        for (const { token } of signed) assert(await verifies(token, 'HS512', secret), 'mixed when signing')
        const [mine, theirs] = signed.map(({ token }) => token.split('.')) as [string[], string[]]
        const forged = [theirs[0], theirs[1], mine[2]].join('.')
        const results = await Promise.allSettled(
          [forged, mine.join('.')].map((token) => verifier.verify(token)),
        )
        equal(
          results.map(({ status }) => status),
          ['rejected', 'fulfilled'],
          'mixed when verifying',
        )
      }),
    )
  })

  suite.test('two signers are independent', async () => {
    const one = await createTestSigner(lib, { secret, workspaceKey: 'one' })
    const other = { secret: secret.toUpperCase(), workspaceKey: 'two', claimStyle: 'tenant' } as const
    const two = await createTestSigner(lib, other)
    const [first, second] = await Promise.all([one.signAdminToken(), two.signAdminToken()])
    equal([decode(first.token).claims.iss, decode(second.token).claims.workspaceKey], ['one', 'two'])
    assert(
      await verifies(second.token, 'HS512', secret.toUpperCase()),
      'signed with the key of the other signer',
    )
  })
}

export const imports: ConformanceModule = (suite, lib) => {
  const materials: [title: string, write: (keys: TestKeys) => Partial<SignerOptions>][] = [
    ['a secret', () => ({ secret })],
    ['PKCS#8', ({ ec }) => ({ privateKey: shapes.privatePem(ec) })],
    ['SEC1', ({ ec }) => ({ privateKey: shapes.sec1(ec) })],
    ['PKCS#1', ({ rsa }) => ({ privateKey: shapes.pkcs1(rsa) })],
    ['a JWK', ({ ec }) => ({ privateKey: ec })],
  ]

  for (const [title, write] of materials) {
    suite.test(`${title} is imported once for signing, and not extractable`, async () => {
      const options = write(await testKeys())
      const calls: [extractable: boolean, usages: string[]][] = []
      const { importKey } = crypto.subtle
      const spy = (...args: Parameters<SubtleCrypto['importKey']>) => {
        calls.push([args[3], [...args[4]]])
        return importKey.apply(crypto.subtle, args)
      }
      await replaceFor(crypto.subtle, 'importKey', spy, async (replaced) => {
        const signer = await createTestSigner(lib, options)
        const created = calls.length
        await Promise.all(Array.from({ length: 10 }, () => signer.signCustomerToken(customer)))
        await signer.signAdminToken()
        equal(calls.length, created, 'imported again while signing')
        const forSigning = calls.filter(([, usages]) => usages.includes('sign'))
        if (replaced) equal(forSigning, [[false, ['sign']]])
      })
    })
  }
}
