import {
  type ClaimRules,
  oneOf,
  sessionJwt,
  type WorkloadIdentity,
  workloadIdentity,
} from '../../src/endpoint.ts'
import {
  bearer,
  createTestEndpoint,
  expectGrant,
  expectProblem,
  keySet,
  loosely,
  refuses,
  send,
  sessionToken,
  withProvider,
} from './endpoint-scene.ts'
import { encodePart, now } from './forge.ts'
import { published } from './key-scene.ts'
import { answering } from './key-server.ts'
import { privateJwk } from './keys.ts'
import type { ConformanceModule } from './suite.ts'
import { assert, equal, rejects } from './suite.ts'
import { signParts } from './tokens.ts'
import { WORKLOADS } from './workload-tokens.ts'

const audience = 'https://tokens.example.com'
const seconds = now / 1000
const job = WORKLOADS['GitHub Actions, a job with an environment'] as (typeof WORKLOADS)[string]
const pod = WORKLOADS['Kubernetes, a projected token'] as (typeof WORKLOADS)[string]

type Identity = Partial<WorkloadIdentity>

async function create(...identities: Identity[]) {
  const jwks = (await keySet()) as never
  return workloadIdentity({
    now: () => now,
    identities: identities.map((identity) => ({
      name: 'deploy',
      issuer: job.issuer,
      jwks,
      audience,
      claims: job.rules,
      scopes: ['admin'],
      ...identity,
    })),
  })
}

const jobToken = (claims: object = {}) =>
  sessionToken({ iss: job.issuer, aud: audience, exp: seconds + 300, ...job.claims, ...claims })

const podToken = (claims: object = {}) =>
  sessionToken({ iss: pod.issuer, aud: [audience], exp: seconds + 300, ...pod.claims, ...claims })

export const endpointWorkloads: ConformanceModule = ({ test }, lib) => {
  for (const [title, { preset, issuer, claims, rules, common }] of Object.entries(WORKLOADS)) {
    const token = () => sessionToken({ iss: issuer, aud: audience, exp: seconds + 300, ...claims })
    const expected = { kind: 'service', method: 'workload', name: 'deploy', scopes: ['admin'] }

    test(`accepted: ${title}`, async () => {
      for (const identity of [{ preset, issuer }, { issuer }]) {
        const authenticate = await create({ ...identity, claims: rules })
        equal({ ...(await authenticate(bearer(await token()))) }, { ...expected, subject: claims.sub })
      }
    })

    test(`invalid options: rules that do not tell workloads apart: ${title}`, async () => {
      // The issuer of a cluster does not tell that it is one.
      const presets = preset === 'kubernetes' ? [preset] : [preset, undefined]
      for (const named of presets) {
        const options = { preset: named, issuer, claims: common }
        const { message } = await rejects(() => create(options), 'ERR_OPTION_INVALID')
        assert(message.includes('tells workloads apart'), message)
      }
    })

    test(`rejected: one claim that differs: ${title}`, async () => {
      const authenticate = await create({ preset, issuer, claims: rules })
      const other = Object.fromEntries(Object.keys(rules).map((claim) => [claim, 'other']))
      const differing = await sessionToken({ iss: issuer, aud: audience, ...claims, ...other })
      await refuses(() => authenticate(bearer(differing)), 'ERR_CALLER_FORBIDDEN')
    })
  }

  test('an admin token for a job, and none for a customer', async () => {
    const authenticate = await create({})
    const headers = { Authorization: `Bearer ${await jobToken()}` }
    const admin = await createTestEndpoint(lib, authenticate, { kind: 'admin' })
    await expectGrant(await send(admin, { method: 'POST', headers }))
    const customer = await createTestEndpoint(lib, authenticate)
    expectProblem(await send(customer, { body: { id: 'c' }, headers }), 'ERR_CALLER_FORBIDDEN')
  })

  test('returns null: another issuer, an API key, the secret of a client', async () => {
    const authenticate = await create({})
    equal(await authenticate(bearer(await jobToken({ iss: 'https://gitlab.com' }))), null)
    equal(await authenticate(bearer('mt_key')), null)
    equal(await authenticate.verify({ kind: 'client', name: 'deploy', secret: await jobToken() }), null)
  })

  test('the first identity that matches', async () => {
    const claims = { repository_id: '74' }
    const authenticate = await create(
      { name: 'main', claims: { ...claims, ref: 'refs/heads/main' } },
      { name: 'any branch', claims, scopes: ['customer'] },
    )
    const names = []
    for (const ref of ['refs/heads/main', 'refs/heads/feature']) {
      const caller = await authenticate(bearer(await jobToken({ ref })))
      assert(caller?.kind === 'service')
      names.push([caller.name, caller.scopes])
    }
    equal(names, [
      ['main', ['admin']],
      ['any branch', ['customer']],
    ])
  })

  test('each identity has an audience of its own', async () => {
    const second = 'https://second.example.com'
    const authenticate = await create({ name: 'first' }, { name: 'second', audience: [second, 'third'] })
    const caller = await authenticate(bearer(await jobToken({ aud: second })))
    assert(caller?.kind === 'service')
    equal(caller.name, 'second')
    await refuses(
      async () => authenticate(bearer(await jobToken({ aud: 'fourth' }))),
      'ERR_CREDENTIALS_INVALID',
    )
  })

  test('a token without sub has no subject', async () => {
    const caller = await (await create({}))(bearer(await jobToken({ sub: undefined })))
    assert(caller?.kind === 'service' && !('subject' in caller))
  })

  test('the claims that differ are named, and no value of either side', async () => {
    const authenticate = await create({ preset: 'github-actions' })
    const token = await jobToken({
      ref: 'refs/heads/topic',
      environment: 'staging',
      event_name: 'pull_request',
    })
    const { message } = await refuses(() => authenticate(bearer(token)), 'ERR_CALLER_FORBIDDEN')
    assert(message.includes('ref, environment.') && message.includes('pull request'), message)
    for (const value of ['main', 'topic', 'prod', 'staging', '74', 'deploy'])
      assert(!message.includes(value), `${value} is in the message`)
  })

  test('identities of one issuer share its keys', async () => {
    const jwks = new URL('https://keys.example/jwks.json')
    await withProvider({ [jwks.href]: answering(await published('P-256', 'a')) }, async (server) => {
      const authenticate = await create({ jwks }, { jwks, claims: { repository_id: '75' } })
      for (const repository_id of ['74', '75'])
        assert(await authenticate(bearer(await jobToken({ repository_id }))))
      equal(server.requests.length, 1)
      equal(
        authenticate.dependencies.map(({ name }) => name),
        [jwks.href],
      )
    })
  })

  test('sessions and workloads of one issuer: the audience selects', async () => {
    const { issuer } = pod
    const jwks = (await keySet()) as never
    const session = sessionJwt({ issuer, audience: 'https://app.example.com', jwks, now: () => now })
    const workload = await create({ issuer, claims: { sub: 'system:serviceaccount:prod:worker' } })
    const authenticate = oneOf(session, workload)
    equal((await authenticate(bearer(await podToken())))?.kind, 'service')
    const user = await podToken({ aud: 'https://app.example.com', sub: 'user-7' })
    equal((await authenticate(bearer(user)))?.kind, 'customer')
    const both = await podToken({ aud: ['https://app.example.com', audience] })
    await refuses(() => authenticate(bearer(both)), 'ERR_CREDENTIALS_AMBIGUOUS')
    const shared = sessionJwt({ issuer, audience, jwks, now: () => now })
    await rejects(() => oneOf(shared, workload), 'ERR_OPTION_INVALID')
  })
}

