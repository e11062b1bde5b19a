import type { VerifierOptions } from '../../src/index.ts'
import { toPem, toBase64url, utf8 } from './encoding.ts'
import { url, withKeyServer } from './key-server.ts'
import { keySet } from './key-sets.ts'
import * as shapes from './key-shapes.ts'
import { privateJwk, publicJwk } from './keys.ts'
import { assertSilent, failureOf, spellings } from './secrecy.ts'
import type { ConformanceModule } from './suite.ts'
import { createLooseVerifier, createTestVerifier, encodePart, forge } from './token-fixtures.ts'
import { secret, workspaceKey } from './tokens.ts'

const private_ = 'ada@example.com-4111-1111-1111-1111'

/** Claims with personal data, which must not be repeated. */
const personal = { id: private_, name: private_, fields: { [private_]: private_ } }

export const silentVerifiers: ConformanceModule = (suite, lib) => {
  const failures: [string, () => Promise<string>, Partial<VerifierOptions>?][] = [
    ['another secret', () => forge(personal, { key: 'x'.repeat(64) })],
    ['alg none', () => forge(personal, { header: { alg: 'none' } })],
    ['an alg that holds data', () => forge(personal, { header: { alg: private_ } })],
    ['a kid that is not a string', () => forge(personal, { header: { kid: [private_] } })],
    ['crit', () => forge(personal, { header: { crit: [private_] } })],
    ['a header that is no JSON', () => forge(personal, { header: `{"alg":${private_}}` })],
    ['a header that is the secret', () => forge(personal, { header: secret })],
    ['a payload that is no JSON', () => forge(`{"id":"a","name":${private_}}`)],
    ['a payload that is a word', () => forge(private_)],
    ['a payload that is text', () => forge(JSON.stringify(private_))],
    ['another workspace', () => forge({ ...personal, iss: `${private_}` })],
    ['no exp', () => forge({ ...personal, exp: undefined })],
    ['an exp that holds data', () => forge({ ...personal, exp: private_ })],
    ['an exp that has passed', () => forge({ ...personal, exp: 1 })],
    ['an nbf to come', () => forge({ ...personal, nbf: 9_999_999_999 })],
    ['an admin with an id', () => forge({ ...personal, isAdmin: true })],
    ['two ids', () => forge({ ...personal, tenantKey: 'other' })],
    ['an id of another type', () => forge({ ...personal, id: [private_] })],
    ['fields that are a list', () => forge({ ...personal, fields: [private_] })],
    ['a name of another type', () => forge({ ...personal, name: [private_] })],
    ['a space in it', async () => (await forge(personal)).replace('.', ' .')],
    ['two parts', async () => (await forge(personal)).replace(/\.[^.]*$/, '')],
    ['Bearer in front', async () => `Bearer ${await forge(personal)}`],
    ['too many characters', async () => `${await forge(personal)}${'A'.repeat(9000)}`],
    ['a JWE', async () => `${await forge(personal)}.AAAA.AAAA`],
    [
      'the wrong kind of key',
      async () => forge(personal, { algorithm: 'ES256', key: await privateJwk('P-256') }),
    ],
  ]
  for (const [title, make] of failures) {
    suite.test(`the error does not reveal the token: ${title}`, async () => {
      const token = await make()
      const verifier = await createTestVerifier(lib, { secret })
      const error = await failureOf(() => verifier.verify(token))
      // The header’s beginning is the same in all tokens.
      const parts = token.split('.').map((part, index) => (index === 0 ? part.slice(24) : part))
      assertSilent(error, [...parts, private_, secret, ...spellings(toBase64url(utf8(secret)))])
    })
  }

  suite.test('errors of a key set do not reveal the token, whichever key it names', async () => {
    const key = await privateJwk('P-256')
    const jwks = keySet(
      { ...(await publicJwk('P-256')), kid: 'a' },
      { ...(await publicJwk('RSA')), use: 'enc', kid: 'b' },
    )
    const verifier = await createTestVerifier(lib, { jwks })
    for (const kid of [private_, 'b']) {
      const token = await forge(personal, { algorithm: 'ES256', key, header: { kid } })
      const error = await failureOf(() => verifier.verify(token))
      assertSilent(error, [...token.split('.').slice(1), private_])
    }
  })

  suite.test('a request’s headers are kept out of the error', async () => {
    const token = await forge(personal)
    const other = await forge(personal, { algorithm: 'HS256' })
    for (const headers of [
      new Headers({ 'x-membrane-token': token }),
      new Headers({ 'x-membrane-token': token, 'x-integration-app-token': other }),
      new Headers({ 'x-membrane-token': `${token}, ${other}` }),
    ]) {
      const error = await failureOf(async () =>
        (await lib.createRequestVerifier({ workspaceKey, secret, trustedBrowser: true })).verify(headers),
      )
      assertSilent(error, [...token.split('.').slice(1), ...other.split('.').slice(1), secret, private_])
    }
  })

  const wrongKeys: [string, () => Promise<{ options: Record<string, unknown>; materials: string[] }>][] = [
    [
      'a short secret',
      async () => ({ options: { secret: 'too-short-secret' }, materials: ['too-short-secret'] }),
    ],
    ['a secret as public key', async () => ({ options: { publicKey: secret }, materials: [secret] })],
    ['a secret as key set', async () => ({ options: { jwks: secret }, materials: [secret] })],
    [
      'a secret as algorithm',
      async () => ({ options: { secret, algorithms: [secret] }, materials: [secret] }),
    ],
    [
      'a secret as tolerance',
      async () => ({ options: { secret, clockTolerance: secret }, materials: [secret] }),
    ],
    [
      'JSON with a secret',
      async () => ({ options: { publicKey: `{"kty":${secret}}` }, materials: [secret] }),
    ],
    [
      'a private JWK',
      async () => {
        const publicKey = await privateJwk('RSA')
        return { options: { publicKey }, materials: spellings(publicKey.d, publicKey.p, publicKey.q) }
      },
    ],
    [
      'a private PEM',
      async () => {
        const jwk = await privateJwk('P-256')
        const publicKey = shapes.privatePem(jwk)
        const body = publicKey.split('-----')[2]?.replaceAll('\n', '') ?? ''
        return { options: { publicKey }, materials: [body, ...spellings(jwk.d)] }
      },
    ],
    [
      'a private PEM under a public label',
      async () => {
        const jwk = await privateJwk('P-256')
        return { options: { publicKey: toPem('PUBLIC KEY', shapes.sec1(jwk)) }, materials: spellings(jwk.d) }
      },
    ],
    [
      'a private key in a set',
      async () => {
        const jwk = await privateJwk('P-256')
        return { options: { jwks: { keys: [jwk] } }, materials: spellings(jwk.d) }
      },
    ],
    [
      'a symmetric key in a set',
      async () => {
        const k = toBase64url(utf8(secret))
        return { options: { jwks: { keys: [{ kty: 'oct', k }] } }, materials: [k, secret] }
      },
    ],
    [
      'a URL with a password',
      async () => ({
        options: { jwks: new URL(`https://ada:${private_}@keys.example/`) },
        materials: [private_],
      }),
    ],
  ]
  for (const [title, make] of wrongKeys) {
    suite.test(`the error does not reveal the key: ${title}`, async () => {
      const { options, materials } = await make()
      assertSilent(await failureOf(() => createLooseVerifier(lib, options)), materials)
    })
  }

  suite.test(
    'what a key server answers is kept out of the error, for engines quote what they cannot parse',
    async () => {
      const { d = '' } = await privateJwk('P-256')
      for (const body of [
        `k${d.slice(0, 16)}`,
        `{"keys":[{"d":${d}}]}`,
        `{"keys":[{"d":"${d}"} ${d}`,
        `<p>${d}</p>`,
      ]) {
        await withKeyServer(
          () => new Response(body),
          async () => {
            const verifier = await createTestVerifier(lib, { jwks: new URL(url) })
            const token = await forge({}, { algorithm: 'ES256', key: await privateJwk('P-256') })
            assertSilent(await failureOf(() => verifier.verify(token)), [d, ...token.split('.').slice(1)])
          },
        )
      }
    },
  )

  suite.test('a printed verifier reveals nothing', async () => {
    const verifier = await createTestVerifier(lib, { secret })
    const shown = new Error(`${JSON.stringify(verifier)}${String(verifier)}`)
    assertSilent(shown, [secret, encodePart(secret)])
  })
}
