import type { Algorithm, VerifierOptions } from '../../src/index.ts'
import { toPem } from './encoding.ts'
import type { Container } from './key-forms.ts'
import { testPemVariants } from './key-forms.ts'
import * as shapes from './key-shapes.ts'
import type { Jwk } from './keys.ts'
import { privateJwk, publicHalf, publicJwk, unusualRsaJwk } from './keys.ts'
import type { ConformanceModule, Library } from './suite.ts'
import { equal, rejects } from './suite.ts'
import { createTestVerifier, forge } from './token-fixtures.ts'
import { asymmetricAlgorithms, customer, importFor, keyNameFor } from './tokens.ts'

type PublicKey = NonNullable<VerifierOptions['publicKey']>

/** The verifier must use the same key in every format: it verifies a token of the private key. */
async function verifiesAs(lib: Library, publicKey: PublicKey, jwk: Jwk, algorithm: Algorithm): Promise<void> {
  const verifier = await createTestVerifier(lib, { publicKey })
  const verified = await verifier.verify(await forge({}, { algorithm, key: jwk }))
  equal([verified.kind === 'customer' && verified.id, verified.algorithm], [customer.id, algorithm])
}

const rsa = { key: 'RSA', algorithm: 'RS256' } as const

const containers: Container[] = [
  ...(['ES256', 'ES384', 'ES512', 'RS256'] as const).flatMap((algorithm): Container[] => {
    const key = keyNameFor(algorithm)
    const certificate = { key, algorithm, label: 'CERTIFICATE' }
    const version1 = (jwk: Jwk) => shapes.certificate(jwk, { version: 1 })
    return [
      { title: `SPKI of ${key}`, key, algorithm, label: 'PUBLIC KEY', der: shapes.spki },
      { ...certificate, title: `certificate of ${key}`, der: shapes.certificate },
      { ...certificate, title: `certificate of version 1 of ${key}`, der: version1 },
    ]
  }),
  { ...rsa, title: 'PKCS#1 public key', label: 'RSA PUBLIC KEY', der: shapes.pkcs1Public },
]

