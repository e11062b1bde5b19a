import * as v from 'valibot'
import { ALGORITHMS, type Algorithm } from '../src/algorithms.ts'
import { CLAIM_STYLES, type ClaimStyle } from '../src/token/claims.ts'
import { parseDuration } from '../src/token/lifetime.ts'
import {
  apiKeys,
  claimName,
  duration,
  flag,
  isDuration,
  keySet,
  list,
  oneOf,
  origins,
  secret,
  secureUrl,
  text,
  word,
} from './forms.ts'

/** What is wrong with one setting, and the mend. Never holds the setting's value. */
export interface Fault {
  readonly setting: string
  readonly detail: string
}

const DEFAULT_EXPIRES_IN = '2h'
const DEFAULT_MAX_EXPIRES_IN = '24h'

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
    v.optional(duration, DEFAULT_EXPIRES_IN),
    v.description('Lifetime of a token for which the caller wishes none'),
  ),
  TOKEN_MAX_EXPIRES_IN: v.pipe(
    v.optional(duration, DEFAULT_MAX_EXPIRES_IN),
    v.description('Longest lifetime a caller can wish for'),
  ),
  MEMBRANE_ADDITIONAL_KEYS: v.pipe(
    v.optional(keySet),
    v.description('JWK set of public keys that are still to be published during a rotation'),
  ),
  SESSION_ISSUER: v.pipe(
    v.optional(secureUrl('set the issuer of your identity provider, exactly as its tokens have it')),
    v.description("The app's identity provider: `iss` of its tokens, to the letter"),
  ),
  SESSION_JWKS_URI: v.pipe(
    v.optional(secureUrl('set the URL of the key set, or leave it out')),
    v.description('Its key set; by default discovered from the issuer'),
  ),
  SESSION_AUDIENCE: v.pipe(
    v.optional(list('set what the tokens have as aud')),
    v.description('`aud` of the tokens; several with commas'),
  ),
  SESSION_AUTHORIZED_PARTIES: v.pipe(
    v.optional(list('set what the tokens have as azp')),
    v.description('`azp` of the tokens, for providers without `aud`; several with commas'),
  ),
  SESSION_ANY_AUDIENCE: v.pipe(
    v.optional(flag, 'false'),
    v.description('`true` takes tokens for whatever audience: only for an issuer that serves nobody but you'),
  ),
  SESSION_CUSTOMER_ID_CLAIM: v.pipe(
    v.optional(claimName('set the name of a claim'), 'sub'),
    v.description("Claim with the customer's id; a dotted path reaches into objects"),
  ),
  SESSION_CUSTOMER_NAME_CLAIM: v.pipe(
    v.optional(claimName('set the name of a claim'), 'name'),
    v.description("Claim with the customer's name"),
  ),
  SESSION_FIELD_CLAIMS: v.pipe(
    v.optional(list('set names of claims')),
    v.description('Claims that go to Membrane as fields, with commas'),
  ),
  CLOUDFLARE_ACCESS_TEAM_DOMAIN: v.pipe(
    v.optional(word('set the team domain, such as example.cloudflareaccess.com')),
    v.description('Cloudflare Access: the team'),
  ),
  CLOUDFLARE_ACCESS_AUDIENCE: v.pipe(
    v.optional(list('set the AUD tag of the application')),
    v.description('Cloudflare Access: AUD tag of the application'),
  ),
  API_KEYS: v.pipe(v.optional(apiKeys), v.description('JSON list of {name, sha256, scopes}')),
  ALLOWED_ORIGINS: v.pipe(
    v.optional(origins),
    v.description('Exact origins for CORS, with commas; none: same origin only'),
  ),
}

type Setting = keyof typeof SETTINGS

