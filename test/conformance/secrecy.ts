import { toPem, fromBase64url, toBase64, toBase64url, utf8 } from './encoding.ts'
import * as shapes from './key-shapes.ts'
import { base64urlNumber, privateJwk, unusualRsaJwk } from './keys.ts'
import type { ConformanceModule } from './suite.ts'
import { assert } from './suite.ts'
import { createLooseSigner, createTestSigner, customer, decode, secret } from './tokens.ts'

/** Enough characters that none of our own words is among them, few enough that a cut-off quotation is caught. */
const chunkLength = 12

/** Everything an error says: where it is printed, its causes are printed with it. */
export function saidBy(error: unknown, depth = 5): string {
  if (depth === 0 || error === undefined || error === null) return ''
  if (typeof error !== 'object') return String(error)
  const own = Object.getOwnPropertyNames(error).map((name) => Reflect.get(error, name) as unknown)
  const texts = own.map((value) => (typeof value === 'object' ? saidBy(value, depth - 1) : String(value)))
  const { message, stack } = error as { message?: string; stack?: string }
  return [String(error), message, stack, ...texts].join('\n')
}

export function assertSilent(error: unknown, materials: readonly string[]): void {
  const said = saidBy(error)
  for (const material of materials) {
    for (let start = 0; start + chunkLength <= material.length; start++) {
      assert(!said.includes(material.slice(start, start + chunkLength)), 'the error repeats key material')
    }
  }
}

export async function failureOf(run: () => Promise<unknown>): Promise<Error> {
  const error: unknown = await run().then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  assert(error instanceof Error && error.name === 'MembraneTokenError', `got ${String(error)}`)
  return error
}

/** The members of a JWK in each spelling in which they could come to light. */
export function spellings(...values: (string | undefined)[]): string[] {
  return values.flatMap((value = '') => {
    const bytes = fromBase64url(value)
    const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
    return [value, toBase64(bytes), hex, BigInt(`0x${hex || '0'}`).toString()]
  })
}

export const silentErrors: ConformanceModule = (suite, lib) => {
  const body = (pem: string) => pem.split('-----')[2]?.replaceAll(/\s/g, '') ?? ''

  const failures: [string, () => Promise<{ options: Record<string, unknown>; materials: string[] }>][] = [
    [
      'a short secret',
      async () => ({ options: { secret: 'too-short-secret' }, materials: ['too-short-secret'] }),
    ],
    [
      'a secret with a misfit algorithm',
      async () => ({ options: { secret, algorithm: 'RS256' }, materials: [secret] }),
    ],
    [
      'a secret with no algorithm',
      async () => ({ options: { secret, algorithm: 'none' }, materials: [secret] }),
    ],
    [
      'a secret with a bad lifetime',
      async () => ({ options: { secret, expiresIn: 0 }, materials: [secret] }),
    ],
    [
      'a secret without workspace',
      async () => ({ options: { secret, workspaceKey: '' }, materials: [secret] }),
    ],
    ['a secret as private key', async () => ({ options: { privateKey: secret }, materials: [secret] })],
    ['a secret as algorithm', async () => ({ options: { secret, algorithm: secret }, materials: [secret] })],
    ['a secret as lifetime', async () => ({ options: { secret, expiresIn: secret }, materials: [secret] })],
    [
      'a secret as claim style',
      async () => ({ options: { secret, claimStyle: secret }, materials: [secret] }),
    ],
    [
      'secret JSON as private key',
      async () => {
        const text = `{"password":"${secret}"`
        return { options: { privateKey: text }, materials: [secret] }
      },
    ],
    [
      'a secret in armour',
      async () => {
        const text = `-----BEGIN PRIVATE KEY-----\n${secret}\n-----END PRIVATE KEY-----`
        return { options: { privateKey: text }, materials: [secret] }
      },
    ],
    [
      'a PEM as secret',
      async () => {
        const jwk = await privateJwk('P-256')
        const pem = shapes.privatePem(jwk)
        return { options: { secret: pem }, materials: [body(pem), ...spellings(jwk.d)] }
      },
    ],
    [
      'a PEM as algorithm',
      async () => {
        const jwk = await privateJwk('P-256')
        const pem = shapes.privatePem(jwk)
        return { options: { privateKey: pem, algorithm: pem }, materials: [body(pem), ...spellings(jwk.d)] }
      },
    ],
    [
      'a PEM cut short',
      async () => {
        const jwk = await privateJwk('P-256')
        const pem = toPem('PRIVATE KEY', shapes.pkcs8(jwk).slice(0, 80))
        return { options: { privateKey: pem }, materials: [body(pem), ...spellings(jwk.d)] }
      },
    ],
    [
      'a PEM that is not base64',
      async () => {
        const jwk = await privateJwk('P-256')
        const pem = shapes.privatePem(jwk).replaceAll('A', '*')
        return { options: { privateKey: pem }, materials: [body(pem), ...spellings(jwk.d)] }
      },
    ],
    [
      'another public key',
      async () => {
        const jwk = { ...(await privateJwk('P-256')), x: (await privateJwk('other P-256')).x }
        return { options: { privateKey: jwk }, materials: spellings(jwk.d) }
      },
    ],
    [
      'SEC1 of the wrong curve',
      async () => {
        const jwk = { ...(await privateJwk('P-256')), crv: 'P-384' }
        return { options: { privateKey: shapes.sec1(jwk) }, materials: spellings(jwk.d) }
      },
    ],
    [
      'a JWK of the wrong algorithm',
      async () => {
        const jwk = await privateJwk('RSA')
        return {
          options: { privateKey: jwk, algorithm: 'ES256' },
          materials: spellings(jwk.d, jwk.p, jwk.q, jwk.dp),
        }
      },
    ],
    [
      'a JWK with a wrong prime',
      async () => {
        const jwk = { ...(await privateJwk('RSA')), p: base64urlNumber(2n ** 1023n + 1n) }
        return {
          options: { privateKey: JSON.stringify(jwk) },
          materials: spellings(jwk.d, jwk.q, jwk.dp, jwk.qi),
        }
      },
    ],
    [
      'a JWK that is not quite JSON',
      async () => {
        const jwk = await privateJwk('P-256')
        return { options: { privateKey: `${JSON.stringify(jwk)},` }, materials: spellings(jwk.d) }
      },
    ],
    [
      'a weak RSA key',
      async () => {
        const jwk = unusualRsaJwk(1024, 65_537n)
        return { options: { privateKey: shapes.pkcs1(jwk) }, materials: spellings(jwk.d, jwk.p, jwk.q) }
      },
    ],
    [
      'a JWK as secret',
      async () => {
        const k = toBase64url(utf8(secret))
        return { options: { secret: JSON.stringify({ kty: 'oct', k }) }, materials: [k, secret] }
      },
    ],
  ]

  for (const [title, make] of failures) {
    suite.test(`the error does not reveal: ${title}`, async () => {
      const { options, materials } = await make()
      assertSilent(await failureOf(() => createLooseSigner(lib, options)), materials)
    })
  }

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

  suite.test('a printed signer reveals nothing', async () => {
    const jwk = await privateJwk('P-256')
    const signer = await createTestSigner(lib, { privateKey: jwk })
    for (const material of spellings(jwk.d)) {
      assert(
        !`${JSON.stringify(signer)}${String(signer)}`.includes(material),
        'the private key is in plain sight',
      )
    }
    const { token } = await (await createTestSigner(lib, { secret })).signAdminToken()
    assert(!decode(token).payload.includes(secret))
  })
}
