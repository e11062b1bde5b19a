import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { claimsOf, expectProblem, type TokenBody, useStage } from './harness.ts'
import { inSeconds, type Writing } from './provider-stub.ts'
import { AUDIENCE, askWith, makeSessions } from './session-settings.ts'

const { idp, settings: session, secret, sign: good } = makeSessions()
const { SESSION_AUDIENCE: _, ...ofAnyAudience } = session

const { outbound } = idp
const { send } = useStage({
  main: { bindings: session, outbound },
  alone: { bindings: { ...session, API_KEYS: '' }, outbound },
  parties: {
    bindings: { ...ofAnyAudience, SESSION_AUTHORIZED_PARTIES: 'https://app.test, https://other.test' },
    outbound,
  },
  both: { bindings: { ...session, SESSION_AUTHORIZED_PARTIES: 'https://app.test' }, outbound },
  audiences: { bindings: { ...session, SESSION_AUDIENCE: `first, ${AUDIENCE}` }, outbound },
  any: { bindings: { ...ofAnyAudience, SESSION_ANY_AUDIENCE: 'true' }, outbound },
})

const as = askWith(send)

const other = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const publicPem = idp.publicKey.export({ type: 'spki', format: 'pem' }).toString()
const { kid: __, ...bareJwk } = idp.jwk
const itsOwnKey = { jwk: other.publicKey.export({ format: 'jwk' }) }

describe('a token that is rejected with 401 invalid_token', () => {
  test.each<[string, object, Writing, string?]>([
    ['has expired', { exp: inSeconds(-10) }, {}],
    ['has expired within the tolerance, so that no token could be valid', { exp: inSeconds(-2) }, {}],
    ['has no exp', { exp: undefined }, {}],
    ['has a string as exp', { exp: '2030-01-01' }, {}],
    ['has exp in milliseconds', { exp: Date.now() + 3_600_000 }, {}],
    ['is not valid yet', { nbf: inSeconds(3600) }, {}],
    ['has a string as nbf', { nbf: 'tomorrow' }, {}],
    ['has another audience', { aud: 'https://other.test' }, {}],
    ['has an audience that starts with the right one', { aud: `${AUDIENCE}/` }, {}],
    ['has a list of other audiences', { aud: ['a', 'b'] }, {}],
    ['has no audience', { aud: undefined }, {}],
    ['has null as audience', { aud: null }, {}],
    ['has an object as audience', { aud: { [AUDIENCE]: true } }, {}],
    ['has no subject', { sub: undefined }, {}],
    ['has an empty subject', { sub: '' }, {}],
    ['has a number as subject', { sub: 1 }, {}],
    ['is from another issuer', { iss: 'https://evil.test/' }, {}],
    ['has iss without the trailing slash', { iss: 'https://id.test' }, {}],
    ['has iss in upper case', { iss: 'https://ID.test/' }, {}],
    ['has a list of issuers', { iss: [idp.issuer] }, {}],
    ['has no issuer', { iss: undefined }, {}],
    ['is signed by another key', {}, { key: other.privateKey }],
    ['is signed with RSA under the kid of the EC key', {}, { key: rsa.privateKey, algorithm: 'RS256' }],
    ['has alg RS256 but another signature', {}, { header: { alg: 'RS256' } }],
    ['has alg ES384 but another signature', {}, { header: { alg: 'ES384' } }],
    ['has alg es256', {}, { header: { alg: 'es256' } }],
    ['has alg none', {}, { algorithm: 'none' }],
    ['says None', {}, { algorithm: 'none', header: { alg: 'None' } }],
    ['has alg nOnE and a signature', {}, { header: { alg: 'nOnE' } }],
    ['has no alg', {}, { header: { alg: undefined } }],
    ['is HS256 with the public key as secret', {}, { algorithm: 'HS256', key: publicPem }],
    ['is HS256 with the JWK as secret', {}, { algorithm: 'HS256', key: JSON.stringify(bareJwk) }],
    ['is HS256 with an empty secret', {}, { algorithm: 'HS256', key: '' }],
    ['has an unknown kid', {}, { header: { kid: 'key-2' } }],
    ['has a path as kid', {}, { header: { kid: '../../dev/null' } }],
    ['has SQL as kid', {}, { header: { kid: "' OR 1=1 --" } }],
    ['has a number as kid', {}, { header: { kid: 1 } }],
    ['embeds its own key', {}, { key: other.privateKey, header: itsOwnKey }],
    ['points to its own key set', {}, { key: other.privateKey, header: { jku: 'https://evil.test/jwks' } }],
    ['points to its own certificate', {}, { key: other.privateKey, header: { x5u: 'https://evil.test/x' } }],
    ['embeds its own certificate', {}, { key: other.privateKey, header: { x5c: ['MIIB'] } }],
    ['requires an extension (crit)', {}, { header: { crit: ['exp'] } }],
    ['has an unencoded payload (b64: false)', {}, { header: { b64: false, crit: ['b64'] } }],
    ['was issued to another party', { azp: 'https://evil.test' }, {}, 'parties'],
    ['has no azp', { aud: undefined }, {}, 'parties'],
    ['has a list as azp', { azp: ['https://app.test'] }, {}, 'parties'],
    ['has the right azp but another audience', { azp: 'https://app.test', aud: 'x' }, {}, 'both'],
    ['has the right audience but another azp', { azp: 'https://evil.test' }, {}, 'both'],
    ['has expired, with any audience accepted', { exp: inSeconds(-10) }, {}, 'any'],
    ['is from another issuer, with any audience accepted', { iss: 'https://evil.test/' }, {}, 'any'],
  ])('%s', async (_, claims, writing, worker = 'main') => {
    idp.asked.length = 0
    await expectProblem(await as(good(claims, writing), { worker }), 401, 'ERR_CREDENTIALS_INVALID')
    expect(idp.asked.filter((url) => !url.startsWith(idp.issuer))).toEqual([])
  })

  const [header, payload, signature] = good().split('.') as [string, string, string]
  const zeros = Buffer.alloc(64).toString('base64url')

  test.each([
    ['has an empty signature', `${header}.${payload}.`],
    ['has a signature of zeros', `${header}.${payload}.${zeros}`],
    ['has two parts', `${header}.${payload}`],
    ['has four parts', `${header}.${payload}.${signature}.${signature}`],
    ['has five parts, as if encrypted', `${header}..${payload}.${signature}.${signature}`],
    ['has padding', `${header}.${payload}.${signature}==`],
    [
      'has a modified payload',
      `${header}.${Buffer.from('{"sub":"victim"}').toString('base64url')}.${signature}`,
    ],
    ['has a payload that is not JSON', `${header}.${Buffer.from('x').toString('base64url')}.${signature}`],
    ['has a header that is null', `${Buffer.from('null').toString('base64url')}.${payload}.${signature}`],
    ['has 9000 characters', `${header}.${'A'.repeat(9000)}.${signature}`],
  ])('%s', async (_, token) => {
    for (const worker of ['main', 'alone']) {
      await expectProblem(await as(token, { worker }), 401, 'ERR_CREDENTIALS_INVALID')
    }
  })
})

