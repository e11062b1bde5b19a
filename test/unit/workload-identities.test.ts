import jwt from 'jsonwebtoken'
import { describe, expect, test } from 'vitest'
import type { AuditEvent } from '../../src/endpoint.ts'
import { createTokenServiceFromEnv, readSettings } from '../../src/service.ts'
import { keySet, sessionToken } from '../conformance/endpoint-harness.ts'
import { WORKLOADS, type WorkloadToken } from '../conformance/workload-tokens.ts'

const audience = 'https://tokens.example.com'
const secret = crypto.randomUUID() + crypto.randomUUID()

async function createEnv(...identities: object[]) {
  return {
    MEMBRANE_WORKSPACE_KEY: 'workspace-1',
    MEMBRANE_WORKSPACE_SECRET: secret,
    WORKLOAD_IDENTITIES: JSON.stringify(identities),
  }
}

async function createIdentity({ preset, issuer, rules }: WorkloadToken) {
  return { name: 'deploy', preset, issuer, jwks: await keySet(), audience, claims: rules, scopes: ['admin'] }
}

function sign({ issuer, claims }: WorkloadToken, over: object = {}): Promise<string> {
  const exp = Math.floor(Date.now() / 1000) + 300
  return sessionToken({ iss: issuer, aud: audience, exp, ...claims, ...over })
}

describe.each(Object.entries(WORKLOADS))('WORKLOAD_IDENTITIES: %s', (_, workload) => {
  test('gets an admin token, and the audit names the job', async () => {
    const events: AuditEvent[] = []
    const env = await createEnv(await createIdentity(workload))
    const service = createTokenServiceFromEnv(env, { audit: (event) => void events.push(event) })
    const ask = async (token: string) =>
      service(
        new Request('https://tokens.example.com/api/membrane-admin-token', {
          method: 'POST',
          headers: { Authorization: `Bearer ${token}` },
        }),
      )

    const response = await ask(await sign(workload))
    const { token } = (await response.json()) as { token: string }
    expect(jwt.verify(token, secret)).toMatchObject({ iss: 'workspace-1', isAdmin: true })
    expect(events[0]).toMatchObject({
      outcome: 'issued',
      method: 'workload',
      callerName: 'deploy',
      callerSubject: workload.claims.sub,
    })

    const [claim] = Object.keys(workload.rules) as [string]
    const rejected = await ask(await sign(workload, { [claim]: 'other' }))
    expect(await rejected.json()).toMatchObject({ status: 403, code: 'ERR_CALLER_FORBIDDEN' })
  })
})

test.each<[string, object, string]>([
  ['claims of every workload', { claims: { ref: 'refs/heads/main' } }, 'identifies the workload'],
  ['a number for an id', { claims: { repository_id: 74 } }, 'in quotes'],
  ['a misspelled member', { scope: ['admin'] }, 'did you mean `scopes`?'],
  ['the issuer of another platform', { issuer: 'https://gitlab.com' }, 'GitHub Actions'],
])('WORKLOAD_IDENTITIES with %s is one fault that names the entry', async (_, over, says) => {
  const identity = await createIdentity(
    WORKLOADS['GitHub Actions, a job with an environment'] as WorkloadToken,
  )
  const error = await readSettings(await createEnv(identity, { ...identity, ...over })).catch(
    (thrown) => thrown,
  )
  expect(error.faults).toEqual([
    { setting: 'WORKLOAD_IDENTITIES', detail: expect.stringContaining('identities[1]') },
  ])
  expect(error.faults[0].detail).toContain(says)
})
