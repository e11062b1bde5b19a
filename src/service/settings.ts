import * as v from 'valibot'
import { ALGORITHMS, type Algorithm } from '../algorithms.ts'
import type { ApiKey } from '../endpoint/auth/api-keys.ts'
import { MembraneTokenError, type SettingFault } from '../errors.ts'
import { isWithinEdits } from '../options.ts'
import { CLAIM_STYLES, type ClaimStyle } from '../token/claims.ts'
import {
  apiKeys,
  claimName,
  duration,
  flag,
  issuerUrl,
  keySet,
  list,
  networks,
  objects,
  origins,
  picklist,
  type Schema,
  scopes,
  secret,
  secureUrl,
  text,
  word,
} from './schemas.ts'
import { DEFAULT_EXPIRES_IN, DEFAULT_MAX_EXPIRES_IN, type Given, RULES } from './setting-rules.ts'

/** All settings, parsed. */
export interface Settings {
  MEMBRANE_WORKSPACE_KEY: string
  MEMBRANE_WORKSPACE_SECRET: string
  MEMBRANE_PRIVATE_KEY: string
  MEMBRANE_ALGORITHM: Algorithm
  MEMBRANE_CLAIM_STYLE: ClaimStyle
  MEMBRANE_KEY_ID: string
  MEMBRANE_ADDITIONAL_KEYS: { keys: Record<string, unknown>[] }
  MEMBRANE_API_URI: string
  TOKEN_EXPIRES_IN: string
  TOKEN_MAX_EXPIRES_IN: string
  SESSION_ISSUER: string
  SESSION_JWKS_URI: string
  SESSION_AUDIENCE: string[]
  SESSION_AUTHORIZED_PARTIES: string[]
  SESSION_ANY_AUDIENCE: boolean
  SESSION_REQUIRED_SCOPES: string[]
  SESSION_TOKEN_TYPE: string
  SESSION_TRUST_EMAIL: boolean
  SESSION_CUSTOMER_ID_CLAIM: string
  SESSION_CUSTOMER_NAME_CLAIM: string
  SESSION_FIELD_CLAIMS: string[]
  CLOUDFLARE_ACCESS_TEAM_DOMAIN: string
  CLOUDFLARE_ACCESS_AUDIENCE: string[]
  CLOUDFLARE_ACCESS_SERVICE_SCOPES: ('customer' | 'admin')[]
  API_KEYS: ApiKey[]
  WORKLOAD_IDENTITIES: Record<string, unknown>[]
  ALLOWED_ORIGINS: string[]
  OAUTH_ISSUER: string
  TRUSTED_PROXIES: string[]
}

export type SettingName = keyof Settings

/** How a setting is parsed, and its default. */
export interface SettingReader<Value> {
  readonly schema: Schema<Value>
  /** Text to parse if the setting is not set. */
  readonly default?: string
  /** Whether it may also be written as an object, in the `vars` of wrangler.toml. */
  readonly isJson?: boolean
}

/** How each setting is parsed. The descriptions are in setting-descriptions.ts, which a Worker does not include. */
export const SETTING_READERS: { readonly [Name in SettingName]: SettingReader<Settings[Name]> } = {
  MEMBRANE_WORKSPACE_KEY: {
    schema: word('set the workspace key from the Settings page of your workspace'),
  },
  MEMBRANE_WORKSPACE_SECRET: {
    schema: secret,
  },
  MEMBRANE_PRIVATE_KEY: {
    schema: text('set a private key as PEM or JWK, or the URI of a key in a KMS'),
    isJson: true,
  },
  MEMBRANE_ALGORITHM: {
    schema: picklist(Object.keys(ALGORITHMS) as Algorithm[]),
  },
  MEMBRANE_CLAIM_STYLE: {
    schema: picklist(Object.keys(CLAIM_STYLES) as ClaimStyle[]),
    default: 'issuer',
  },
  MEMBRANE_KEY_ID: {
    schema: word('set a key id, or remove the setting'),
  },
  MEMBRANE_ADDITIONAL_KEYS: {
    schema: keySet,
    isJson: true,
  },
  MEMBRANE_API_URI: {
    schema: secureUrl('set the https address of your Membrane API, or remove the setting'),
  },
  TOKEN_EXPIRES_IN: {
    schema: duration,
    default: DEFAULT_EXPIRES_IN,
  },
  TOKEN_MAX_EXPIRES_IN: {
    schema: duration,
    default: DEFAULT_MAX_EXPIRES_IN,
  },
  SESSION_ISSUER: {
    schema: secureUrl('set the issuer of your identity provider, exactly as in its tokens'),
  },
  SESSION_JWKS_URI: {
    schema: secureUrl('set the URL of the key set, or remove the setting'),
  },
  SESSION_AUDIENCE: {
    schema: list('set the aud of the tokens'),
  },
  SESSION_AUTHORIZED_PARTIES: {
    schema: list('set the azp of the tokens'),
  },
  SESSION_ANY_AUDIENCE: {
    schema: flag,
    default: 'false',
  },
  SESSION_REQUIRED_SCOPES: {
    schema: list('set the scopes that the tokens must have'),
  },
  SESSION_TOKEN_TYPE: {
    schema: word('set the typ of the tokens, or remove the setting'),
  },
  SESSION_TRUST_EMAIL: {
    schema: flag,
    default: 'false',
  },
  SESSION_CUSTOMER_ID_CLAIM: {
    schema: claimName,
    default: 'sub',
  },
  SESSION_CUSTOMER_NAME_CLAIM: {
    schema: claimName,
    default: 'name',
  },
  SESSION_FIELD_CLAIMS: {
    schema: list('set names of claims'),
  },
  CLOUDFLARE_ACCESS_TEAM_DOMAIN: {
    schema: word('set the team domain, such as example.cloudflareaccess.com'),
  },
  CLOUDFLARE_ACCESS_AUDIENCE: {
    schema: list('set the AUD tag of the application'),
  },
  CLOUDFLARE_ACCESS_SERVICE_SCOPES: {
    schema: scopes,
    default: 'customer',
  },
  API_KEYS: {
    schema: apiKeys,
    isJson: true,
  },
  WORKLOAD_IDENTITIES: {
    schema: objects('set a list of {"name", "issuer", "audience", "claims", "scopes"}'),
    isJson: true,
  },
  ALLOWED_ORIGINS: {
    schema: origins,
  },
  OAUTH_ISSUER: {
    schema: issuerUrl('set the https URL of this service, or remove the setting'),
  },
  TRUSTED_PROXIES: {
    schema: networks,
  },
}

