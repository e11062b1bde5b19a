import { type WorkloadIdentity, workloadIdentity } from '../../src/endpoint.ts'
import { keySet, sessionToken } from './endpoint-harness.ts'
import { now } from './token-fixtures.ts'
import { WORKLOADS } from './workload-tokens.ts'

export const audience = 'https://tokens.example.com'
export const seconds = now / 1000
export const job = WORKLOADS['GitHub Actions, a job with an environment'] as (typeof WORKLOADS)[string]
export const pod = WORKLOADS['Kubernetes, a projected token'] as (typeof WORKLOADS)[string]

export type Identity = Partial<WorkloadIdentity>

/** An authenticator of valid identities, with members overridden. */
export async function create(...identities: Identity[]) {
  const jwks = await keySet()
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

export const jobToken = (claims: object = {}) =>
  sessionToken({ iss: job.issuer, aud: audience, exp: seconds + 300, ...job.claims, ...claims })

export const podToken = (claims: object = {}) =>
  sessionToken({ iss: pod.issuer, aud: [audience], exp: seconds + 300, ...pod.claims, ...claims })
