import { forge } from './forge.ts'
import { hour, inScene, minute, published, second, tokenOf } from './key-scene.ts'
import { answering, failing, unreachable, url } from './key-server.ts'
import { privateJwk } from './keys.ts'
import type { ConformanceModule } from './suite.ts'
import { assert, equal, rejects } from './suite.ts'

export const remoteKeySets: ConformanceModule = (suite, lib) => {
  suite.test('fetched when first needed, and then kept', async () => {
    await inScene(lib, async ({ verifier, server, good, wait }) => {
      equal(server.requests.length, 0, 'fetched too early')
      equal((await verifier.verify(good)).keyId, 'a')
      equal((await verifier.verify(await tokenOf('P-256'))).kind, 'customer')
      wait(9 * minute)
      await verifier.verify(good)
      equal(server.requests.length, 1)
    })
  })

  suite.test('not fetched for tokens that no key could save', async () => {
    await inScene(lib, async ({ verifier, server }) => {
      for (const token of ['', 'a.b.c', await forge({}), await forge({}, { header: { alg: 'none' } })]) {
        await verifier.verify(token).then(
          () => assert(false, 'a bad token is taken'),
          () => {},
        )
      }
      equal(server.requests.length, 0)
    })
  })

  suite.test('the request: GET, redirects by hand, a time limit, nothing of the token', async () => {
    await inScene(lib, async ({ verifier, server, good }) => {
      await verifier.verify(good)
      const [request] = server.requests
      assert(request)
      equal([request.url, request.method, request.redirect], [url, 'GET', 'manual'])
      equal(
        ['authorization', 'cookie'].filter((name) => request.headers.has(name)),
        [],
      )
      assert(server.signals[0], 'the request has no time limit')
    })
  })

  suite.test('fetched anew when it is old', async () => {
    await inScene(lib, async ({ verifier, server, good, wait }) => {
      await verifier.verify(good)
      wait(10 * minute + second)
      await verifier.verify(good)
      equal(server.requests.length, 2)
      server.answer = answering(await published('other P-256', 'b'))
      wait(10 * minute + second)
      await rejects(() => verifier.verify(good), 'ERR_KEY_NOT_FOUND')
    })
  })

  suite.test('fetched anew for an unknown kid, once per 30 seconds', async () => {
    await inScene(lib, async ({ verifier, server, good, unknown, wait }) => {
      await verifier.verify(good)
      wait(minute)
      for (const kid of ['b', 'c', 'd', 'e']) {
        await rejects(async () => verifier.verify(await tokenOf('other P-256', kid)), 'ERR_KEY_NOT_FOUND')
        wait(second)
      }
      equal(server.requests.length, 2)
      wait(25 * second)
      await rejects(() => verifier.verify(unknown), 'ERR_KEY_NOT_FOUND')
      equal(server.requests.length, 2)
      wait(2 * second)
      server.answer = answering(await published('P-256', 'a'), await published('other P-256', 'b'))
      equal((await verifier.verify(unknown)).keyId, 'b')
      equal((await verifier.verify(good)).keyId, 'a')
      equal(server.requests.length, 3)
    })
  })

  suite.test('not fetched twice in a row for an unknown kid that comes first', async () => {
    await inScene(lib, async ({ verifier, server, unknown }) => {
      await rejects(() => verifier.verify(unknown), 'ERR_KEY_NOT_FOUND')
      equal(server.requests.length, 1)
    })
  })

  suite.test('fetched anew when no key fits a token without kid', async () => {
    await inScene(lib, async ({ verifier, server, good, wait }) => {
      await verifier.verify(good)
      wait(minute)
      const token = await forge({}, { algorithm: 'ES384', key: await privateJwk('P-384') })
      await rejects(() => verifier.verify(token), 'ERR_KEY_NOT_FOUND')
      wait(minute)
      server.answer = answering(await published('P-256', 'a'), await published('P-384', 'c'))
      equal((await verifier.verify(token)).algorithm, 'ES384')
    })
  })

  suite.test('not fetched anew for a signature that does not fit', async () => {
    await inScene(lib, async ({ verifier, server, good, wait }) => {
      await verifier.verify(good)
      wait(minute)
      const forged = await tokenOf('other P-256', 'a')
      await rejects(() => verifier.verify(forged), 'ERR_TOKEN_SIGNATURE_INVALID')
      equal(server.requests.length, 1)
    })
  })

  suite.test('twenty first verifications at once', async () => {
    await inScene(lib, async ({ verifier, server, good }) => {
      const all = await Promise.all(Array.from({ length: 20 }, () => verifier.verify(good)))
      equal(all.length, 20)
      assert(server.requests.length <= atOnce(20), `${server.requests.length} requests`)
      const before = server.requests.length
      await verifier.verify(good)
      equal(server.requests.length, before, 'fetched again')
    })
  })

  suite.test('twenty unknown keys at once', async () => {
    await inScene(lib, async ({ verifier, server, good, wait }) => {
      await verifier.verify(good)
      wait(minute)
      const tokens = await Promise.all(
        Array.from({ length: 20 }, (_, index) => tokenOf('other P-256', `b${index}`)),
      )
      const verifyAll = () =>
        Promise.all(tokens.map((token) => rejects(() => verifier.verify(token), 'ERR_KEY_NOT_FOUND')))
      await verifyAll()
      assert(server.requests.length <= 1 + atOnce(20), `${server.requests.length} requests`)
      const before = server.requests.length
      await verifyAll()
      equal(server.requests.length, before, 'no rest for the server')
    })
  })

  suite.test('twenty tokens of a key that is new', async () => {
    await inScene(lib, async ({ verifier, server, good, unknown, wait }) => {
      await verifier.verify(good)
      wait(minute)
      server.answer = answering(await published('P-256', 'a'), await published('other P-256', 'b'))
      const all = await Promise.all(Array.from({ length: 20 }, () => verifier.verify(unknown)))
      equal(new Set(all.map(({ keyId }) => keyId)), new Set(['b']))
      assert(server.requests.length <= 1 + atOnce(20), `${server.requests.length} requests`)
    })
  })

  const outages: [string, () => Response | Promise<Response>][] = [
    ['503', failing(503)],
    ['HTML', () => new Response('<!doctype html>', { headers: { 'content-type': 'text/html' } })],
    ['no network', unreachable],
    ['a private key in the set', async () => Response.json({ keys: [await privateJwk('P-256')] })],
    ['no set', () => Response.json({ error: 'not_found' })],
  ]
  for (const [title, outage] of outages) {
    suite.test(`known keys outlive an outage of a day, and no longer: ${title}`, async () => {
      await inScene(lib, async ({ verifier, server, good, wait }) => {
        await verifier.verify(good)
        server.answer = outage
        for (const pause of [11 * minute, second, second]) {
          wait(pause)
          equal((await verifier.verify(good)).keyId, 'a')
        }
        equal(server.requests.length, 2, 'no rest between two failures')
        wait(minute)
        await verifier.verify(good)
        equal(server.requests.length, 3, 'not tried again')
        wait(23 * hour)
        equal((await verifier.verify(good)).keyId, 'a')
        wait(hour)
        const error = await verifier.verify(good).then(
          () => undefined,
          (thrown: unknown) => thrown,
        )
        assert(error instanceof lib.MembraneTokenError, 'the keys are too old')
        server.answer = answering(await published('P-256', 'a'))
        wait(minute)
        equal((await verifier.verify(good)).keyId, 'a', 'the end of the outage')
      })
    })
  }

  suite.test('after a day without a set, the code says so', async () => {
    await inScene(lib, async ({ verifier, server, good, wait }) => {
      await verifier.verify(good)
      server.answer = failing(500)
      wait(24 * hour + second)
      await rejects(() => verifier.verify(good), 'ERR_JWKS_UNAVAILABLE')
    })
  })
}

/** In a Worker, a request must not wait for what another one has begun: there, those at once fetch for themselves. */
function atOnce(verifications: number): number {
  return globalThis.navigator?.userAgent === 'Cloudflare-Workers' ? verifications : 1
}
