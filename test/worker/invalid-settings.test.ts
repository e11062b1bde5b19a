import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { SETTINGS } from '../../src/service/setting-descriptions.ts'
import { expectProblem, makeSettings, markConfidential, randomKey, sha256, useWorkers } from './harness.ts'

const { settings, secret, apiKeys } = makeSettings()

/** Part of invalid values; no response may contain it. */
const MARK = 'mark7gq'

const pem = (key: KeyObject, type: 'pkcs1' | 'pkcs8' | 'sec1' | 'spki', protection = {}) =>
  markConfidential(key.export({ type, format: 'pem', ...protection } as never).toString())
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const ecPem = pem(ec.privateKey, 'sec1')
const locked = pem(ec.privateKey, 'pkcs8', { cipher: 'aes-256-cbc', passphrase: 'x' })
const koblitz = pem(generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey, 'pkcs8')
const edwards = pem(generateKeyPairSync('ed25519').privateKey, 'pkcs8')
const weak = pem(generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey, 'pkcs8')

const entry = { name: 'backend', sha256: sha256(randomKey()), scopes: ['customer'] }
const clearKey = randomKey()
const list = (...entries: unknown[]) => JSON.stringify(entries)

const SESSION = { SESSION_ISSUER: 'https://id.test/', SESSION_AUDIENCE: 'https://api.test' }
const ACCESS = { CLOUDFLARE_ACCESS_TEAM_DOMAIN: 'team', CLOUDFLARE_ACCESS_AUDIENCE: 'a1b2c3' }
const ASYMMETRIC = { MEMBRANE_WORKSPACE_SECRET: undefined }

