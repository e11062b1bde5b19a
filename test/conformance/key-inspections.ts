import { toBase64url, toPem, utf8 } from './encoding.ts'
import { refusesWithoutPoint } from './gaps.ts'
import * as shapes from './key-shapes.ts'
import { privateJwk, publicHalf, unusualRsaJwk } from './keys.ts'
import type { ConformanceModule } from './suite.ts'
import { assert, equal } from './suite.ts'
import { createTestSigner, importFor, secret } from './tokens.ts'

export const keyInspections: ConformanceModule = (suite, lib) => {
  const rsa = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512']

  suite.test('an EC key in every form', async () => {
    const jwk = await privateJwk('P-384')
    const { keyId } = await createTestSigner(lib, { privateKey: jwk, keyId: 'thumbprint' })
    for (const [key, format, half] of [
      [shapes.privatePem(jwk), 'PKCS#8 PEM', 'private'],
      [shapes.sec1(jwk), 'SEC 1 DER', 'private'],
      [jwk, 'JWK', 'private'],
      [shapes.publicPem(jwk), 'SPKI PEM', 'public'],
      [shapes.certificate(jwk), 'X.509 certificate DER', 'public'],
      [publicHalf(jwk), 'JWK', 'public'],
      [JSON.stringify(publicHalf(jwk)), 'JWK', 'public'],
    ] as const) {
      const inspection = await lib.inspectKey(key)
      equal(
        { ...inspection, publicJwk: undefined },
        {
          format,
          half,
          algorithms: ['ES384'],
          problems: [],
          type: 'EC',
          curve: 'P-384',
          bits: 384,
          keyId,
          publicJwk: undefined,
          publicKey: shapes.publicPem(jwk),
        },
        format,
      )
      equal({ ...inspection.publicJwk }, { ...publicHalf(jwk), kid: keyId })
    }
  })

  suite.test('an RSA key in every form', async () => {
    const jwk = await privateJwk('RSA')
    for (const [key, format] of [
      [toPem('RSA PRIVATE KEY', shapes.pkcs1(jwk)), 'PKCS#1 PEM'],
      [shapes.pkcs8(jwk), 'PKCS#8 DER'],
      [shapes.pkcs1Public(jwk), 'PKCS#1 public key DER'],
      [jwk, 'JWK'],
    ] as const) {
      const inspection = await lib.inspectKey(key)
      equal([inspection.format, inspection.type, inspection.bits], [format, 'RSA', 2048])
      equal([inspection.algorithms, inspection.problems], [rsa, []])
      equal(inspection.publicKey, shapes.publicPem(jwk))
    }
  })

  suite.test('an EC key without its public point', async () => {
    const jwk = await privateJwk('P-256')
    const key = shapes.pkcs8(jwk, { publicKey: 'none' })
    if (await refusesWithoutPoint(lib, 'P-256', key)) return
    equal((await lib.inspectKey(key)).publicKey, shapes.publicPem(jwk))
  })

  suite.test('a JWK with alg', async () => {
    const jwk = { ...(await privateJwk('RSA')), alg: 'PS256' }
    equal((await lib.inspectKey(jwk)).algorithms, ['PS256'])
  })

  suite.test('CryptoKeys, extractable and not', async () => {
    const jwk = await privateJwk('P-256')
    const open = await lib.inspectKey(await importFor('ES256', jwk, 'sign', true))
    equal([open.format, open.half, open.algorithms], ['CryptoKey', 'private', ['ES256']])
    equal(open.publicKey, shapes.publicPem(jwk))
    const closed = await lib.inspectKey(await importFor('ES256', jwk, 'sign', false))
    equal([closed.bits, closed.keyId, closed.problems], [256, undefined, []])
    const shared = await lib.inspectKey(await importFor('HS256', secret, 'sign'))
    equal([shared.half, shared.problems.length], ['unknown', 1])
  })

  suite.test('problems have the codes that createSigner throws', async () => {
    const ec = await privateJwk('P-256')
    const cases: [unknown, string][] = [
      [unusualRsaJwk(1024, 65_537n), 'ERR_KEY_WEAK'],
      [publicHalf(unusualRsaJwk(2041, 65_537n)), 'ERR_KEY_WEAK'],
      [{ ...ec, use: 'enc' }, 'ERR_KEY_ALGORITHM_MISMATCH'],
      [{ ...ec, alg: 'ES384' }, 'ERR_KEY_ALGORITHM_MISMATCH'],
      [{ ...publicHalf(ec), x: ec.y }, 'ERR_KEY_INVALID'],
      [shapes.secp256k1Jwk(), 'ERR_KEY_FORMAT_UNSUPPORTED'],
      [toPem('ENCRYPTED PRIVATE KEY', shapes.encryptedPkcs8()), 'ERR_KEY_FORMAT_UNSUPPORTED'],
      [{ kty: 'oct', k: toBase64url(utf8(secret)) }, 'ERR_KEY_FORMAT_UNSUPPORTED'],
      ['-----BEGIN PRIVATE KEY-----\nAAAA', 'ERR_KEY_INVALID'],
      ['key.pem', 'ERR_KEY_INVALID'],
      ['', 'ERR_KEY_INVALID'],
      [null, 'ERR_KEY_INVALID'],
      [undefined, 'ERR_KEY_INVALID'],
      [42, 'ERR_KEY_INVALID'],
    ]
    for (const [key, code] of cases) {
      const { problems, algorithms } = await lib.inspectKey(key)
      equal([problems[0]?.code, algorithms], [code, []], JSON.stringify(problems))
    }
  })

  suite.test('never throws, even for objects whose getters throw', async () => {
    const hostile = new Proxy(
      {},
      {
        has: () => true,
        get: () => {
          throw new Error('s3cr3t')
        },
      },
    )
    const { problems } = await lib.inspectKey(hostile)
    assert(problems.length === 1 && !JSON.stringify(problems).includes('s3cr3t'))
  })

  suite.test('never returns private components', async () => {
    for (const jwk of [await privateJwk('P-256'), await privateJwk('RSA'), unusualRsaJwk(1024, 65_537n)]) {
      const shown = JSON.stringify(await lib.inspectKey(jwk))
      for (const member of [jwk.d, jwk.p, jwk.q, jwk.dp, jwk.dq, jwk.qi])
        assert(member === undefined || !shown.includes(member), shown)
    }
  })
}
