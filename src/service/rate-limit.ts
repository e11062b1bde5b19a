import type { Caller } from '../endpoint/auth/caller.ts'
import { networkOf } from '../endpoint/http/network.ts'
import { overLimit, type RateLimitHook } from '../endpoint/issuer.ts'

/** A rate limiter such as the Workers binding, which counts per location: it stops floods, but is not exact. */
export interface RateLimiter {
  limit(options: { key: string }): Promise<{ success: boolean }>
}

/**
 * Creates a rate limit hook. It counts requests by caller, and failed attempts by network: the IPv4 address or the IPv6
 * /64. If the address is unknown, failed attempts are not counted, because one client could then block all others.
 *
 * @returns A hook that rejects with `ERR_RATE_LIMITED` (429) over the limit
 */
export function limitBy(limiter: RateLimiter): RateLimitHook {
  return async (caller, request, context) => {
    const key = caller ? callerKey(caller) : networkKey(networkOf(request, context))
    if (key === undefined) return
    const { success } = await limiter.limit({ key })
    if (!success) throw overLimit()
  }
}

function callerKey(caller: Caller): string {
  return `${caller.kind}:${caller.kind === 'service' ? caller.name : caller.subject}`
}

function networkKey(network: string | undefined): string | undefined {
  return network === undefined ? undefined : `address:${network}`
}
