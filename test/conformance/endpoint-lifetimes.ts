import type { Caller } from '../../src/endpoint.ts'
import { utf8 } from './encoding.ts'
import {
  atTime,
  backend,
  createTestEndpoint,
  expectGrant,
  expectProblem,
  inSilence,
  makeRequest,
  send,
  type TestRequest,
  visitor,
} from './endpoint-harness.ts'
import { assert, type ConformanceModule, equal } from './suite.ts'
import { now } from './token-fixtures.ts'
import { createTestSigner, secret } from './tokens.ts'

const hour = 3600
const latest = 253_402_300_799

export const endpointLifetimes: ConformanceModule = ({ test }, lib) => {
  const granted: [string, requested: unknown, most: number | string | undefined, expected: number][] = [
    ['the default of the signer', undefined, undefined, 2 * hour],
    ['the default of the signer, under the limit', undefined, '24h', 2 * hour],
    ['the default of the signer, over the limit', undefined, hour, hour],
    ['a second', 1, '24h', 1],
    ['seconds', 60, '24h', 60],
    ['a string', '30m', '24h', 1800],
    ['a week, with the default limit', '1w', undefined, 24 * hour],
    ['the limit', '24h', '24h', 24 * hour],
    ['a second over the limit', 24 * hour + 1, '24h', 24 * hour],
    ['a week', '7d', '24h', 24 * hour],
    ['milliseconds instead of seconds', 7_200_000, 24 * hour, 24 * hour],
    ['the longest lifetime', latest, '1h', hour],
  ]
  for (const [title, expiresIn, maxExpiresIn, expected] of granted) {
    test(`lifetime: ${title}`, async () => {
      for (const kind of ['customer', 'admin'] as const) {
        const handler = await createTestEndpoint(lib, backend, { maxExpiresIn, kind })
        const customer = kind === 'customer' ? { id: 'c' } : {}
        const response = await send(handler, { body: { ...customer, expiresIn } })
        equal((await expectGrant(response)).expiresIn, expected)
      }
    })
  }

  const numbers = [0, -1, 1.5, latest + 1, 1e300]
  const strings = ['60', '1 hour', '-1h', '1.5h', '', 'h', '1H', '999999999999w']
  for (const expiresIn of [...numbers, ...strings, null, true, [], [60], {}]) {
    test(`invalid: ${JSON.stringify(expiresIn)}`, async () => {
      for (const caller of [backend, visitor]) {
        const handler = await createTestEndpoint(lib, caller, { maxExpiresIn: '24h' })
        const body = caller === backend ? { id: 'c', expiresIn } : { expiresIn }
        expectProblem(await send(handler, { body }), 'ERR_LIFETIME_INVALID')
      }
    })
  }

  test('a token that would expire after the year 9999', async () => {
    const handler = await createTestEndpoint(lib, backend, { maxExpiresIn: latest })
    expectProblem(await send(handler, { body: { id: 'c', expiresIn: latest } }), 'ERR_LIFETIME_INVALID')
  })

  test('the expiresIn of the signer is the default', async () => {
    const signer = await createTestSigner(lib, { secret, expiresIn: '5m' })
    equal((await expectGrant(await send(await createTestEndpoint(lib, visitor, { signer })))).expiresIn, 300)
  })
}

export const endpointSessionEnd: ConformanceModule = ({ test }, lib) => {
  const endingIn = (seconds: number): Caller => ({ ...visitor, expiresAt: new Date(now + seconds * 1000) })

  const granted: [left: number, request: TestRequest, most: string | undefined, expected: number][] = [
    [600, {}, undefined, 600],
    [600, {}, '24h', 600],
    [600, {}, '5m', 300],
    [600, { body: { expiresIn: '1h' } }, undefined, 600],
    [600, { body: { expiresIn: 601 } }, '24h', 600],
    [600, { body: { expiresIn: 60 } }, '24h', 60],
    [600.9, {}, undefined, 600],
    [1, {}, undefined, 1],
    [1.999, { body: { expiresIn: '2h' } }, undefined, 1],
    [48 * hour, {}, '24h', 2 * hour],
    [48 * hour, { body: { expiresIn: '7d' } }, '24h', 24 * hour],
  ]
  for (const [left, request, maxExpiresIn, expected] of granted) {
    test(`${left} s left, ${JSON.stringify(request)}, ${maxExpiresIn}: ${expected} s`, async () => {
      await atTime(now, async () => {
        const handler = await createTestEndpoint(lib, endingIn(left), { maxExpiresIn })
        equal((await expectGrant(await send(handler, request))).expiresIn, expected)
      })
    })
  }

  for (const left of [0.999, 0, -0.001, -1, -7200]) {
    test(`${left} s left: expired`, async () => {
      await atTime(now, async () => {
        for (const request of [{}, { body: { expiresIn: 60 } }]) {
          const handler = await createTestEndpoint(lib, endingIn(left))
          expectProblem(await send(handler, request), 'ERR_CREDENTIALS_INVALID')
        }
      })
    })
  }

  test('no token for a session with an invalid end', async () => {
    for (const expiresAt of [new Date(Number.NaN), '2030-01-01' as never]) {
      const handler = await createTestEndpoint(lib, { ...visitor, expiresAt })
      await inSilence(async () => assert((await send(handler)).status >= 400))
    }
  })

  test('a slow body does not extend the session', async () => {
    await atTime(now, async (wait) => {
      const signer = await createTestSigner(lib, { secret, now: () => Date.now() })
      const handler = await createTestEndpoint(lib, endingIn(600), { signer })
      const request = makeRequest({ body: {} })
      // Set on the request, because not every browser can send a stream.
      const body = new ReadableStream(
        {
          pull: (controller) => {
            wait(300)
            controller.enqueue(utf8('{}'))
            controller.close()
          },
        },
        { highWaterMark: 0 },
      )
      Object.defineProperty(request, 'body', { value: body })
      const { claims } = await expectGrant(await send(handler, request))
      assert((claims.exp as number) <= now / 1000 + 600, 'the token outlives the session')
    })
  })
}
