import type { RequestVerifierOptions } from '../../src/index.ts'
import { privateJwk, publicJwk } from './keys.ts'
import type { ConformanceModule, Library } from './suite.ts'
import { assert, equal, rejects } from './suite.ts'
import type { Forgery } from './token-fixtures.ts'
import { forge, now } from './token-fixtures.ts'
import { importFor, issuedAt, secret, workspaceKey } from './tokens.ts'

const current = 'X-Membrane-Token'
const older = 'X-Integration-App-Token'

/** A token as in Membrane's requests, with `sub` in place of `id`. */
function requestToken(claims: object = {}, forgery: Forgery = {}): Promise<string> {
  const base = { id: undefined, iat: undefined, exp: undefined, sub: 'customer-42' }
  return forge({ ...base, ...claims }, { algorithm: 'HS256', ...forgery })
}

async function verify(lib: Library, request: unknown, options: Partial<RequestVerifierOptions> = {}) {
  const base = { workspaceKey, secret, now: () => now, trustedBrowser: true }
  const verifier = await lib.createRequestVerifier({ ...base, ...options })
  return verifier.verify(request as Headers)
}

function headersWith(...entries: [string, string][]): Headers {
  const headers = new Headers({ accept: 'application/json' })
  for (const [name, value] of entries) headers.append(name, value)
  return headers
}

