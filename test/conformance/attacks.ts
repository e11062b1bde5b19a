import type { Algorithm, Verifier } from '../../src/index.ts'
import * as der from './der.ts'
import { fromBase64url, toBase64, toBase64url, utf8 } from './encoding.ts'
import { orders } from './key-numbers.ts'
import { respondWithKeys, withKeyServer } from './key-server.ts'
import * as shapes from './key-shapes.ts'
import type { Curve, Jwk } from './keys.ts'
import { base64urlNumber, privateJwk, publicHalf, publicJwk } from './keys.ts'
import type { ConformanceModule } from './suite.ts'
import { equal, rejects } from './suite.ts'
import { createTestVerifier, encodePart, forge, goodClaims, verify } from './token-fixtures.ts'
import { algorithms, customer, decode, keyNameFor, secret } from './tokens.ts'

type Bytes = der.Bytes

/** RFC 8725 section 3.1: the key determines the algorithm, not the token. */
export const algorithmAttacks: ConformanceModule = (suite, lib) => {
  async function createVerifiers(): Promise<Verifier[]> {
    const publicKey = await publicJwk('P-256')
    const options = [{ secret }, { publicKey }, { jwks: { keys: [{ ...publicKey, kid: 'k1' }] } }]
    return Promise.all(options.map((each) => createTestVerifier(lib, each)))
  }

  for (const alg of caseMixes('none')) {
    suite.test(`alg ${alg}, with and without a signature`, async () => {
      for (const verifier of await createVerifiers()) {
        const signingInput = `${encodePart({ alg, typ: 'JWT' })}.${encodePart({}, goodClaims)}`
        const genuine = await forge({}, { header: { alg } })
        for (const token of [`${signingInput}.`, `${signingInput}.AAAA`, genuine]) {
          await rejects(() => verifier.verify(token), 'ERR_TOKEN_ALGORITHM_NOT_ALLOWED')
        }
      }
    })
  }

  for (const alg of [
    ...['', ' HS512', 'HS512 ', 'hs512', 'HS1', 'EdDSA', 'ES256K', 'toString', '__proto__', 'RSA1_5'],
    ...[null, 512, true, ['HS512'], { name: 'HS512' }, undefined],
  ]) {
    suite.test(`alg ${JSON.stringify(alg)}`, async () => {
      const token = await forge({}, { header: { alg } })
      for (const verifier of await createVerifiers()) {
        await rejects(() => verifier.verify(token), 'ERR_TOKEN_ALGORITHM_NOT_ALLOWED')
      }
    })
  }

  suite.test('algorithm confusion: a public key used as HMAC secret', async () => {
    const jwk = await publicJwk('RSA')
    const pem = shapes.publicPem(jwk)
    const encodings = [pem, pem.trim(), shapes.spki(jwk), shapes.pkcs1Public(jwk), JSON.stringify(jwk)]
    for (const publicKey of [pem, jwk, { ...jwk, alg: 'RS256' }]) {
      const one = await createTestVerifier(lib, { publicKey })
      const set = await createTestVerifier(lib, { jwks: { keys: [{ ...jwk, kid: 'k1' }] } })
      for (const key of [...encodings, jwk.n ?? '']) {
        for (const algorithm of ['HS256', 'HS384', 'HS512'] as const) {
          const token = await forge({}, { algorithm, key, header: { kid: 'k1' } })
          await rejects(() => one.verify(token), 'ERR_TOKEN_ALGORITHM_NOT_ALLOWED')
          await rejects(() => set.verify(token), 'ERR_TOKEN_ALGORITHM_NOT_ALLOWED')
        }
      }
    }
    await rejects(() => createTestVerifier(lib, { secret: pem }), 'ERR_KEY_FORMAT_UNSUPPORTED')
  })

  suite.test('the type and curve of a JWK without alg determine its algorithms', async () => {
    for (const key of ['P-256', 'P-384', 'P-521', 'RSA'] as const) {
      const jwk = await publicJwk(key)
      const one = await createTestVerifier(lib, { publicKey: jwk })
      const set = await createTestVerifier(lib, { jwks: { keys: [{ ...jwk, kid: 'k1' }] } })
      for (const algorithm of algorithms) {
        if (!algorithm.startsWith('HS') && keyNameFor(algorithm) === key) continue
        const material = algorithm.startsWith('HS') ? secret : await privateJwk(keyNameFor(algorithm))
        const token = await forge({}, { algorithm, key: material, header: { kid: 'k1' } })
        await rejects(() => one.verify(token), 'ERR_TOKEN_ALGORITHM_NOT_ALLOWED')
        await rejects(() => set.verify(token), 'ERR_TOKEN_ALGORITHM_NOT_ALLOWED')
      }
    }
  })
}

