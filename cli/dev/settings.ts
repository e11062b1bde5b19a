import { randomBytes, randomUUID } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { parseEnv } from 'node:util'
import { apiKeyEntry, generateApiKey } from '../api-keys.ts'

/** Settings for development, and the API key that goes with them. */
export interface DevSettings {
  readonly variables: Readonly<Record<string, string | undefined>>
  /** The key itself, of which the settings hold only the digest; undefined where its comment was removed. */
  readonly apiKey: string | undefined
  readonly isNew: boolean
  /** Whether {@link writeDevSettings} made the file. */
  readonly isGenerated: boolean
}

const FIRST_LINE = '# Settings for development. Delete this file to get new ones.'

/** Reads the settings in a file, or generates them into it, readable by its owner only. */
export async function readDevSettings(path: string): Promise<DevSettings> {
  const isNew = await writeDevSettings(path)
  const text = await readFile(path, 'utf8')
  return {
    variables: parseEnv(text),
    apiKey: /^# API key: (\S+)$/m.exec(text)?.[1],
    isNew,
    isGenerated: text.startsWith(FIRST_LINE),
  }
}

async function writeDevSettings(path: string): Promise<boolean> {
  try {
    await writeFile(path, generateSettings(), { flag: 'wx', mode: 0o600 })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

function generateSettings(): string {
  const apiKey = generateApiKey()
  return `${FIRST_LINE}
MEMBRANE_WORKSPACE_KEY="${randomUUID()}"
MEMBRANE_WORKSPACE_SECRET="${randomBytes(48).toString('base64url')}"

# API keys are stored as digests. The one below is that of:
# API key: ${apiKey}
API_KEYS='${JSON.stringify([apiKeyEntry('development', apiKey, ['customer', 'admin'])])}'
`
}