const NAMES = Object.keys(SETTING_READERS) as SettingName[]

/** The settings that are set or have a default. */
export type ReadSettings = Partial<Settings>

/**
 * Parses and validates all settings.
 *
 * @param env Environment variables, or a Worker's bindings; a setting may be text, JSON, or a Secrets Store binding
 * @param prefix Prefix of the name of every setting
 * @throws `ERR_SETTING_INVALID` with every fault
 */
export async function parseSettings(
  env: Readonly<Record<string, unknown>>,
  prefix: string,
): Promise<ReadSettings> {
  const given: Given = {}
  const unread = await Promise.all(
    NAMES.map(async (name): Promise<SettingFault[]> => {
      try {
        const value = await readValue(env[prefix + name], SETTING_READERS[name].isJson === true)
        if (value !== undefined) given[name] = value
        return []
      } catch {
        const detail = 'could not be read from the Secrets Store: check the store and the name.'
        return [{ setting: name, detail }]
      }
    }),
  )
  const faults = unread.flat()
  const settings: Record<string, unknown> = {}
  if (faults.length === 0) {
    for (const name of NAMES) {
      const value = given[name] ?? SETTING_READERS[name].default
      if (value === undefined) continue
      const result = v.safeParse(SETTING_READERS[name].schema, value, { abortPipeEarly: true })
      if (result.success) settings[name] = result.output
      else faults.push(...result.issues.slice(0, 3).map((issue) => toFault(name, issue)))
    }
    faults.push(...findMisspellings(env, given, prefix))
    faults.push(
      ...RULES.filter(({ holds }) => !holds(given)).map(({ setting, detail }) => ({ setting, detail })),
    )
  }
  if (faults.length > 0) throw settingError(faults, prefix)
  return settings as ReadSettings
}

/** The error for one or more faults. Each names its setting as it is called in the environment. */
export function settingError(faults: readonly SettingFault[], prefix: string): MembraneTokenError {
  const named = faults.map(({ setting, detail }) => ({ setting: prefix + setting, detail }))
  const message = named.map(({ setting, detail }) => `${setting} ${detail}`).join(' ')
  return new MembraneTokenError('ERR_SETTING_INVALID', message, { option: named[0]?.setting, faults: named })
}

async function readValue(value: unknown, isJson: boolean): Promise<unknown> {
  const given = isSecretsStoreBinding(value) ? await value.get() : value
  if (given === '' || given === null || given === undefined) return undefined
  return isJson && typeof given === 'object' ? JSON.stringify(given) : given
}

function isSecretsStoreBinding(value: unknown): value is { get(): Promise<string> } {
  return typeof value === 'object' && value !== null && 'get' in value && typeof value.get === 'function'
}

/** Variables of other software whose names are close to a setting. */
const OTHERS = ['API_KEY']

/** A variable at most two edits away from a setting that is not set is probably a misspelling of it. */
function findMisspellings(
  env: Readonly<Record<string, unknown>>,
  given: Given,
  prefix: string,
): SettingFault[] {
  const known = new Set<string>(NAMES.map((name) => prefix + name))
  const unset = NAMES.filter((name) => given[name] === undefined)
  return Object.keys(env)
    .filter((variable) => !known.has(variable) && !OTHERS.includes(variable) && /^\w{4,64}$/.test(variable))
    .flatMap((variable) => {
      const setting = unset.find((name) => isWithinEdits(variable, prefix + name, 2))
      return setting ? [{ setting, detail: `is not set, but ${variable} is: rename that variable.` }] : []
    })
}

// Names only a position inside the setting, because a member's name may be a misplaced secret.
function toFault(setting: SettingName, issue: v.BaseIssue<unknown>): SettingFault {
  const position = issue.path?.[0]?.key
  const entry = typeof position === 'number' ? `entry ${position + 1} ` : ''
  return { setting, detail: entry + issue.message }
}
