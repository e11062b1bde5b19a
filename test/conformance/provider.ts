import { createTokenProvider, type TokenProviderOptions } from '../../src/provider.ts'
import { toBase64url, utf8 } from './encoding.ts'
import { replaceFor } from './globals.ts'
import { assert, type ConformanceModule, equal, rejects } from './suite.ts'

const url = 'https://app.example/api/membrane-token'

/** A clock that moves only when told to, or when everything waits for it. */
interface Clock {
  /** Milliseconds of the steady clock. */
  now: number
  /** What the wall clock is ahead of it. */
  ahead: number
  /** What every roll of the dice gives. */
  dice: number
  /** Moves time on from timer to timer until the promise is settled. */
  finish<Value>(promise: Promise<Value>): Promise<Value>
}

type Answer = (() => Response) | 'silence' | Error

interface Endpoint {
  fetch: typeof fetch
  requests: { url: string; init: RequestInit; at: number }[]
}

interface World {
  clock: Clock
  /** Gives the answers in turn, and the last one for ever. */
  serve(...answers: Answer[]): Endpoint
}

/** Runs a test in a world of its own, and sees that no timer is left behind. */
async function inWorld(run: (world: World) => Promise<void>): Promise<void> {
  const { setTimeout: realSetTimeout } = globalThis
  const timers = new Map<number, { due: number; run: () => void }>()
  let lastTimer = 0
  let reading = 0

  const idle = async (): Promise<void> => {
    for (let rest = 2; rest > 0; rest--) {
      await new Promise((resolve) => realSetTimeout(resolve, 0))
      if (reading > 0) rest = 3
    }
  }
  const clock: Clock = {
    now: 1_000_000,
    ahead: Date.UTC(2026, 0, 1),
    dice: 1,
    async finish(promise) {
      let settled = false
      const settle = (): void => {
        settled = true
      }
      promise.then(settle, settle)
      for (;;) {
        await idle()
        if (settled) return promise
        const [next] = [...timers].sort(([, a], [, b]) => a.due - b.due)
        assert(next, 'it waits for something that never comes')
        timers.delete(next[0])
        clock.now = next[1].due
        next[1].run()
      }
    },
  }

  const serve = (...answers: Answer[]): Endpoint => {
    const requests: Endpoint['requests'] = []
    const fetch = async (input: RequestInfo | URL, init: RequestInit = {}): Promise<Response> => {
      requests.push({ url: String(input), init, at: clock.now })
      const answer = answers[Math.min(requests.length, answers.length) - 1]
      if (answer === 'silence') return new Promise(() => {})
      if (typeof answer !== 'function') throw answer
      const response = answer()
      const text = response.text.bind(response)
      const track = async (): Promise<string> => {
        reading++
        return text().finally(() => reading--)
      }
      Object.defineProperty(response, 'text', { value: track })
      return response
    }
    return { fetch: fetch as typeof globalThis.fetch, requests }
  }

  const globals: [object, string, unknown][] = [
    [performance, 'now', () => clock.now],
    [Date, 'now', () => clock.now + clock.ahead],
    [Math, 'random', () => clock.dice],
    [
      globalThis,
      'setTimeout',
      (run: () => void, delay: number) => {
        timers.set(++lastTimer, { due: clock.now + delay, run })
        return lastTimer
      },
    ],
    [globalThis, 'clearTimeout', (timer: number) => void timers.delete(timer)],
  ]
  const runIn = ([first, ...others]: typeof globals): Promise<void> =>
    first
      ? replaceFor(...first, async (replaced) => {
          assert(replaced, `${first[1]} cannot be replaced here`)
          await runIn(others)
        })
      : run({ clock, serve })
  await runIn(globals)
  equal(timers.size, 0, 'timers left behind')
}

let serial = 0

function makeToken(claims: object = {}): string {
  const part = (value: object): string => toBase64url(utf8(JSON.stringify(value)))
  // The name makes the payload need both characters in which base64url differs, and UTF-8.
  return `${part({ alg: 'HS512', typ: 'JWT' })}.${part({ id: ++serial, name: 'ÿ¿þ~~?>é', ...claims })}.c2lnbmF0dXJl`
}

