import { describe, expect, test } from 'vitest'
import { type Algorithm, createVerifier } from '../../src/index.ts'
import { hasVectors, type Key, readVectors, readVectorText, verdict, withOtherSignature } from './vectors.ts'

interface ForeignToken {
  library: string
  algorithm: Algorithm
  key: string
  claims: { iss: string; id: string; name?: string; fields?: Record<string, unknown>; exp: number }
  token: string
}

function readKey(name: string): Key {
  return name === 'secret'
    ? { secret: readVectorText('foreign/keys/secret.txt') }
    : { publicKey: readVectorText(`foreign/keys/${name}.pub.pem`) }
}

describe.skipIf(!hasVectors).each([
  ['php', 8],
  ['ruby', 12],
  ['python', 12],
])('tokens of %s', (file, size) => {
  const tokens = hasVectors ? readVectors<ForeignToken[]>(`foreign/${file}.json`) : []

  test('the file is complete', () => {
    expect(tokens).toHaveLength(size)
  })

  test.each(tokens)('$library, $algorithm: accepted', async ({ algorithm, key, claims, token }) => {
    const { iss: workspaceKey, exp, ...customer } = claims
    for (const pinned of [readKey(key), { ...readKey(key), algorithms: [algorithm] }]) {
      const verifier = await createVerifier({ workspaceKey, ...pinned })
      expect(await verifier.verify(token)).toStrictEqual({
        kind: 'customer',
        workspaceKey,
        ...customer,
        expiresAt: new Date(exp * 1000),
        algorithm,
      })
    }
  })

  test.each(tokens)(
    '$library, $algorithm: rejected with another signature, workspace or key',
    async ({ key, claims: { iss }, token }) => {
      const other = tokens.find((token) => token.key !== key)!
      expect(await verdict(readKey(key), withOtherSignature(token), iss)).toBe('ERR_TOKEN_SIGNATURE_INVALID')
      expect(await verdict(readKey(key), token, `${iss}0`)).toBe('ERR_TOKEN_WORKSPACE_MISMATCH')
      expect(await verdict(readKey(other.key), token, iss)).toBe('ERR_TOKEN_ALGORITHM_NOT_ALLOWED')
    },
  )
})
