import { oneOf } from '../../src/endpoint.ts'
import {
  bearer,
  createSession,
  createTestEndpoint,
  expectGrant,
  expectProblem,
  refuses,
  send,
  sessionToken,
  withProvider,
} from './endpoint-harness.ts'
import { respondWithKeys } from './key-server.ts'
import { published } from './remote-key-set-harness.ts'
import { assert, type ConformanceModule, equal, rejects } from './suite.ts'
import { audience, create, jobToken, pod, podToken } from './workload-harness.ts'
import { WORKLOADS } from './workload-tokens.ts'

export const endpointWorkloads: ConformanceModule = ({ test }, lib) => {
  for (const [title, { preset, issuer, claims, rules, common }] of Object.entries(WORKLOADS)) {
    const tokenWith = (other: object) => sessionToken({ iss: issuer, aud: audience, ...claims, ...other })
    const expected = { kind: 'service', method: 'workload', name: 'deploy', scopes: ['admin'] }

    test(`accepted: ${title}`, async () => {
      for (const identity of [{ preset, issuer }, { issuer }]) {
        const authenticate = await create({ ...identity, claims: rules })
        equal({ ...(await authenticate(bearer(await tokenWith({})))) }, { ...expected, subject: claims.sub })
      }
    })

    test(`invalid options: rules that do not tell workloads apart: ${title}`, async () => {
      // The issuer of a cluster does not say that it is Kubernetes.
      const presets = preset === 'kubernetes' ? [preset] : [preset, undefined]
      for (const named of presets) {
        const options = { preset: named, issuer, claims: common }
        const { message } = await rejects(() => create(options), 'ERR_OPTION_INVALID')
        assert(message.includes('identifies the workload'), message)
      }
    })

    test(`rejected: claims that differ: ${title}`, async () => {
      const authenticate = await create({ preset, issuer, claims: rules })
      const other = Object.fromEntries(Object.keys(rules).map((claim) => [claim, 'other']))
      const token = await tokenWith(other)
      await refuses(() => authenticate(bearer(token)), 'ERR_CALLER_FORBIDDEN')
    })
  }

  test('a job gets an admin token, but no customer token', async () => {
    const authenticate = await create({})
    const headers = { Authorization: `Bearer ${await jobToken()}` }
    const admin = await createTestEndpoint(lib, authenticate, { kind: 'admin' })
    await expectGrant(await send(admin, { method: 'POST', headers }))
    const customer = await createTestEndpoint(lib, authenticate)
    expectProblem(await send(customer, { body: { id: 'c' }, headers }), 'ERR_CALLER_FORBIDDEN')
  })

  test('returns null: another issuer, an API key, a client secret', async () => {
    const authenticate = await create({})
    equal(await authenticate(bearer(await jobToken({ iss: 'https://gitlab.com' }))), null)
    equal(await authenticate(bearer('mt_key')), null)
    equal(await authenticate.verify({ kind: 'client', name: 'deploy', secret: await jobToken() }), null)
  })

  test('the first matching identity is used', async () => {
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

  test('each identity has its own audience', async () => {
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

  test('an error names the claims that differ, but no values', async () => {
    const authenticate = await create({ preset: 'github-actions' })
    const other = { ref: 'refs/heads/topic', environment: 'staging', event_name: 'pull_request' }
    const token = await jobToken(other)
    const { message } = await refuses(() => authenticate(bearer(token)), 'ERR_CALLER_FORBIDDEN')
    assert(message.includes('ref, environment.') && message.includes('pull request'), message)
    for (const value of ['main', 'topic', 'prod', 'staging', '74', 'deploy'])
      assert(!message.includes(value), `${value} is in the message`)
  })

  test('identities of one issuer share its keys', async () => {
    const jwks = new URL('https://keys.example/jwks.json')
    await withProvider({ [jwks.href]: respondWithKeys(await published('P-256', 'a')) }, async (server) => {
      const authenticate = await create({ jwks }, { jwks, claims: { repository_id: '75' } })
      for (const repository_id of ['74', '75'])
        assert(await authenticate(bearer(await jobToken({ repository_id }))))
      const names = authenticate.dependencies.map(({ name }) => name)
      equal([server.requests.length, names], [1, [jwks.href]])
    })
  })

  test('sessions and workloads of one issuer: the audience selects', async () => {
    const { issuer } = pod
    const session = await createSession({ issuer, audience: 'https://app.example.com' })
    const workload = await create({ issuer, claims: { sub: 'system:serviceaccount:prod:worker' } })
    const authenticate = oneOf(session, workload)
    equal((await authenticate(bearer(await podToken())))?.kind, 'service')
    const user = await podToken({ aud: 'https://app.example.com', sub: 'user-7' })
    equal((await authenticate(bearer(user)))?.kind, 'customer')
    const both = await podToken({ aud: ['https://app.example.com', audience] })
    await refuses(() => authenticate(bearer(both)), 'ERR_CREDENTIALS_AMBIGUOUS')
    const shared = await createSession({ issuer, audience })
    await rejects(() => oneOf(shared, workload), 'ERR_OPTION_INVALID')
  })
}