const json = (body: unknown, init: ResponseInit = {}) => {
  return () =>
    new Response(JSON.stringify(body), { headers: { 'Content-Type': 'application/json' }, ...init })
}

/** What our own endpoint answers. The date is of no use, and must not be used. */
const grant = (token: string, expiresIn: number) =>
  json({ token, expiresIn, expiresAt: '1999-01-01T00:00:00Z' })

const status = (code: number, headers: Record<string, string> = {}) => {
  return () =>
    new Response('<p>No.</p>', { status: code, headers: { 'Content-Type': 'text/html', ...headers } })
}

const problem = (code: number, detail: string) =>
  json(
    { type: 'about:blank', title: 'No', status: code, detail, code: 'ERR_CALLER_FORBIDDEN' },
    { status: code, headers: { 'Content-Type': 'application/problem+json' } },
  )

export const providerReuse: ConformanceModule = ({ test }) => {
  test('thirty callers at once make one request and get one token', () =>
    inWorld(async ({ clock, serve }) => {
      const token = makeToken()
      const endpoint = serve(grant(token, 7200))
      const provide = createTokenProvider({ url, fetch: endpoint.fetch })
      const tokens = await clock.finish(Promise.all(Array.from({ length: 30 }, () => provide())))
      equal(tokens, Array(30).fill(token))
      equal(endpoint.requests.length, 1)
    }))

  test('callers that fail together fail with one error, and the next call asks again', () =>
    inWorld(async ({ clock, serve }) => {
      const token = makeToken()
      const endpoint = serve(status(401), grant(token, 7200))
      const provide = createTokenProvider({ url, fetch: endpoint.fetch })
      const results = await clock.finish(Promise.allSettled([provide(), provide(), provide()]))
      const reasons = new Set(results.map((result) => result.status === 'rejected' && result.reason))
      equal([reasons.size, endpoint.requests.length], [1, 1])
      equal(await clock.finish(provide()), token)
    }))

  for (const [title, expiresIn, refreshBefore, reused] of [
    ['until a minute before its end', 7200, undefined, 7140],
    ['until refreshBefore seconds before its end', 7200, 600, 6600],
    ['to its end where refreshBefore is 0', 7200, 0, 7200],
    ['for half its life where that is short', 20, undefined, 10],
  ] as const) {
    test(`a token is reused ${title}`, () =>
      inWorld(async ({ clock, serve }) => {
        const [first, second] = [makeToken(), makeToken()]
        const endpoint = serve(grant(first, expiresIn), grant(second, expiresIn))
        const provide = createTokenProvider({ url, fetch: endpoint.fetch, refreshBefore })
        await clock.finish(provide())
        clock.now += reused * 1000 - 1
        equal(await clock.finish(provide()), first)
        clock.now += 1
        equal(await clock.finish(provide()), second)
        equal(endpoint.requests.length, 2)
      }))
  }

  for (const [title, ahead] of [
    ['in 1970', 0],
    ['in 2099', Date.UTC(2099)],
    ['before 1970', -Date.UTC(2026)],
  ] as const) {
    test(`a device whose clock is ${title} reuses as any other`, () =>
      inWorld(async ({ clock, serve }) => {
        clock.ahead = ahead
        const [iat, exp] = [Date.UTC(2026) / 1000, Date.UTC(2026) / 1000 + 7200]
        for (const answer of [
          grant(makeToken({ iat, exp }), 7200),
          json({ token: makeToken({ iat, exp }) }),
        ]) {
          const endpoint = serve(answer)
          const provide = createTokenProvider({ url, fetch: endpoint.fetch })
          await clock.finish(provide())
          clock.now += 7_139_999
          await clock.finish(provide())
          equal(endpoint.requests.length, 1)
          clock.now += 1
          await clock.finish(provide())
          equal(endpoint.requests.length, 2)
        }
      }))
  }

  test('a clock that is set back does not make a token live longer', () =>
    inWorld(async ({ clock, serve }) => {
      const endpoint = serve(grant(makeToken(), 7200))
      const provide = createTokenProvider({ url, fetch: endpoint.fetch })
      await clock.finish(provide())
      clock.ahead -= 86_400_000
      clock.now += 3_600_000
      await clock.finish(provide())
      equal(endpoint.requests.length, 1)
      clock.now += 3_600_000
      await clock.finish(provide())
      equal(endpoint.requests.length, 2)
    }))

  test('a device that slept, and its steady clock with it, fetches when it wakes', () =>
    inWorld(async ({ clock, serve }) => {
      const [first, second] = [makeToken(), makeToken()]
      const endpoint = serve(grant(first, 7200), grant(second, 7200))
      const provide = createTokenProvider({ url, fetch: endpoint.fetch })
      await clock.finish(provide())
      clock.ahead += 8 * 3_600_000
      equal(await clock.finish(provide()), second)
      equal(await clock.finish(provide()), second)
      equal(endpoint.requests.length, 2)
    }))
}