/** RFC 8725 section 3.10: keys and URLs in the header are neither trusted nor fetched. */
export const headerAttacks: ConformanceModule = (suite, lib) => {
  const url = 'https://attacker.example/keys'
  const embedded: [title: string, write: (attacker: Jwk) => object][] = [
    ['jwk', (attacker) => ({ jwk: publicHalf(attacker) })],
    ['private jwk', (attacker) => ({ jwk: attacker })],
    ['symmetric jwk', () => ({ jwk: { kty: 'oct', k: toBase64url(utf8(secret)) } })],
    ['jku', () => ({ jku: url })],
    ['jku and kid', () => ({ jku: url, kid: 'k1' })],
    ['x5u', () => ({ x5u: url })],
    ['x5c', (attacker) => ({ x5c: [toBase64(shapes.certificate(attacker))] })],
    ['x5t', () => ({ x5t: 'A'.repeat(27), 'x5t#S256': 'A'.repeat(43) })],
  ]
  for (const [title, write] of embedded) {
    suite.test(`embedded ${title} is neither trusted nor fetched`, async () => {
      const [key, attacker] = [await privateJwk('P-256'), await privateJwk('other P-256')]
      const header = write(attacker)
      const forged = await forge({}, { header, algorithm: 'ES256', key: attacker })
      const genuine = await forge({}, { header, algorithm: 'ES256', key })
      const publicKey = publicHalf(key)
      await withKeyServer(respondWithKeys(publicHalf(attacker)), async (server) => {
        for (const options of [{ publicKey }, { jwks: { keys: [{ ...publicKey, kid: 'k1' }] } }]) {
          const verifier = await createTestVerifier(lib, options)
          await rejects(() => verifier.verify(forged), 'ERR_TOKEN_SIGNATURE_INVALID')
          equal((await verifier.verify(genuine)).kind, 'customer')
        }
        equal(server.requests.length, 0)
      })
    })
  }

  const keyIds = [
    ...['../../../../../../dev/null', '/dev/null', 'file:///etc/passwd', 'C:\\Windows\\win.ini'],
    ...["' UNION SELECT 'secret'; --", '; DROP TABLE keys', '$(id)', '%00', '&#x27; OR 1=1'],
    ...['__proto__', 'constructor', 'toString', '0', 'length', '', 'k1\u0000', 'K1', ' k1'],
  ]
  for (const kid of keyIds) {
    suite.test(`kid ${JSON.stringify(kid)} is only a name`, async () => {
      const key = await privateJwk('P-256')
      const set = await createTestVerifier(lib, { jwks: { keys: [{ ...publicHalf(key), kid: 'k1' }] } })
      const token = await forge({}, { algorithm: 'ES256', key, header: { kid } })
      await rejects(() => set.verify(token), 'ERR_KEY_NOT_FOUND')

      const one = await createTestVerifier(lib, { secret })
      equal((await one.verify(await forge({}, { header: { kid } }))).keyId, kid)
      for (const empty of [new Uint8Array(1), new Uint8Array(64)]) {
        const forged = await forge({}, { header: { kid }, key: empty })
        await rejects(() => one.verify(forged), 'ERR_TOKEN_SIGNATURE_INVALID')
      }
    })
  }

  const malformed: [title: string, object | string][] = [
    ['kid that is a number', { kid: 1 }],
    ['kid that is null', { kid: null }],
    ['kid that is an object', { kid: { $ne: '' } }],
    ['kid that is a list', { kid: ['k1'] }],
    [
      'crit of an unknown extension',
      { crit: ['http://example.com/unknown'], 'http://example.com/unknown': 1 },
    ],
    ['crit of an absent member', { crit: ['exp'] }],
    ['crit of known names', { crit: ['alg', 'typ'] }],
    ['crit of kid', { crit: ['kid'], kid: 'k1' }],
    ['crit that is empty', { crit: [] }],
    ['crit that is text', { crit: 'b64' }],
    ['crit that is null', { crit: null }],
    ['crit of crit', { crit: ['crit'] }],
    ['b64: false', { b64: false }],
    ['b64: false under crit', { b64: false, crit: ['b64'] }],
    ['b64: true under crit', { b64: true, crit: ['b64'] }],
  ]
  for (const [title, header] of malformed) {
    suite.test(`header with ${title}`, async () => {
      const token = await forge({}, { header })
      await rejects(() => verify(lib, token), 'ERR_TOKEN_MALFORMED')
    })
  }

  suite.test('b64: false with an unencoded payload', async () => {
    const header = encodePart({ alg: 'HS512', b64: false, crit: ['b64'] })
    const { signature } = decode(await forge())
    const token = `${header}.{"id":"customer-42"}.${toBase64url(signature)}`
    await rejects(() => verify(lib, token), 'ERR_TOKEN_MALFORMED')
  })
}

const curveOf: Partial<Record<Algorithm, Curve>> = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' }

