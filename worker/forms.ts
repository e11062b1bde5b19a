import * as v from 'valibot'
import { parseDuration } from '../src/token/lifetime.ts'

// The forms that settings have. Every message is written here: the ones valibot has by default quote what they refuse.

// The samples of Membrane's documentation have <WORKSPACE_KEY>, <YOUR PRIVATE KEY>, {CUSTOMER_ID}.
const PLACEHOLDER = /^\s*(<[^<>]*>|\{\{?[^{}"]*\}?\}|your[-_ ].*|change[-_ ]?me)\s*$/i

const isPlaceholder = (value: string): boolean => PLACEHOLDER.test(value)
const hasOuterSpace = (value: string): boolean => value !== value.trim()

export const text = (mend: string) =>
  v.pipe(
    v.string(`is missing or not text: ${mend}.`),
    v.check((value) => !isPlaceholder(value), `is still the placeholder of the documentation: ${mend}.`),
  )

export const word = (mend: string) =>
  v.pipe(
    text(mend),
    v.check((value) => !hasOuterSpace(value), 'begins or ends with a space or a line break: set it without.'),
  )

export const oneOf = <const Name extends string>(names: readonly Name[]) =>
  v.picklist(names, `is not one of ${names.join(', ')}; mind upper and lower case.`)

export const duration = v.pipe(
  v.string('must be text such as "2h".'),
  v.check(
    (value) => isDuration(value),
    'must be a whole number with a unit, such as "90s", "30m", "2h", "7d" or "1w".',
  ),
)

// Of at least 32 bytes; shorter ones are refused anyway.
const SAMPLE_SECRETS = [
  'a-string-secret-at-least-256-bits-long',
  'a-valid-string-secret-that-is-at-least-384-bits-long',
  'a-valid-string-secret-that-is-at-least-512-bits-long-which-is-very-long',
]

export const secret = v.pipe(
  text('set the secret from the Settings page of your workspace'),
  // Its bytes are used as they are, so that this one more byte would spoil every signature.
  v.check(
    (value) => !/[\r\n]$/.test(value),
    'ends in a line break: set it with `printf %s`, not with `echo`.',
  ),
  v.minBytes(32, 'is shorter than 32 bytes: check that the whole of it was copied.'),
  v.check(
    (value) => !SAMPLE_SECRETS.includes(value),
    'is known from documentation samples: set the secret from the Settings page of your workspace.',
  ),
)

const apiKey = v.strictObject(
  {
    name: v.pipe(v.string('needs a name.'), v.minLength(1, 'needs a name.')),
    sha256: v.pipe(
      v.string('needs a sha256.'),
      v.regex(
        /^[0-9a-f]{64}$/i,
        'has a sha256 that is no digest. An API key never stands here in the clear: put what `printf %s "$API_KEY" | sha256sum` prints, and make a new key if this was one.',
      ),
    ),
    scopes: v.pipe(
      v.array(
        v.picklist(['customer', 'admin'], 'has a scope other than "customer" and "admin".'),
        'needs scopes.',
      ),
      v.minLength(1, 'needs scopes: ["customer"], ["admin"] or both.'),
    ),
  },
  'must be an object with name, sha256 and scopes, and nothing else.',
)

export const apiKeys = v.pipe(
  v.string('must be a JSON list of {"name", "sha256", "scopes"}.'),
  v.parseJson(undefined, 'is not valid JSON: set a list of {"name", "sha256", "scopes"}.'),
  v.array(apiKey, 'must be a JSON list of {"name", "sha256", "scopes"}.'),
  v.minLength(1, 'is an empty list: without an API key nobody could be served.'),
  v.check(
    (keys) => new Set(keys.map((key) => key.sha256.toLowerCase())).size === keys.length,
    'has the same sha256 twice: give every service a key of its own.',
  ),
)

export const list = (mend: string) =>
  v.pipe(
    v.string(`must be text: ${mend}.`),
    v.transform((value) => value.split(',').map((item) => item.trim())),
    v.check(
      (items) => items.every((item) => item !== '' && !isPlaceholder(item)),
      `has an empty or placeholder entry: ${mend}.`,
    ),
  )

const isLocal = ({ hostname }: URL): boolean => /^(localhost|127\.0\.0\.1|\[::1\])$/.test(hostname)

export const secureUrl = (mend: string) =>
  v.pipe(
    word(mend),
    v.check((value) => URL.canParse(value), `is not a URL: ${mend}.`),
    v.check((value) => {
      const url = URL.canParse(value) ? new URL(value) : undefined
      return !url || !(url.username || url.password || url.hash)
    }, `holds a user, a password or a fragment: ${mend}.`),
    v.check((value) => {
      const url = URL.canParse(value) ? new URL(value) : undefined
      return !url || url.protocol === 'https:' || (url.protocol === 'http:' && isLocal(url))
    }, 'is not https: anybody on the way could put keys of their own.'),
  )

export const origins = v.pipe(
  list('set origins such as https://app.example.com, with commas between them'),
  v.check(
    (items) =>
      items.every((item) => !item.includes('*') && URL.canParse(item) && new URL(item).origin === item),
    'has an entry that is not an exact origin: write https://app.example.com, without a path, a slash at the end or a star.',
  ),
)

export const flag = v.pipe(
  v.picklist(['true', 'false'], 'must be "true" or "false".'),
  v.transform((value) => value === 'true'),
)

export const keySet = v.pipe(
  v.string('must be a JWK set, as JSON.'),
  v.parseJson(undefined, 'is not valid JSON: set {"keys": [ … ]} with public keys.'),
  v.looseObject(
    { keys: v.array(v.looseObject({}, 'has a key that is no object.'), 'has no list of keys.') },
    'must be {"keys": [ … ]}.',
  ),
)

export const claimName = (mend: string) => word(mend)

/** Whether a value is a lifetime that can be read. */
export function isDuration(value: unknown): value is string {
  if (typeof value !== 'string') return false
  try {
    return parseDuration(value) > 0
  } catch {
    return false
  }
}
