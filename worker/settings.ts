import * as v from 'valibot'
import { ALGORITHMS, type Algorithm } from '../src/algorithms.ts'
import { CLAIM_STYLES, type ClaimStyle } from '../src/claims.ts'
import { parseDuration } from '../src/lifetime.ts'

/** What is wrong with one setting, and the mend. Never holds the setting's value. */
export interface Fault {
  readonly setting: string
  readonly detail: string
}

// The samples of Membrane's documentation have <WORKSPACE_KEY>, <YOUR PRIVATE KEY>, {CUSTOMER_ID}.
const PLACEHOLDER = /^\s*(<[^<>]*>|\{\{?[^{}"]*\}?\}|your[-_ ].*|change[-_ ]?me)\s*$/i

const isPlaceholder = (value: string): boolean => PLACEHOLDER.test(value)
const hasOuterSpace = (value: string): boolean => value !== value.trim()

// Every message is written here: the ones valibot has by default quote the value they refuse.
const text = (mend: string) =>
  v.pipe(
    v.string(`is missing or not text: ${mend}.`),
    v.check((value) => !isPlaceholder(value), `is still the placeholder of the documentation: ${mend}.`),
  )

const word = (mend: string) =>
  v.pipe(
    text(mend),
    v.check((value) => !hasOuterSpace(value), 'begins or ends with a space or a line break: set it without.'),
  )

const oneOf = <const Name extends string>(names: readonly Name[]) =>
  v.picklist(names, `is not one of ${names.join(', ')}; mind upper and lower case.`)

const duration = v.pipe(
  v.string('must be text such as "2h".'),
  v.check(isDuration, 'must be a whole number with a unit, such as "90s", "30m", "2h", "7d" or "1w".'),
)

const secret = v.pipe(
  text('set the secret from the Settings page of your workspace'),
  // Its bytes are used as they are, so that this one more byte would spoil every signature.
  v.check(
    (value) => !/[\r\n]$/.test(value),
    'ends in a line break: set it with `printf %s`, not with `echo`.',
  ),
  v.minBytes(32, 'is shorter than 32 bytes: check that the whole of it was copied.'),
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

const apiKeys = v.pipe(
  v.string(
    'is missing: without an API key nobody could be served. Set a JSON list of {"name", "sha256", "scopes"}.',
  ),
  v.parseJson(undefined, 'is not valid JSON: set a list of {"name", "sha256", "scopes"}.'),
  v.array(apiKey, 'must be a JSON list of {"name", "sha256", "scopes"}.'),
  v.minLength(1, 'is an empty list: without an API key nobody could be served.'),
  v.check(
    (keys) => new Set(keys.map((key) => key.sha256.toLowerCase())).size === keys.length,
    'has the same sha256 twice: give every service a key of its own.',
  ),
)

/** Every setting there is: its meaning, its form, its default. */
export const SETTINGS = {
  MEMBRANE_WORKSPACE_KEY: v.pipe(
    word('set the workspace key from the Settings page of your workspace'),
    v.description('Workspace key'),
  ),
  MEMBRANE_WORKSPACE_SECRET: v.pipe(
    v.optional(secret),
    v.description('Workspace secret; this or MEMBRANE_PRIVATE_KEY'),
  ),
  MEMBRANE_PRIVATE_KEY: v.pipe(
    v.optional(text('set a private key, as PEM or JWK')),
    v.description('Private key, PEM or JWK; this or MEMBRANE_WORKSPACE_SECRET'),
  ),
  MEMBRANE_ALGORITHM: v.pipe(
    v.optional(oneOf(Object.keys(ALGORITHMS) as Algorithm[])),
    v.description('Signature algorithm; by default HS512 for a secret, else what fits the key'),
  ),
  MEMBRANE_CLAIM_STYLE: v.pipe(
    v.optional(oneOf(Object.keys(CLAIM_STYLES) as ClaimStyle[]), 'issuer'),
    v.description('Spelling of workspace and customer in the token'),
  ),
  MEMBRANE_KEY_ID: v.pipe(
    v.optional(word('set a key id, or leave it out')),
    v.description('Key id; by default the RFC 7638 thumbprint of an asymmetric key'),
  ),
  TOKEN_EXPIRES_IN: v.pipe(
    v.optional(duration, '2h'),
    v.description('Lifetime of a token for which the caller wishes none'),
  ),
  TOKEN_MAX_EXPIRES_IN: v.pipe(
    v.optional(duration, '24h'),
    v.description('Longest lifetime a caller can wish for'),
  ),
  API_KEYS: v.pipe(apiKeys, v.description('JSON list of {name, sha256, scopes}')),
}

const schema = v.pipe(
  v.object(SETTINGS),
  v.forward(
    v.partialCheck(
      [['MEMBRANE_WORKSPACE_SECRET'], ['MEMBRANE_PRIVATE_KEY']],
      (keys) => keys.MEMBRANE_WORKSPACE_SECRET !== undefined || keys.MEMBRANE_PRIVATE_KEY !== undefined,
      'is missing: set it, or MEMBRANE_PRIVATE_KEY.',
    ),
    ['MEMBRANE_WORKSPACE_SECRET'],
  ),
  v.forward(
    v.partialCheck(
      [['MEMBRANE_WORKSPACE_SECRET'], ['MEMBRANE_PRIVATE_KEY']],
      (keys) => keys.MEMBRANE_WORKSPACE_SECRET === undefined || keys.MEMBRANE_PRIVATE_KEY === undefined,
      'is set, and MEMBRANE_WORKSPACE_SECRET as well: delete the one that is not to sign.',
    ),
    ['MEMBRANE_PRIVATE_KEY'],
  ),
  v.forward(
    v.partialCheck(
      [['TOKEN_EXPIRES_IN'], ['TOKEN_MAX_EXPIRES_IN']],
      // A lifetime that cannot be read has been reported already.
      ({ TOKEN_EXPIRES_IN: usual, TOKEN_MAX_EXPIRES_IN: longest }) =>
        !(isDuration(usual) && isDuration(longest)) || parseDuration(usual) <= parseDuration(longest),
      'is longer than TOKEN_MAX_EXPIRES_IN: shorten it, or raise the other.',
    ),
    ['TOKEN_EXPIRES_IN'],
  ),
)

/** The settings, checked. */
export type Settings = v.InferOutput<typeof schema>

export type SettingsResult = { readonly settings: Settings } | { readonly faults: readonly Fault[] }

/**
 * Reads and checks all settings.
 *
 * @param env The Worker's bindings; a setting may be text or a Secrets Store binding
 */
export async function readSettings(env: Readonly<Record<string, unknown>>): Promise<SettingsResult> {
  const values: Record<string, unknown> = {}
  const unread: Fault[] = []
  for (const setting of Object.keys(SETTINGS)) {
    try {
      values[setting] = await readValue(env[setting])
    } catch {
      unread.push({
        setting,
        detail: 'could not be read from the Secrets Store: check the store and the name.',
      })
    }
  }
  if (unread.length > 0) return { faults: unread }

  const result = v.safeParse(schema, values)
  if (result.success) return { settings: result.output }
  return { faults: result.issues.map(toFault) }
}

async function readValue(value: unknown): Promise<unknown> {
  const given = isSecretsStoreBinding(value) ? await value.get() : value
  return given === '' ? undefined : given
}

function isSecretsStoreBinding(value: unknown): value is { get(): Promise<string> } {
  return typeof value === 'object' && value !== null && 'get' in value && typeof value.get === 'function'
}

// Of what lies below the setting only a position is told: a member's name may be a value in the wrong place.
function toFault(issue: v.BaseIssue<unknown>): Fault {
  const [setting, position] = issue.path?.map((item) => item.key) ?? []
  const entry = typeof position === 'number' ? `entry ${position + 1} ` : ''
  return { setting: String(setting), detail: entry + issue.message }
}

function isDuration(value: string): boolean {
  try {
    return parseDuration(value) > 0
  } catch {
    return false
  }
}