describe('a Membrane token', () => {
  test('is not a session, even if issued here', async () => {
    for (const claims of [{ iss: session.MEMBRANE_WORKSPACE_KEY }, {}]) {
      const token = good({ id: 'user-1', ...claims }, { algorithm: 'HS256', key: secret })
      await expectProblem(await as(token), 401, 'ERR_CREDENTIALS_INVALID')
    }
    const { token } = (await (await as(good())).json()) as TokenBody
    await expectProblem(await as(token), 401, 'ERR_CREDENTIALS_INVALID')
  })
})

describe('a token that is accepted', () => {
  test.each<[string, object, Writing, string?]>([
    ['has the audience among others', { aud: ['x', AUDIENCE] }, {}],
    ['has the second of two audiences', {}, {}, 'audiences'],
    ['has no kid, and the set has one key', {}, { header: { kid: undefined } }],
    ['has nbf within the tolerance of 5 seconds', { nbf: inSeconds(3) }, {}],
    ['was issued to one of two parties', { azp: 'https://other.test', aud: undefined }, {}, 'parties'],
    ['has the right azp and the right audience', { azp: 'https://app.test' }, {}, 'both'],
    ['has any audience, where that is configured', { aud: 'anything' }, {}, 'any'],
    ['has no audience, where that is configured', { aud: undefined }, {}, 'any'],
  ])('%s', async (_, claims, writing, worker = 'main') => {
    expect(await claimsOf(await as(good(claims, writing), { worker }), secret)).toMatchObject({
      id: 'user-1',
    })
  })
})
