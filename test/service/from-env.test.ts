import { describe, expect, test, vi } from 'vitest'
import type { AuditEvent } from '../../src/endpoint.ts'
import { generateKeyPair, MembraneTokenError } from '../../src/index.ts'
import { pathOf } from '../../src/service/service.ts'
import { createTokenServiceFromEnv, readSettings } from '../../src/service.ts'
import { get, settings, tokenRequest } from './harness.ts'

const quiet = { audit: () => {} }

async function faultsOf(env: Record<string, unknown>, hooks = {}): Promise<string> {
  const error = await readSettings(env, hooks).then(
    () => undefined,
    (error: unknown) => error,
  )
  if (error === undefined) return ''
  expect(error).toBeInstanceOf(MembraneTokenError)
  const { code, faults = [], message } = error as MembraneTokenError
  expect(code).toBe('ERR_SETTING_INVALID')
  expect(faults).not.toEqual([])
  for (const { setting, detail } of faults) expect(message).toContain(`${setting} ${detail}`)
  return message
}

describe('readSettings', () => {
  test('names every invalid setting', async () => {
    const message = await faultsOf({ TOKEN_EXPIRES_IN: '1', ALLOWED_ORIGINS: '*' })
    for (const name of [
      'MEMBRANE_WORKSPACE_KEY',
      'MEMBRANE_WORKSPACE_SECRET',
      'API_KEYS',
      'TOKEN_EXPIRES_IN',
      'ALLOWED_ORIGINS',
    ]) {
      expect(message).toContain(`${name} `)
    }
  })

  test.each([
    ['ALLOWED_ORIGIN', 'ALLOWED_ORIGINS'],
    ['OAUTH_ISUER', 'OAUTH_ISSUER'],
    ['TRUSTED_PROXY', ''],
    ['API_KEY', ''],
    ['SESSION_SECRET', ''],
    ['ACCESS_TOKEN', ''],
  ])('the variable %s: %s', async (variable, setting) => {
    const message = await faultsOf({ ...settings, [variable]: 'hunter2' }, quiet)
    expect(message).toBe(setting && `${setting} is not set, but ${variable} is: rename that variable.`)
  })

  test('API_KEY belongs to other software, even if API_KEYS is missing', async () => {
    const message = await faultsOf({ ...settings, API_KEYS: '', API_KEY: 'hunter2' })
    expect(message).toMatch(/^API_KEYS is missing/)
    expect(message).not.toMatch(/rename|hunter2/)
  })

  test('a variable with a similar name is ignored if the setting is set', async () => {
    const env = { ...settings, ALLOWED_ORIGINS: 'https://app.test', ALLOWED_ORIGIN: 'x' }
    expect(await faultsOf(env)).toBe('')
  })

  test.each([
    ['"workspace"', 'quotes'],
    ["'workspace'", 'quotes'],
    ['{{ workspace }}', 'placeholder'],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a variable that a shell did not expand
    ['${WORKSPACE}', 'placeholder'],
  ])('the value %s is invalid: %s', async (value, reason) => {
    expect(await faultsOf({ ...settings, MEMBRANE_WORKSPACE_KEY: value })).toMatch(
      new RegExp(`^MEMBRANE_WORKSPACE_KEY .*${reason}`),
    )
  })

  test('reads and names settings under a prefix', async () => {
    const prefixed = Object.fromEntries(
      Object.entries(settings).map(([name, value]) => [`MT_${name}`, value]),
    )
    expect(await faultsOf({ ...prefixed, API_KEYS: 'of other software' }, { prefix: 'MT_' })).toBe('')
    expect(await faultsOf({ ...prefixed, MT_API_KEYS: '' }, { prefix: 'MT_' })).toMatch(/^MT_API_KEYS /)
  })
})

describe('settings of a caller that is not configured', () => {
  test.each([
    ['SESSION_CUSTOMER_ID_CLAIM', 'email', 'SESSION_ISSUER'],
    ['SESSION_CUSTOMER_NAME_CLAIM', 'email', 'SESSION_ISSUER'],
    ['SESSION_FIELD_CLAIMS', 'email', 'SESSION_ISSUER'],
    ['SESSION_TRUST_EMAIL', 'true', 'SESSION_ISSUER'],
    ['SESSION_ANY_AUDIENCE', 'true', 'SESSION_ISSUER'],
    ['CLOUDFLARE_ACCESS_SERVICE_SCOPES', 'none', 'CLOUDFLARE_ACCESS_TEAM_DOMAIN'],
  ])('%s is not ignored', async (setting, value, missing) => {
    expect(await faultsOf({ ...settings, [setting]: value }, quiet)).toMatch(`${missing} is missing`)
  })

  test('a flag may be false', async () => {
    const flags = { SESSION_TRUST_EMAIL: 'false', SESSION_ANY_AUDIENCE: 'false' }
    expect(await faultsOf({ ...settings, ...flags }, quiet)).toBe('')
  })
})

describe('wrong hooks', () => {
  const provider = Object.assign(async () => {}, { scheme: 'awskms' })
  test.each([
    ['kms', provider],
    ['kms', [provider]],
    ['kms', [undefined]],
    ['kms', null],
  ])('%s: %o', async (option, value) => {
    const expected = expect.objectContaining({ code: 'ERR_OPTION_INVALID', option })
    expect(() => createTokenServiceFromEnv(settings, { [option]: value })).toThrow(expected)
    await expect(readSettings(settings, { [option]: value })).rejects.toEqual(expected)
  })
})

