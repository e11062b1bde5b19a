import { parseObject, send } from '../http.ts'
import { negativeResult } from '../terminal.ts'
import { DEV_USERS } from './customers.ts'
import type { LocalIdentityProvider } from './identity-provider.ts'

const CUSTOMER = { id: 'customer-42', name: 'Acme Inc.', fields: { plan: 'trial' } }

/** A sample request. */
interface Example {
  readonly title: string
  readonly url: string
  readonly method: 'GET' | 'POST'
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

/** Sends a sample request of each kind and shows it with its response. */
export async function showRequests(
  origin: string,
  apiKey: string | undefined,
  identityProvider: LocalIdentityProvider | undefined,
  show: (text: string) => void,
): Promise<void> {
  const [user] = DEV_USERS
  const session = user && (await identityProvider?.signIn(user))
  for (const example of examplesOf(origin, apiKey, session)) {
    const { title, url, ...request } = example
    show(`\n${title}:\n\n${toCurl(url, request)}\n\n${await outcomeOf(example)}`)
  }
}

function examplesOf(
  origin: string,
  apiKey: string | undefined,
  session: string | undefined,
): readonly Example[] {
  const url = `${origin}/api/membrane-token`
  const bearer = (credential: string) => ({ Authorization: `Bearer ${credential}` })
  const users: Example[] = session
    ? [
        {
          title: 'As your front end, for the signed-in customer (the session lasts an hour)',
          url,
          method: 'GET',
          headers: bearer(session),
        },
      ]
    : []
  const headers = { ...bearer(apiKey ?? ''), 'Content-Type': 'application/json' }
  const services: Example[] = apiKey
    ? [
        {
          title: 'As your server, for any customer',
          url,
          method: 'POST',
          headers,
          body: JSON.stringify(CUSTOMER),
        },
        {
          title: 'As your server, for an admin token',
          url: `${origin}/api/membrane-admin-token`,
          method: 'POST',
          headers,
          body: '{"expiresIn":"10m"}',
        },
      ]
    : []
  return [
    ...users,
    ...services,
    {
      title: 'As Membrane, for the public keys (only MEMBRANE_PRIVATE_KEY has any)',
      url: `${origin}/.well-known/jwks.json`,
      method: 'GET',
      headers: {},
    },
  ]
}

async function outcomeOf({ url, ...init }: Example): Promise<string> {
  const response = await send(url, init)
  if (response.status === undefined)
    throw negativeResult(`The service cannot be reached: ${response.reason}.`, 'ERR_UNREACHABLE')
  const { token, detail, ...rest } = parseObject(response.text) ?? {}
  if (response.status !== 200) {
    return `The request was rejected: ${String(detail)}\nCorrect the settings, or delete the settings file to generate working ones.`
  }
  return typeof token === 'string'
    ? `The token in the response contains:\n\n${readClaims(token)}`
    : `The response:\n\n${JSON.stringify(rest, null, 2)}`
}

function toCurl(url: string, { method, headers, body }: Omit<Example, 'title' | 'url'>): string {
  const lines = Object.entries(headers).map(([name, value]) => `-H '${name}: ${value}'`)
  if (body !== undefined) lines.push(`-d '${body}'`)
  return [`curl -sS -X ${method} ${url}`, ...lines].join(' \\\n  ')
}

function readClaims(token: string): string {
  const payload = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()
  return JSON.stringify(JSON.parse(payload), null, 2)
}
