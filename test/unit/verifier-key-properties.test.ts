import fc from 'fast-check'
import type { JSONWebKeySet } from 'jose'
import { beforeAll, describe, test } from 'vitest'
import { type Algorithm, createVerifier, type VerifierOptions } from '../../src/index.ts'
import { toPem } from '../conformance/encoding.ts'
import * as shapes from '../conformance/key-shapes.ts'
import { privateJwk, publicHalf } from '../conformance/keys.ts'
import { workspaceKey } from '../conformance/tokens.ts'
import {
  anything,
  base64url,
  check,
  json,
  now,
  orOurError,
  quote,
  record,
  signTokens,
  text,
} from './arbitraries.ts'

let tokens: Map<Algorithm, string>

beforeAll(async () => {
  tokens = await signTokens(['HS256', 'ES256', 'RS256'])
})

/** Also verifies tokens, because a key that is accepted by mistake may fail only then. */
async function verifierOrOurError(options: Partial<VerifierOptions>): Promise<void> {
  const verifier = await orOurError(createVerifier({ workspaceKey, now, ...options }))
  if (!verifier) return
  await Promise.all(Array.from(tokens.values(), (token) => orOurError(verifier.verify(token))))
}

const jwk = record(
  'kty crv x y n e d k kid alg use key_ops x5c oth ext',
  fc.base64String(),
  fc.constantFrom('EC', 'RSA', 'oct', 'OKP', 'P-256', 'P-384', 'secp256k1', 'AQAB', 'sig'),
  fc.constantFrom('ES256', 'RS256', 'PS512', 'HS256'),
  fc.constantFrom<unknown>(['verify'], ['sign'], [], '', 'k1', 1),
  fc.uint8Array({ minLength: 256, maxLength: 256 }).map(base64url),
  fc.uint8Array({ minLength: 32, maxLength: 32 }).map(base64url),
).chain((members) => {
  const zeros = base64url(new Uint8Array(32))
  return fc.constantFrom<object>(
    members,
    { kty: 'RSA', e: 'AQAB', ...members },
    { kty: 'EC', crv: 'P-256', ...members },
    { kty: 'EC', crv: 'P-256', x: zeros, y: zeros, ...members },
  )
})

describe('any public key gives a verifier or a MembraneTokenError', () => {
  type PublicKey = NonNullable<VerifierOptions['publicKey']>
  const usable = (publicKey: unknown) => verifierOrOurError({ publicKey: publicKey as PublicKey })
  const labels = fc.constantFrom('PUBLIC KEY', 'RSA PUBLIC KEY', 'CERTIFICATE', 'PRIVATE KEY', 'X509 CRL', '')

  test('bytes', () => check(fc.uint8Array({ maxLength: 300 }), usable))
  test('text', () => check(fc.oneof(text, fc.base64String()), usable))
  test('any value', () => check(anything, usable))
  test('PEM of any bytes', () =>
    check(fc.tuple(labels, fc.uint8Array({ maxLength: 300 })), ([label, der]) =>
      usable(toPem(label, Uint8Array.from(der))),
    ))
  test('objects like a JWK', () => check(jwk, usable))
  test('text like a JWK', () => check(jwk.map(quote), usable))

  describe.each([
    ['SPKI of EC', 'P-256', 'PUBLIC KEY', shapes.spki],
    ['SPKI of RSA', 'RSA', 'PUBLIC KEY', shapes.spki],
    ['PKCS#1', 'RSA', 'RSA PUBLIC KEY', shapes.pkcs1Public],
    ['a certificate', 'P-256', 'CERTIFICATE', shapes.certificate],
  ] as const)('%s, damaged', (_, name, label, write) => {
    test('bytes changed, removed or added', async () => {
      const whole = write(publicHalf(await privateJwk(name)))
      await usable(whole)
      await check(
        fc.tuple(fc.nat(), fc.nat({ max: 4 }), fc.uint8Array({ maxLength: 4 })),
        async ([position, removed, added]) => {
          const start = position % whole.length
          const der = Uint8Array.from([...whole.slice(0, start), ...added, ...whole.slice(start + removed)])
          await usable(der)
          await usable(toPem(label, der))
        },
        200,
      )
    })
  })
})

describe('any key set gives a verifier or a MembraneTokenError', () => {
  const usable = (jwks: unknown) => verifierOrOurError({ jwks: jwks as JSONWebKeySet })

  test('any value', () => check(anything, usable))
  test('any JSON', () => check(json, usable))
  test('any keys', () => check(fc.array(fc.oneof(anything, json)), (keys) => usable({ keys })))
  test('objects like keys', () => check(fc.array(jwk, { maxLength: 4 }), (keys) => usable({ keys })))
})
