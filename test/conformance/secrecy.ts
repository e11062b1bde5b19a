import { fromBase64url, toBase64, toBase64url, toPem, utf8 } from './encoding.ts'
import * as shapes from './key-shapes.ts'
import type { Jwk, TestKeys } from './keys.ts'
import { privateJwk, testKeys, unusualRsaJwk } from './keys.ts'
import type { ConformanceModule } from './suite.ts'
import { assert } from './suite.ts'
import { createLooseSigner, createTestSigner, customer, secret } from './tokens.ts'

/** Long enough that none of our own words matches, short enough to find a truncated quotation. */
const chunkLength = 12

/** All text of an error and its causes, as a logger would print it. */
function textOf(error: unknown, depth = 5): string {
  if (depth === 0 || error === undefined || error === null) return ''
  if (typeof error !== 'object') return String(error)
  const own = Object.getOwnPropertyNames(error).map((name) => Reflect.get(error, name) as unknown)
  const texts = own.map((value) => (typeof value === 'object' ? textOf(value, depth - 1) : String(value)))
  const { message, stack } = error as { message?: string; stack?: string }
  return [String(error), message, stack, ...texts].join('\n')
}

export function assertSilent(error: unknown, materials: readonly string[]): void {
  const text = textOf(error)
  for (const material of materials) {
    for (let start = 0; start + chunkLength <= material.length; start++) {
      assert(!text.includes(material.slice(start, start + chunkLength)), 'the error repeats key material')
    }
  }
}

/** The `MembraneTokenError` that `run` must fail with, of any code. */
export async function failureOf(run: () => Promise<unknown>): Promise<Error> {
  const error: unknown = await run().then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  assert(error instanceof Error && error.name === 'MembraneTokenError', `got ${String(error)}`)
  return error
}

/** A private key in each encoding in which a message could contain it. */
export function privateParts(jwk: Jwk): string[] {
  const { d, p, q, dp, dq, qi } = jwk
  return [toBase64(shapes.pkcs8(jwk)), ...encodings(...[d, p, q, dp, dq, qi].filter((part) => part))]
}

/** Base64url values as they are, and in base64, hexadecimal and decimal. */
export function encodings(...values: (string | undefined)[]): string[] {
  return values.flatMap((value = '') => {
    const bytes = fromBase64url(value)
    const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
    return [value, toBase64(bytes), hex, BigInt(`0x${hex || '0'}`).toString()]
  })
}

export const silentErrors: ConformanceModule = (suite, lib) => {
  const secretOptions: [title: string, options: Record<string, unknown>][] = [
    ['with another key type’s algorithm', { secret, algorithm: 'RS256' }],
    ['with an unknown algorithm', { secret, algorithm: 'none' }],
    ['with an invalid lifetime', { secret, expiresIn: 0 }],
    ['with an empty key id', { secret, keyId: '' }],
    ['without a workspace key', { secret, workspaceKey: '' }],
    ['as private key', { privateKey: secret }],
    ['as algorithm', { secret, algorithm: secret }],
    ['as lifetime', { secret, expiresIn: secret }],
    ['as claim style', { secret, claimStyle: secret }],
    ['in JSON as private key', { privateKey: `{"password":"${secret}"` }],
    ['in a PEM', { privateKey: `-----BEGIN PRIVATE KEY-----\n${secret}\n-----END PRIVATE KEY-----` }],
    ['in a JWK as secret', { secret: JSON.stringify({ kty: 'oct', k: toBase64url(utf8(secret)) }) }],
  ]
  for (const [title, options] of secretOptions) {
    suite.test(`the error does not reveal a secret ${title}`, async () => {
      const error = await failureOf(() => createLooseSigner(lib, options))
      assertSilent(error, [secret, toBase64url(utf8(secret))])
    })
  }

  suite.test('the error does not reveal a short secret', async () => {
    const short = 'too-short-secret'
    assertSilent(await failureOf(() => createLooseSigner(lib, { secret: short })), [short])
  })

  const keyOptions: [title: string, make: (keys: TestKeys) => Record<string, unknown>][] = [
    ['a PEM as secret', ({ ec }) => ({ secret: shapes.privatePem(ec) })],
    ['a PEM as algorithm', ({ ec }) => ({ privateKey: ec, algorithm: shapes.privatePem(ec) })],
    ['a truncated PEM', ({ ec }) => ({ privateKey: toPem('PRIVATE KEY', shapes.pkcs8(ec).slice(0, 80)) })],
    ['a PEM that is not base64', ({ ec }) => ({ privateKey: shapes.privatePem(ec).replaceAll('A', '*') })],
    ['a JWK with the x of another key', ({ ec }) => ({ privateKey: { ...ec, x: ec.y } })],
    ['SEC1 of the wrong curve', ({ ec }) => ({ privateKey: shapes.sec1({ ...ec, crv: 'P-384' }) })],
    ['a JWK of the wrong algorithm', ({ rsa }) => ({ privateKey: rsa, algorithm: 'ES256' })],
    ['a JWK with a wrong prime', ({ rsa }) => ({ privateKey: JSON.stringify({ ...rsa, p: rsa.q }) })],
    ['a JWK text that is not JSON', ({ ec }) => ({ privateKey: `${JSON.stringify(ec)},` })],
  ]
  for (const [title, make] of keyOptions) {
    suite.test(`the error does not reveal ${title}`, async () => {
      const keys = await testKeys()
      const error = await failureOf(() => createLooseSigner(lib, make(keys)))
      assertSilent(error, [...privateParts(keys.ec), ...privateParts(keys.rsa)])
    })
  }

  suite.test('the error does not reveal a weak RSA key', async () => {
    const jwk = unusualRsaJwk(1024, 65_537n)
    const error = await failureOf(() => createLooseSigner(lib, { privateKey: shapes.pkcs1(jwk) }))
    assertSilent(error, privateParts(jwk))
  })

  suite.test('errors while signing reveal neither the customer’s data nor the token', async () => {
    const signer = await createTestSigner(lib, { secret })
    const private_ = 'ada@example.com-4111-1111-1111-1111'
    const cycle: Record<string, unknown> = { [private_]: private_ }
    cycle.self = cycle
    for (const fields of [cycle, { [private_]: 1n }, { card: private_.repeat(1000) }]) {
      const error = await failureOf(() => signer.signCustomerToken({ ...customer, fields }))
      assertSilent(error, [private_, secret, toBase64url(utf8(private_)).slice(4, -4)])
    }
  })

  suite.test('a printed signer does not reveal its key', async () => {
    const jwk = await privateJwk('P-256')
    const signer = await createTestSigner(lib, { privateKey: jwk })
    assertSilent(new Error(`${JSON.stringify(signer)}${String(signer)}`), encodings(jwk.d))
  })
}
