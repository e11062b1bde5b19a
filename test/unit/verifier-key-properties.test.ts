import fc from 'fast-check'
import type { JSONWebKeySet } from 'jose'
import { beforeAll, describe, test } from 'vitest'
import { type Algorithm, createVerifier, type VerifierOptions } from '../../src/index.ts'
import { toPem } from '../conformance/encoding.ts'
import * as shapes from '../conformance/key-shapes.ts'
import { privateJwk, publicHalf } from '../conformance/keys.ts'
import { anything, base64url, check, json, orOurError, quote, record, text } from './arbitraries.ts'
import { now, signTokens, workspaceKey } from './genuine-tokens.ts'

let tokens: Map<Algorithm, string>

beforeAll(async () => {
  tokens = await signTokens(['HS256', 'ES256', 'RS256'])
})

/** A verifier that was made must also work: a key let through by mistake would show only then. */
async function verifierOrOurError(options: Partial<VerifierOptions>, ...tokens: string[]): Promise<void> {
  const verifier = await orOurError(createVerifier({ workspaceKey, now, ...options }))
  if (verifier) await Promise.all(tokens.map((token) => orOurError(verifier.verify(token))))
}

const jwkNames = [
  'kty',
  'crv',
  'x',
  'y',
  'n',
  'e',
  'd',
  'k',
  'kid',
  'alg',
  'use',
  'key_ops',
  'x5c',
  'oth',
  'ext',
]
const jwkValues = fc.oneof(
  fc.base64String(),
  fc.constantFrom<unknown>(
    'EC',
    'RSA',
    'oct',
    'OKP',
    'P-256',
    'P-384',
    'secp256k1',
    'AQAB',
    'sig',
    'ES256',
    'RS256',
    'PS512',
    'HS256',
  ),
  fc.constantFrom<unknown>(['verify'], ['sign'], [], '', 'k1', 1),
  fc.uint8Array({ minLength: 256, maxLength: 256 }).map(base64url),
  fc.uint8Array({ minLength: 32, maxLength: 32 }).map(base64url),
)
const jwk = record(jwkNames, jwkValues).chain((members) =>
  fc.constantFrom(
    members,
    { kty: 'RSA', e: 'AQAB', ...members },
    { kty: 'EC', crv: 'P-256', ...members },
    {
      kty: 'EC',
      crv: 'P-256',
      x: base64url(new Uint8Array(32)),
      y: base64url(new Uint8Array(32)),
      ...members,
    },
  ),
)

describe('anything as public key gives a verifier or a MembraneTokenError', () => {
  type PublicKey = NonNullable<VerifierOptions['publicKey']>
  const usable = (publicKey: unknown) =>
    verifierOrOurError({ publicKey: publicKey as PublicKey }, tokens.get('ES256')!, tokens.get('RS256')!)
  const labels = fc.constantFrom('PUBLIC KEY', 'RSA PUBLIC KEY', 'CERTIFICATE', 'PRIVATE KEY', 'X509 CRL', '')

  test('bytes', () => check(fc.uint8Array({ maxLength: 300 }), usable))
  test('text', () => check(fc.oneof(text, fc.base64String()), usable))
  test('any value', () => check(anything, usable))
  test('any bytes as PEM', () =>
    check(fc.tuple(labels, fc.uint8Array({ maxLength: 300 })), ([label, der]) =>
      usable(toPem(label, Uint8Array.from(der))),
    ))
  test('what looks like a JWK', () => check(jwk, usable))
  test('its text', () => check(jwk.map(quote), usable))

  describe.each([
    ['SPKI of EC', 'P-256', 'PUBLIC KEY', shapes.spki],
    ['SPKI of RSA', 'RSA', 'PUBLIC KEY', shapes.spki],
    ['PKCS#1', 'RSA', 'RSA PUBLIC KEY', shapes.pkcs1Public],
    ['a certificate', 'P-256', 'CERTIFICATE', shapes.certificate],
  ] as const)('%s, damaged', (_, name, label, write) => {
    test('by other bytes, fewer or more', async () => {
      const whole = write(publicHalf(await privateJwk(name)))
      await usable(whole)
      await check(
        fc.tuple(fc.nat(), fc.nat({ max: 4 }), fc.uint8Array({ maxLength: 4 })),
        async ([position, missing, added]) => {
          const start = position % whole.length
          const der = Uint8Array.from([...whole.slice(0, start), ...added, ...whole.slice(start + missing)])
          await usable(der)
          await usable(toPem(label, der))
        },
        200,
      )
    })
  })
})

describe('anything as key set gives a verifier or a MembraneTokenError', () => {
  const usable = (jwks: unknown) =>
    verifierOrOurError(
      { jwks: jwks as JSONWebKeySet },
      tokens.get('ES256')!,
      tokens.get('RS256')!,
      tokens.get('HS256')!,
    )

  test('any value', () => check(anything, usable))
  test('any JSON', () => check(json, usable))
  test('any keys', () => check(fc.array(fc.oneof(anything, json)), (keys) => usable({ keys })))
  test('what looks like keys', () => check(fc.array(jwk, { maxLength: 4 }), (keys) => usable({ keys })))
})
