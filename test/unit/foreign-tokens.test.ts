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

const files: [file: string, size: number][] = [
  ['php', 8],
  ['ruby', 12],
  ['python', 12],
]

function readKey(name: string): Key {
  return name === 'secret'
    ? { secret: readVectorText('foreign/keys/secret.txt') }
    : { publicKey: readVectorText(`foreign/keys/${name}.pub.pem`) }
}

describe.skipIf(!hasVectors).each(files)('tokens of %s', (file, size) => {
  const tokens = hasVectors ? readVectors<ForeignToken[]>(`foreign/${file}.json`) : []

  test('are all there', () => {
    expect(tokens).toHaveLength(size)
  })

  test.each(tokens)('$library, $algorithm', async ({ algorithm, key, claims, token }) => {
    const { iss: workspaceKey, exp, ...customer } = claims
    const expected = {
      kind: 'customer',
      workspaceKey,
      ...customer,
      expiresAt: new Date(exp * 1000),
      algorithm,
    }
    for (const pinned of [readKey(key), { ...readKey(key), algorithms: [algorithm] }]) {
      const verifier = await createVerifier({ workspaceKey, ...pinned })
      expect(await verifier.verify(token)).toStrictEqual(expected)
    }
  })

  test.each(tokens)('$library, $algorithm: rejected where it should be', async ({ key, claims, token }) => {
    const { iss } = claims
    const other = tokens.find((token) => token.key !== key)
    expect(await verdict(readKey(key), withOtherSignature(token), iss)).toBe('ERR_TOKEN_SIGNATURE_INVALID')
    expect(await verdict(readKey(key), token, `${iss}0`)).toBe('ERR_TOKEN_WORKSPACE_MISMATCH')
    expect(await verdict(readKey(other!.key), token, iss)).toBe('ERR_TOKEN_ALGORITHM_NOT_ALLOWED')
  })
})
