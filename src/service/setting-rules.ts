import { parseDuration } from '../token/lifetime.ts'
import { isDuration } from './schemas.ts'
import type { SettingName } from './settings.ts'

export const DEFAULT_EXPIRES_IN = '2h'
export const DEFAULT_MAX_EXPIRES_IN = '24h'

/** The settings that are set, not parsed yet. */
export type Given = Partial<Record<SettingName, unknown>>

const isSet = (given: Given, ...names: SettingName[]): boolean =>
  names.some((name) => given[name] !== undefined)

/** Whether a setting of a group is set, other than to `false`, the default of flags. */
const isAnySet = (given: Given, group: string): boolean =>
  Object.entries(given).some(([name, value]) => name.startsWith(group) && value !== 'false')

/** Rules that involve several settings. Each names the setting to correct. */
export const RULES: readonly {
  readonly setting: SettingName
  readonly holds: (given: Given) => boolean
  readonly detail: string
}[] = [
  {
    setting: 'MEMBRANE_WORKSPACE_KEY',
    holds: (given) => isSet(given, 'MEMBRANE_WORKSPACE_KEY'),
    detail: 'is missing: set the workspace key from the Settings page of your workspace.',
  },
  {
    setting: 'MEMBRANE_WORKSPACE_SECRET',
    holds: (given) => isSet(given, 'MEMBRANE_WORKSPACE_SECRET', 'MEMBRANE_PRIVATE_KEY'),
    detail: 'is missing: set it, or MEMBRANE_PRIVATE_KEY.',
  },
  {
    setting: 'MEMBRANE_PRIVATE_KEY',
    holds: (given) => !isSet(given, 'MEMBRANE_WORKSPACE_SECRET') || !isSet(given, 'MEMBRANE_PRIVATE_KEY'),
    detail: 'is set, and so is MEMBRANE_WORKSPACE_SECRET: remove one of them.',
  },
  {
    setting: 'TOKEN_EXPIRES_IN',
    holds: ({ TOKEN_EXPIRES_IN: usual, TOKEN_MAX_EXPIRES_IN: longest }) => {
      const [given, most] = [usual ?? DEFAULT_EXPIRES_IN, longest ?? DEFAULT_MAX_EXPIRES_IN]
      // An invalid duration is reported by its schema.
      return !(isDuration(given) && isDuration(most)) || parseDuration(given) <= parseDuration(most)
    },
    detail: 'is longer than TOKEN_MAX_EXPIRES_IN: lower it, or raise the other.',
  },
  {
    setting: 'API_KEYS',
    holds: (given) =>
      isSet(given, 'API_KEYS', 'SESSION_ISSUER', 'CLOUDFLARE_ACCESS_TEAM_DOMAIN', 'WORKLOAD_IDENTITIES'),
    detail:
      'is missing, and so are SESSION_ISSUER, CLOUDFLARE_ACCESS_TEAM_DOMAIN and WORKLOAD_IDENTITIES: nobody could be served. Set one of them.',
  },
  {
    setting: 'SESSION_AUDIENCE',
    holds: (given) =>
      !isSet(given, 'SESSION_ISSUER') ||
      isSet(given, 'SESSION_AUDIENCE', 'SESSION_AUTHORIZED_PARTIES') ||
      given.SESSION_ANY_AUDIENCE === 'true',
    detail:
      'is missing, and so is SESSION_AUTHORIZED_PARTIES: every app of the issuer would be accepted. Set one of them, or, if that is intended, SESSION_ANY_AUDIENCE to "true".',
  },
  {
    setting: 'SESSION_ISSUER',
    holds: (given) => isSet(given, 'SESSION_ISSUER') || !isAnySet(given, 'SESSION_'),
    detail: 'is missing, though other SESSION settings are set.',
  },
  {
    setting: 'CLOUDFLARE_ACCESS_AUDIENCE',
    holds: (given) =>
      !isSet(given, 'CLOUDFLARE_ACCESS_TEAM_DOMAIN') || isSet(given, 'CLOUDFLARE_ACCESS_AUDIENCE'),
    detail: 'is missing: without it, every application of the team would be accepted.',
  },
  {
    setting: 'CLOUDFLARE_ACCESS_TEAM_DOMAIN',
    holds: (given) => isSet(given, 'CLOUDFLARE_ACCESS_TEAM_DOMAIN') || !isAnySet(given, 'CLOUDFLARE_ACCESS_'),
    detail: 'is missing, though other CLOUDFLARE_ACCESS settings are set.',
  },
  {
    setting: 'OAUTH_ISSUER',
    holds: (given) =>
      !isSet(given, 'OAUTH_ISSUER') ||
      isSet(given, 'API_KEYS', 'SESSION_ISSUER', 'WORKLOAD_IDENTITIES', 'CLOUDFLARE_ACCESS_TEAM_DOMAIN'),
    detail: 'is set, but no configured caller can use /oauth/token.',
  },
]
