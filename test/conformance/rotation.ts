import { answering, url, withKeyServer } from './key-server.ts'
import { keySet } from './key-sets.ts'
import { privateJwk } from './keys.ts'
import type { ConformanceModule, Library } from './suite.ts'
import { assert, equal, rejects } from './suite.ts'
import { createTestVerifier, now } from './token-fixtures.ts'
import { customer, workspaceKey } from './tokens.ts'

const minute = 60_000
const hour = 60 * minute

/** Tokens live for two hours; the steps of the guide, in milliseconds after the beginning. */
const plan = { publishB: 2 * hour, signWithB: 3 * hour, retireA: 5 * hour, end: 8 * hour }

export const rotation: ConformanceModule = (suite, lib) => {
  suite.test('no token is rejected while keys are rotated', async () => {
    await playThrough(lib, plan)
  })

  suite.test('nor when the new key signs as soon as it is published', async () => {
    await playThrough(lib, { ...plan, signWithB: plan.publishB, retireA: plan.publishB + 2 * hour })
  })

  suite.test('a key that is no longer published is not trusted, even if its tokens are genuine', async () => {
    const [signer, b] = await signers(lib, () => now)
    await withKeyServer(answering(signer.publicJwk ?? {}, b.publicJwk ?? {}), async (server) => {
      let time = now
      const verifier = await createTestVerifier(lib, { jwks: new URL(url), now: () => time })
      const { token } = await signer.signCustomerToken(customer, { expiresIn: '1d' })
      equal((await verifier.verify(token)).keyId, 'a')
      server.answer = answering(b.publicJwk ?? {})
      time += 20 * minute
      await rejects(() => verifier.verify(token), 'ERR_KEY_NOT_FOUND')
    })
  })

  suite.test('tokens of a key that was removed too early are rejected', async () => {
    const [a, b] = await signers(lib, () => now)
    const { token } = await a.signCustomerToken(customer)
    const [early, inTime] = await Promise.all(
      [[b.publicJwk], [b.publicJwk, a.publicJwk]].map((keys) =>
        createTestVerifier(lib, { jwks: keySet(...keys.map((key) => key ?? {})) }),
      ),
    )
    await rejects(() => early?.verify(token), 'ERR_KEY_NOT_FOUND')
    equal((await inTime?.verify(token))?.keyId, 'a')
  })
}

async function signers(lib: Library, clock: () => number) {
  const base = { workspaceKey, now: clock, trustedBrowser: true }
  const [one, other] = [await privateJwk('P-256'), await privateJwk('other P-256')]
  return Promise.all([
    lib.createSigner({ ...base, privateKey: one, keyId: 'a' }),
    lib.createSigner({ ...base, privateKey: other, keyId: 'b' }),
  ])
}

/** Every ten minutes a token is signed, and every token that still lives is shown to old and new verifiers. */
async function playThrough(lib: Library, steps: typeof plan): Promise<void> {
  let time = now
  const clock = () => time
  const [a, b] = await signers(lib, clock)
  const [publicA, publicB] = [a.publicJwk ?? {}, b.publicJwk ?? {}]

  await withKeyServer(answering(publicA), async (server) => {
    const jwks = new URL(url)
    const old = await createTestVerifier(lib, { jwks, now: clock })
    const living: { token: string; end: number }[] = []
    const seen = new Set<string | undefined>()

    for (let elapsed = 0; elapsed <= steps.end; elapsed += 10 * minute) {
      time = now + elapsed
      if (elapsed === steps.publishB) server.answer = answering(publicA, publicB)
      if (elapsed === steps.retireA) server.answer = answering(publicB)
      const { token, expiresAt } = await (elapsed < steps.signWithB ? a : b).signCustomerToken(customer)
      living.push({ token, end: expiresAt.getTime() })

      const fresh = await createTestVerifier(lib, { jwks, now: clock })
      const alive = living.filter(({ end }) => end > time)
      // The newest first, since that is the one whose key an old verifier may not know.
      for (const { token } of [...alive].reverse()) {
        for (const verifier of [old, fresh]) seen.add((await verifier.verify(token)).keyId)
      }
      for (const { token } of living.filter(({ end }) => end <= time).slice(-1)) {
        await rejects(
          () => fresh.verify(token),
          elapsed < steps.retireA ? 'ERR_TOKEN_EXPIRED' : expiredBy(token),
        )
      }
    }
    equal([...seen], ['a', 'b'])
    assert(living.length > 45, 'the play was too short')

    function expiredBy(token: string): string {
      const header = JSON.parse(atob(token.split('.')[0] ?? '')) as { kid: string }
      return header.kid === 'a' ? 'ERR_KEY_NOT_FOUND' : 'ERR_TOKEN_EXPIRED'
    }
  })
}
