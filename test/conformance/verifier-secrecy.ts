import { toBase64url, toPem, utf8 } from './encoding.ts'
import { url, withKeyServer } from './key-server.ts'
import { keySet } from './key-sets.ts'
import * as shapes from './key-shapes.ts'
import type { TestKeys } from './keys.ts'
import { privateJwk, publicJwk, testKeys } from './keys.ts'
import { assertSilent, encodings, failureOf, privateParts } from './secrecy.ts'
import type { ConformanceModule } from './suite.ts'
import { createLooseVerifier, createTestVerifier, encodePart, forge } from './token-fixtures.ts'
import { secret, workspaceKey } from './tokens.ts'

const private_ = 'ada@example.com-4111-1111-1111-1111'

/** Claims with personal data, which errors must not contain. */
const personal = { id: private_, name: private_, fields: { [private_]: private_ } }

export const silentVerifiers: ConformanceModule = (suite, lib) => {
  const failures: [title: string, make: () => Promise<string>][] = [
    ['another secret', () => forge(personal, { key: 'x'.repeat(64) })],
    ['alg none', () => forge(personal, { header: { alg: 'none' } })],
    ['an alg that holds data', () => forge(personal, { header: { alg: private_ } })],
    ['a kid that is not a string', () => forge(personal, { header: { kid: [private_] } })],
    ['crit', () => forge(personal, { header: { crit: [private_] } })],
    ['a header that is not JSON', () => forge(personal, { header: `{"alg":${private_}}` })],
    ['a header that is the secret', () => forge(personal, { header: secret })],
    ['a payload that is not JSON', () => forge(`{"id":"a","name":${private_}}`)],
    ['a payload that is a word', () => forge(private_)],
    ['a payload that is text', () => forge(JSON.stringify(private_))],
    ['another workspace', () => forge({ ...personal, iss: private_ })],
    ['no exp', () => forge({ ...personal, exp: undefined })],
    ['an exp that holds data', () => forge({ ...personal, exp: private_ })],
    ['a past exp', () => forge({ ...personal, exp: 1 })],
    ['a future nbf', () => forge({ ...personal, nbf: 9_999_999_999 })],
    ['an admin with an id', () => forge({ ...personal, isAdmin: true })],
    ['two ids', () => forge({ ...personal, tenantKey: 'other' })],
    ['an id of another type', () => forge({ ...personal, id: [private_] })],
    ['fields that are a list', () => forge({ ...personal, fields: [private_] })],
    ['a name of another type', () => forge({ ...personal, name: [private_] })],
    ['a space inside', async () => (await forge(personal)).replace('.', ' .')],
    ['two parts', async () => (await forge(personal)).replace(/\.[^.]*$/, '')],
    ['Bearer before it', async () => `Bearer ${await forge(personal)}`],
    ['too many characters', async () => `${await forge(personal)}${'A'.repeat(9000)}`],
    ['a JWE', async () => `${await forge(personal)}.AAAA.AAAA`],
    ['another key type', async () => forge(personal, { algorithm: 'ES256', key: await privateJwk('P-256') })],
  ]
  for (const [title, make] of failures) {
    suite.test(`the error does not reveal the token: ${title}`, async () => {
      const token = await make()
      const verifier = await createTestVerifier(lib, { secret })
      const error = await failureOf(() => verifier.verify(token))
      // The header begins the same in all tokens.
      const parts = token.split('.').map((part, index) => (index === 0 ? part.slice(24) : part))
      assertSilent(error, [...parts, private_, secret, ...encodings(toBase64url(utf8(secret)))])
    })
  }

  suite.test('errors of a key set do not reveal the token', async () => {
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

  suite.test('the error does not reveal the headers of a request', async () => {
    const token = await forge(personal)
    const other = await forge(personal, { algorithm: 'HS256' })
    const verifier = await lib.createRequestVerifier({ workspaceKey, secret, trustedBrowser: true })
    for (const headers of [
      { 'x-membrane-token': token },
      { 'x-membrane-token': token, 'x-integration-app-token': other },
      { 'x-membrane-token': `${token}, ${other}` },
    ]) {
      const error = await failureOf(() => verifier.verify(new Headers(headers as Record<string, string>)))
      assertSilent(error, [...token.split('.').slice(1), ...other.split('.').slice(1), secret, private_])
    }
  })

  const options: [title: string, make: (keys: TestKeys) => Record<string, unknown>][] = [
    ['a short secret', () => ({ secret: 'too-short-secret' })],
    ['a secret as public key', () => ({ publicKey: secret })],
    ['a secret as key set', () => ({ jwks: secret })],
    ['a secret as algorithm', () => ({ secret, algorithms: [secret] })],
    ['a secret as tolerance', () => ({ secret, clockTolerance: secret })],
    ['a secret in JSON', () => ({ publicKey: `{"kty":${secret}}` })],
    ['a private JWK', ({ rsa }) => ({ publicKey: rsa })],
    ['a private PEM', ({ ec }) => ({ publicKey: shapes.privatePem(ec) })],
    ['a private PEM labelled public', ({ ec }) => ({ publicKey: toPem('PUBLIC KEY', shapes.sec1(ec)) })],
    ['a private key in a set', ({ ec }) => ({ jwks: { keys: [ec] } })],
    ['a symmetric key in a set', () => ({ jwks: { keys: [{ kty: 'oct', k: toBase64url(utf8(secret)) }] } })],
    ['a URL with a password', () => ({ jwks: new URL(`https://ada:${private_}@keys.example/`) })],
  ]
  for (const [title, make] of options) {
    suite.test(`the error does not reveal the key: ${title}`, async () => {
      const keys = await testKeys()
      const error = await failureOf(() => createLooseVerifier(lib, make(keys)))
      const secrets = ['too-short-secret', secret, toBase64url(utf8(secret)), private_]
      assertSilent(error, [...secrets, ...privateParts(keys.ec), ...privateParts(keys.rsa)])
    })
  }

  // Engines quote JSON that they cannot parse.
  suite.test('the error does not reveal the response of a key server', async () => {
    const key = await privateJwk('P-256')
    const { d = '' } = key
    for (const body of [
      `k${d.slice(0, 16)}`,
      `{"keys":[{"d":${d}}]}`,
      `{"keys":[{"d":"${d}"} ${d}`,
      `<p>${d}</p>`,
    ]) {
      const respond = () => new Response(body)
      await withKeyServer(respond, async () => {
        const verifier = await createTestVerifier(lib, { jwks: new URL(url) })
        const token = await forge({}, { algorithm: 'ES256', key })
        assertSilent(await failureOf(() => verifier.verify(token)), [d, ...token.split('.').slice(1)])
      })
    }
  })

  suite.test('a printed verifier does not reveal its secret', async () => {
    const verifier = await createTestVerifier(lib, { secret })
    const printed = new Error(`${JSON.stringify(verifier)}${String(verifier)}`)
    assertSilent(printed, [secret, encodePart(secret)])
  })
}