/** By invalid setting: what is wrong, its value, what `detail` says, and other settings. */
const INVALID: Record<string, [what: string, value: unknown, detail: RegExp, others?: object][]> = {
  MEMBRANE_WORKSPACE_KEY: [
    ['none', undefined, /missing/],
    ['empty', '', /missing/],
    ['the placeholder of the documentation', '<WORKSPACE_KEY>', /placeholder/],
    ['the ellipsis of the documentation', '…', /placeholder/],
    ['a placeholder in braces', '{WORKSPACE_KEY}', /placeholder/],
    ['a placeholder in words', `your-${MARK}-key`, /placeholder/],
    ['a placeholder to be changed', 'CHANGE_ME', /placeholder/],
    ['with a line break', `${MARK}\n`, /line break/],
    ['with a space', ` ${MARK}`, /space/],
    ['a number', 42, /text/],
    ['an object', { key: MARK }, /text/],
  ],
  MEMBRANE_WORKSPACE_SECRET: [
    ['none', undefined, /MEMBRANE_PRIVATE_KEY/],
    ['empty', '', /missing/],
    ['the placeholder of the documentation', '<WORKSPACE_SECRET>', /placeholder/],
    ['the ellipsis of the documentation', '…', /placeholder/],
    ['with \\n', `${secret}\n`, /line break.*printf/],
    ['with \\r\\n', `${secret}\r\n`, /line break/],
    ['short', `${MARK}-too-short`, /shorter than 32 bytes/],
    ['a number', 4242, /text/],
    ['the sample of jwt.io', 'a-string-secret-at-least-256-bits-long', /known from documentation/],
    [
      'the long sample of jwt.io',
      'a-valid-string-secret-that-is-at-least-512-bits-long-which-is-very-long',
      /known from documentation/,
    ],
    [
      'the middle sample of jwt.io',
      'a-valid-string-secret-that-is-at-least-384-bits-long',
      /known from documentation/,
    ],
    ['a PEM', ecPem.trim(), /not a secret/],
    ['a JWK', JSON.stringify({ kty: 'oct', k: secret }), /symmetric key/],
    ['an object', { secret }, /text/],
  ],
  MEMBRANE_PRIVATE_KEY: [
    ['together with a secret', ecPem, /so is MEMBRANE_WORKSPACE_SECRET/, {}],
    ['a placeholder', '<YOUR PRIVATE KEY>', /placeholder/],
    ['text that is not a key', clearKey, /cannot be used/],
    ['a public key', pem(ec.publicKey, 'spki'), /public key/i],
    ['a public JWK', JSON.stringify(ec.publicKey.export({ format: 'jwk' })), /public/i],
    ['truncated', ecPem.slice(0, 80), /cannot be used/],
    ['encrypted', locked, /encrypted|passphrase|password/i],
    ['of secp256k1', koblitz, /cannot be used/],
    ['of Ed25519', edwards, /cannot be used/],
    ['of 1024 bits', weak, /2048/],
    ['a number', 4242, /text/],
  ].map(([what, value, detail, others = ASYMMETRIC]) => [what, value, detail, others] as never),
  MEMBRANE_ALGORITHM: [
    ['none', 'none', /HS512/],
    ['in lower case', 'hs512', /this case/],
    ['not verified by Membrane', 'EdDSA', /HS512/],
    ['for other keys', 'ES256', /cannot be used/],
    ['for another curve', 'ES384', /cannot be used/, { ...ASYMMETRIC, MEMBRANE_PRIVATE_KEY: ecPem }],
    ['for secrets', 'HS256', /cannot be used/, { ...ASYMMETRIC, MEMBRANE_PRIVATE_KEY: ecPem }],
  ],
  MEMBRANE_CLAIM_STYLE: [
    ['unknown', `${MARK}-style`, /tenant/],
    ['in upper case', 'Issuer', /this case/],
  ],
  MEMBRANE_KEY_ID: [
    ['with a space', ` ${MARK}`, /space/],
    ['a placeholder', '<KEY_ID>', /placeholder/],
    ['a missing value as text', 'undefined', /placeholder/],
  ],
  MEMBRANE_ADDITIONAL_KEYS: [
    ['no JSON', `${MARK}:`, /JSON/],
    ['a list', [], /list of keys/],
    ['a key that is a string', { keys: [MARK] }, /not an object/],
  ],
  MEMBRANE_API_URI: [
    ['not https', `http://${MARK}.test`, /https/],
    ['no URL', MARK, /URL/],
  ],
  OAUTH_ISSUER: [
    ['not https', `http://${MARK}.test`, /https/],
    ['with a query', `https://${MARK}.test?a=b`, /query/],
  ],
  TRUSTED_PROXIES: [
    ['a name', `${MARK}.test`, /network/],
    ['with an empty entry', `${MARK},`, /empty/],
    ['a prefix over 32 bits', '10.0.0.0/33', /network/],
    ['an IPv6 prefix over 128 bits', 'fd00::/129', /network/],
    ['no IPv4 address', '10.0.0.256', /network/],
    ['no IPv6 address', 'fd00:::1', /network/],
  ],
  WORKLOAD_IDENTITIES: [
    ['no JSON', `${MARK}:`, /JSON/],
    ['an empty list', [], /empty/],
    ['a name', [MARK], /entry 1 must be an object/],
    ['no issuer', [{ name: 'ci' }], /cannot be used/],
  ],
  SESSION_REQUIRED_SCOPES: [['with an empty entry', `${MARK},`, /empty/]],
  SESSION_TOKEN_TYPE: [['with a space', ` ${MARK}`, /space/]],
  SESSION_TRUST_EMAIL: [['yes', 'yes', /"true"/]],
  CLOUDFLARE_ACCESS_SERVICE_SCOPES: [['another', MARK, /none/]],
  TOKEN_EXPIRES_IN: [
    ['without a unit', '7200', /unit/],
    ['a number', 7200, /text/],
    ['broken', '1.5h', /unit/],
    ['in words', `${MARK} hours`, /unit/],
    ['over the limit', '2d', /TOKEN_MAX_EXPIRES_IN/],
    ['over a limit that is lower', undefined, /TOKEN_MAX_EXPIRES_IN/, { TOKEN_MAX_EXPIRES_IN: '1h' }],
  ],
  TOKEN_MAX_EXPIRES_IN: [
    ['zero', '0h', /whole number/],
    ['negative', '-1h', /whole number/],
    ['in upper case', '24H', /unit/],
  ],
  SESSION_ISSUER: [
    ['not https', `http://${MARK}.test/`, /https/],
    ['a host that starts with localhost', `http://localhost.${MARK}.test/`, /https/],
    ['a host that starts with 127.0.0.1', `http://127.0.0.1.${MARK}.test/`, /https/],
    ['no URL', `${MARK}.test`, /URL/],
    ['a placeholder', '<ISSUER>', /placeholder/],
    ['with a line break', `https://${MARK}.test/\n`, /line break/],
    ['with a query', `https://${MARK}.test/?a=b`, /./],
    ['with a fragment', `https://${MARK}.test/#a`, /./],
    ['with a password', `https://user:${MARK}@id.test/`, /password/],
    ['with another scheme', `ftp://${MARK}.test/`, /https/],
    ['missing, with an audience', undefined, /other SESSION/, { SESSION_ISSUER: undefined }],
  ],
  SESSION_JWKS_URI: [
    ['not https', `http://${MARK}.test/jwks`, /https/],
    ['no URL', '/jwks.json', /URL/],
    ['with a password', `https://user:${MARK}@id.test/jwks`, /password/],
  ],
  SESSION_AUDIENCE: [
    ['missing', undefined, /SESSION_AUTHORIZED_PARTIES/, { SESSION_AUDIENCE: undefined }],
    ['missing, and not waived', '', /SESSION_ANY_AUDIENCE/, { SESSION_ANY_AUDIENCE: 'false' }],
    ['a placeholder', '<AUDIENCE>', /placeholder/],
    ['a missing value as text', 'null', /placeholder/],
    ['a JSON list', `["${MARK}"]`, /brackets/],
    ['a list in brackets', `[${MARK}]`, /brackets/],
    ['with an empty entry', `${MARK},`, /empty/],
    ['a comma', ',', /empty/],
  ],
  SESSION_AUTHORIZED_PARTIES: [['with an empty entry', `${MARK},,b`, /empty/]],
  SESSION_ANY_AUDIENCE: [
    ['yes', 'yes', /"true"/],
    ['in upper case', 'TRUE', /"true"/],
    ['a boolean', true, /"true"/],
  ],
  SESSION_CUSTOMER_ID_CLAIM: [
    ['with a space', ` ${MARK}`, /space/],
    ['a placeholder', '{CUSTOMER_ID}', /placeholder/],
    ['a missing value as text', '[object Object]', /placeholder/],
  ],
  SESSION_CUSTOMER_NAME_CLAIM: [['with a line break', `${MARK}\n`, /line break/]],
  SESSION_FIELD_CLAIMS: [
    ['with an empty entry', `${MARK},,plan`, /empty/],
    ['two with the same name', `org.${MARK},app.${MARK}`, /two names are equal/],
  ],
  CLOUDFLARE_ACCESS_TEAM_DOMAIN: [
    ['missing', undefined, /missing/, { CLOUDFLARE_ACCESS_TEAM_DOMAIN: undefined }],
    ['a URL', `https://${MARK}.cloudflareaccess.com`, /domain/],
    ['in another domain', `${MARK}.example.com`, /domain/],
    ['a placeholder', '<TEAM>', /placeholder/],
  ],
  CLOUDFLARE_ACCESS_AUDIENCE: [
    ['missing', undefined, /missing/, { CLOUDFLARE_ACCESS_AUDIENCE: undefined }],
    ['with an empty entry', `${MARK},`, /empty/],
  ],
  API_KEYS: [
    ['missing, without another authenticator', undefined, /missing/],
    ['an empty list', '[]', /empty/],
    ['no JSON', `backend:${clearKey}`, /JSON/],
    ['no list', JSON.stringify(entry), /list/],
    [
      'an API key as plaintext',
      list({ ...entry, sha256: clearKey }),
      /entry 1 .*Never put the API key.*sha256sum/,
    ],
    ['an API key as plaintext, as vars', [{ ...entry, sha256: clearKey }], /entry 1 .*Never put the API key/],
    ['an API key next to its digest', list(entry, { ...entry, key: clearKey }), /entry 2 .*nothing else/],
    ['an API key as a member', list({ ...entry, [clearKey]: true }), /nothing else/],
    ['an API key as an entry', list(clearKey), /entry 1 must be an object/],
    ['an API key without a name', list({ ...entry, name: '' }), /name/],
    ['an API key without scopes', list({ ...entry, scopes: [] }), /scopes/],
    ['an API key with an unknown scope', list({ ...entry, scopes: [MARK] }), /scope/],
    ['an API key whose scopes are a string', list({ ...entry, scopes: 'customer' }), /scopes/],
    ['a duplicate digest', list(entry, { ...entry, name: 'other' }), /twice/],
  ],
  ALLOWED_ORIGINS: [
    ['a star', '*', /exact origin/],
    ['null', 'null', /placeholder/],
    ['with a wildcard', `https://*.${MARK}.test`, /star/],
    ['with a path', `https://${MARK}.test/x`, /path/],
    ['with a trailing slash', `https://${MARK}.test/`, /slash/],
    ['in upper case', `https://${MARK.toUpperCase()}.test`, /exact origin/],
    ['with the default port', `https://${MARK}.test:443`, /exact origin/],
    ['without a scheme', `${MARK}.test`, /exact origin/],
    ['with a user', `https://user@${MARK}.test`, /exact origin/],
    ['a file', 'file:///', /exact origin/],
    ['one invalid among valid ones', `https://a.test,https://${MARK}.test/`, /exact origin/],
    ['with an empty entry', `https://${MARK}.test,`, /empty/],
  ],
}

