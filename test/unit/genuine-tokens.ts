import { type Algorithm, createSigner } from '../../src/index.ts'
import { privateJwk } from '../conformance/keys.ts'
import { keyNameFor } from '../conformance/tokens.ts'

export const workspaceKey = '4f9b5f5b-6f3c-4d0e-9d0b-5d5e7f1a2b3c'
export const secret = 'correct horse battery staple, said the membrane'
export const now = (): number => Date.UTC(2026, 0, 1)

/** A valid token for each algorithm. */
export async function signTokens(algorithms: readonly Algorithm[]): Promise<Map<Algorithm, string>> {
  const tokens = new Map<Algorithm, string>()
  for (const algorithm of algorithms) {
    const isSecret = algorithm.startsWith('HS')
    const key = isSecret ? { secret } : { privateKey: await privateJwk(keyNameFor(algorithm)) }
    const signer = await createSigner({ workspaceKey, ...key, algorithm, now })
    tokens.set(algorithm, (await signer.signCustomerToken({ id: 'c' })).token)
  }
  return tokens
}