export const providerRenewal: ConformanceModule = ({ test }) => {
  test('callers in the last minute wait for one new token', () =>
    inWorld(async ({ clock, serve }) => {
      const [first, second] = [makeToken(), makeToken()]
      const endpoint = serve(grant(first, 7200), grant(second, 7200))
      const provide = createTokenProvider({ url, fetch: endpoint.fetch })
      await clock.finish(provide())
      clock.now += 7_150_000
      equal(await clock.finish(Promise.all([provide(), provide()])), [second, second])
      equal(endpoint.requests.length, 2)
    }))

  test('a renewal that fails at first is tried again', () =>
    inWorld(async ({ clock, serve }) => {
      const [first, second] = [makeToken(), makeToken()]
      const endpoint = serve(grant(first, 7200), status(503), new TypeError('offline'), grant(second, 7200))
      const provide = createTokenProvider({ url, fetch: endpoint.fetch })
      await clock.finish(provide())
      clock.now += 7_150_000
      equal(await clock.finish(provide()), second)
      equal(endpoint.requests.length, 4)
    }))

  for (const [title, failure, attempts] of [
    ['is down', status(503), 4],
    ['cannot be reached', new TypeError('offline'), 4],
    ['is busy for a minute', status(429, { 'Retry-After': '60' }), 1],
    ['says no', status(401), 1],
    ['answers something else', json({}), 1],
    ['is silent', 'silence', 1],
  ] as const) {
    test(`a living token is given out while the endpoint ${title}`, () =>
      inWorld(async ({ clock, serve }) => {
        const [first, second] = [makeToken(), makeToken()]
        const failures = Array<Answer>(attempts).fill(failure)
        const endpoint = serve(grant(first, 7200), ...failures, grant(second, 7200))
        const provide = createTokenProvider({ url, fetch: endpoint.fetch })
        await clock.finish(provide())
        clock.now += 7_150_000
        const asked = clock.now
        equal(await clock.finish(Promise.all([provide(), provide()])), [first, first])
        assert(clock.now - asked <= 5000, 'who has a token need not wait for long')
        equal(endpoint.requests.length, 1 + attempts)
        equal(await clock.finish(provide()), first, 'right after a failure')
        equal(endpoint.requests.length, 1 + attempts, 'it gives the endpoint a rest')
        clock.now += 13_000
        equal(await clock.finish(provide()), second, 'later')
      }))

    test(`a token is not given out after its end while the endpoint ${title}`, () =>
      inWorld(async ({ clock, serve }) => {
        const endpoint = serve(grant(makeToken(), 7200), failure)
        const provide = createTokenProvider({ url, fetch: endpoint.fetch })
        await clock.finish(provide())
        clock.now += 7_200_000
        const code = title === 'says no' ? 'ERR_TOKEN_REQUEST_REFUSED' : 'ERR_TOKEN_REQUEST_FAILED'
        await rejects(() => clock.finish(provide()), code)
      }))
  }

  test('after invalidate the next call fetches', () =>
    inWorld(async ({ clock, serve }) => {
      const [first, second] = [makeToken(), makeToken()]
      const endpoint = serve(grant(first, 7200), grant(second, 7200))
      const provide = createTokenProvider({ url, fetch: endpoint.fetch })
      const { invalidate } = provide
      await clock.finish(provide())
      invalidate()
      equal(endpoint.requests.length, 1)
      equal(await clock.finish(provide()), second)
      equal(await clock.finish(provide()), second)
      equal(endpoint.requests.length, 2)
    }))

  for (const order of ['old one first', 'new one first']) {
    test(`an answer under way at invalidate is not kept, ${order}`, () =>
      inWorld(async ({ clock, serve }) => {
        const [first, second] = [makeToken(), makeToken()]
        const { fetch: send } = serve(grant(first, 7200), grant(second, 7200))
        const gates: (() => void)[] = []
        const fetch: typeof send = async (...request) => {
          await new Promise<void>((open) => gates.push(open))
          return send(...request)
        }
        // Each request is on its way once its gate is there; the answers are in the order of the gates' opening.
        const reached = async (count: number): Promise<void> => {
          for (let turn = 0; gates.length < count && turn < 100; turn++) await Promise.resolve()
          equal(gates.length, count, 'requests')
        }
        const provide = createTokenProvider({ url, fetch })
        const old = provide()
        await reached(1)
        provide.invalidate()
        const renewed = provide()
        await reached(2)
        const inOrder = [old, renewed]
        if (order === 'new one first') {
          inOrder.reverse()
          gates.reverse()
        }
        gates[0]?.()
        equal(await clock.finish(inOrder[0]!), first)
        gates[1]?.()
        equal(await clock.finish(inOrder[1]!), second)
        const kept = order === 'new one first' ? first : second
        equal(await clock.finish(provide()), kept)
        equal(gates.length, 2)
      }))
  }

  test('a renewal under way does not fall back on a token that was invalidated', () =>
    inWorld(async ({ clock, serve }) => {
      const endpoint = serve(grant(makeToken(), 7200), 'silence', grant(makeToken(), 7200), status(503))
      const provide = createTokenProvider({ url, fetch: endpoint.fetch })
      await clock.finish(provide())
      clock.now += 7_150_000
      const renewal = provide()
      provide.invalidate()
      const renewed = provide()
      await rejects(() => clock.finish(renewal), 'ERR_TOKEN_REQUEST_FAILED')
      await clock.finish(renewed)
    }))
}

