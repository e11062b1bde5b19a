// `npm run api-key -- <name> [scopes]`: a random API key, and what the Worker is to know of it.
import { createHash, randomBytes } from 'node:crypto'
import { parseArgs } from 'node:util'

const USAGE = `Usage: npm run api-key -- <name> [scopes]

  name    the service that will hold the key, as it is to appear in logs, such as backend
  scopes  customer, admin, or customer,admin; default: customer`

const SCOPES = ['customer', 'admin']

const [name, scopes] = readArguments()

// The prefix tells people and secret scanners what they have found; 32 bytes are beyond guessing.
const apiKey = `mtk_${randomBytes(32).toString('base64url')}`
const sha256 = createHash('sha256').update(apiKey).digest('hex')

console.log(`API key of ${name}, shown only this once. Put it where ${name} keeps its secrets:

${apiKey}

Entry for the list in API_KEYS, which holds no more than the key's SHA-256 digest:

${JSON.stringify({ name, sha256, scopes })}

Set the whole list, [entry, entry, …], with: npx wrangler secret put API_KEYS
For a new key without an outage, keep the old entry beside it until the service has changed over.`)

function readArguments(): [name: string, scopes: string[]] {
  try {
    const { positionals } = parseArgs({ allowPositionals: true })
    const [name, scopes = 'customer', ...rest] = positionals
    const list = [...new Set(scopes.split(','))]
    if (!name || rest.length > 0) return fail('Give one name, and scopes with commas between them.')
    if (!list.every((scope) => SCOPES.includes(scope))) return fail(`Scopes are ${SCOPES.join(' and ')}.`)
    return [name, list]
  } catch (error) {
    return fail((error as Error).message)
  }
}

function fail(message: string): never {
  console.error(`${message}\n\n${USAGE}`)
  process.exit(1)
}
