import type { JWK } from 'jose'
import { ALGORITHMS, type Algorithm } from '../algorithms.ts'
import type { RemoteKey } from '../keys/remote-key.ts'
import { decodeAnyBase64 } from './base64.ts'
import { withinTimeLimit } from './call.ts'
import { mismatchedAlgorithm, unavailable, unexpectedResponse } from './errors.ts'
import { createSlots } from './slots.ts'

/** A key in a key management service. */
export interface ServiceKey {
  readonly service: string
  readonly publicKey: string | Uint8Array | JWK
  readonly version?: string | undefined
  /** The algorithms that the key supports; at least one. */
  readonly algorithms: readonly Algorithm[]
  /** Has the service sign a digest. Resolves to the signature from the response, not yet checked to be base64. */
  readonly signDigest: (digest: Uint8Array, algorithm: Algorithm, signal: AbortSignal) => Promise<unknown>
}

/** Creates the key for `createSigner`: hashes locally and signs remotely, within limits on time and concurrency. */
export function toRemoteKey(key: ServiceKey): RemoteKey {
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
          `Signatures by ${service} are throttled: too many concurrent requests with this key; try again later.`,
        )
      try {
        return await withinTimeLimit(service, async (signal) => {
          const digest = await crypto.subtle.digest(ALGORITHMS[algorithm].hash, new Uint8Array(data))
          const signature = decodeAnyBase64(await signDigest(new Uint8Array(digest), algorithm, signal))
          if (!signature) throw unexpectedResponse(service)
          return signature
        })
      } finally {
        release()
      }
    },
  }
}