export const publicKeyForms: ConformanceModule = (suite, lib) => {
  for (const { title, key, label, algorithm, der } of containers) {
    suite.test(`${title} as PEM and DER`, async () => {
      const jwk = await privateJwk(key)
      await verifiesAs(lib, toPem(label, der(jwk)), jwk, algorithm)
      await verifiesAs(lib, der(jwk), jwk, algorithm)
    })
  }

  for (const algorithm of asymmetricAlgorithms) {
    suite.test(`JWK and CryptoKey of ${algorithm}`, async () => {
      const jwk = await privateJwk(keyNameFor(algorithm))
      const half = publicHalf(jwk)
      const labels = { alg: algorithm, use: 'sig', key_ops: ['verify'], kid: 'k1', ext: true }
      for (const publicKey of [half, { ...half, ...labels }]) {
        await verifiesAs(lib, publicKey, jwk, algorithm)
        await verifiesAs(lib, JSON.stringify(publicKey), jwk, algorithm)
        await verifiesAs(lib, `\n${JSON.stringify(publicKey, null, 2)}\n`, jwk, algorithm)
      }
      for (const extractable of [true, false]) {
        const publicKey = await importFor(algorithm, half, 'verify', extractable)
        await verifiesAs(lib, publicKey, jwk, algorithm)
      }
    })
  }

  suite.test('an RSA key without alg verifies RS* and PS*, and with alg only that algorithm', async () => {
    const jwk = await privateJwk('RSA')
    const [open, pinned] = await Promise.all(
      [publicHalf(jwk), { ...publicHalf(jwk), alg: 'PS384' }].map((publicKey) =>
        createTestVerifier(lib, { publicKey }),
      ),
    )
    for (const algorithm of ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'] as const) {
      const token = await forge({}, { algorithm, key: jwk })
      equal((await open?.verify(token))?.algorithm, algorithm)
      if (algorithm === 'PS384') equal((await pinned?.verify(token))?.algorithm, algorithm)
      else await rejects(() => pinned?.verify(token), 'ERR_TOKEN_ALGORITHM_NOT_ALLOWED')
    }
  })

  suite.test('a CryptoKey verifies only the algorithm it was imported for', async () => {
    const jwk = await privateJwk('RSA')
    const publicKey = await importFor('RS256', publicHalf(jwk), 'verify')
    const verifier = await createTestVerifier(lib, { publicKey })
    for (const algorithm of ['RS384', 'PS256'] as const) {
      const token = await forge({}, { algorithm, key: jwk })
      await rejects(() => verifier.verify(token), 'ERR_TOKEN_ALGORITHM_NOT_ALLOWED')
    }
  })

  suite.test('DER in a view of a larger buffer', async () => {
    const jwk = await privateJwk('P-256')
    const der = shapes.spki(jwk)
    const buffer = new Uint8Array(der.length + 64).fill(0xff)
    buffer.set(der, 32)
    await verifiesAs(lib, buffer.subarray(32, 32 + der.length), jwk, 'ES256')
  })

  suite.test('the first certificate of a chain is used', async () => {
    const jwk = await privateJwk('P-256')
    const issuer = shapes.certificatePem(await publicJwk('RSA'))
    await verifiesAs(lib, shapes.certificatePem(jwk) + issuer, jwk, 'ES256')
  })

  suite.test('certificates by kid, as Google publishes them', async () => {
    const [ec, rsa] = [await privateJwk('P-256'), await privateJwk('RSA')]
    const jwks = {
      a: shapes.certificatePem(ec),
      b: shapes.certificatePem(rsa),
    }
    const verifier = await createTestVerifier(lib, { jwks: jwks as never })
    const token = await forge({}, { algorithm: 'RS256', key: rsa, header: { kid: 'b' } })
    equal((await verifier.verify(token)).keyId, 'b')
    const wrong = await forge({}, { algorithm: 'RS256', key: rsa, header: { kid: 'a' } })
    await rejects(() => verifier.verify(wrong), 'ERR_TOKEN_ALGORITHM_NOT_ALLOWED')
    for (const broken of [{ a: 'x' }, { a: jwks.a, b: 'x' }, { a: jwks.a.slice(0, 200) }])
      await rejects(() => createTestVerifier(lib, { jwks: broken as never }), 'ERR_KEY_INVALID')
  })

  suite.test('an exponent of 3 is unusual but valid', async () => {
    const jwk = unusualRsaJwk(2048, 3n)
    for (const publicKey of [publicHalf(jwk), shapes.spki(jwk), shapes.pkcs1Public(jwk)]) {
      await verifiesAs(lib, publicKey, jwk, 'RS256')
    }
  })

  suite.test('inputs are not changed or frozen', async () => {
    const jwk = { ...(await publicJwk('P-256')), key_ops: ['verify'] }
    const der = shapes.spki(jwk)
    const [text, bytes] = [JSON.stringify(jwk), [...der]]
    for (const publicKey of [jwk, der]) await createTestVerifier(lib, { publicKey })
    equal([JSON.stringify(jwk), [...der]], [text, bytes])
    equal(
      [Object.isFrozen(jwk), Object.isFrozen(jwk.key_ops), Object.isExtensible(jwk)],
      [false, false, true],
    )
    await createTestVerifier(lib, { publicKey: Object.freeze({ ...jwk }) })
  })

  suite.test('later changes to a key have no effect', async () => {
    const [jwk, der] = [await publicJwk('P-256'), shapes.spki(await publicJwk('P-256'))]
    const creating = [jwk, der].map((publicKey) => createTestVerifier(lib, { publicKey }))
    Object.assign(jwk, await publicJwk('other P-256'))
    der.fill(0)
    const token = await forge({}, { algorithm: 'ES256', key: await privateJwk('P-256') })
    for (const verifier of await Promise.all(creating)) equal((await verifier.verify(token)).kind, 'customer')
  })
}

export const publicPemVariants: ConformanceModule = (suite, lib) => {
  const titles = ['SPKI of P-256', 'certificate of P-521', 'PKCS#1 public key']
  for (const container of containers.filter(({ title }) => titles.includes(title))) {
    testPemVariants(suite, container, (pem, jwk) => verifiesAs(lib, pem, jwk, container.algorithm))
  }
}