export const providerRetries: ConformanceModule = ({ test }) => {
  const times = (endpoint: Endpoint): number[] =>
    endpoint.requests.map(({ at }) => at - (endpoint.requests[0]?.at ?? 0))

  for (const failure of [status(429), status(500), status(502), status(503), status(504), new TypeError()]) {
    const name = typeof failure === 'function' ? String(failure().status) : 'a network error'
    test(`asks again after ${name}, and then gives up`, () =>
      inWorld(async ({ clock, serve }) => {
        const endpoint = serve(failure)
        const provide = createTokenProvider({ url, fetch: endpoint.fetch })
        await rejects(() => clock.finish(provide()), 'ERR_TOKEN_REQUEST_FAILED')
        equal(times(endpoint), [0, 500, 1500, 3500])
      }))
  }

  test('the waits are random', () =>
    inWorld(async ({ clock, serve }) => {
      for (const [dice, expected] of [
        [0, [0, 0, 0, 0]],
        [0.5, [0, 250, 750, 1750]],
      ] as const) {
        clock.dice = dice
        const endpoint = serve(status(503))
        const provide = createTokenProvider({ url, fetch: endpoint.fetch })
        await rejects(() => clock.finish(provide()), 'ERR_TOKEN_REQUEST_FAILED')
        equal(times(endpoint), expected)
      }
    }))

  test('gets the token as soon as there is one', () =>
    inWorld(async ({ clock, serve }) => {
      const token = makeToken()
      const endpoint = serve(status(503), new TypeError('offline'), grant(token, 7200))
      const provide = createTokenProvider({ url, fetch: endpoint.fetch })
      equal(await clock.finish(Promise.all([provide(), provide()])), [token, token])
      equal(endpoint.requests.length, 3)
    }))

  for (const code of [400, 401, 403, 404, 405, 422]) {
    test(`takes ${code} for an answer`, () =>
      inWorld(async ({ clock, serve }) => {
        const endpoint = serve(status(code, { 'Retry-After': '1' }))
        const provide = createTokenProvider({ url, fetch: endpoint.fetch })
        const error = await rejects(() => clock.finish(provide()), 'ERR_TOKEN_REQUEST_REFUSED')
        assert(error.message.includes(String(code)), error.message)
        equal(endpoint.requests.length, 1)
      }))
  }

  const dateHeaders = {
    Date: 'Thu, 01 Jan 2026 00:00:00 GMT',
    'Retry-After': 'Thu, 01 Jan 2026 00:00:07 GMT',
  }
  for (const [title, code, headers, wait] of [
    ['seconds', 429, { 'Retry-After': '7' }, 7000],
    ['seconds, of a server that is down', 503, { 'Retry-After': '30' }, 30_000],
    ['no seconds', 429, { 'Retry-After': '0' }, 0],
    ['a date', 429, dateHeaders, 7000],
    ['a date that has gone by', 429, { ...dateHeaders, Date: 'Fri, 02 Jan 2026 00:00:00 GMT' }, 0],
    ['something else', 429, { 'Retry-After': 'soon' }, 0],
    ['less than nothing', 429, { 'Retry-After': '-5' }, 0],
  ] as const) {
    test(`Retry-After says ${title}`, () =>
      inWorld(async ({ clock, serve }) => {
        clock.ahead = Date.UTC(2040)
        clock.dice = 0.5
        const token = makeToken()
        const endpoint = serve(status(code, headers), grant(token, 7200))
        const provide = createTokenProvider({ url, fetch: endpoint.fetch })
        equal(await clock.finish(provide()), token)
        equal(times(endpoint), [0, wait + 250])
      }))
  }

  test('Retry-After says a date, and the server does not show its own', () =>
    inWorld(async ({ clock, serve }) => {
      clock.dice = 0
      clock.ahead = Date.UTC(2026, 0, 1) - clock.now
      const endpoint = serve(
        status(429, { 'Retry-After': dateHeaders['Retry-After'] }),
        grant(makeToken(), 60),
      )
      await clock.finish(createTokenProvider({ url, fetch: endpoint.fetch })())
      equal(times(endpoint), [0, 7000])
    }))

  for (const value of ['60', '1e999', 'Thu, 01 Jan 2026 01:00:00 GMT']) {
    test(`does not come before its time, nor waits for it, where Retry-After says ${value}`, () =>
      inWorld(async ({ clock, serve }) => {
        const endpoint = serve(status(429, { ...dateHeaders, 'Retry-After': value }))
        const provide = createTokenProvider({ url, fetch: endpoint.fetch })
        await rejects(() => clock.finish(provide()), 'ERR_TOKEN_REQUEST_FAILED')
        equal(endpoint.requests.length, 1)
      }))
  }

  test('gives up on a request after ten seconds, even on a fetch that cannot be aborted', () =>
    inWorld(async ({ clock, serve }) => {
      clock.dice = 0
      const endpoint = serve('silence')
      const provide = createTokenProvider({ url, fetch: endpoint.fetch })
      const error = await rejects(() => clock.finish(provide()), 'ERR_TOKEN_REQUEST_FAILED')
      assert(error.message.includes('timed out'), error.message)
      equal(times(endpoint), [0, 10_000, 20_000, 30_000])
      equal(
        endpoint.requests.map(({ init }) => init.signal?.aborted),
        [true, true, true, true],
      )
    }))
}

