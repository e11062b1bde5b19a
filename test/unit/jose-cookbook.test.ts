import type { JWK } from 'jose'
import { describe, expect, test } from 'vitest'
import { type Algorithm, createSigner, createVerifier } from '../../src/index.ts'
import { hasVectors, judgeSignature, type Key, readVectors, verdict } from './vectors.ts'

interface Example {
  input: { key: JWK; alg: Algorithm }
  signing: { 'sig-input': string; sig: string }
  output: { compact: string; json: object; json_flat: object }
}

const examples: [section: string, file: string, algorithm: Algorithm][] = [
  ['4.1', '4_1.rsa_v15_signature.json', 'RS256'],
  ['4.2', '4_2.rsa-pss_signature.json', 'PS384'],
  ['4.3', '4_3.ecdsa_signature.json', 'ES512'],
  ['4.4', '4_4.hmac-sha2_integrity_protection.json', 'HS256'],
]

function readExample(file: string): Example {
  return readVectors(`jose-cookbook/${file}`)
}

function bytesOf(text: string | undefined): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(Buffer.from(text ?? '', 'base64url'))
}

function verificationKey({ kty, k, n, e, crv, x, y }: JWK): Key {
  if (kty === 'oct') return { secret: bytesOf(k) }
  return { publicKey: (kty === 'RSA' ? { kty, n, e } : { kty, crv, x, y }) as JsonWebKey }
}

// The payload of the examples is a sentence, so that no verifier of claims sets can accept it.
describe.skipIf(!hasVectors).each(examples)('RFC 7520 section %s', (_, file, algorithm) => {
  test(`the signature holds for ${algorithm}, and for no other algorithm`, async () => {
    const { input, output } = readExample(file)
    const key = verificationKey(input.key)
    expect(input.alg).toBe(algorithm)
    expect(await judgeSignature(key, output.compact)).toBe('genuine')
    expect(await judgeSignature({ ...key, algorithms: [algorithm] }, output.compact)).toBe('genuine')
    const others = (['HS256', 'HS512', 'RS256', 'RS512', 'PS384', 'ES512'] as const).filter(
      (other) => other !== algorithm,
    )
    for (const other of others) {
      expect(await judgeSignature({ ...key, algorithms: [other] }, output.compact)).toBe('refused')
    }
  })

  test('the JSON serialisations are rejected', async () => {
    const { input, output } = readExample(file)
    for (const json of [output.json, output.json_flat]) {
      expect(await verdict(verificationKey(input.key), JSON.stringify(json))).toBe('ERR_TOKEN_MALFORMED')
    }
  })

  test('its key signs what its public half verifies', async () => {
    const { key } = readExample(file).input
    const workspace = { workspaceKey: 'workspace' }
    const signingKey =
      key.kty === 'oct' ? { secret: bytesOf(key.k) } : { privateKey: { ...key } as JsonWebKey }
    const signer = await createSigner({ ...workspace, ...signingKey, algorithm })
    const verifier = await createVerifier({ ...workspace, ...verificationKey(key) })
    const { token } = await signer.signCustomerToken({ id: 'bilbo' })
    expect(await verifier.verify(token)).toMatchObject({ kind: 'customer', id: 'bilbo', algorithm })
  })
})

// The signer writes its own header and claims; that it is byte-exact shows in the signature over the same input.
describe.skipIf(!hasVectors)('RFC 7520, byte for byte', () => {
  const hash = 'SHA-256'
  test.each([
    ['4_1.rsa_v15_signature.json', { name: 'RSASSA-PKCS1-v1_5', hash }, 'RS256'],
    ['4_4.hmac-sha2_integrity_protection.json', { name: 'HMAC', hash }, 'HS256'],
  ] as const)('%s', async (file, parameters, algorithm) => {
    const { input, signing, output } = readExample(file)
    const key = await crypto.subtle.importKey('jwk', input.key as JsonWebKey, parameters, false, ['sign'])
    const sign = async (text: string) => {
      const signature = await crypto.subtle.sign(parameters.name, key, new TextEncoder().encode(text))
      return `${text}.${Buffer.from(signature).toString('base64url')}`
    }
    expect(await sign(signing['sig-input'])).toBe(output.compact)

    const own = input.key.kty === 'oct' ? { secret: bytesOf(input.key.k) } : { privateKey: { ...input.key } }
    const signer = await createSigner({ workspaceKey: 'workspace', algorithm, ...(own as object) })
    const { token } = await signer.signCustomerToken({ id: 'bilbo' })
    expect(token).toBe(await sign(token.slice(0, token.lastIndexOf('.'))))
  })
})