describe('createTokenServiceFromEnv', () => {
  test('keeps no failure, names it at /health only, and then serves', async () => {
    const env: Record<string, unknown> = { ...settings, TOKEN_EXPIRES_IN: '1' }
    const handler = createTokenServiceFromEnv(env, quiet)
    const health = await handler(get('/health'))
    expect([health.status, await health.text()]).toEqual([503, expect.stringContaining('TOKEN_EXPIRES_IN ')])
    const response = await handler(tokenRequest())
    expect([response.status, await response.text()]).toEqual([
      503,
      expect.not.stringContaining('TOKEN_EXPIRES_IN'),
    ])
    env.TOKEN_EXPIRES_IN = '1h'
    expect((await handler(tokenRequest())).status).toBe(200)
  })

  test('reads the settings once for concurrent requests', async () => {
    const get = vi.fn(async () => settings.MEMBRANE_WORKSPACE_SECRET)
    const handler = createTokenServiceFromEnv({ ...settings, MEMBRANE_WORKSPACE_SECRET: { get } }, quiet)
    const responses = await Promise.all(Array.from({ length: 20 }, () => handler(tokenRequest())))
    expect(new Set(responses.map(({ status }) => status))).toEqual(new Set([200]))
    expect(get).toHaveBeenCalledTimes(1)
  })
})

describe('a key management service', () => {
  async function startService() {
    const pair = await generateKeyPair('ES256')
    const key = await crypto.subtle.importKey(
      'pkcs8',
      Buffer.from(pair.privateKey.replace(/-----[^-]+-----|\s/g, ''), 'base64'),
      { name: 'ECDSA', namedCurve: 'P-256' },
      false,
      ['sign'],
    )
    const state = { opens: true, signs: true }
    const unavailable = () => new MembraneTokenError('ERR_KEY_UNAVAILABLE', 'hunter2: the KMS is down')
    const provider = {
      scheme: 'testkms',
      variables: [],
      open: async () => {
        if (!state.opens) throw unavailable()
        return {
          publicKey: pair.publicKey,
          sign: async (data: Uint8Array) => {
            if (!state.signs) throw unavailable()
            const input = new Uint8Array(data)
            return new Uint8Array(await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, key, input))
          },
        }
      },
    }
    const events: AuditEvent[] = []
    const { MEMBRANE_WORKSPACE_SECRET: _, ...rest } = settings
    const env = { ...rest, MEMBRANE_PRIVATE_KEY: 'testkms://key' }
    const hooks = { kms: [provider], audit: (event: AuditEvent) => void events.push(event) }
    return { state, events, env, hooks, handler: createTokenServiceFromEnv(env, hooks) }
  }

  test('that cannot be opened: /health is 200, tokens 503 with Retry-After, until it can be opened', async () => {
    const { state, handler } = await startService()
    state.opens = false
    expect((await handler(get('/health'))).status).toBe(200)
    const response = await handler(tokenRequest())
    expect([response.status, response.headers.has('Retry-After')]).toEqual([503, true])
    expect(await response.text()).toMatch(/^(?!.*hunter2).*ERR_KEY_UNAVAILABLE/)
    state.opens = true
    expect((await handler(tokenRequest())).status).toBe(200)
  })

  test('that fails later: 503, with its message only in the audit', async () => {
    const { state, handler, events } = await startService()
    expect((await handler(tokenRequest())).status).toBe(200)
    state.signs = false
    const response = await handler(tokenRequest())
    expect([response.status, response.headers.has('Retry-After')]).toEqual([503, true])
    expect(await response.text()).toMatch(/^(?!.*hunter2).*ERR_KEY_UNAVAILABLE/)
    expect(events.at(-1)).toMatchObject({
      code: 'ERR_KEY_UNAVAILABLE',
      error: expect.stringContaining('hunter2'),
    })
    const ready = await handler(get('/ready'))
    expect([ready.status, await ready.text()]).toEqual([503, expect.stringContaining('MEMBRANE_PRIVATE_KEY')])
  })

  test('that the build does not include is an invalid setting', async () => {
    const { env } = await startService()
    expect(await faultsOf(env)).toMatch(/^MEMBRANE_PRIVATE_KEY .*hooks\.kms/)
  })
})

test.each([
  ['https://a.test', '/'],
  ['https://a.test/', '/'],
  ['https://a.test/x?y=/z', '/x'],
  ['https://a.test/x#y', '/x'],
  ['https://user@a.test:8443/x//y', '/x//y'],
])('the path of %s is %s', (url, path) => {
  expect(pathOf(url)).toBe(path)
})

test('every response has the security headers of an API, and no HSTS', async () => {
  const handler = createTokenServiceFromEnv(settings, quiet)
  for (const request of [tokenRequest(), tokenRequest('unknown'), get('/nowhere'), get('/health')]) {
    const { headers } = await handler(request)
    const names = [...headers.keys()].filter(
      (name) => !['content-type', 'x-request-id', 'www-authenticate'].includes(name),
    )
    expect(Object.fromEntries(names.map((name) => [name, headers.get(name)]))).toEqual({
      'cache-control': 'no-store',
      'content-security-policy': "default-src 'none'; base-uri 'none'; frame-ancestors 'none'",
      'cross-origin-resource-policy': 'same-origin',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
    })
  }
})