export const endpointWorkloadAttacks: ConformanceModule = ({ test }) => {
  const attacks: [string, object][] = [
    ['another organization', { repository_owner_id: '66', repository_owner: 'evil-org' }],
    ['a fork', { repository_id: '75', repository: 'evil/octo-repo', repository_owner_id: '66' }],
    ['a new repository under a reused name', { repository_id: '75' }],
    ['another branch with a look-alike name', { ref: 'refs/heads/main-1' }],
    ['a tag with the name of the branch', { ref: 'refs/tags/main' }],
    ['the bare name of the branch', { ref: 'main' }],
    ['a branch whose name has the rule as its end', { ref: 'refs/heads/x/refs/heads/main' }],
    ['a branch whose name is the beginning of the rule', { ref: 'refs/heads/mai' }],
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
    ['a list instead of text', { repository_id: ['74'] }],
    ['a list with the text and others', { repository_id: ['75', '74'] }],
    ['a number instead of text', { repository_id: 74 }],
    ['a number in another form', { repository_id: '074' }],
    ['an object instead of text', { repository_id: { value: '74' } }],
    ['true instead of text', { repository_id: true }],
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

  test('the keys of one issuer do not sign for another', async () => {
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
    ['text instead of an object', 'prod'],
    ['a list instead of an object', [{ namespace: 'prod', serviceaccount: { name: 'worker' } }]],
    ['null', null],
    ['an inner list', { namespace: 'prod', serviceaccount: [{ name: 'worker' }] }],
    ['members of the object above', { namespace: 'prod', name: 'worker', serviceaccount: {} }],
  ]
  for (const [title, value] of nested) {
    test(`rejected within an object: ${title}`, async () => {
      const claims: ClaimRules = {
        'kubernetes.io': { namespace: 'prod', serviceaccount: { name: 'worker' } },
      }
      const authenticate = await create({ issuer: pod.issuer, claims })
      assert(await authenticate(bearer(await podToken())))
      const token = await podToken({ 'kubernetes.io': value })
      await refuses(() => authenticate(bearer(token)), 'ERR_CALLER_FORBIDDEN')
    })
  }

  test('a dotted name is no path', async () => {
    const authenticate = await create({ issuer: pod.issuer, claims: { 'a.b': 'x' } })
    const path = await podToken({ a: { b: 'x' } })
    await refuses(() => authenticate(bearer(path)), 'ERR_CALLER_FORBIDDEN')
    assert(await authenticate(bearer(await podToken({ 'a.b': 'x' }))))
  })

  test('__proto__ in the claims matches nothing but a rule of that name', async () => {
    const payload = JSON.stringify({ iss: pod.issuer, aud: audience, exp: seconds + 300, sub: 'x', o: 1 })
    const hostile = payload
      .replace('"o":1', '"o":{"__proto__":{"team":"prod"}}')
      .replace(/}$/, ',"__proto__":{"team":"prod","repository_id":"74"}}')
    const header = encodePart({ alg: 'ES256', kid: 'a' })
    const token = await signParts('ES256', await privateJwk('P-256'), header, encodePart(hostile))
    const rules: ClaimRules[] = [{ team: 'prod' }, { o: { team: 'prod' } }, { repository_id: '74' }]
    for (const claims of rules) {
      const authenticate = await create({ issuer: pod.issuer, claims })
      await refuses(() => authenticate(bearer(token)), 'ERR_CALLER_FORBIDDEN')
    }
    const own = JSON.parse('{"__proto__":{"team":"prod"}}')
    assert(await (await create({ issuer: pod.issuer, claims: own }))(bearer(token)))
    assert(!('team' in {}), 'Object.prototype is changed')
  })

  test('what every object has is no claim', async () => {
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
    ['the key set as text', { jwks: 'https://keys.example' }, 'jwks'],
    ['no claims', { claims: undefined }, 'claims'],
    ['claims of null', { claims: null }, 'claims'],
    ['an empty object', { claims: {} }, 'claims'],
    ['a list of claims', { claims: ['repository_id'] }, 'claims'],
    ['a claim of null', { claims: { repository_id: null } }, 'claims'],
    ['an empty text', { claims: { repository_id: '' } }, 'claims'],
    ['an empty list', { claims: { repository_id: [] } }, 'claims'],
    ['an empty object within', { claims: { repository_id: '74', a: {} } }, 'claims'],
    ['a list in a list', { claims: { repository_id: [['74']] } }, 'claims'],
    ['an object in a list', { claims: { repository_id: [{ a: 1 }] } }, 'claims'],
    ['NaN', { claims: { repository_id: '74', n: Number.NaN } }, 'claims'],
    ['a pattern', { claims: { repository_id: /74/ } }, 'claims'],
    ['a wildcard', { claims: { repository: 'octo-org/*' } }, 'claims'],
    ['a wildcard in a list', { claims: { repository_id: '74', ref: ['refs/heads/*'] } }, 'claims'],
    [
      'only what every token has',
      { issuer: pod.issuer, claims: { iss: pod.issuer, aud: audience } },
      'claims',
    ],
    ['only a scope', { issuer: pod.issuer, claims: { scope: 'deploy', ver: '2' } }, 'claims'],
    ['an unknown preset', { preset: 'jenkins' }, 'preset'],
    ['a preset of every object', { preset: 'toString' }, 'preset'],
    ['the issuer of another platform', { preset: 'fly' }, 'issuer'],
    ['an issuer that the preset does not know', { preset: 'google-cloud' }, 'issuer'],
    [
      'the issuer of all tenants',
      { preset: 'azure', issuer: 'https://login.microsoftonline.com/common/v2.0' },
      'issuer',
    ],
    ['a preset whose issuer must be filled in', { preset: 'vercel', issuer: undefined }, 'issuer'],
    ['an option that does not exist', { scope: ['admin'] }, 'scope'],
  ]
  for (const [title, identity, option] of wrong) {
    test(`invalid options: ${title}`, async () => {
      const error = await rejects(() => create(identity as Identity), 'ERR_OPTION_INVALID')
      equal(Reflect.get(error, 'option'), `identities[0].${option}`)
    })
  }

  const mistakes: [string, Identity['preset'], string, ClaimRules, string][] = [
    ['a number for an id', 'github-actions', job.issuer, { repository_id: 74 }, 'in quotes'],
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
      'bare',
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
      'a context',
      'circleci',
      'https://oidc.circleci.com/org/6e3d1d4b-9c0d-4a55-8f3f-0a5b0c7d2e11',
      { sub: 'x', 'oidc.circleci.com/context-ids': 'a' },
      'list',
    ],
  ]
  for (const [title, preset, issuer, claims, says] of mistakes) {
    test(`a usual mistake: ${title}`, async () => {
      const error = await rejects(() => create({ preset, issuer, claims }), 'ERR_OPTION_INVALID')
      assert(error.message.includes(says), error.message)
    })
  }

  test('a preset with one issuer gives it', async () => {
    const authenticate = await create({ preset: 'github-actions', issuer: undefined })
    assert(await authenticate(bearer(await jobToken())))
  })

  test('invalid options: different keys for one issuer', async () => {
    const error = await rejects(() => create({}, { jwks: undefined }), 'ERR_OPTION_INVALID')
    equal(Reflect.get(error, 'option'), 'jwks')
  })

  for (const options of [
    undefined,
    null,
    {},
    { identities: [] },
    { identities: [null] },
    { identities: {} },
  ]) {
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
