import { beforeAll, expect, test } from 'vitest'
import { oneOf, sessionJwt, workloadIdentity } from '../../src/endpoint.ts'
import { createSigner, createVerifier } from '../../src/index.ts'
import { createTokenService } from '../../src/service.ts'
import { keySet, sessionToken } from '../conformance/endpoint-harness.ts'
import { now } from '../conformance/token-fixtures.ts'
import { jobToken } from '../conformance/workload-harness.ts'
import { WORKLOADS } from '../conformance/workload-tokens.ts'

// A job of GitHub Actions and a session of the app use the same token endpoint.
const audience = 'https://tokens.example.com'
const secret = crypto.randomUUID() + crypto.randomUUID()
const job = WORKLOADS['GitHub Actions, a job with an environment']!
const events: { callerName?: string; callerSubject?: string; tokenKind?: string; detail?: string }[] = []
let handler: ReturnType<typeof createTokenService>

beforeAll(async () => {
  const jwks = (await keySet()) as never
  const identity = { name: 'deploy', issuer: job.issuer, audience, claims: job.rules, jwks }
  handler = createTokenService({
    signer: await createSigner({ workspaceKey: 'workspace-1', secret, now: () => now }),
    authenticate: oneOf(
      workloadIdentity({ now: () => now, identities: [{ ...identity, scopes: ['admin'] }] }),
      sessionJwt({ issuer: 'https://id.example/', audience: 'https://api.example', jwks, now: () => now }),
    ),
    oauthIssuer: audience,
    audit: (event) => void events.push(event),
    now: () => now,
  })
})

const exchange = async (subject_token: string, extra: Record<string, string> = {}) => {
  const body = new URLSearchParams({
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    subject_token,
    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    ...extra,
  })
  const response = await handler(new Request(`${audience}/oauth/token`, { method: 'POST', body }))
  return { status: response.status, body: (await response.json()) as Record<string, unknown> }
}

test('a workload gets an admin token with scope=admin, and the audit names the job', async () => {
  const { status, body } = await exchange(await jobToken(), { scope: 'admin', audience: 'workspace-1' })
  expect([status, body.scope, body.token_type]).toEqual([200, 'admin', 'Bearer'])
  const verifier = await createVerifier({ workspaceKey: 'workspace-1', secret, now: () => now })
  expect((await verifier.verify(String(body.access_token))).kind).toBe('admin')
  expect(events.at(-1)).toMatchObject({
    callerName: 'deploy',
    callerSubject: job.claims.sub,
    tokenKind: 'admin',
  })
})

test.each<[what: string, extra: Record<string, string>, error: string]>([
  ['without a scope', {}, 'invalid_scope'],
  ['for a customer token', { scope: 'customer' }, 'invalid_scope'],
  ['for another audience', { scope: 'admin', audience: 'https://other.example' }, 'invalid_target'],
  ['with delegation', { scope: 'admin', actor_token: 'a' }, 'invalid_request'],
])('a workload %s is rejected', async (_, extra, error) => {
  expect(await exchange(await jobToken(), extra)).toMatchObject({ status: 400, body: { error } })
})

test.each<[what: string, claims: object]>([
  ['of another repository', { repository_id: '75' }],
  ['of another branch', { ref: 'refs/heads/main2' }],
  ['with another audience', { aud: 'https://other.example' }],
  ['that has expired', { exp: now / 1000 - 60 }],
])('a job %s is rejected', async (_, claims) => {
  const { status, body } = await exchange(await jobToken(claims), { scope: 'admin' })
  expect([status, body.error]).toEqual([400, 'invalid_request'])
})

test('a session gets its customer’s token, and never an admin token', async () => {
  const session = await sessionToken()
  const { status, body } = await exchange(session)
  expect([status, body.scope]).toEqual([200, 'customer'])
  expect(await exchange(session, { scope: 'admin' })).toMatchObject({
    status: 400,
    body: { error: 'invalid_scope' },
  })
})
