import { type Caller, refusal } from '../src/endpoint.ts'

/** A Workers rate-limit binding. It counts per location, and is meant to stop floods, not to bill. */
export interface RateLimiter {
  limit(options: { key: string }): Promise<{ success: boolean }>
}

/**
 * Counts requests by caller, and failed attempts by address, so that nobody who guesses is counted as one he names.
 */
export function limitBy(limiter: RateLimiter): (caller: Caller | null, request: Request) => Promise<void> {
  return async (caller, request) => {
    const { success } = await limiter.limit({ key: keyOf(caller, request) })
    if (!success)
      throw refusal('ERR_RATE_LIMITED', 'Too many requests; wait, and keep a token until it ends.')
  }
}

function keyOf(caller: Caller | null, request: Request): string {
  if (!caller) return `address:${networkOf(request.headers.get('CF-Connecting-IP') ?? 'unknown')}`
  return `${caller.kind}:${caller.kind === 'service' ? caller.name : caller.subject}`
}

// Whoever has one address of IPv6 has a whole /64 of them.
function networkOf(address: string): string {
  if (!address.includes(':')) return address
  const [head = '', tail = ''] = address.split('::')
  const groups = head.split(':')
  const rest = tail === '' ? [] : tail.split(':')
  const zeros = Array<string>(Math.max(0, 8 - groups.length - rest.length)).fill('0')
  return [...groups, ...zeros, ...rest].slice(0, 4).join(':')
}
