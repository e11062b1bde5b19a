import { MembraneTokenError } from '../errors.ts'
import { isPlaceholder } from '../placeholders.ts'

/** Describes why a string is not a valid customer id, as the predicate of a sentence; `undefined` if it is valid. */
export function describeIdProblem(id: string): string | undefined {
  if (id.trim() === '') return 'must not be blank'
  if (/\p{Cc}/u.test(id)) return 'must not contain control characters'
  if (isPlaceholder(id)) return 'is a placeholder'
  return undefined
}

/**
 * Checks a customer id.
 *
 * @throws `ERR_CLAIM_INVALID` if it is not a string, is blank or a placeholder, or contains control characters
 */
export function checkCustomerId(id: unknown): asserts id is string {
  const problem = typeof id === 'string' ? describeIdProblem(id) : 'must be a non-empty string'
  if (problem === undefined) return
  throw new MembraneTokenError(
    'ERR_CLAIM_INVALID',
    `The customer's id ${problem}; check where the id comes from.`,
    { option: 'id' },
  )
}
