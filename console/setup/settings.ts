import type { Provider } from './providers.ts'

/** Input of the Set-up view. */
export interface SetupForm {
  /** Values by the name of the identity provider's field. */
  values: Readonly<Record<string, string>>
  usesPrivateKey: boolean
  idClaim: string
  nameClaim: string
  fieldClaims: string
  allowedOrigins: string
  expiresIn: string
  serviceUrl: string
}

/** Name and value of a setting that is not secret. */
export type Setting = readonly [name: string, value: string]

/** Returns the settings that are not secret, in the order of the documentation. */
export function readSettings(provider: Provider, form: SetupForm): Setting[] {
  const own = Object.entries(provider.settings).map(
    ([name, template]): Setting => [name, fillIn(provider, template, form.values)],
  )
  const others: Setting[] = [
    ['SESSION_CUSTOMER_ID_CLAIM', form.idClaim],
    ['SESSION_CUSTOMER_NAME_CLAIM', form.nameClaim],
    ['SESSION_FIELD_CLAIMS', form.fieldClaims],
    ['TOKEN_EXPIRES_IN', form.expiresIn],
    ['ALLOWED_ORIGINS', form.allowedOrigins],
  ]
  return [...own, ...others.filter(([, value]) => value !== '')]
}

function fillIn({ fields }: Provider, template: string, values: SetupForm['values']): string {
  return template.replace(/\{(\w+)\}/g, (slot, name: string) => {
    const placeholder = fields.find((field) => field.name === name)?.placeholder ?? ''
    const value = values[name]?.trim() || placeholder
    if (slot === template) return value
    // Avoids a second scheme or a double slash in a URL.
    const bare = value.replace(/\/+$/, '')
    return template.startsWith(slot) ? bare : bare.replace(/^https?:\/\//, '')
  })
}

/** Returns the names of the secret settings. */
export const secretNames = ({ usesPrivateKey }: Pick<SetupForm, 'usesPrivateKey'>): string[] => [
  'MEMBRANE_WORKSPACE_KEY',
  usesPrivateKey ? 'MEMBRANE_PRIVATE_KEY' : 'MEMBRANE_WORKSPACE_SECRET',
]

/** Writes the `[vars]` of `wrangler.toml`. A JSON string is also a TOML basic string. */
export const toWranglerToml = (settings: readonly Setting[]): string =>
  `[vars]\n${settings.map(([name, value]) => `${name} = ${JSON.stringify(value)}`).join('\n')}\n`

/** Writes `.env`, with empty secrets to fill in. */
export const toEnvFile = (settings: readonly Setting[], secrets: readonly string[]): string =>
  [
    ...secrets.map((name) => `${name}=`),
    ...settings.map(([name, value]) => `${name}=${JSON.stringify(value)}`),
    '',
  ].join('\n')

/** Writes the commands that prompt for each secret. */
export const toSecretCommands = (secrets: readonly string[]): string =>
  secrets.map((name) => `npx wrangler secret put ${name}\n`).join('')

const shellQuote = (text: string): string =>
  /^[\w.:/@%+=,-]+$/.test(text) ? text : `'${text.replace(/'/g, `'\\''`)}'`

/** Writes the command that checks the deployed service. */
export function toDoctorCommand({ serviceUrl, allowedOrigins }: SetupForm): string {
  const [origin] = allowedOrigins.split(',').map((text) => text.trim())
  const url = serviceUrl.trim() || 'https://membrane-token.example.workers.dev'
  return `npx ./membrane-token-${VERSION}.tgz doctor ${shellQuote(url)}${origin ? ` \\\n  --origin ${shellQuote(origin)}` : ''}\n`
}

/** Version of this package, defined by the build. */
declare const VERSION: string