export const providerAnswers: ConformanceModule = ({ test }) => {
  const iat = Date.UTC(2026) / 1000
  for (const [title, claims, extra, reused] of [
    ['only a token with iat and exp', { iat, exp: iat + 3600 }, {}, 3540],
    ['a lifetime that is no number', { iat, exp: iat + 3600 }, { expiresIn: '2h' }, 3540],
    ['another lifetime than the token', { iat, exp: iat + 3600 }, { expiresIn: 1800 }, 1740],
  ] as const) {
    test(`an answer with ${title}`, () =>
      inWorld(async ({ clock, serve }) => {
        const endpoint = serve(json({ token: makeToken(claims), ...extra }))
        const provide = createTokenProvider({ url, fetch: endpoint.fetch })
        await clock.finish(provide())
        clock.now += reused * 1000 - 1
        await clock.finish(provide())
        equal(endpoint.requests.length, 1)
        clock.now += 1
        await clock.finish(provide())
        equal(endpoint.requests.length, 2)
      }))
  }

  for (const [title, token, extra] of [
    ['without dates', makeToken(), {}],
    ['without exp', makeToken({ iat }), {}],
    ['without iat', makeToken({ exp: iat }), {}],
    ['that ends before it begins', makeToken({ iat, exp: iat - 60 }), {}],
    ['that nobody can read', 'e30.A.c2ln', {}],
    ['that lives for no time', makeToken({ iat, exp: iat + 60 }), { expiresIn: 0 }],
    ['that lived once', makeToken({ iat, exp: iat + 60 }), { expiresIn: -60 }],
  ] as const) {
    test(`a token ${title} is for those who wait, and not kept`, () =>
      inWorld(async ({ clock, serve }) => {
        const endpoint = serve(json({ token, ...extra }))
        const provide = createTokenProvider({ url, fetch: endpoint.fetch })
        equal(await clock.finish(Promise.all([provide(), provide()])), [token, token])
        equal(endpoint.requests.length, 1)
        await clock.finish(provide())
        equal(endpoint.requests.length, 2)
      }))
  }

  const bodies: [string, () => Response][] = [
    ['a page', () => new Response('<!doctype html><p>Sign in</p>')],
    ['nothing', () => new Response(null, { status: 204 })],
    ['a bare token', () => new Response(makeToken())],
    ['null', json(null)],
    ['a list', json([makeToken()])],
    ['no token', json({ accessToken: makeToken() })],
    ['a token that is no string', json({ token: [makeToken()] })],
    ['a token of two parts', json({ token: 'e30.e30' })],
    ['a token of five parts', json({ token: 'e30.e30.e30.e30.e30' })],
    ['a token without a signature', json({ token: 'e30.e30.' })],
    ['a token with a line break', json({ token: `${makeToken()}\n` })],
    ['a token with its scheme', json({ token: `Bearer ${makeToken()}` })],
  ]
  for (const [title, answer] of bodies) {
    test(`an answer with ${title} is refused`, () =>
      inWorld(async ({ clock, serve }) => {
        const endpoint = serve(answer)
        const provide = createTokenProvider({ url, fetch: endpoint.fetch })
        const error = await rejects(() => clock.finish(provide()), 'ERR_TOKEN_REQUEST_FAILED')
        assert(error.message.includes('without {"token": "<JWT>"}'), error.message)
        equal(endpoint.requests.length, 1)
      }))
  }

  test('an error says what the problem says', () =>
    inWorld(async ({ clock, serve }) => {
      for (const code of [403, 503]) {
        const endpoint = serve(problem(code, 'This session may have no token.'))
        const provide = createTokenProvider({ url, fetch: endpoint.fetch })
        const error = await clock.finish(provide()).catch((thrown: Error) => thrown)
        const said = `answered ${code} (ERR_CALLER_FORBIDDEN: This session may have no token.)`
        assert(error instanceof Error && error.message.includes(said), String(error))
      }
    }))

  test('an error never shows a token', () =>
    inWorld(async ({ clock, serve }) => {
      const token = makeToken()
      for (const answer of [
        problem(403, `The token ${token} is bad`),
        json({ token: `Bearer ${token}` }),
        json({ accessToken: token }),
        () => new Response(token, { status: 500 }),
      ]) {
        const { fetch } = serve(answer)
        const error = await clock
          .finish(createTokenProvider({ url, fetch })())
          .catch((thrown: unknown) => thrown)
        assert(error instanceof Error, 'it was no error')
        for (const part of token.split('.')) {
          assert(!`${error.message} ${error.stack} ${error.cause}`.includes(part), error.message)
        }
      }
    }))
}

