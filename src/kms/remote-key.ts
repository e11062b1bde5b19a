import type { JWK } from 'jose'
import { ALGORITHMS, type Algorithm } from '../algorithms.ts'
import type { RemoteKey } from '../keys/remote-key.ts'
import { decodeAnyBase64 } from './base64.ts'
import { withinTimeLimit } from './call.ts'
import { mismatchedAlgorithm, unavailable, unexpectedAnswer } from './errors.ts'
import { createSlots } from './slots.ts'

/** A key as its service describes it. */
export interface DescribedKey {
  readonly service: string
  readonly publicKey: string | Uint8Array | JWK
  readonly version?: string | undefined
  /** What the key can do; at least one. */
  readonly algorithms: readonly Algorithm[]
  /** Has the service sign a digest. Resolves to what it gives as the signature, which should be base64. */
  readonly signDigest: (digest: Uint8Array, algorithm: Algorithm, signal: AbortSignal) => Promise<unknown>
}

/** The key for `createSigner`: hashes here, signs there, with a bound on time and on signatures under way. */
export function toRemoteKey(key: DescribedKey): RemoteKey {
  const { service, publicKey, version, algorithms, signDigest } = key
  const slots = createSlots()
  return {
    publicKey,
    ...(version !== undefined && { version }),
    async sign(data, algorithm) {
      if (!algorithms.includes(algorithm)) throw mismatchedAlgorithm(algorithms, algorithm)
      const release = slots.take()
      if (!release)
        throw unavailable(
          `Signatures by ${service} are throttled: too many are under way with this key; try again later.`,
        )
      try {
        return await withinTimeLimit(service, async (signal) => {
          const digest = await crypto.subtle.digest(ALGORITHMS[algorithm].hash, new Uint8Array(data))
          const signature = decodeAnyBase64(await signDigest(new Uint8Array(digest), algorithm, signal))
          if (!signature) throw unexpectedAnswer(service)
          return signature
        })
      } finally {
        release()
      }
    },
  }
}
