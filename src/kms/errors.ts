import type { Algorithm } from '../algorithms.ts'
import { MembraneTokenError } from '../errors.ts'

/** The key cannot be used at the moment. `message` must not contain text of a response. */
export function unavailable(message: string, cause?: unknown): MembraneTokenError {
  return new MembraneTokenError('ERR_KEY_UNAVAILABLE', message, { cause })
}

/** @param algorithms The algorithms that the key supports */
export function mismatchedAlgorithm(algorithms: readonly Algorithm[], algorithm: string): MembraneTokenError {
  return new MembraneTokenError(
    'ERR_KEY_ALGORITHM_MISMATCH',
    `This key supports ${algorithms.join(', ')}, not ${algorithm}; pass one of them as the algorithm.`,
    { option: 'algorithm' },
  )
}

/** The key is not for signing, or the service does not sign with it in the requested algorithm. */
export function notForSigning(service: string): MembraneTokenError {
  return new MembraneTokenError(
    'ERR_KEY_ALGORITHM_MISMATCH',
    `The key at ${service} is not for signing, or not for this algorithm.`,
    { option: 'algorithm' },
  )
}

/** The key cannot sign. @param kind The service's name for its type */
export function unsupportedKey(service: string, kind: unknown): MembraneTokenError {
  const shown = typeof kind === 'string' && /^[\w.-]{1,60}$/.test(kind) ? ` of type ${kind}` : ''
  return new MembraneTokenError(
    'ERR_KEY_FORMAT_UNSUPPORTED',
    `The key${shown} at ${service} cannot sign Membrane tokens; create an RSA (2048 bits or more) or EC (P-256, P-384, P-521) key for signing.`,
  )
}

export function unexpectedResponse(service: string, cause?: unknown): MembraneTokenError {
  return unavailable(`${service} returned an unexpected response; check its address.`, cause)
}
