import * as v from 'valibot'
import { encoder } from '../encoding.ts'
import type { ApiKey } from '../endpoint/auth/api-keys.ts'
import { isPlaceholder as isUnfilled } from '../placeholders.ts'
import { parseDuration } from '../token/lifetime.ts'
import { isExactOrigin } from './origin.ts'

/** Parses the text of a setting. It uses its own messages, because valibot's quote the rejected value. */
export type Schema<Value> = v.GenericSchema<string, Value>

/**
 * Unreplaced placeholders: `…`, `<WORKSPACE_KEY>` and `<YOUR PRIVATE KEY>`, `{CUSTOMER_ID}`, `{{…}}`, `${…}`,
 * `your-workspace-key`, `change-me`. Matched against trimmed text, in linear time.
 */
const PLACEHOLDER = /^(…|<[^<>]*>|\$?\{[A-Z][A-Z0-9_ ]*\}|\{\{.*\}\}|\$\{.*\}|your[-_ ].*|change[-_ ]?me)$/is

const isPlaceholder = (value: string): boolean => isUnfilled(value.trim()) || PLACEHOLDER.test(value.trim())

/** Text that is not a placeholder. @param fix What to set */
export const text = (fix: string): Schema<string> =>
  v.pipe(
    v.string(`must be text: ${fix}.`),
    v.check((value) => !isPlaceholder(value), `is still a placeholder: ${fix}.`),
    v.check((value) => !/^(["'`]).*\1$/s.test(value.trim()), 'is in quotes: set it without them.'),
  )

/** Text without surrounding white space. */
export const word = (fix: string): Schema<string> =>
  v.pipe(
    text(fix),
    v.check(
      (value) => value.trim() === value,
      'begins or ends with a space or a line break: set it without.',
    ),
    v.check((value) => value !== '', `is empty: ${fix}.`),
  )

/** One of several names. */
const oneOf = <const Name extends string>(names: readonly Name[], message: string): Schema<Name> =>
  v.pipe(
    v.string(message),
    v.check((value) => (names as readonly string[]).includes(value), message),
  ) as Schema<string> as Schema<Name>

export const picklist = <const Name extends string>(names: readonly Name[]): Schema<Name> =>
  oneOf(names, `must be one of ${names.join(', ')}, in exactly this case.`)

export const duration: Schema<string> = /* @__PURE__ */ v.pipe(
  v.string('must be text such as "2h".'),
  v.check(
    (value) => isDuration(value),
    'must be a whole number with a unit, such as "90s", "30m", "2h", "7d" or "1w".',
  ),
)

/** Whether a value is a valid duration with a unit. */
export function isDuration(value: unknown): value is string {
  if (typeof value !== 'string') return false
  try {
    return parseDuration(value) > 0
  } catch {
    return false
  }
}

// Sample secrets from documentation, of at least 32 bytes; shorter ones are rejected anyway.
const SAMPLE_SECRETS = [
  'a-string-secret-at-least-256-bits-long',
  'a-valid-string-secret-that-is-at-least-384-bits-long',
  'a-valid-string-secret-that-is-at-least-512-bits-long-which-is-very-long',
]

export const secret: Schema<string> = /* @__PURE__ */ v.pipe(
  text('set the secret from the Settings page of your workspace'),
  // The secret is used byte for byte, so an extra byte would invalidate every signature.
  v.check(
    (value) => !/^[\r\n]|[\r\n]$/.test(value),
    'begins or ends with a line break: set it with `printf %s`, not with `echo`.',
  ),
  v.check(
    (value) => encoder.encode(value).length >= 32,
    'is shorter than 32 bytes: check that all of it was copied.',
  ),
  v.check(
    (value) => !SAMPLE_SECRETS.includes(value),
    'is known from documentation samples: set the secret from the Settings page of your workspace.',
  ),
)

const SCOPES: readonly unknown[] = ['customer', 'admin']
const API_KEY_MEMBERS: readonly string[] = ['name', 'sha256', 'scopes']

type JsonObject = Record<string, unknown>

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Requirements of an API key entry, each with its error message. */
const API_KEY_RULES: readonly (readonly [holds: (key: JsonObject) => boolean, message: string])[] = [
  [({ name }) => typeof name === 'string' && name !== '', 'needs a name.'],
  [({ sha256 }) => typeof sha256 === 'string', 'needs a sha256.'],
  [
    ({ sha256 }) => typeof sha256 !== 'string' || /^[0-9a-f]{64}$/i.test(sha256),
    'has a sha256 that is not a SHA-256 digest in hex. Never put the API key itself here: set what `printf %s "$API_KEY" | sha256sum` prints, and make a new key if this was one.',
  ],
  [
    ({ scopes }) => Array.isArray(scopes) && scopes.length > 0,
    'needs scopes: ["customer"], ["admin"] or both.',
  ],
  [
    ({ scopes }) => !Array.isArray(scopes) || scopes.every((scope) => SCOPES.includes(scope)),
    'has a scope other than "customer" and "admin".',
  ],
  [
    (key) => Object.keys(key).every((member) => API_KEY_MEMBERS.includes(member)),
    'must be an object with name, sha256 and scopes, and nothing else.',
  ],
]

const apiKey = /* @__PURE__ */ v.pipe(
  v.custom<ApiKey>(isObject, 'must be an object with name, sha256 and scopes, and nothing else.'),
  v.rawCheck(({ dataset, addIssue }) => {
    const key = dataset.value
    if (!dataset.typed || !isObject(key)) return
    for (const [holds, message] of API_KEY_RULES) if (!holds(key)) addIssue({ message })
  }),
)

/** JSON text. @param fix What to set */
const json = (fix: string): v.GenericSchema<string, unknown> =>
  v.pipe(
    v.string(`must be JSON: ${fix}.`),
    v.check(isJson, `is not valid JSON: ${fix}.`),
    v.transform((value): unknown => JSON.parse(value)),
  )

function isJson(value: string): boolean {
  try {
    JSON.parse(value)
    return true
  } catch {
    return false
  }
}

const API_KEYS_FIX = 'set a list of {"name", "sha256", "scopes"}'

export const apiKeys: Schema<ApiKey[]> = /* @__PURE__ */ v.pipe(
  json(API_KEYS_FIX),
  v.array(apiKey, `must be a JSON list: ${API_KEYS_FIX}.`),
  v.check((items) => items.length > 0, 'is an empty list: remove the setting, or add an API key.'),
  v.check(
    (keys) => new Set(keys.map((key) => key.sha256.toLowerCase())).size === keys.length,
    'has the same sha256 twice: give every service its own key.',
  ),
)

/** A comma-separated list. */
export const list = (fix: string): Schema<string[]> =>
  v.pipe(
    v.string(`must be text: ${fix}.`),
    v.transform((value) => value.split(',').map((item) => item.trim())),
    v.check(
      (items) => items.every((item) => item !== '' && !isPlaceholder(item)),
      `has an empty or placeholder entry: ${fix}.`,
    ),
    v.check(
      (items) => items.every((item) => !/^[["'`]|["'`]$/.test(item)),
      'is in quotes or brackets: set it without them.',
    ),
  )

/** `customer` and `admin`, or `none`. */
export const scopes: Schema<('customer' | 'admin')[]> = /* @__PURE__ */ v.pipe(
  list('set customer, admin, both, or none'),
  v.transform((items) => (items.length === 1 && items[0] === 'none' ? [] : items)),
  v.array(oneOf(['customer', 'admin'], 'must be customer, admin, both with a comma, or none.')),
)

const isLocal = ({ hostname }: URL): boolean => /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname)
const parseUrl = (value: string): URL | undefined => (URL.canParse(value) ? new URL(value) : undefined)

export const secureUrl = (fix: string): Schema<string> =>
  v.pipe(
    word(fix),
    v.check((value) => URL.canParse(value), `is not a URL: ${fix}.`),
    v.check((value) => {
      const url = parseUrl(value)
      return !url || !(url.username || url.password || url.hash)
    }, `has a user, a password or a fragment: ${fix}.`),
    v.check((value) => {
      const url = parseUrl(value)
      return !url || url.protocol === 'https:' || (url.protocol === 'http:' && isLocal(url))
    }, 'is not https: anyone on the network path could replace the response.'),
  )

/** A URL to which the path of metadata is appended, so it has no query (RFC 8414 section 2). */
export const issuerUrl = (fix: string): Schema<string> =>
  v.pipe(
    secureUrl(fix),
    v.check((value) => !value.includes('?'), `has a query: ${fix}.`),
  )

export const origins: Schema<string[]> = /* @__PURE__ */ v.pipe(
  list('set origins such as https://app.example.com, comma-separated'),
  v.check(
    (items) => items.every(isExactOrigin),
    'has an entry that is not an exact origin: write https://app.example.com, without a path, a trailing slash or a star.',
  ),
)

/** Networks such as `10.0.0.0/8` and `fd00::/8`, or single addresses. */
export const networks: Schema<string[]> = /* @__PURE__ */ v.pipe(
  list('set networks such as 10.0.0.0/8, comma-separated'),
  v.check(
    (items) => items.every(isNetwork),
    'has an entry that is not a network: write 10.0.0.0/8, or a single address.',
  ),
)

function isNetwork(item: string): boolean {
  const [, address = '', bits = '0'] =
    /^(\d+(?:\.\d+){3}|[\da-f:.]*:[\da-f:.]*)(?:\/(\d{1,3}))?$/i.exec(item) ?? []
  const isIPv6 = address.includes(':')
  return URL.canParse(`http://${isIPv6 ? `[${address}]` : address}`) && Number(bits) <= (isIPv6 ? 128 : 32)
}

export const flag: Schema<boolean> = /* @__PURE__ */ v.pipe(
  oneOf(['true', 'false'], 'must be "true" or "false".'),
  v.transform((value) => value === 'true'),
) as Schema<boolean>

export const keySet: Schema<{ keys: Record<string, unknown>[] }> = /* @__PURE__ */ v.pipe(
  json('set {"keys": [ … ]} with public keys'),
  v.custom<{ keys: JsonObject[] }>((value) => Object(value) === value, 'must be {"keys": [ … ]}.'),
  v.check(({ keys }) => Array.isArray(keys), 'has no list of keys.'),
  v.check(({ keys }) => keys.every(isObject), 'has a key that is not an object.'),
)

/** A list of objects, whose members the authenticator validates. */
export const objects = (fix: string): Schema<Record<string, unknown>[]> =>
  v.pipe(
    json(fix),
    v.array(v.custom<JsonObject>(isObject, 'must be an object.'), `must be a JSON list: ${fix}.`),
    v.check((items) => items.length > 0, 'is an empty list: remove the setting.'),
  )

/** The name of a claim, or a dotted path. */
export const claimName: Schema<string> = /* @__PURE__ */ word('set the name of a claim, such as sub')
