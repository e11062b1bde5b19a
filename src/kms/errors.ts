import type { Algorithm } from '../algorithms.ts'
import { MembraneTokenError } from '../errors.ts'

/** A key that cannot be used at the moment, and why. Never contains text of a response. */
export function unavailable(message: string, cause?: unknown): MembraneTokenError {
  return new MembraneTokenError('ERR_KEY_UNAVAILABLE', message, { cause })
}

/** @param algorithms What the key can do */
export function mismatchedAlgorithm(algorithms: readonly Algorithm[], algorithm: string): MembraneTokenError {
  return new MembraneTokenError(
    'ERR_KEY_ALGORITHM_MISMATCH',
    `This key supports ${algorithms.join(', ')}, not ${algorithm}; pass one of them as the algorithm.`,
    { option: 'algorithm' },
  )
}

/** A key that is not for signing, or whose service does not sign with it in the algorithm that was requested. */
export function notForSigning(service: string): MembraneTokenError {
  return new MembraneTokenError(
    'ERR_KEY_ALGORITHM_MISMATCH',
    `The key at ${service} is not for signing, or not with this algorithm.`,
    { option: 'algorithm' },
  )
}

/** A key that cannot sign. @param kind Its kind, as its service calls it */
export function unsupportedKey(service: string, kind: unknown): MembraneTokenError {
  const shown = typeof kind === 'string' && /^[\w.-]{1,60}$/.test(kind) ? ` of type ${kind}` : ''
  return new MembraneTokenError(
    'ERR_KEY_FORMAT_UNSUPPORTED',
    `The key${shown} at ${service} cannot sign Membrane tokens; create an RSA (2048 bits or more) or EC (P-256, P-384, P-521) key for signing.`,
  )
}

export function unexpectedAnswer(service: string, cause?: unknown): MembraneTokenError {
  return unavailable(`${service} answered with something unexpected; check its address.`, cause)
}
