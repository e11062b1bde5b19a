import { failing, respondWithKeys, unreachable, url } from './key-server.ts'
import { privateJwk, publicJwk } from './keys.ts'
import { hour, minute, published, second, tokenOf, withRemoteKeySet } from './remote-key-set-harness.ts'
import { failureOf } from './secrecy.ts'
import type { ConformanceModule } from './suite.ts'
import { assert, equal, rejects } from './suite.ts'
import { forge } from './token-fixtures.ts'

export const remoteKeySets: ConformanceModule = (suite, lib) => {
  suite.test('fetched when first needed, then reused', async () => {
    await withRemoteKeySet(lib, async ({ verifier, server, good, wait }) => {
      equal(server.requests.length, 0, 'fetched too early')
      equal((await verifier.verify(good)).keyId, 'a')
      equal((await verifier.verify(await tokenOf('P-256'))).kind, 'customer')
      wait(9 * minute)
      await verifier.verify(good)
      equal(server.requests.length, 1)
    })
  })

  suite.test('not fetched for tokens that are invalid with any key', async () => {
    await withRemoteKeySet(lib, async ({ verifier, server }) => {
      for (const token of ['', 'a.b.c', await forge({}), await forge({}, { header: { alg: 'none' } })]) {
        await failureOf(() => verifier.verify(token))
      }
      equal(server.requests.length, 0)
    })
  })

  suite.test('the request: GET, no redirects, a timeout, nothing from the token', async () => {
    await withRemoteKeySet(lib, async ({ verifier, server, good }) => {
      await verifier.verify(good)
      const [request] = server.requests
      assert(request)
      equal([request.url, request.method, request.redirect], [url, 'GET', 'manual'])
      equal(
        ['authorization', 'cookie'].filter((name) => request.headers.has(name)),
        [],
      )
      assert(server.signals[0], 'the request has no timeout')
    })
  })

  suite.test('refreshed in the background after ten minutes', async () => {
    await withRemoteKeySet(lib, async ({ verifier, server, good, unknown, wait }) => {
      await verifier.verify(good)
      let isHeld = true
      const released = () => !isHeld
      const rotated = respondWithKeys(await published('other P-256', 'b'))
      server.respond = async () => {
        await waitUntil(released)
        return rotated()
      }
      wait(10 * minute + second)
      for (let count = 0; count < 3; count++) equal((await verifier.verify(good)).keyId, 'a')
      equal(server.requests.length, 2, 'requests during the refresh')
      isHeld = false
      await waitUntil(() => verifier.verify(unknown))
      await rejects(() => verifier.verify(good), 'ERR_KEY_NOT_FOUND')
    })
  })

  suite.test('a withdrawn key is rejected within 20 minutes, even after a pause', async () => {
    for (const pause of [20 * minute, hour, 23 * hour]) {
      await withRemoteKeySet(lib, async ({ verifier, server, good, wait }) => {
        await verifier.verify(good)
        server.respond = respondWithKeys(await published('other P-256', 'b'))
        wait(pause)
        await rejects(() => verifier.verify(good), 'ERR_KEY_NOT_FOUND')
        equal(server.requests.length, 2)
      })
    }
  })

  suite.test('a clock that goes back triggers a refetch, but does not age the set', async () => {
    await withRemoteKeySet(lib, async ({ verifier, server, good, unknown, wait }) => {
      await verifier.verify(good)
      server.respond = failing(500)
      wait(-400 * 24 * hour)
      equal((await verifier.verify(good)).keyId, 'a', 'known keys during an outage')
      equal(server.requests.length, 2)
      wait(24 * hour)
      await rejects(() => verifier.verify(good), 'ERR_JWKS_UNAVAILABLE')
      server.respond = respondWithKeys(await published('other P-256', 'b'))
      wait(minute)
      equal((await verifier.verify(unknown)).keyId, 'b')
      wait(-hour)
      server.respond = respondWithKeys(await published('P-256', 'a'))
      equal((await verifier.verify(good)).keyId, 'a')
    })
  })

  suite.test('refetched for an unknown kid, once per ten seconds', async () => {
    await withRemoteKeySet(lib, async ({ verifier, server, good, unknown, wait }) => {
      await verifier.verify(good)
      for (const kid of ['b', 'c', 'd', 'e']) {
        await rejects(async () => verifier.verify(await tokenOf('other P-256', kid)), 'ERR_KEY_NOT_FOUND')
        wait(second)
      }
      equal(server.requests.length, 2)
      wait(5 * second)
      await rejects(() => verifier.verify(unknown), 'ERR_KEY_NOT_FOUND')
      equal(server.requests.length, 2)
      wait(2 * second)
      server.respond = respondWithKeys(await published('P-256', 'a'), await published('other P-256', 'b'))
      equal((await verifier.verify(unknown)).keyId, 'b')
      equal((await verifier.verify(good)).keyId, 'a')
      equal(server.requests.length, 3)
    })
  })

  suite.test('fetched once for an unknown kid in the first token', async () => {
    await withRemoteKeySet(lib, async ({ verifier, server, unknown }) => {
      await rejects(() => verifier.verify(unknown), 'ERR_KEY_NOT_FOUND')
      equal(server.requests.length, 1)
    })
  })

  suite.test('refetched when no key supports the algorithm of a token without kid', async () => {
    await withRemoteKeySet(lib, async ({ verifier, server, good, wait }) => {
      await verifier.verify(good)
      wait(minute)
      const token = await forge({}, { algorithm: 'ES384', key: await privateJwk('P-384') })
      await rejects(() => verifier.verify(token), 'ERR_KEY_NOT_FOUND')
      wait(minute)
      server.respond = respondWithKeys(await published('P-256', 'a'), await published('P-384', 'c'))
      equal((await verifier.verify(token)).algorithm, 'ES384')
    })
  })

  suite.test('not refetched for an invalid signature', async () => {
    await withRemoteKeySet(lib, async ({ verifier, server, good, wait }) => {
      await verifier.verify(good)
      wait(minute)
      const forged = await tokenOf('other P-256', 'a')
      await rejects(() => verifier.verify(forged), 'ERR_TOKEN_SIGNATURE_INVALID')
      equal(server.requests.length, 1)
    })
  })

  suite.test('of several keys with one kid, the one that supports the algorithm and verifies', async () => {
    await withRemoteKeySet(lib, async ({ verifier, server, good }) => {
      const other = { ...(await publicJwk('RSA')), kid: 'a' }
      const edwards = { kty: 'OKP', crv: 'Ed25519', x: 'AAAA', kid: 'a' }
      server.respond = respondWithKeys(
        edwards,
        await published('other P-256', 'a'),
        other,
        await published('P-256', 'a'),
      )
      equal((await verifier.verify(good)).keyId, 'a')
      equal((await verifier.verify(await tokenOf('other P-256', 'a'))).keyId, 'a')
      const key = await privateJwk('P-384')
      const token = await forge({}, { algorithm: 'ES384', key, header: { kid: 'a' } })
      await rejects(() => verifier.verify(token), 'ERR_TOKEN_ALGORITHM_NOT_ALLOWED')
    })
  })

  suite.test('a set of 500 keys: a key is imported only for a token with its kid', async () => {
    await withRemoteKeySet(lib, async ({ verifier, server, good }) => {
      const { x, y } = await publicJwk('other P-256')
      const others = Array.from({ length: 499 }, (_, index) => ({
        ...{ kty: 'EC', crv: 'P-256', kid: `k${index}` },
        ...{ x: index === 0 ? x : `${x}`.slice(0, 5), y },
      }))
      server.respond = respondWithKeys(...others, await published('P-256', 'a'))
      equal((await verifier.verify(good)).keyId, 'a')
      await rejects(async () => verifier.verify(await tokenOf('P-256', 'k7')), 'ERR_KEY_INVALID')
      // OpenID Connect Core section 10.1: with several keys, a token needs a kid.
      await rejects(async () => verifier.verify(await tokenOf('P-256')), 'ERR_KEY_NOT_FOUND')
    })
  })

  suite.test('500 concurrent first verifications', async () => {
    await withRemoteKeySet(lib, async ({ verifier, server, good }) => {
      await Promise.all(Array.from({ length: 500 }, () => verifier.verify(good)))
      await verifier.verify(good)
      equal(server.requests.length, 1)
    })
  })

  suite.test('20 concurrent tokens with unknown kids', async () => {
    await withRemoteKeySet(lib, async ({ verifier, server, good, wait }) => {
      await verifier.verify(good)
      wait(minute)
      const tokens = await Promise.all(
        Array.from({ length: 20 }, (_, index) => tokenOf('other P-256', `b${index}`)),
      )
      const verifyAll = () =>
        Promise.all(tokens.map((token) => rejects(() => verifier.verify(token), 'ERR_KEY_NOT_FOUND')))
      await verifyAll()
      equal(server.requests.length, 2)
      await verifyAll()
      equal(server.requests.length, 2, 'refetched too early')
    })
  })

  suite.test('20 concurrent tokens of a new key', async () => {
    await withRemoteKeySet(lib, async ({ verifier, server, good, unknown, wait }) => {
      await verifier.verify(good)
      wait(minute)
      server.respond = respondWithKeys(await published('P-256', 'a'), await published('other P-256', 'b'))
      const all = await Promise.all(Array.from({ length: 20 }, () => verifier.verify(unknown)))
      equal(new Set(all.map(({ keyId }) => keyId)), new Set(['b']))
      equal(server.requests.length, 2)
    })
  })

  const outages: [string, () => Response | Promise<Response>][] = [
    ['503', failing(503)],
    ['HTML', () => new Response('<!doctype html>', { headers: { 'content-type': 'text/html' } })],
    ['no network', unreachable],
    ['a private key in the set', async () => Response.json({ keys: [await privateJwk('P-256')] })],
    ['not a key set', () => Response.json({ error: 'not_found' })],
  ]
  for (const [title, outage] of outages) {
    suite.test(`known keys verify for a day of an outage, but no longer: ${title}`, async () => {
      await withRemoteKeySet(lib, async ({ verifier, server, good, wait }) => {
        await verifier.verify(good)
        server.respond = outage
        for (const pause of [16 * minute, second, second]) {
          wait(pause)
          equal((await verifier.verify(good)).keyId, 'a')
        }
        equal(server.requests.length, 2, 'refetched too early')
        wait(minute)
        await verifier.verify(good)
        equal(server.requests.length, 3, 'not refetched')
        wait(23 * hour)
        equal((await verifier.verify(good)).keyId, 'a')
        wait(hour)
        await failureOf(() => verifier.verify(good))
        server.respond = respondWithKeys(await published('P-256', 'a'))
        wait(minute)
        equal((await verifier.verify(good)).keyId, 'a', 'after the outage')
      })
    })
  }

  suite.test('after a day of failures the key set is unavailable', async () => {
    await withRemoteKeySet(lib, async ({ verifier, server, good, wait }) => {
      await verifier.verify(good)
      server.respond = failing(500)
      wait(24 * hour + second)
      await rejects(() => verifier.verify(good), 'ERR_JWKS_UNAVAILABLE')
    })
  })
}

/** Polls in real time until a condition holds, for background work that cannot be awaited. */
async function waitUntil(holds: () => unknown): Promise<void> {
  for (let attempt = 0; attempt < 500; attempt++) {
    const result = await Promise.resolve()
      .then(holds)
      .catch(() => false)
    if (result) return
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  assert(false, 'timed out')
}
