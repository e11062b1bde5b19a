import jwt from 'jsonwebtoken'
import { expect, test } from 'vitest'
import type { AuditEvent } from '../../src/endpoint.ts'
import { createTokenServiceFromEnv, readSettings } from '../../src/service.ts'
import { keySet, sessionToken } from '../conformance/endpoint-harness.ts'
import { secret, workspaceKey } from '../conformance/tokens.ts'
import { audience, job } from '../conformance/workload-harness.ts'

const { preset, issuer, claims, rules } = job
const jwks = await keySet()
const identity = { name: 'deploy', preset, issuer, jwks, audience, claims: rules, scopes: ['admin'] }

const createEnv = (...identities: object[]) => ({
  MEMBRANE_WORKSPACE_KEY: workspaceKey,
  MEMBRANE_WORKSPACE_SECRET: secret,
  WORKLOAD_IDENTITIES: JSON.stringify(identities),
})

test('WORKLOAD_IDENTITIES: a listed job gets an admin token, and the audit event names it', async () => {
  const events: AuditEvent[] = []
  const service = createTokenServiceFromEnv(createEnv(identity), {
    audit: (event) => void events.push(event),
  })
  const request = async (over: object = {}) => {
    const exp = Math.floor(Date.now() / 1000) + 300
    const credential = await sessionToken({ iss: issuer, aud: audience, exp, ...claims, ...over })
    const headers = { Authorization: `Bearer ${credential}` }
    const response = await service(
      new Request(`${audience}/api/membrane-admin-token`, { method: 'POST', headers }),
    )
    return (await response.json()) as { token: string }
  }

  const { token } = await request()
  expect(jwt.verify(token, secret)).toMatchObject({ iss: workspaceKey, isAdmin: true })
  expect(events[0]).toMatchObject({
    outcome: 'issued',
    method: 'workload',
    callerName: 'deploy',
    callerSubject: claims.sub,
  })
  expect(await request({ repository_id: '75' })).toMatchObject({ status: 403, code: 'ERR_CALLER_FORBIDDEN' })
})

test('WORKLOAD_IDENTITIES: a fault names the entry and the mistake', async () => {
  const misspelled = { ...identity, scope: ['admin'] }
  await expect(readSettings(createEnv(identity, misspelled))).rejects.toMatchObject({
    faults: [
      {
        setting: 'WORKLOAD_IDENTITIES',
        detail: expect.stringMatching(/identities\[1\].*did you mean `scopes`\?/),
      },
    ],
  })
})
