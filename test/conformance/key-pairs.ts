import type { Algorithm, KeyPair, KeyPairOptions } from '../../src/index.ts'
import { fromBase64, toBase64url, utf8 } from './encoding.ts'
import { replaceFor } from './globals.ts'
import { keySet } from './key-sets.ts'
import * as shapes from './key-shapes.ts'
import type { Jwk } from './keys.ts'
import { privateJwk, publicHalf } from './keys.ts'
import type { ConformanceModule } from './suite.ts'
import { assert, equal, rejects } from './suite.ts'
import { createTestVerifier } from './token-fixtures.ts'
import { algorithms, createTestSigner, customer, hashOf, importFor, verifies } from './tokens.ts'

const curves: Partial<Record<Algorithm, string>> = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' }

export const keyPairs: ConformanceModule = (suite, lib) => {
  for (const algorithm of [undefined, 'ES256', 'ES384', 'ES512', 'RS256'] as const) {
    suite.test(`a pair for ${algorithm ?? 'the default algorithm'}`, async () => {
      const pair = await lib.generateKeyPair(algorithm)
      equal(pair.algorithm, algorithm ?? 'ES256')
      await assertPair(pair)
      if (algorithm === 'RS256') equal(shapes.modulusBits(pair.publicJwk as Jwk), 2048)
    })
  }

  // Generating RSA keys is slow, so generateKey is replaced and its arguments are checked.
  for (const algorithm of ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'] as const) {
    suite.test(`a pair for ${algorithm} with the requested length`, async () => {
      const jwk = await privateJwk('RSA')
      const ready = {
        privateKey: await importFor(algorithm, jwk, 'sign', true),
        publicKey: await importFor(algorithm, publicHalf(jwk), 'verify', true),
      }
      const calls: Record<string, unknown>[] = []
      const generate = async (parameters: object, extractable: boolean, usages: string[]) => {
        calls.push({ ...parameters, extractable, usages: [...usages].sort() })
        return ready
      }
      await replaceFor(crypto.subtle, 'generateKey', generate, async (replaced) => {
        if (!replaced) return assertPair(await lib.generateKeyPair(algorithm))
        await assertPair(await lib.generateKeyPair(algorithm))
        for (const modulusLength of [2048, 3072, 4096])
          await lib.generateKeyPair(algorithm, { modulusLength })
        const name = algorithm.startsWith('RS') ? 'RSASSA-PKCS1-v1_5' : 'RSA-PSS'
        for (const [index, modulusLength] of [2048, 2048, 3072, 4096].entries()) {
          const { hash, publicExponent, ...rest } = calls[index] ?? {}
          equal([...(publicExponent as Uint8Array)], [1, 0, 1])
          equal(typeof hash === 'string' ? hash : (hash as { name: string }).name, hashOf(algorithm))
          equal(rest, { name, modulusLength, extractable: true, usages: ['sign', 'verify'] })
        }
      })
    })
  }

  suite.test('every pair is different', async () => {
    const pairs = await Promise.all(Array.from({ length: 5 }, () => lib.generateKeyPair()))
    for (const member of ['keyId', 'privateKey', 'publicKey'] as const) {
      equal(new Set(pairs.map((pair) => pair[member])).size, 5)
    }
  })

  function generate(algorithm: unknown, options?: unknown): Promise<KeyPair> {
    return lib.generateKeyPair(algorithm as Algorithm, options as KeyPairOptions)
  }

  for (const algorithm of ['none', 'es256', '', 'EdDSA', 'ES256K', 'toString', '__proto__', null, 256]) {
    suite.test(`rejected: algorithm ${JSON.stringify(algorithm)}`, async () => {
      await rejects(() => generate(algorithm), 'ERR_ALGORITHM_UNSUPPORTED')
    })
  }

  for (const algorithm of ['HS256', 'HS384', 'HS512']) {
    suite.test(`rejected: ${algorithm}, which has no key pair`, async () => {
      await rejects(() => generate(algorithm), 'ERR_OPTION_INVALID')
    })
  }

  for (const modulusLength of [1024, 2040, 8, 0, -2048]) {
    suite.test(`rejected: ${modulusLength} bits`, async () => {
      await rejects(() => generate('RS256', { modulusLength }), 'ERR_KEY_WEAK')
    })
  }

  for (const modulusLength of [2049, 2048.5, Number.NaN, Number.POSITIVE_INFINITY, '2048', null]) {
    suite.test(`rejected: the ${typeof modulusLength} ${modulusLength} as length`, async () => {
      await rejects(() => generate('PS256', { modulusLength }), 'ERR_OPTION_INVALID')
    })
  }

  for (const options of [null, 2048]) {
    suite.test(`rejected: ${options} as options`, async () => {
      await rejects(() => generate('RS256', options), 'ERR_OPTION_INVALID')
    })
  }

  async function assertPair(pair: KeyPair): Promise<void> {
    const { algorithm, keyId, privateKey, publicKey } = pair
    equal(Object.keys(pair).sort(), ['algorithm', 'keyId', 'privateKey', 'publicJwk', 'publicKey'])
    assert(algorithms.includes(algorithm))
    const publicJwk = pair.publicJwk as Jwk
    const members = publicHalf(publicJwk)
    equal(publicJwk, { ...members, kid: keyId, alg: algorithm, use: 'sig' } as Jwk)
    equal(publicJwk.crv, curves[algorithm])
    equal(keyId, await thumbprint(members))

    equal(pemBytes('PUBLIC KEY', publicKey), shapes.spki(members))
    equal(pemBytes('PRIVATE KEY', privateKey)[0], 0x30)

    const signer = await createTestSigner(lib, { privateKey, algorithm, keyId })
    equal(signer.publicJwk, publicJwk as typeof pair.publicJwk)
    const { token } = await signer.signCustomerToken(customer)
    assert(await verifies(token, algorithm, members), 'the private key and the public key do not match')
    for (const options of [{ publicKey }, { publicKey: publicJwk }, { jwks: keySet(publicJwk) }]) {
      equal((await (await createTestVerifier(lib, options)).verify(token)).keyId, keyId)
    }
  }
}

/** RFC 7638 section 3: only the required members, sorted by name, without white space. */
async function thumbprint({ kty, crv, x, y, n, e }: Jwk): Promise<string> {
  const json =
    kty === 'RSA'
      ? `{"e":"${e}","kty":"RSA","n":"${n}"}`
      : `{"crv":"${crv}","kty":"EC","x":"${x}","y":"${y}"}`
  return toBase64url(new Uint8Array(await crypto.subtle.digest('SHA-256', utf8(json))))
}

/** RFC 7468 section 2: every line except the last has exactly 64 characters. */
function pemBytes(label: string, pem: string): Uint8Array {
  const lines = pem.split('\n')
  equal([lines[0], lines.at(-2), lines.at(-1)], [`-----BEGIN ${label}-----`, `-----END ${label}-----`, ''])
  const body = lines.slice(1, -2)
  assert(
    body.every((line, index) => (index < body.length - 1 ? line.length === 64 : line.length <= 64 && line)),
    'a line of another length',
  )
  return fromBase64(body.join(''))
}