export const signatureAttacks: ConformanceModule = (suite, lib) => {
  for (const algorithm of algorithms) {
    suite.test(`${algorithm}: signatures of the wrong length`, async () => {
      const zero = Uint8Array.of(0)
      await rejectsSignatures(algorithm, (signature) => [
        new Uint8Array(),
        signature.slice(0, -1),
        signature.slice(1),
        signature.slice(0, signature.length / 2),
        signature.slice(0, 1),
        der.concat(signature, zero),
        der.concat(zero, signature),
        der.concat(signature, signature),
      ])
    })

    suite.test(`${algorithm}: a changed signature`, () =>
      rejectsSignatures(algorithm, (signature) => [
        signature.map((byte, index) => (index === 3 ? byte ^ 1 : byte)),
        new Uint8Array(signature.length),
        new Uint8Array(signature.length).fill(255),
      ]),
    )

    suite.test(`${algorithm}: a changed header or payload`, async () => {
      const [verifier, token] = await verifierAndToken(algorithm)
      equal((await verifier.verify(token)).algorithm, algorithm)
      const [header, payload, signature] = token.split('.')
      for (const forged of [
        `${encodePart({ alg: algorithm, typ: 'JWT', kid: 'k1' })}.${payload}.${signature}`,
        `${header}.${encodePart({ id: 'customer-43' }, goodClaims)}.${signature}`,
        `${header}.${encodePart({ id: undefined, isAdmin: true }, goodClaims)}.${signature}`,
      ]) {
        await rejects(() => verifier.verify(forged), 'ERR_TOKEN_SIGNATURE_INVALID')
      }
    })
  }

  for (const [algorithm, curve] of Object.entries(curveOf) as [Algorithm, Curve][]) {
    const order = orders[curve]
    const numbers: [title: string, r: bigint, s: bigint][] = [
      ['r = s = 0, valid for every message in CVE-2022-21449', 0n, 0n],
      ['r = 0', 0n, 1n],
      ['s = 0', 1n, 0n],
      ['r = s = 1', 1n, 1n],
      ['r and s equal to the order', order, order],
      ['r equal to the order, s = 1', order, 1n],
      ['r and s greater than the order', order + 1n, order + 1n],
    ]
    for (const [title, r, s] of numbers) {
      suite.test(`${algorithm}: ${title}`, () =>
        rejectsSignatures(algorithm, () => [der.concat(scalar(r, curve), scalar(s, curve))]),
      )
    }

    suite.test(`${algorithm}: a signature in DER`, () =>
      rejectsSignatures(algorithm, (signature) => [der.sequence(...halves(signature).map(der.integer))]),
    )

    suite.test(`${algorithm}: r and s swapped`, () =>
      rejectsSignatures(algorithm, (signature) => [der.concat(...halves(signature).reverse())]),
    )
  }

  suite.test('a PS256 token is not an RS256 token, and vice versa', async () => {
    const key = await privateJwk('RSA')
    const verifier = await createTestVerifier(lib, { publicKey: publicHalf(key) })
    for (const [algorithm, alg] of [
      ['PS256', 'RS256'],
      ['RS256', 'PS256'],
      ['RS256', 'RS512'],
    ] as const) {
      const token = await forge({}, { algorithm, key, header: { alg } })
      await rejects(() => verifier.verify(token), 'ERR_TOKEN_SIGNATURE_INVALID')
    }
  })

  /** `write` makes invalid signatures from the valid one. */
  async function rejectsSignatures(
    algorithm: Algorithm,
    write: (signature: Bytes) => Bytes[],
  ): Promise<void> {
    const [verifier, token] = await verifierAndToken(algorithm)
    const { signature, signingInput } = decode(token)
    for (const invalid of write(signature)) {
      const forged = `${signingInput}.${toBase64url(invalid)}`
      await rejects(() => verifier.verify(forged), 'ERR_TOKEN_SIGNATURE_INVALID')
    }
  }

  async function verifierAndToken(algorithm: Algorithm) {
    if (algorithm.startsWith('HS')) {
      return [await createTestVerifier(lib, { secret }), await forge(customer, { algorithm })] as const
    }
    const key = await privateJwk(keyNameFor(algorithm))
    const verifier = await createTestVerifier(lib, { publicKey: publicHalf(key) })
    return [verifier, await forge(customer, { algorithm, key })] as const
  }
}

/** r and s of an ECDSA signature. */
function halves(signature: Bytes): Bytes[] {
  const half = signature.length / 2
  return [signature.slice(0, half), signature.slice(half)]
}

function scalar(value: bigint, curve: Curve): Bytes {
  const bytes = new Uint8Array({ 'P-256': 32, 'P-384': 48, 'P-521': 66 }[curve])
  const number = fromBase64url(base64urlNumber(value))
  bytes.set(number, bytes.length - number.length)
  return bytes
}

function caseMixes(word: string): string[] {
  return Array.from({ length: 2 ** word.length }, (_, mask) =>
    Array.from(word, (letter, index) => (mask & (1 << index) ? letter.toUpperCase() : letter)).join(''),
  )
}
