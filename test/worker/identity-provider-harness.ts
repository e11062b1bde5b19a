import { expect, onTestFinished } from 'vitest'
import { expectProblem, makeSettings } from './harness.ts'
import { AUDIENCE, type Handler, type IdentityProvider, startIdentityProvider } from './identity-provider.ts'
import { startTimedWorker, type TimedWorker } from './timed-worker.ts'

/** A Worker on workerd, and the identity provider whose sessions it accepts. */
export interface Harness {
  identityProvider: IdentityProvider
  worker: TimedWorker
  apiKey: string
  requestToken(session: string, headers?: Record<string, string>, signal?: AbortSignal): Promise<Response>
  signIn(): Promise<string>
}

/** @param onFinished Stops the harness; a concurrent test passes the hook of its own context */
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
    requestToken: (session, headers, signal = AbortSignal.timeout(20_000)) =>
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
  /** Resolves when at least one request is held. */
  arrived(): Promise<void>
  release(): Promise<void>
}

/** Holds every request for metadata or keys until it is released. */
export function holdRequests({ identityProvider }: Harness, path?: string): HeldRequests {
  const held: (() => unknown)[] = []
  identityProvider.replace((request, response) => {
    held.push(() => identityProvider.handle(request, response))
  }, path)
  return {
    arrived: () => expect.poll(() => held.length, { timeout: 4000 }).toBeGreaterThan(0),
    release: async () => {
      await identityProvider.recover()
      for (const handle of held.splice(0)) handle()
    },
  }
}

/** Replaces a handler with one that never finishes. @returns a counter of the requests that are still open */
export function stallRequests({ identityProvider }: Harness, handler: Handler, path: string): () => number {
  let open = 0
  identityProvider.replace((request, response) => {
    open += 1
    response.once('close', () => {
      open -= 1
    })
    return handler(request, response)
  }, path)
  return () => open
}
