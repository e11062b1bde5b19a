import type { Caller } from '../endpoint/auth/caller.ts'
import { networkOf } from '../endpoint/http/network.ts'
import { overLimit, type RateLimitHook } from '../endpoint/issuer.ts'

/** A rate limiter such as the Workers binding, which counts per location: good against floods, not for billing. */
export interface RateLimiter {
  limit(options: { key: string }): Promise<{ success: boolean }>
}

/**
 * Counts requests by caller, and failed attempts by network, so that guesses do not count against the caller they
 * name. Without a known address nothing is counted by network: with one limit for all, one caller could block all.
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