/** What settings must be to each other, as they are given; each rule names the setting at fault. */
const RULES: readonly {
  setting: Setting
  holds: (given: Partial<Record<Setting, unknown>>) => boolean
  detail: string
}[] = [
  {
    setting: 'MEMBRANE_WORKSPACE_SECRET',
    holds: (given) =>
      given.MEMBRANE_WORKSPACE_SECRET !== undefined || given.MEMBRANE_PRIVATE_KEY !== undefined,
    detail: 'is missing: set it, or MEMBRANE_PRIVATE_KEY.',
  },
  {
    setting: 'MEMBRANE_PRIVATE_KEY',
    holds: (given) =>
      given.MEMBRANE_WORKSPACE_SECRET === undefined || given.MEMBRANE_PRIVATE_KEY === undefined,
    detail: 'is set, and MEMBRANE_WORKSPACE_SECRET as well: delete the one that is not to sign.',
  },
  {
    setting: 'TOKEN_EXPIRES_IN',
    holds: ({
      TOKEN_EXPIRES_IN: usual = DEFAULT_EXPIRES_IN,
      TOKEN_MAX_EXPIRES_IN: longest = DEFAULT_MAX_EXPIRES_IN,
    }) =>
      // A lifetime that cannot be read is reported as such.
      !(isDuration(usual) && isDuration(longest)) || parseDuration(usual) <= parseDuration(longest),
    detail: 'is longer than TOKEN_MAX_EXPIRES_IN: shorten it, or raise the other.',
  },
  {
    setting: 'API_KEYS',
    holds: (given) =>
      [given.API_KEYS, given.SESSION_ISSUER, given.CLOUDFLARE_ACCESS_TEAM_DOMAIN].some(
        (way) => way !== undefined,
      ),
    detail:
      'is missing, and so are SESSION_ISSUER and CLOUDFLARE_ACCESS_TEAM_DOMAIN: nobody could be served. Set one of them.',
  },
  {
    setting: 'SESSION_AUDIENCE',
    holds: (given) =>
      given.SESSION_ISSUER === undefined ||
      given.SESSION_AUDIENCE !== undefined ||
      given.SESSION_AUTHORIZED_PARTIES !== undefined ||
      given.SESSION_ANY_AUDIENCE === 'true',
    detail:
      'is missing, and so is SESSION_AUTHORIZED_PARTIES: every app of the issuer would get in. Set one of them, or, if that is meant, SESSION_ANY_AUDIENCE to "true".',
  },
  {
    setting: 'SESSION_ISSUER',
    holds: (given) =>
      given.SESSION_ISSUER !== undefined ||
      [given.SESSION_AUDIENCE, given.SESSION_AUTHORIZED_PARTIES, given.SESSION_JWKS_URI].every(
        (other) => other === undefined,
      ),
    detail: 'is missing, though other SESSION settings are there.',
  },
  {
    setting: 'CLOUDFLARE_ACCESS_AUDIENCE',
    holds: (given) =>
      given.CLOUDFLARE_ACCESS_TEAM_DOMAIN === undefined || given.CLOUDFLARE_ACCESS_AUDIENCE !== undefined,
    detail: 'is missing: without it, every application of the team would get in.',
  },
  {
    setting: 'CLOUDFLARE_ACCESS_TEAM_DOMAIN',
    holds: (given) =>
      given.CLOUDFLARE_ACCESS_TEAM_DOMAIN !== undefined || given.CLOUDFLARE_ACCESS_AUDIENCE === undefined,
    detail: 'is missing, though CLOUDFLARE_ACCESS_AUDIENCE is there.',
  },
]

const schema = v.object(SETTINGS)

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
      values[setting] = await readValue(env[setting], JSON_SETTINGS.includes(setting))
    } catch {
      unread.push({
        setting,
        detail: 'could not be read from the Secrets Store: check the store and the name.',
      })
    }
  }
  if (unread.length > 0) return { faults: unread }

  const result = v.safeParse(schema, values)
  const broken = RULES.filter(({ holds }) => !holds(values))
  if (result.success && broken.length === 0) return { settings: result.output }
  return {
    faults: [
      ...(result.issues ?? []).map(toFault),
      ...broken.map(({ setting, detail }) => ({ setting, detail })),
    ],
  }
}

/** Settings that are JSON, and in wrangler.toml may be written as such. */
const JSON_SETTINGS = ['API_KEYS', 'MEMBRANE_ADDITIONAL_KEYS', 'MEMBRANE_PRIVATE_KEY']

async function readValue(value: unknown, isJson: boolean): Promise<unknown> {
  const given = isSecretsStoreBinding(value) ? await value.get() : value
  if (given === '' || given === null) return undefined
  return isJson && typeof given === 'object' ? JSON.stringify(given) : given
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
