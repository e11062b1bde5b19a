import type { ClaimRules } from '../../src/endpoint.ts'
import { bearer, refuses, sessionToken } from './endpoint-harness.ts'
import { privateJwk } from './keys.ts'
import { published } from './remote-key-set-harness.ts'
import { assert, type ConformanceModule, equal } from './suite.ts'
import { audience, create, job, jobToken, pod, podToken, seconds } from './workload-harness.ts'

export const endpointWorkloadAttacks: ConformanceModule = ({ test }) => {
  const attacks: [string, object][] = [
    ['another organization', { repository_owner_id: '66', repository_owner: 'evil-org' }],
    ['a fork', { repository_id: '75', repository: 'evil/octo-repo', repository_owner_id: '66' }],
    ['a new repository under a reused name', { repository_id: '75' }],
    ['another branch with a look-alike name', { ref: 'refs/heads/main-1' }],
    ['a tag with the name of the branch', { ref: 'refs/tags/main' }],
    ['the bare name of the branch', { ref: 'main' }],
    ['a branch with the rule as its suffix', { ref: 'refs/heads/x/refs/heads/main' }],
    ['a branch that is a prefix of the rule', { ref: 'refs/heads/mai' }],
    ['a pull request', { ref: 'refs/pull/1/merge', event_name: 'pull_request' }],
    ['another environment', { environment: 'production' }],
    ['capitals', { environment: 'PROD' }],
    ['a space at the end', { environment: 'prod ' }],
    ['a line break at the end', { ref: 'refs/heads/main\n' }],
    ['a zero byte at the end', { ref: 'refs/heads/main\0' }],
    ['a Cyrillic letter', { ref: 'refs/heads/m\u0430in' }],
    ['a fullwidth letter', { environment: '\uff50rod' }],
    ['a zero-width space', { environment: 'pr\u200bod' }],
    ['the same letters, composed differently', { environment: 'pr\u006f\u0308d' }],
    ['no environment', { environment: undefined }],
    ['an environment of null', { environment: null }],
    ['an empty environment', { environment: '' }],
    ['a list instead of a string', { repository_id: ['74'] }],
    ['a list with the string and others', { repository_id: ['75', '74'] }],
    ['a number instead of a string', { repository_id: 74 }],
    ['a number with a leading zero', { repository_id: '074' }],
    ['an object instead of a string', { repository_id: { value: '74' } }],
    ['true instead of a string', { repository_id: true }],
    ['a wildcard in the token', { repository_id: '*', ref: '*', environment: '*', repository_owner_id: '*' }],
  ]
  for (const [title, claims] of attacks) {
    test(`rejected: ${title}`, async () => {
      const authenticate = await create({})
      assert(await authenticate(bearer(await jobToken())), 'the genuine token is rejected')
      const token = await jobToken(claims)
      await refuses(() => authenticate(bearer(token)), 'ERR_CALLER_FORBIDDEN')
    })
  }

  test('a renamed repository keeps its ids', async () => {
    const renamed = { repository: 'octo-org/renamed', sub: 'repo:octo-org@65/renamed@74:environment:prod' }
    assert(await (await create({}))(bearer(await jobToken(renamed))))
  })

  const invalid: [string, object][] = [
    ['another audience', { aud: 'https://other.example.com' }],
    ['the default audience of the platform', { aud: 'https://github.com/octo-org' }],
    ['no audience', { aud: undefined }],
    ['an audience that begins with ours', { aud: `${audience}.evil.example` }],
    ['replay after expiry', { exp: seconds - 5 }],
    ['no expiry', { exp: undefined }],
    ['not yet valid', { nbf: seconds + 60 }],
    ['a logout token', { events: { 'http://schemas.openid.net/event/backchannel-logout': {} } }],
    ['a token bound to a key', { cnf: { jkt: 'x' } }],
  ]
  for (const [title, claims] of invalid) {
    test(`rejected as invalid: ${title}`, async () => {
      const [authenticate, token] = [await create({}), await jobToken(claims)]
      await refuses(() => authenticate(bearer(token)), 'ERR_CREDENTIALS_INVALID')
    })
  }

  test('another issuer with the same claims', async () => {
    const authenticate = await create({})
    for (const iss of [
      `${job.issuer}/`,
      `${job.issuer}/evil-enterprise`,
      'https://token.actions.githubusercontent.com.evil.example',
      'https://evil.example',
      [job.issuer],
    ]) {
      equal(await authenticate(bearer(await jobToken({ iss }))), null)
    }
  })

  test('a key of one issuer cannot sign for another', async () => {
    const jwks = { keys: [await published('other P-256', 'b')] } as never
    const authenticate = await create({}, { name: 'worker', issuer: pod.issuer, jwks, claims: pod.rules })
    const key = await privateJwk('other P-256')
    const claims = { iss: pod.issuer, aud: audience, ...pod.claims }
    assert(await authenticate(bearer(await sessionToken(claims, { key, header: { kid: 'b' } }))))
    const forged = await sessionToken(
      { iss: job.issuer, aud: audience, ...job.claims },
      { key, header: { kid: 'b' } },
    )
    await refuses(() => authenticate(bearer(forged)), 'ERR_CREDENTIALS_INVALID')
  })

  const nested: [string, unknown][] = [
    ['another namespace', { namespace: 'dev', serviceaccount: { name: 'worker' } }],
    ['another service account', { namespace: 'prod', serviceaccount: { name: 'other' } }],
    ['no service account', { namespace: 'prod' }],
    ['a string instead of an object', 'prod'],
    ['a list instead of an object', [{ namespace: 'prod', serviceaccount: { name: 'worker' } }]],
    ['null', null],
    ['an inner list', { namespace: 'prod', serviceaccount: [{ name: 'worker' }] }],
    [
      'members of the inner object in the outer one',
      { namespace: 'prod', name: 'worker', serviceaccount: {} },
    ],
  ]
  for (const [title, value] of nested) {
    test(`rejected inside an object: ${title}`, async () => {
      const claims: ClaimRules = {
        'kubernetes.io': { namespace: 'prod', serviceaccount: { name: 'worker' } },
      }
      const authenticate = await create({ issuer: pod.issuer, claims })
      assert(await authenticate(bearer(await podToken())))
      const token = await podToken({ 'kubernetes.io': value })
      await refuses(() => authenticate(bearer(token)), 'ERR_CALLER_FORBIDDEN')
    })
  }

  test('a dotted name is not a path', async () => {
    const authenticate = await create({ issuer: pod.issuer, claims: { 'a.b': 'x' } })
    const path = await podToken({ a: { b: 'x' } })
    await refuses(() => authenticate(bearer(path)), 'ERR_CALLER_FORBIDDEN')
    assert(await authenticate(bearer(await podToken({ 'a.b': 'x' }))))
  })

  test('__proto__ in the claims matches only a rule of that name', async () => {
    const payload = JSON.stringify({ iss: pod.issuer, aud: audience, exp: seconds + 300, sub: 'x', o: 1 })
    const hostile = payload
      .replace('"o":1', '"o":{"__proto__":{"team":"prod"}}')
      .replace(/}$/, ',"__proto__":{"team":"prod","repository_id":"74"}}')
    const token = await sessionToken(hostile)
    const rules: ClaimRules[] = [{ team: 'prod' }, { o: { team: 'prod' } }, { repository_id: '74' }]
    for (const claims of rules) {
      const authenticate = await create({ issuer: pod.issuer, claims })
      await refuses(() => authenticate(bearer(token)), 'ERR_CALLER_FORBIDDEN')
    }
    const own = JSON.parse('{"__proto__":{"team":"prod"}}')
    assert(await (await create({ issuer: pod.issuer, claims: own }))(bearer(token)))
    assert(!('team' in {}), 'Object.prototype is changed')
  })

  test('an inherited member is not a claim', async () => {
    for (const claims of [{ constructor: { name: 'Object' } }, { toString: { name: 'toString' } }]) {
      const authenticate = await create({ issuer: pod.issuer, claims: claims as never })
      await refuses(async () => authenticate(bearer(await podToken())), 'ERR_CALLER_FORBIDDEN')
    }
  })

  const typed: [string, ClaimRules, unknown, unknown[]][] = [
    ['a number', { n: 7 }, 7, ['7', 7.5, [7], true, null]],
    ['true', { n: true }, true, ['true', 1, [true]]],
    ['false', { n: false }, false, ['false', 0, null, '', undefined]],
    ['one of a list', { n: ['a', 2, false] }, 2, ['2', ['a'], ['a', 2, false], true, 'a,2']],
  ]
  for (const [title, claims, good, others] of typed) {
    test(`nothing is converted: ${title}`, async () => {
      const authenticate = await create({ issuer: pod.issuer, claims })
      assert(await authenticate(bearer(await podToken({ n: good }))))
      for (const n of others) {
        const token = await podToken({ n })
        await refuses(() => authenticate(bearer(token)), 'ERR_CALLER_FORBIDDEN')
      }
    })
  }
}