export const membraneRequests: ConformanceModule = (suite, lib) => {
  const customerId = 'customer-42'

  for (const name of [current, older, current.toLowerCase(), older.toUpperCase()]) {
    suite.test(`${name} in a request and in headers`, async () => {
      const token = await requestToken({ fields: { plan: 'team' } })
      const headers = headersWith([name, token])
      const expected = { workspaceKey, customerId, fields: { plan: 'team' } }
      equal(await verify(lib, headers), expected)
      for (const method of ['GET', 'POST']) {
        const body = method === 'POST' ? '{}' : null
        const request = new Request('https://api.example/items', { method, headers, body })
        equal(await verify(lib, request), expected)
        assert(!request.bodyUsed, 'the body was read')
      }
    })
  }

  suite.test('absent fields stay absent', async () => {
    equal(await verify(lib, headersWith([current, await requestToken()])), { workspaceKey, customerId })
  })

  suite.test('HS256, HS384 and HS512, with each form of secret', async () => {
    for (const algorithm of ['HS256', 'HS384', 'HS512'] as const) {
      const headers = headersWith([current, await requestToken({}, { algorithm })])
      const imported = await importFor(algorithm, secret, 'verify')
      for (const material of [secret, new TextEncoder().encode(secret), imported]) {
        equal((await verify(lib, headers, { secret: material })).customerId, customerId)
      }
    }
  })

  suite.test('both headers, equal', async () => {
    const token = await requestToken()
    equal((await verify(lib, headersWith([current, token], [older, token]))).customerId, customerId)
  })

  suite.test('both headers, different, even if both are valid', async () => {
    const [token, other] = [await requestToken(), await requestToken({ sub: 'customer-43' })]
    for (const [first, second] of [
      [token, other],
      [other, token],
      [token, ''],
      ['', token],
      [token, `${token}x`],
      [token, await requestToken({}, { algorithm: 'HS512' })],
    ] as const) {
      const headers = headersWith([current, first], [older, second])
      await rejects(() => verify(lib, headers), 'ERR_TOKEN_MALFORMED')
    }
  })

  suite.test('neither header', async () => {
    const token = await requestToken()
    for (const headers of [
      headersWith(),
      headersWith(['authorization', `Bearer ${token}`]),
      headersWith(['x-membrane-token-2', token]),
      headersWith([current, '']),
    ]) {
      await rejects(() => verify(lib, headers), 'ERR_TOKEN_MALFORMED')
      const request = new Request('https://api.example/?x-membrane-token=a.b.c', { headers })
      await rejects(() => verify(lib, request), 'ERR_TOKEN_MALFORMED')
    }
  })

  suite.test('one header twice, joined by a comma', async () => {
    const [token, other] = [await requestToken(), await requestToken({ sub: 'customer-43' })]
    for (const name of [current, older]) {
      for (const second of [other, token, '']) {
        await rejects(() => verify(lib, headersWith([name, token], [name, second])), 'ERR_TOKEN_MALFORMED')
      }
    }
  })

  suite.test('Bearer before the token', async () => {
    const headers = headersWith([current, `Bearer ${await requestToken()}`])
    await rejects(() => verify(lib, headers), 'ERR_TOKEN_MALFORMED')
  })

  for (const request of [undefined, null, 42, 'a.b.c', {}, { headers: {} }, { headers: null }, []]) {
    suite.test(`not a request: ${typeof request} ${JSON.stringify(request)}`, async () => {
      await rejects(() => verify(lib, request), 'ERR_OPTION_INVALID')
    })
  }

  const invalid: [title: string, () => Promise<string>, code: string][] = [
    [
      'RS256',
      async () => requestToken({}, { algorithm: 'RS256', key: await privateJwk('RSA') }),
      'ERR_TOKEN_ALGORITHM_NOT_ALLOWED',
    ],
    [
      'ES256 with its key in the header',
      async () => {
        const [key, jwk] = [await privateJwk('P-256'), await publicJwk('P-256')]
        return requestToken({}, { algorithm: 'ES256', key, header: { jwk } })
      },
      'ERR_TOKEN_ALGORITHM_NOT_ALLOWED',
    ],
    ['alg none', () => requestToken({}, { header: { alg: 'none' } }), 'ERR_TOKEN_ALGORITHM_NOT_ALLOWED'],
    ['another secret', () => requestToken({}, { key: 'x'.repeat(64) }), 'ERR_TOKEN_SIGNATURE_INVALID'],
    ['crit', () => requestToken({}, { header: { crit: ['exp'] } }), 'ERR_TOKEN_MALFORMED'],
    ['no workspace', () => requestToken({ iss: undefined }), 'ERR_TOKEN_WORKSPACE_MISMATCH'],
    ['another workspace', () => requestToken({ iss: 'other' }), 'ERR_TOKEN_WORKSPACE_MISMATCH'],
    ['two workspaces', () => requestToken({ workspaceKey: 'other' }), 'ERR_TOKEN_WORKSPACE_MISMATCH'],
    ['no sub', () => requestToken({ sub: undefined }), 'ERR_TOKEN_CLAIM_INVALID'],
    ['an empty sub', () => requestToken({ sub: '' }), 'ERR_TOKEN_CLAIM_INVALID'],
    ['a numeric sub', () => requestToken({ sub: 42 }), 'ERR_TOKEN_CLAIM_INVALID'],
    ['a null sub', () => requestToken({ sub: null }), 'ERR_TOKEN_CLAIM_INVALID'],
    ['a list as sub', () => requestToken({ sub: ['customer-42'] }), 'ERR_TOKEN_CLAIM_INVALID'],
    [
      '__proto__ for sub',
      () => forge(`{"iss":"${workspaceKey}","__proto__":{"sub":"a"}}`),
      'ERR_TOKEN_CLAIM_INVALID',
    ],
    ['an app’s own customer token', () => forge({ fields: {} }), 'ERR_TOKEN_CLAIM_INVALID'],
    [
      'an app’s own token with tenantKey',
      () => forge({ id: undefined, tenantKey: 'a' }),
      'ERR_TOKEN_CLAIM_INVALID',
    ],
    ['an admin token', () => forge({ id: undefined, isAdmin: true }), 'ERR_TOKEN_CLAIM_INVALID'],
    ['fields that are a list', () => requestToken({ fields: [1] }), 'ERR_TOKEN_CLAIM_INVALID'],
    ['fields that are text', () => requestToken({ fields: 'a' }), 'ERR_TOKEN_CLAIM_INVALID'],
    ['a past exp', () => requestToken({ exp: issuedAt }), 'ERR_TOKEN_EXPIRED'],
    ['an exp of zero', () => requestToken({ exp: 0 }), 'ERR_TOKEN_EXPIRED'],
    ['an exp as text', () => requestToken({ exp: '9999999999' }), 'ERR_TOKEN_CLAIM_INVALID'],
    ['an exp of null', () => requestToken({ exp: null }), 'ERR_TOKEN_CLAIM_INVALID'],
    ['an exp in milliseconds', () => requestToken({ exp: now + 60_000 }), 'ERR_TOKEN_CLAIM_INVALID'],
    ['a future nbf', () => requestToken({ nbf: issuedAt + 1 }), 'ERR_TOKEN_NOT_YET_VALID'],
    ['over 8192 characters', () => requestToken({ note: 'x'.repeat(7000) }), 'ERR_TOKEN_TOO_LARGE'],
  ]
  for (const [title, make, code] of invalid) {
    suite.test(`rejected: ${title}`, async () => {
      const token = await make()
      for (const headers of [
        headersWith([current, token]),
        headersWith([older, token]),
        headersWith([current, token], [older, token]),
      ]) {
        await rejects(() => verify(lib, headers), code)
      }
    })
  }

  suite.test('an exp is not required, but checked if present', async () => {
    for (const claims of [{}, { exp: issuedAt + 1 }, { iat: issuedAt, exp: issuedAt + 60 }]) {
      equal((await verify(lib, headersWith([current, await requestToken(claims)]))).customerId, customerId)
    }
    const headers = headersWith([current, await requestToken({ exp: issuedAt })])
    const tolerant = { clockTolerance: 5, now: () => now + 4999 }
    equal((await verify(lib, headers, tolerant)).customerId, customerId)
    await rejects(() => verify(lib, headers, { ...tolerant, now: () => now + 5000 }), 'ERR_TOKEN_EXPIRED')
  })

  suite.test('the list of algorithms', async () => {
    const headers = headersWith([current, await requestToken()])
    equal((await verify(lib, headers, { algorithms: ['HS256'] })).customerId, customerId)
    await rejects(() => verify(lib, headers, { algorithms: ['HS512'] }), 'ERR_TOKEN_ALGORITHM_NOT_ALLOWED')
  })

  const wrongOptions: [string, Record<string, unknown>, code: string][] = [
    ['no workspace key', { workspaceKey: undefined }, 'ERR_OPTION_INVALID'],
    ['an empty workspace key', { workspaceKey: '' }, 'ERR_OPTION_INVALID'],
    ['no secret', { secret: undefined }, 'ERR_OPTION_INVALID'],
    ['an empty list of algorithms', { algorithms: [] }, 'ERR_OPTION_INVALID'],
    ['a tolerance of NaN', { clockTolerance: Number.NaN }, 'ERR_OPTION_INVALID'],
    ['a negative tolerance', { clockTolerance: -1 }, 'ERR_OPTION_INVALID'],
    ['a clock that is not a function', { now }, 'ERR_OPTION_INVALID'],
    ['an asymmetric algorithm', { algorithms: ['RS256'] }, 'ERR_KEY_ALGORITHM_MISMATCH'],
    ['the algorithm none', { algorithms: ['none'] }, 'ERR_ALGORITHM_UNSUPPORTED'],
    ['an empty secret', { secret: '', allowShortSecret: true }, 'ERR_KEY_WEAK'],
    ['a short secret', { secret: 'short' }, 'ERR_KEY_WEAK'],
    [
      'a PEM',
      { secret: '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----' },
      'ERR_KEY_FORMAT_UNSUPPORTED',
    ],
  ]
  for (const [title, options, code] of wrongOptions) {
    suite.test(`options rejected: ${title}`, async () => {
      const headers = headersWith([current, await requestToken()])
      await rejects(() => verify(lib, headers, options as Partial<RequestVerifierOptions>), code)
    })
  }

  suite.test('options rejected: undefined, null and text', async () => {
    for (const options of [undefined, null, secret] as unknown[]) {
      const run = () => lib.createRequestVerifier(options as RequestVerifierOptions)
      await rejects(run, 'ERR_OPTION_INVALID')
    }
  })

  suite.test('options that belong to createVerifier are rejected', async () => {
    for (const options of [{ publicKey: await publicJwk('RSA') }, { jwks: { keys: [] } }] as object[]) {
      await rejects(() => verify(lib, new Headers(), options), 'ERR_OPTION_INVALID')
    }
  })

  suite.test('verify works when detached from its object, and concurrently', async () => {
    const options = { workspaceKey, secret, now: () => now, trustedBrowser: true }
    const { verify } = await lib.createRequestVerifier(options)
    const tokens = await Promise.all(['a', 'b'].map((sub) => requestToken({ sub })))
    const verified = await Promise.all(tokens.map((token) => verify(headersWith([current, token]))))
    equal(verified, [
      { workspaceKey, customerId: 'a' },
      { workspaceKey, customerId: 'b' },
    ])
  })

  suite.test('a short secret, if allowed', async () => {
    const headers = headersWith([current, await requestToken({}, { key: 'short' })])
    const options = { secret: 'short', allowShortSecret: true }
    equal((await verify(lib, headers, options)).customerId, customerId)
  })
}
