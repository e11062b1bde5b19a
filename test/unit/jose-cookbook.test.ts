import type { JWK } from 'jose'
import { describe, expect, test } from 'vitest'
import { type Algorithm, createSigner, createVerifier } from '../../src/index.ts'
import { hasVectors, judgeSignature, type Key, readVectors, verdict } from './vectors.ts'

interface Example {
  input: { key: JWK; alg: Algorithm }
  output: { compact: string; json: object; json_flat: object }
}

function bytesOf(text = ''): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(Buffer.from(text, 'base64url'))
}

function verificationKey({ kty, k, n, e, crv, x, y }: JWK): Key {
  if (kty === 'oct') return { secret: bytesOf(k) }
  return { publicKey: (kty === 'RSA' ? { kty, n, e } : { kty, crv, x, y }) as JsonWebKey }
}

// The payload of each example is a sentence, so the verifier rejects it even if the signature is valid.
describe.skipIf(!hasVectors).each([
  ['4.1', '4_1.rsa_v15_signature.json', 'RS256'],
  ['4.2', '4_2.rsa-pss_signature.json', 'PS384'],
  ['4.3', '4_3.ecdsa_signature.json', 'ES512'],
  ['4.4', '4_4.hmac-sha2_integrity_protection.json', 'HS256'],
] as const)('RFC 7520 section %s', (_, file, algorithm) => {
  const readExample = () => readVectors<Example>(`jose-cookbook/${file}`)

  test(`the signature is valid for ${algorithm}, and for no other algorithm`, async () => {
    const { input, output } = readExample()
    const key = verificationKey(input.key)
    expect(input.alg).toBe(algorithm)
    expect(await judgeSignature(key, output.compact)).toBe('valid')
    for (const allowed of ['HS256', 'HS512', 'RS256', 'RS512', 'PS384', 'ES512'] as const) {
      const judgement = await judgeSignature({ ...key, algorithms: [allowed] }, output.compact)
      expect([allowed, judgement]).toEqual([allowed, allowed === algorithm ? 'valid' : 'rejected'])
    }
  })

  test('the JSON serializations are rejected', async () => {
    const { input, output } = readExample()
    for (const json of [output.json, output.json_flat]) {
      expect(await verdict(verificationKey(input.key), JSON.stringify(json))).toBe('ERR_TOKEN_MALFORMED')
    }
  })

  test('its key signs what its public half verifies', async () => {
    const { key } = readExample().input
    const workspaceKey = 'workspace'
    const signingKey =
      key.kty === 'oct' ? { secret: bytesOf(key.k) } : { privateKey: { ...key } as JsonWebKey }
    const signer = await createSigner({ workspaceKey, ...signingKey, algorithm })
    const verifier = await createVerifier({ workspaceKey, ...verificationKey(key) })
    const { token } = await signer.signCustomerToken({ id: 'bilbo' })
    expect(await verifier.verify(token)).toMatchObject({ kind: 'customer', id: 'bilbo', algorithm })
  })
})
