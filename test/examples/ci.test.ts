// Checks the WORKLOAD_IDENTITIES in the CI examples' comments, with tokens of the platforms' documented shapes.
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { type WorkloadIdentity, workloadIdentity } from '../../src/endpoint.ts'
import { keySet, sessionToken } from '../conformance/endpoint-harness.ts'
import { now } from '../conformance/token-fixtures.ts'
import { WORKLOADS } from '../conformance/workload-tokens.ts'
import { root } from '../support/sources.ts'

const EXAMPLES: [file: string, platform: string, issuer: string][] = [
  [
    'github-actions.yml',
    'GitHub Actions, a job with an environment',
    'https://token.actions.githubusercontent.com',
  ],
  ['gitlab-ci.yml', 'GitLab CI/CD', 'https://gitlab.com'],
  ['google-cloud.sh', 'Google Cloud, a service account', 'https://accounts.google.com'],
]

function readIdentity(file: string): WorkloadIdentity {
  const comment = readFileSync(`${root}examples/ci/${file}`, 'utf8').replace(/^# ?/gm, '')
  const [, json = ''] = /WORKLOAD_IDENTITIES = (\[\{[\s\S]*?\}\])/.exec(comment) ?? []
  const [identity] = JSON.parse(json) as [WorkloadIdentity]
  return identity
}

describe.each(EXAMPLES)('examples/ci/%s', (file, platform, issuer) => {
  const { claims } = WORKLOADS[platform]!

  const verify = async (overrides: object) => {
    const identity = readIdentity(file)
    const jwks = (await keySet()) as WorkloadIdentity['jwks']
    const { verify } = workloadIdentity({ now: () => now, identities: [{ ...identity, jwks }] })
    const expected = Object.fromEntries(
      Object.entries(identity.claims).map(([name, value]) => [name, Array.isArray(value) ? value[0] : value]),
    )
    const token = await sessionToken({
      ...claims,
      ...expected,
      iss: issuer,
      aud: identity.audience,
      exp: now / 1000 + 300,
      ...overrides,
    })
    return verify({ kind: 'bearer', token })
  }

  test('accepts the job', async () => {
    expect(await verify({})).toMatchObject({ kind: 'service', name: 'nightly-export', scopes: ['admin'] })
  })

  test.each(Object.keys(readIdentity(file).claims))('rejects a job with a different %s', async (claim) => {
    await expect(verify({ [claim]: 'different' })).rejects.toMatchObject({ code: 'ERR_CALLER_FORBIDDEN' })
  })
})
