import type { Verifier } from '../../src/index.ts'
import type { KeyServer } from './key-server.ts'
import { respondWithKeys, url, withKeyServer } from './key-server.ts'
import type { KeyName } from './keys.ts'
import { privateJwk, publicJwk } from './keys.ts'
import type { Library } from './suite.ts'
import { createTestVerifier, forge, now } from './token-fixtures.ts'

export const second = 1000
export const minute = 60 * second
export const hour = 60 * minute

export async function published(name: KeyName, kid: string): Promise<object> {
  return { ...(await publicJwk(name)), kid }
}

/** A token that expires in two days, later than any key set in the tests. */
export async function tokenOf(name: KeyName, kid?: string): Promise<string> {
  const claims = { exp: now / 1000 + 48 * 3600 }
  return forge(claims, { algorithm: 'ES256', key: await privateJwk(name), header: { kid } })
}

export interface RemoteKeySetHarness {
  verifier: Verifier
  server: KeyServer
  good: string
  unknown: string
  wait: (milliseconds: number) => void
}

/** A verifier with a remote key set that contains the key `a`, and a clock that only `wait` advances. */
export async function withRemoteKeySet(
  lib: Library,
  run: (harness: RemoteKeySetHarness) => Promise<void>,
): Promise<void> {
  await withKeyServer(respondWithKeys(await published('P-256', 'a')), async (server) => {
    let time = now
    const verifier = await createTestVerifier(lib, { jwks: new URL(url), now: () => time })
    const wait = (milliseconds: number) => {
      time += milliseconds
    }
    const [good, unknown] = [await tokenOf('P-256', 'a'), await tokenOf('other P-256', 'b')]
    await run({ verifier, server, good, unknown, wait })
  })
}
