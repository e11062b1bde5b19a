import { createPrivateKey } from 'node:crypto'
import jwt from 'jsonwebtoken'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createSigner } from '../../src/index.ts'
import { privateJwk } from '../conformance/keys.ts'
import { secret, workspaceKey } from '../conformance/tokens.ts'

const customers = [
  { id: 'customer-42', name: '{CUSTOMER_NAME}', fields: { userField: '<user field value>' } },
  {
    id: 'Ада 👩‍💻',
    name: '"Ада"\n\u2028\ud800',
    fields: { vide: '', список: [1, { a: null }], now: new Date(0) },
  },
  { id: 'c', name: 'without fields' },
  { id: 'c' },
]

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: new Date('2026-11-22T23:59:59.999Z') })
})

afterEach(() => {
  vi.useRealTimers()
})

describe.each(customers)('the token jsonwebtoken signs for $id, $name', ({ id, name, fields }) => {
  test('with Membrane’s sample for a workspace key and secret', async () => {
    const claims = { workspaceKey, id, name, fields }
    const sample = jwt.sign(claims, secret, { expiresIn: 7200, algorithm: 'HS512' })

    const signer = await createSigner({ workspaceKey, secret, claimStyle: 'workspaceKey' })
    expect((await signer.signCustomerToken({ id, name, fields })).token).toBe(sample)
  })

  test.each(['RS256', 'RS384', 'RS512'] as const)(
    'with Membrane’s sample for a key pair, %s',
    async (algorithm) => {
      const privateKey = await privateJwk('RSA')
      const key = createPrivateKey({ key: { ...privateKey }, format: 'jwk' })
      const claims = { id, name, fields }
      const sample = jwt.sign(claims, key, { issuer: workspaceKey, expiresIn: 7200, algorithm })

      const signer = await createSigner({ workspaceKey, privateKey, algorithm })
      expect((await signer.signCustomerToken({ id, name, fields })).token).toBe(sample)
    },
  )

  test.each(['HS256', 'HS384', 'HS512'] as const)(
    'with a key id, a token id and a lifetime, %s',
    async (algorithm) => {
      const claims = { id, name, fields }
      const options = { issuer: workspaceKey, expiresIn: 5400, algorithm, keyid: 'k1', jwtid: 'j1' }
      const sample = jwt.sign(claims, secret, options)

      const signer = await createSigner({ workspaceKey, secret, algorithm, keyId: 'k1', expiresIn: '90m' })
      expect((await signer.signCustomerToken(claims, { jwtId: 'j1' })).token).toBe(sample)
    },
  )
})

test.each([
  ['issuer', { isAdmin: true }, { issuer: workspaceKey }],
  ['workspaceKey', { workspaceKey, isAdmin: true }, {}],
] as const)('the admin token jsonwebtoken signs with %s', async (claimStyle, claims, options) => {
  const sample = jwt.sign(claims, secret, { ...options, expiresIn: 7200, algorithm: 'HS512' })
  const signer = await createSigner({ workspaceKey, secret, claimStyle })
  expect((await signer.signAdminToken()).token).toBe(sample)
})
