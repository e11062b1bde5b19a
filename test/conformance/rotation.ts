import { respondWithKeys, url, withKeyServer } from './key-server.ts'
import { keySet } from './key-sets.ts'
import { privateJwk } from './keys.ts'
import { hour, minute } from './remote-key-set-harness.ts'
import type { ConformanceModule, Library } from './suite.ts'
import { equal, rejects } from './suite.ts'
import { createTestVerifier, now } from './token-fixtures.ts'
import { createTestSigner, customer, decode } from './tokens.ts'

/** The steps of the rotation guide, in milliseconds from the start. Tokens expire after two hours. */
const plan = { publishB: 2 * hour, signWithB: 3 * hour, retireA: 5 * hour, end: 8 * hour }

export const rotation: ConformanceModule = (suite, lib) => {
  suite.test('no token is rejected during a rotation', () => rotate(lib, plan))

  suite.test('no token is rejected if the new key signs as soon as it is published', () =>
    rotate(lib, { ...plan, signWithB: plan.publishB, retireA: plan.publishB + 2 * hour }),
  )

  suite.test('tokens of a key that is no longer published are rejected', async () => {
    const [signer, b] = await signers(lib, () => now)
    await withKeyServer(respondWithKeys(signer.publicJwk ?? {}, b.publicJwk ?? {}), async (server) => {
      let time = now
      const verifier = await createTestVerifier(lib, { jwks: new URL(url), now: () => time })
      const { token } = await signer.signCustomerToken(customer, { expiresIn: '1d' })
      equal((await verifier.verify(token)).keyId, 'a')
      server.respond = respondWithKeys(b.publicJwk ?? {})
      time += 20 * minute
      await rejects(() => verifier.verify(token), 'ERR_KEY_NOT_FOUND')
    })
  })

  suite.test('tokens of the old key verify only while it is published', async () => {
    const [a, b] = await signers(lib, () => now)
    const { token } = await a.signCustomerToken(customer)
    const [publicA, publicB] = [a.publicJwk ?? {}, b.publicJwk ?? {}]
    const before = await createTestVerifier(lib, { jwks: keySet(publicA, publicB) })
    equal((await before.verify(token)).keyId, 'a')
    const after = await createTestVerifier(lib, { jwks: keySet(publicB) })
    await rejects(() => after.verify(token), 'ERR_KEY_NOT_FOUND')
  })
}

async function signers(lib: Library, clock: () => number) {
  return Promise.all([
    createTestSigner(lib, { now: clock, privateKey: await privateJwk('P-256'), keyId: 'a' }),
    createTestSigner(lib, { now: clock, privateKey: await privateJwk('other P-256'), keyId: 'b' }),
  ])
}

/** Signs a token every ten minutes, and verifies all valid tokens with an old and a new verifier. */
async function rotate(lib: Library, steps: typeof plan): Promise<void> {
  let time = now
  const clock = () => time
  const [a, b] = await signers(lib, clock)
  const [publicA, publicB] = [a.publicJwk ?? {}, b.publicJwk ?? {}]

  await withKeyServer(respondWithKeys(publicA), async (server) => {
    const jwks = new URL(url)
    const old = await createTestVerifier(lib, { jwks, now: clock })
    const signed: { token: string; end: number }[] = []
    const seen = new Set<string | undefined>()

    for (let elapsed = 0; elapsed <= steps.end; elapsed += 10 * minute) {
      time = now + elapsed
      if (elapsed === steps.publishB) server.respond = respondWithKeys(publicA, publicB)
      if (elapsed === steps.retireA) server.respond = respondWithKeys(publicB)
      const { token, expiresAt } = await (elapsed < steps.signWithB ? a : b).signCustomerToken(customer)
      signed.push({ token, end: expiresAt.getTime() })

      const fresh = await createTestVerifier(lib, { jwks, now: clock })
      // The newest first, because the old verifier may not have fetched its key yet.
      for (const { token } of signed.filter(({ end }) => end > time).reverse()) {
        for (const verifier of [old, fresh]) seen.add((await verifier.verify(token)).keyId)
      }
      for (const { token } of signed.filter(({ end }) => end <= time).slice(-1)) {
        const isRetired = elapsed >= steps.retireA && keyIdOf(token) === 'a'
        await rejects(() => fresh.verify(token), isRetired ? 'ERR_KEY_NOT_FOUND' : 'ERR_TOKEN_EXPIRED')
      }
    }
    equal([...seen], ['a', 'b'])
  })
}

function keyIdOf(token: string): unknown {
  return JSON.parse(decode(token).header).kid
}
