import type { Customer, SignerOptions } from '../../src/index.ts'
import { toPem, utf8 } from './encoding.ts'
import { replaceFor } from './globals.ts'
import * as shapes from './key-shapes.ts'
import { privateJwk, publicJwk } from './keys.ts'
import type { ConformanceModule } from './suite.ts'
import { assert, equal } from './suite.ts'
import { createTestVerifier, keysFor } from './token-fixtures.ts'
import {
  algorithms,
  createTestSigner,
  customer,
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

const payload = JSON.stringify({ ...customer, iat: issuedAt, exp: issuedAt + 7200, iss: workspaceKey })

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
    const options = Object.freeze({
      workspaceKey,
      privateKey,
      now: () => issuedAt * 1000,
      trustedBrowser: true,
    })
    const signer = await lib.createSigner(options)
    const { token } = await signer.signCustomerToken(
      deepFreeze(copyOf(customer)),
      deepFreeze({ expiresIn: 60 }),
    )
    assert(await verifies(token, 'RS256', await publicJwk('RSA')), 'the signature does not verify')
  })

  suite.test('later changes to the options have no effect', async () => {
    const bytes = utf8(secret)
    const options: SignerOptions = {
      workspaceKey,
      secret: bytes,
      now: () => issuedAt * 1000,
      trustedBrowser: true,
    }
    const creating = lib.createSigner(options)
    bytes.fill(0)
    Object.assign(options, { workspaceKey: 'other', keyId: 'other', claimStyle: 'tenant', now: () => 0 })
    const { token } = await (await creating).signCustomerToken(customer)
    equal(token, await expectedToken('HS512', secret, headerOf('HS512'), payload))
  })

  suite.test('later changes to a JWK have no effect', async () => {
    const jwk = await privateJwk('P-256')
    const creating = createTestSigner(lib, { privateKey: jwk })
    Object.assign(jwk, await privateJwk('other P-256'))
    const signer = await creating
    Object.assign(jwk, { d: '' })
    const { token } = await signer.signCustomerToken(customer)
    assert(await verifies(token, 'ES256', await publicJwk('P-256')), 'signed with the key that came later')
  })

  suite.test('later changes to a private key’s bytes have no effect', async () => {
    const privateKey = shapes.pkcs8(await privateJwk('P-256'))
    const creating = createTestSigner(lib, { privateKey })
    privateKey.fill(0)
    const { token } = await (await creating).signCustomerToken(customer)
    assert(await verifies(token, 'ES256', await publicJwk('P-256')), 'signed with the bytes that came later')
  })

  suite.test('changes to the customer while signing have no effect', async () => {
    const signer = await createTestSigner(lib, { secret })
    const given: Customer = copyOf(customer)
    const options = { expiresIn: 7200, expiresAt: undefined as unknown as Date }
    const signing = signer.signCustomerToken(given, options)
    Object.assign(given.fields ?? {}, { userField: 'other' })
    Object.assign(given, { id: 'other', name: 'other' })
    options.expiresIn = 1
    const { token } = await signing
    equal(token, await expectedToken('HS512', secret, headerOf('HS512'), payload))
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
  const ids = Array.from({ length: 50 }, (_, index) => `customer-${index}`)

  suite.test('fifty concurrent tokens equal fifty sequential ones', async () => {
    const signer = await createTestSigner(lib, { secret })
    const together = await Promise.all(ids.map((id) => signer.signCustomerToken({ ...customer, id })))
    for (const [index, id] of ids.entries()) {
      equal(together[index]?.token, (await signer.signCustomerToken({ ...customer, id })).token)
    }
  })

  suite.test('fifty concurrent tokens with an elliptic curve', async () => {
    const signer = await createTestSigner(lib, { privateKey: await privateJwk('P-256') })
    const together = await Promise.all(ids.map((id) => signer.signCustomerToken({ id })))
    const key = await publicJwk('P-256')
    for (const [index, { token }] of together.entries()) {
      equal(decode(token).claims.id, ids[index])
      assert(await verifies(token, 'ES256', key), 'the signature does not verify')
    }
  })

  suite.test('concurrent tokens of all algorithms and lengths do not mix', async () => {
    const signers = await Promise.all(
      algorithms.map(async (algorithm) =>
        createTestSigner(lib, { ...(await keysFor(algorithm))[0], algorithm }),
      ),
    )
    // The longest is too long for a token, and fails among the others.
    const customers = [0, 5000, 1, 9000, 700].map((length) => ({ id: 'c', name: 'é'.repeat(length / 2) }))
    const pairs = signers.flatMap((signer) => customers.map((customer) => ({ signer, customer })))
    const results = await Promise.allSettled(
      pairs.map(({ signer, customer }) => signer.signCustomerToken(customer)),
    )
    for (const [index, { signer, customer }] of pairs.entries()) {
      const result = results[index]
      if (result?.status !== 'fulfilled') {
        equal(customer.name.length, 4500)
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

  // Wrappers for tracing do so, though Web Crypto may not.
  suite.test('an engine that reads its input late never mixes two tokens', async () => {
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

  suite.test('one failure does not affect the others', async () => {
    const signer = await createTestSigner(lib, { secret })
    const results = await Promise.allSettled(['a', '', 'b'].map((id) => signer.signCustomerToken({ id })))
    equal(
      results.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled'],
    )
  })

  suite.test('two signers are independent', async () => {
    const one = await createTestSigner(lib, { secret, workspaceKey: 'one' })
    const two = await createTestSigner(lib, {
      secret: secret.toUpperCase(),
      workspaceKey: 'two',
      claimStyle: 'tenant',
    })
    const [first, second] = await Promise.all([one.signAdminToken(), two.signAdminToken()])
    equal([decode(first.token).claims.iss, decode(second.token).claims.workspaceKey], ['one', 'two'])
    assert(await verifies(second.token, 'HS512', secret.toUpperCase()), 'signed with the key of the other')
  })
}

export const imports: ConformanceModule = (suite, lib) => {
  const materials: [string, () => Promise<Partial<SignerOptions>>][] = [
    ['a secret', async () => ({ secret })],
    ['PKCS#8', async () => ({ privateKey: shapes.privatePem(await privateJwk('P-256')) })],
    ['SEC1', async () => ({ privateKey: shapes.sec1(await privateJwk('P-256')) })],
    ['PKCS#1', async () => ({ privateKey: shapes.pkcs1(await privateJwk('RSA')) })],
    ['a JWK', async () => ({ privateKey: await privateJwk('P-256') })],
  ]

  for (const [title, make] of materials) {
    suite.test(`${title} is imported for signing once, and not extractable`, async () => {
      const options = await make()
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
