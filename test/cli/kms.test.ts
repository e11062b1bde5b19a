import { createHash, randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createVerifier } from '../../src/index.ts'
import { type CloudServer, startCloudServer } from '../kms/cloud-server.ts'
import { useCommand } from './harness.ts'

const { run, start, expectWrongUsage } = useCommand()
let cloud: CloudServer
let env: Record<string, string>

beforeAll(async () => {
  cloud = await startCloudServer()
  env = {
    MEMBRANE_WORKSPACE_KEY: 'workspace-1',
    MEMBRANE_PRIVATE_KEY: `azurekms://${cloud.address.replace('http://', '')}/p256`,
    AZURE_TENANT_ID: 'tenant',
    AZURE_CLIENT_ID: 'client',
    AZURE_CLIENT_SECRET: 'client-secret',
    AZURE_AUTHORITY_HOST: cloud.address,
  }
})
afterAll(() => cloud.stop())

test('a token is signed and verified with a key in a KMS', async () => {
  const signed = await run(['sign', '--customer', 'c-1'], { env })
  expect(signed).toMatchObject({ status: 0, stderr: '' })
  const verified = await run(['verify', '-'], { env, input: signed.stdout })
  expect(verified.status, verified.stderr).toBe(0)
})

test('a KMS that rejects the request is named, without its credentials', async () => {
  const { status, stderr } = await run(['sign', '--admin'], {
    env: { ...env, AZURE_CLIENT_SECRET: 'other-secret' },
  })
  expect(status).not.toBe(0)
  expect(stderr).toMatch(/Microsoft Entra ID rejected/)
  expect(stderr).not.toContain('other-secret')
})

test('an unknown URI is rejected with the known ones', () =>
  expectWrongUsage(['sign', '--admin'], /awskms:\/\/.*azurekms:\/\/.*hashivault:\/\//, {
    env: { ...env, MEMBRANE_PRIVATE_KEY: 'xkms://a' },
  }))

test('serve signs with a key in a KMS', async () => {
  const key = randomBytes(32).toString('base64url')
  const sha256 = createHash('sha256').update(key).digest('hex')
  const API_KEYS = JSON.stringify([{ name: 'backend', sha256, scopes: ['customer'] }])
  const server = await start(['serve', '--port', '0'], { env: { ...env, API_KEYS } })
  const [, origin = ''] = await server.says(/(http:\/\/127\.0\.0\.1:\d+)/)
  const jwks = (await (await fetch(`${origin}/.well-known/jwks.json`)).json()) as { keys: never[] }
  expect(jwks.keys).toHaveLength(1)
  const response = await fetch(`${origin}/api/membrane-token`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' },
    body: '{"id":"c-1"}',
  })
  const { token } = (await response.json()) as { token: string }
  const verifier = await createVerifier({ workspaceKey: 'workspace-1', jwks })
  expect(await verifier.verify(token)).toMatchObject({ kind: 'customer', id: 'c-1', algorithm: 'ES256' })
  expect((await fetch(`${origin}/ready`)).status).toBe(200)
  await server.stop()
})