export const providerRequests: ConformanceModule = ({ test }) => {
  for (const [title, options] of [
    ['no options', undefined],
    ['no url', {}],
    ['an empty url', { url: '' }],
    ['a fetch that is none', { url, fetch: 'fetch' }],
    ['headers that are no function', { url, headers: { Authorization: 'Bearer x' } }],
    ['a negative refreshBefore', { url, refreshBefore: -1 }],
    ['a refreshBefore that is no number', { url, refreshBefore: Number.NaN }],
    ['a refreshBefore with a unit', { url, refreshBefore: '60s' }],
  ] as [string, unknown][]) {
    test(`${title} are refused`, async () => {
      await rejects(() => createTokenProvider(options as TokenProviderOptions), 'ERR_OPTION_INVALID')
    })
  }

  test('asks by GET, for JSON, past every cache, with the headers of the moment', () =>
    inWorld(async ({ clock, serve }) => {
      let session = 0
      const endpoint = serve(status(503), grant(makeToken(), 7200))
      const provide = createTokenProvider({
        url: new URL(url),
        fetch: endpoint.fetch,
        headers: async () => ({ Authorization: `Bearer session-${++session}`, Accept: 'application/jwt' }),
      })
      await clock.finish(provide())
      for (const [index, { url: asked, init }] of endpoint.requests.entries()) {
        equal(asked, url)
        equal([init.method, init.body, init.credentials], [undefined, undefined, undefined])
        equal(init.cache, 'no-store')
        equal(
          [...new Headers(init.headers)],
          [
            ['accept', 'application/json'],
            ['authorization', `Bearer session-${index + 1}`],
          ],
        )
      }
      equal(endpoint.requests.length, 2)
    }))

  test('calls fetch without a this', () =>
    inWorld(async ({ clock, serve }) => {
      const { fetch: send } = serve(grant(makeToken(), 7200))
      const owners: unknown[] = []
      const fetch = function (this: unknown, ...request: Parameters<typeof send>): Promise<Response> {
        owners.push(this)
        return send(...request)
      }
      await clock.finish(createTokenProvider({ url, fetch })())
      await replaceFor(globalThis, 'fetch', fetch, async () => {
        await clock.finish(createTokenProvider({ url })())
      })
      equal(owners, [undefined, undefined])
    }))

  test('uses the global fetch of the moment', () =>
    inWorld(async ({ clock, serve }) => {
      const provide = createTokenProvider({ url })
      const token = makeToken()
      await replaceFor(globalThis, 'fetch', serve(grant(token, 7200)).fetch, async () => {
        equal(await clock.finish(provide()), token)
      })
    }))

  test('headers that fail are asked for again, and then named as the cause', () =>
    inWorld(async ({ clock, serve }) => {
      const endpoint = serve(grant(makeToken(), 7200))
      const cause = new Error('no session')
      let calls = 0
      const headers = (): HeadersInit => {
        calls++
        throw cause
      }
      const provide = createTokenProvider({ url, fetch: endpoint.fetch, headers })
      const error = await rejects(() => clock.finish(provide()), 'ERR_TOKEN_REQUEST_FAILED')
      assert(error.cause === cause)
      equal([calls, endpoint.requests.length], [4, 0])
    }))

  test('headers that nobody can send are refused, and not shown', () =>
    inWorld(async ({ clock, serve }) => {
      const endpoint = serve(grant(makeToken(), 7200))
      const headers = (): HeadersInit => ({ Authorization: 'Bearer session\nsession' })
      const provide = createTokenProvider({ url, fetch: endpoint.fetch, headers })
      const error = await rejects(() => clock.finish(provide()), 'ERR_OPTION_INVALID')
      assert(!error.message.includes('session') && error.cause === undefined, error.message)
      equal(endpoint.requests.length, 0)
    }))

  test('a relative url needs a page, or a fetch that knows its base', () =>
    inWorld(async ({ clock, serve }) => {
      const endpoint = serve(grant(makeToken(), 7200))
      const relative = '/api/membrane-token'
      await clock.finish(createTokenProvider({ url: relative, fetch: endpoint.fetch })())
      await replaceFor(globalThis, 'fetch', endpoint.fetch, async () => {
        const provide = createTokenProvider({ url: relative })
        if ('document' in globalThis) await clock.finish(provide())
        else await rejects(() => clock.finish(provide()), 'ERR_OPTION_INVALID')
      })
    }))
}