/** Valid settings, by the prefix of the settings that are only read with them. */
const GROUPS: Record<string, object> = { SESSION_: SESSION, CLOUDFLARE_ACCESS_: ACCESS }

const ROWS = Object.entries(INVALID).flatMap(([setting, rows]) =>
  rows.map(([what, value, expected, others = {}]) => {
    const [, group = {}] = Object.entries(GROUPS).find(([prefix]) => setting.startsWith(prefix)) ?? []
    const changed = { ...settings, ...group, [setting]: value, ...others }
    const bindings = Object.fromEntries(Object.entries(changed).filter((pair) => pair[1] !== undefined))
    return { name: `${setting} ${what}`, setting, value, expected, bindings }
  }),
)

const { send } = useWorkers(
  Object.fromEntries(ROWS.map(({ bindings }, index) => [`worker-${index}`, { bindings }])),
)

const REQUEST = {
  headers: { Authorization: `Bearer ${apiKeys.backend}`, 'Content-Type': 'application/json' },
  body: { id: 'customer-42' },
}

describe('an invalid setting is named at /health, is never quoted, and disables the token routes', () => {
  test.each(ROWS.map((row, index) => [row.name, row, `worker-${index}`] as const))(
    '%s',
    async (_, { setting, value, expected }, worker) => {
      const detail = await expectProblem(await send('/health', { worker }), 503, 'ERR_SETTING_INVALID')
      expect(detail).toMatch(new RegExp(`^${setting} `))
      expect(detail).toMatch(expected)
      for (const hidden of [MARK, secret, clearKey, entry.sha256]) expect(detail).not.toContain(hidden)
      if (typeof value === 'string' && value.length > 8) expect(detail).not.toContain(value.trim())
      for (const path of ['/api/membrane-token', '/api/membrane-admin-token', '/nowhere']) {
        const response = await send(path, { ...REQUEST, worker })
        const general = await expectProblem(response, 503, 'ERR_SETTING_INVALID')
        expect(general).toContain('/health')
        expect(general).not.toContain(setting)
      }
      const keys = await send('/.well-known/jwks.json', { worker })
      await expectProblem(keys, 503, 'ERR_SETTING_INVALID')
    },
  )

  test('every setting is covered', () => {
    expect(Object.keys(INVALID).sort()).toEqual(Object.keys(SETTINGS).sort())
  })
})
