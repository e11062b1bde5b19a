import { type ClaimRules, workloadIdentity } from '../../src/endpoint.ts'
import { bearer, loosely, refuses } from './endpoint-harness.ts'
import { assert, type ConformanceModule, equal, rejects } from './suite.ts'
import { audience, create, type Identity, job, jobToken, pod } from './workload-harness.ts'

export const endpointWorkloadOptions: ConformanceModule = ({ test }) => {
  const wrong: [string, Identity | object, string][] = [
    ['no name', { name: undefined }, 'name'],
    ['an empty name', { name: '' }, 'name'],
    ['no issuer', { issuer: undefined }, 'issuer'],
    ['an issuer over http', { issuer: 'http://id.example' }, 'issuer'],
    ['no audience', { audience: undefined }, 'audience'],
    ['an empty audience', { audience: '' }, 'audience'],
    ['no scopes', { scopes: [] }, 'scopes'],
    ['another scope', { scopes: ['owner'] }, 'scopes'],
    ['the URL of a key set as a string', { jwks: 'https://keys.example' }, 'jwks'],
    ['a key set without keys', { jwks: { key: [] } }, 'jwks'],
    ['no claims', { claims: undefined }, 'claims'],
    ['claims of null', { claims: null }, 'claims'],
    ['an empty object', { claims: {} }, 'claims'],
    ['a list of claims', { claims: ['repository_id'] }, 'claims'],
    ['a claim of null', { claims: { repository_id: null } }, 'claims'],
    ['an empty string', { claims: { repository_id: '' } }, 'claims'],
    ['an empty list', { claims: { repository_id: [] } }, 'claims'],
    ['an empty object inside', { claims: { repository_id: '74', a: {} } }, 'claims'],
    ['a list in a list', { claims: { repository_id: [['74']] } }, 'claims'],
    ['an object in a list', { claims: { repository_id: [{ a: 1 }] } }, 'claims'],
    ['NaN', { claims: { repository_id: '74', n: Number.NaN } }, 'claims'],
    ['a pattern', { claims: { repository_id: /74/ } }, 'claims'],
    ['a wildcard', { claims: { repository: 'octo-org/*' } }, 'claims'],
    ['a wildcard in a list', { claims: { repository_id: '74', ref: ['refs/heads/*'] } }, 'claims'],
    [
      'only claims that every token has',
      { issuer: pod.issuer, claims: { iss: pod.issuer, aud: audience } },
      'claims',
    ],
    ['only a scope', { issuer: pod.issuer, claims: { scope: 'deploy', ver: '2' } }, 'claims'],
    ['an unknown preset', { preset: 'jenkins' }, 'preset'],
    ['a preset from Object.prototype', { preset: 'toString' }, 'preset'],
    ['the issuer of another platform', { preset: 'fly' }, 'issuer'],
    ['an issuer the preset does not accept', { preset: 'google-cloud' }, 'issuer'],
    [
      'the issuer of all tenants',
      { preset: 'azure', issuer: 'https://login.microsoftonline.com/common/v2.0' },
      'issuer',
    ],
    ['a preset that needs an issuer', { preset: 'vercel', issuer: undefined }, 'issuer'],
    ['an unknown option', { scope: ['admin'] }, 'scope'],
  ]
  for (const [title, identity, option] of wrong) {
    test(`invalid options: ${title}`, async () => {
      const error = await rejects(() => create(identity as Identity), 'ERR_OPTION_INVALID')
      equal(Reflect.get(error, 'option'), `identities[0].${option}`)
    })
  }

  const mistakes: [string, Identity['preset'], string, ClaimRules, string][] = [
    ['a number as id', 'github-actions', job.issuer, { repository_id: 74 }, 'in quotes'],
    [
      'the bare name of a branch',
      'github-actions',
      job.issuer,
      { repository_id: '74', ref: 'main' },
      'refs/heads/main',
    ],
    ['a repository without owner', 'github-actions', job.issuer, { repository: 'octo-repo' }, 'owner'],
    [
      'environment and branch together',
      'github-actions',
      job.issuer,
      { sub: 'repo:octo-org/octo-repo:ref:refs/heads/main', environment: 'prod' },
      'leave out sub',
    ],
    [
      'the full name of a branch',
      'gitlab-ci',
      'https://gitlab.com',
      { project_id: '20', ref: 'refs/heads/main' },
      'short name',
    ],
    [
      'true for protected',
      'gitlab-ci',
      'https://gitlab.com',
      { project_id: '20', ref_protected: true },
      'in quotes',
    ],
    [
      'the address as sub',
      'google-cloud',
      'https://accounts.google.com',
      { sub: 'a@p.iam.gserviceaccount.com' },
      'email',
    ],
    ['a bare name as sub', 'kubernetes', pod.issuer, { sub: 'prod:worker' }, 'system:serviceaccount'],
    [
      'a context id that is not in a list',
      'circleci',
      'https://oidc.circleci.com/org/6e3d1d4b-9c0d-4a55-8f3f-0a5b0c7d2e11',
      { sub: 'x', 'oidc.circleci.com/context-ids': 'a' },
      'list',
    ],
  ]
  for (const [title, preset, issuer, claims, says] of mistakes) {
    test(`a common mistake: ${title}`, async () => {
      const error = await rejects(() => create({ preset, issuer, claims }), 'ERR_OPTION_INVALID')
      assert(error.message.includes(says), error.message)
    })
  }

  test('the issuer may be omitted if the preset has only one', async () => {
    const authenticate = await create({ preset: 'github-actions', issuer: undefined })
    assert(await authenticate(bearer(await jobToken())))
  })

  test('invalid options: different key sets for one issuer', async () => {
    const error = await rejects(() => create({}, { jwks: undefined }), 'ERR_OPTION_INVALID')
    equal(Reflect.get(error, 'option'), 'jwks')
  })

  const empty = [{ identities: [] }, { identities: [null] }, { identities: {} }]
  for (const options of [undefined, null, {}, ...empty]) {
    test(`invalid options: ${JSON.stringify(options)}`, async () => {
      await rejects(loosely(workloadIdentity, options), 'ERR_OPTION_INVALID')
    })
  }

  test('later changes to the options have no effect', async () => {
    const claims = { repository_id: '74', o: { a: ['x'] } }
    const authenticate = await create({ claims })
    claims.repository_id = '75'
    claims.o.a.push('y')
    assert(await authenticate(bearer(await jobToken({ o: { a: 'x' } }))))
    const token = await jobToken({ o: { a: 'y' } })
    await refuses(() => authenticate(bearer(token)), 'ERR_CALLER_FORBIDDEN')
  })
}
