import { replaceFor } from './globals.ts'
import { endless, failing, respondWithKeys, unreachable, url, withKeyServer } from './key-server.ts'
import { privateJwk, publicJwk } from './keys.ts'
import { minute, published, second, tokenOf, withRemoteKeySet } from './remote-key-set-harness.ts'
import type { ConformanceModule } from './suite.ts'
import { assert, equal, rejects } from './suite.ts'
import { createTestVerifier } from './token-fixtures.ts'
import { importFor } from './tokens.ts'

export const brokenKeyServers: ConformanceModule = (suite, lib) => {
  const padding = ' '.repeat(65_537)
  const redirect = { location: 'https://attacker.example/keys' }
  const responses: [title: string, respond: () => Response | Promise<Response>][] = [
    ...[400, 401, 403, 404, 429, 500, 503, 201].map((status): [string, () => Response] => [
      `status ${status}`,
      failing(status),
    ]),
    ['status 204', () => new Response(null, { status: 204 })],
    ...[301, 302, 303, 307, 308].map((status): [string, () => Response] => [
      `a redirect with status ${status}`,
      () => new Response(null, { status, headers: redirect }),
    ]),
    ['a redirect as browsers report it', () => Response.error()],
    ['HTML', () => new Response('<!doctype html><title>Sign in</title>')],
    ['no body', () => new Response(null)],
    ['an empty body', () => new Response('')],
    ['text', () => new Response('keys')],
    ['truncated JSON', () => new Response('{"keys":[')],
    ['no network', unreachable],
    ['an aborted body', () => new Response(new ReadableStream({ pull: (c) => c.error(new Error()) }))],
    ['over 64 KiB of JSON', () => new Response(`{"keys":[]${padding}}`)],
    ['over 64 KiB, of which the end is white space', () => new Response(`{"keys":[]}${padding}`)],
  ]
  for (const [title, respond] of responses) {
    suite.test(`unavailable: ${title}`, async () => {
      await withRemoteKeySet(lib, async ({ verifier, server, good, wait }) => {
        const working = server.respond
        server.respond = respond
        await rejects(() => verifier.verify(good), 'ERR_JWKS_UNAVAILABLE')
        equal(new Set(server.requests.map((request) => request.url)), new Set([url]))
        server.respond = working
        wait(minute)
        equal((await verifier.verify(good)).keyId, 'a', 'not refetched')
      })
    })
  }

  suite.test('unavailable: an endless body, which is cancelled', async () => {
    await withRemoteKeySet(lib, async ({ verifier, server, good }) => {
      const { body, read, cancelled } = endless()
      server.respond = () => new Response(body)
      await rejects(() => verifier.verify(good), 'ERR_JWKS_UNAVAILABLE')
      assert(read() < 100, `${read()} KiB were read`)
      assert(cancelled(), 'the body was not cancelled')
    })
  })

  suite.test('a set of 64 KiB is accepted', async () => {
    await withRemoteKeySet(lib, async ({ verifier, server, good }) => {
      const text = JSON.stringify({ keys: [await published('P-256', 'a')] })
      server.respond = () => new Response(text.padEnd(65_536))
      equal((await verifier.verify(good)).keyId, 'a')
    })
  })

  // Engines measure timeouts in real time, so AbortSignal.timeout is replaced.
  const hanging: [string, (signal: AbortSignal) => Response | Promise<Response>][] = [
    ['no response', (signal) => new Promise((_, reject) => onAbort(signal, reject))],
    ['no end of the body', (signal) => new Response(hangingBody(signal))],
  ]
  for (const [title, hang] of hanging) {
    suite.test(`unavailable: ${title} before the timeout`, async () => {
      const controller = new AbortController()
      let limit = Number.POSITIVE_INFINITY
      const timeout = (milliseconds: number) => {
        limit = milliseconds
        return controller.signal
      }
      await replaceFor(AbortSignal, 'timeout', timeout, async (replaced) => {
        assert(replaced, 'AbortSignal.timeout cannot be replaced here')
        await withRemoteKeySet(lib, async ({ verifier, server, good }) => {
          server.respond = () => hang(server.signals[0] ?? AbortSignal.abort())
          const verifying = rejects(() => verifier.verify(good), 'ERR_JWKS_UNAVAILABLE')
          // Gives the request time to start.
          await importFor('ES256', await publicJwk('P-256'), 'verify')
          controller.abort(new DOMException('The operation timed out.', 'TimeoutError'))
          await verifying
          equal(server.requests.length, 1)
          assert(limit > 0 && limit <= 30 * second, `a limit of ${limit} ms`)
        })
      })
    })
  }

  const addresses: [address: string, isAccepted: boolean][] = [
    ['https://keys.example/jwks.json', true],
    ['https://keys.example:8443/jwks.json?tenant=1', true],
    ['http://localhost:3000/jwks.json', true],
    ['http://127.0.0.1:3000/jwks.json', true],
    ['http://[::1]:3000/jwks.json', true],
    ['http://keys.example/jwks.json', false],
    ['http://localhost.example/jwks.json', false],
    ['http://127.0.0.1.example/jwks.json', false],
    ['http://example/localhost', false],
    ['http://10.0.0.1/jwks.json', false],
    ['ftp://keys.example/jwks.json', false],
    ['file:///etc/jwks.json', false],
    ['data:application/json,{"keys":[]}', false],
    ['ws://localhost/jwks.json', false],
    ['https://user:password@keys.example/jwks.json', false],
  ]
  for (const [address, isAccepted] of addresses) {
    suite.test(`${isAccepted ? 'accepted' : 'rejected'}: ${address}`, async () => {
      await withKeyServer(respondWithKeys(await published('P-256', 'a')), async (server) => {
        const create = () => createTestVerifier(lib, { jwks: new URL(address) })
        if (!isAccepted) await rejects(create, 'ERR_OPTION_INVALID')
        else equal((await (await create()).verify(await tokenOf('P-256', 'a'))).keyId, 'a')
        equal(
          server.requests.map((request) => request.url),
          isAccepted ? [address] : [],
        )
      })
    })
  }

  suite.test('later changes to the URL have no effect', async () => {
    await withKeyServer(respondWithKeys(await published('P-256', 'a')), async (server) => {
      const jwks = new URL(url)
      const creating = createTestVerifier(lib, { jwks })
      jwks.hostname = 'attacker.example'
      await (await creating).verify(await tokenOf('P-256', 'a'))
      equal([server.requests[0]?.url, jwks.hostname], [url, 'attacker.example'])
    })
  })

  for (const [title, make] of [
    ['a private key', async () => privateJwk('P-256')],
    ['a symmetric key', async () => ({ kty: 'oct', k: 'x'.repeat(86) })],
  ] as const) {
    suite.test(`a remote set must not contain ${title}`, async () => {
      await withRemoteKeySet(lib, async ({ verifier, server, good }) => {
        server.respond = respondWithKeys(await published('P-256', 'a'), await make())
        await rejects(() => verifier.verify(good), 'ERR_KEY_FORMAT_UNSUPPORTED')
      })
    })
  }
}

function hangingBody(signal: AbortSignal): ReadableStream {
  return new ReadableStream({
    start: (controller) => onAbort(signal, (reason) => controller.error(reason)),
  })
}

function onAbort(signal: AbortSignal, run: (reason: unknown) => void): void {
  if (signal.aborted) run(signal.reason)
  else signal.addEventListener('abort', () => run(signal.reason))
}
