import { expect, onTestFinished } from 'vitest'
import { expectProblem, makeSettings } from './harness.ts'
import { AUDIENCE, type Handler, type IdentityProvider, startIdentityProvider } from './identity-provider.ts'
import { startTimedWorker, type TimedWorker } from './timed-worker.ts'

/** A Worker on workerd, and the identity provider that it takes sessions of. */
export interface Harness {
  identityProvider: IdentityProvider
  worker: TimedWorker
  apiKey: string
  /** Requests a token with a session, at the Worker's time. */
  ask(session: string, headers?: Record<string, string>, signal?: AbortSignal): Promise<Response>
  signIn(): Promise<string>
}

/** @param onFinished Where the harness is stopped; a concurrent test passes that of its own context */
export async function startHarness(onFinished: typeof onTestFinished = onTestFinished): Promise<Harness> {
  const { settings, apiKeys } = makeSettings()
  const identityProvider = await startIdentityProvider()
  const worker = await startTimedWorker({
    ...settings,
    SESSION_ISSUER: identityProvider.issuer,
    SESSION_AUDIENCE: AUDIENCE,
  })
  onFinished(async () => {
    await Promise.all([identityProvider.close(), worker.dispose()])
  })
  return {
    identityProvider,
    worker,
    apiKey: apiKeys.backend!,
    ask: (session, headers, signal = AbortSignal.timeout(20_000)) =>
      fetch(`${worker.url}/api/membrane-token`, {
        headers: { Authorization: `Bearer ${session}`, ...worker.clock(), ...headers },
        signal,
      }),
    signIn: async () => (await identityProvider.signIn('customer-7')).accessToken,
  }
}

export async function expectUnavailable(response: Response): Promise<void> {
  await expectProblem(response, 503, 'ERR_JWKS_UNAVAILABLE')
  expect(response.headers.get('Retry-After')).toMatch(/^[1-9]\d*$/)
}

export async function expectServed(...responses: Promise<Response>[]): Promise<void> {
  expect((await Promise.all(responses)).map(({ status }) => status)).toEqual(responses.map(() => 200))
}

export interface HeldRequests {
  /** Resolves when that many requests wait. */
  reached(count: number): Promise<void>
  release(): Promise<void>
}

/** Holds back every request for metadata or keys until released. */
export function holdRequests({ identityProvider }: Harness, path?: string): HeldRequests {
  const held: (() => unknown)[] = []
  identityProvider.interfere((request, response) => {
    held.push(() => identityProvider.answer(request, response))
  }, path)
  return {
    reached: (count) => expect.poll(() => held.length, { timeout: 4000 }).toBeGreaterThanOrEqual(count),
    release: async () => {
      await identityProvider.recover()
      for (const answer of held.splice(0)) answer()
    },
  }
}

/** Lets a handler answer without an end. @returns the number of requests that still wait for that end */
export function stallRequests({ identityProvider }: Harness, handler: Handler, path: string): () => number {
  let waiting = 0
  identityProvider.interfere((request, response) => {
    waiting += 1
    response.once('close', () => {
      waiting -= 1
    })
    return handler(request, response)
  }, path)
  return () => waiting
}
