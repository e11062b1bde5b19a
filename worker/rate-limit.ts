import { type Authenticator, refusal } from '../src/endpoint/index.ts'

/** A Workers rate-limit binding. It counts per location, and is meant to stop floods, not to bill. */
export interface RateLimiter {
  limit(options: { key: string }): Promise<{ success: boolean }>
}

/**
 * Counts requests by caller, and failed attempts by address, so that nobody who guesses is counted as one he names.
 */
export function limitRate(authenticate: Authenticator, limiter: RateLimiter | undefined): Authenticator {
  if (!limiter) return authenticate
  const count = async (key: string): Promise<void> => {
    const { success } = await limiter.limit({ key })
    if (!success)
      throw refusal('ERR_RATE_LIMITED', 'Too many requests; wait, and keep a token until it ends.')
  }
  return async (request) => {
    const address = `address:${request.headers.get('CF-Connecting-IP') ?? 'unknown'}`
    const caller = await authenticate(request).catch(async (error) => {
      await count(address)
      throw error
    })
    await count(
      caller ? `${caller.kind}:${caller.kind === 'service' ? caller.name : caller.subject}` : address,
    )
    return caller
  }
}
