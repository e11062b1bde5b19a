import { parseEnv } from 'node:util'
import { describe, expect, test } from 'vitest'
import { PROVIDERS } from '../../console/setup/providers.ts'
import {
  readSettings as fillInSettings,
  type SetupForm,
  secretNames,
  toEnvFile,
  toWranglerToml,
} from '../../console/setup/settings.ts'
import { generateKeyPair } from '../../src/index.ts'
import { readSettings } from '../../src/service.ts'

const { privateKey } = await generateKeyPair()
const SECRETS: Readonly<Record<string, string>> = {
  MEMBRANE_WORKSPACE_KEY: 'workspace-1',
  MEMBRANE_WORKSPACE_SECRET: crypto.randomUUID(),
  MEMBRANE_PRIVATE_KEY: privateKey,
}

/** Parses the `[vars]` that Set-up writes: one basic string a line. */
function parseVars(toml: string): Record<string, string> {
  const [head, ...lines] = toml.trimEnd().split('\n')
  expect(head).toBe('[vars]')
  return Object.fromEntries(
    lines.map((line) => {
      const [, name = '', value = ''] = /^([A-Z_]+) = (".*")$/.exec(line) ?? []
      return [name, JSON.parse(value) as string]
    }),
  )
}

describe.each(PROVIDERS)('Set-up for $label', (provider) => {
  const blank: SetupForm = {
    values: {},
    usesPrivateKey: false,
    idClaim: provider.claims.id,
    nameClaim: provider.claims.name,
    fieldClaims: provider.claims.fields,
    allowedOrigins: '',
    expiresIn: '',
    serviceUrl: '',
  }
  const forms: Readonly<Record<string, SetupForm>> = {
    'nothing filled in': blank,
    'everything filled in': {
      ...blank,
      // With spaces around the values.
      values: Object.fromEntries(provider.fields.map(({ name, placeholder }) => [name, ` ${placeholder} `])),
      usesPrivateKey: true,
      idClaim: 'organization.id',
      nameClaim: 'organization.name',
      fieldClaims: 'plan, organization.seats',
      allowedOrigins: 'https://app.example.com, capacitor://localhost',
      expiresIn: '30m',
    },
  }

  test.each(Object.entries(forms))('writes settings that the service accepts, %s', async (_, form) => {
    const settings = fillInSettings(provider, form)
    const names = secretNames(form)
    const secrets = Object.fromEntries(names.map((name) => [name, SECRETS[name]]))
    const fromToml = parseVars(toWranglerToml(settings))
    const { ...fromEnv } = parseEnv(toEnvFile(settings, names))
    expect(fromEnv).toEqual({ ...Object.fromEntries(names.map((name) => [name, ''])), ...fromToml })
    for (const env of [fromToml, fromEnv]) {
      const options = await readSettings({ ...env, ...secrets })
      expect(options.signer.workspaceKey).toBe('workspace-1')
    }
  })
})
