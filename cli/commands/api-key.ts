import { apiKeyEntry, generateApiKey } from '../api-keys.ts'
import { defineCommand } from '../command.ts'
import { JSON_OPTIONS, toJson } from '../output.ts'
import { ExitCode, UsageError } from '../terminal.ts'

const SCOPES = ['customer', 'admin']

export const command = defineCommand(
  {
    name: 'api-key',
    usage: ['NAME [options]'],
    description: `Generates an API key for one of your services, and its entry for API_KEYS. The key is shown only once; the
entry contains its SHA-256 digest. NAME identifies the service in the audit log.`,
    maxPositionals: 1,
    options: {
      scope: {
        type: 'string',
        value: 'SCOPES',
        description: 'customer (default), admin, or customer,admin',
      },
      ...JSON_OPTIONS,
    },
    examples: [
      { title: 'Create a key for a back end', command: 'membrane-token api-key backend' },
      { title: 'Create a key for a CI job', command: 'membrane-token api-key ci --scope admin' },
      {
        title: 'Save the key in a password store and print only the entry',
        command: `membrane-token api-key backend --json | tee >(jq -r .key | pass insert -e backend) | jq -c .entry`,
      },
    ],
  },
  ({ options, positionals: [name] }, terminal) => {
    if (!name?.trim())
      throw new UsageError('Pass the name of the service that will use the key, such as backend.')
    const scopes = readScopes(options.scope ?? 'customer')
    const key = generateApiKey()
    const entry = apiKeyEntry(name, key, scopes)
    if (options.json) {
      terminal.out(toJson({ key, entry }))
      return ExitCode.Success
    }
    const say = (text: string): void => terminal.note(terminal.paintNote('dim', text))
    say(`API key for ${name}, shown only once. Store it with the secrets of ${name}:\n`)
    terminal.out(key)
    say('\nEntry for the list in API_KEYS, with only the digest of the key:\n')
    terminal.out(JSON.stringify(entry))
    say(`
Set the whole list, [entry, entry, …], on Workers with: npx wrangler secret put API_KEYS
To replace a key without an outage, keep the old entry beside the new one until ${name} uses the new key.`)
    return ExitCode.Success
  },
)

function readScopes(text: string): readonly string[] {
  const scopes = [...new Set(text.split(','))]
  if (scopes.every((scope) => SCOPES.includes(scope))) return scopes
  throw new UsageError('--scope must be customer, admin, or customer,admin.')
}
