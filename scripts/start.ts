// `npm start`: the Worker on real workerd with an identity provider beside it, and a request of each kind to try.
import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { resolve } from 'node:path'
import { type LocalIdentityProvider, startIdentityProvider } from './identity-provider.ts'

const HOST = '127.0.0.1'
const DEV_VARS = resolve('.dev.vars')
const CUSTOMER = { id: 'customer-42', name: 'Acme Inc.', fields: { plan: 'trial' } }
const SIGNED_IN = { sub: 'customer-7', name: 'Globex Corp.' }

// Nothing of this is anybody's business, and the machine may have no network.
Object.assign(process.env, {
  WRANGLER_SEND_METRICS: 'false',
  WRANGLER_SEND_ERROR_REPORTS: 'false',
  WRANGLER_HIDE_BANNER: 'true',
  CLOUDFLARE_CF_FETCH_ENABLED: 'false',
})

await main()

async function main(): Promise<void> {
  const port = readPort(process.env.PORT ?? '8787')
  await checkPort(port)
  const { apiKey, hasSessions } = await readDevVars()
  const identityProvider = hasSessions ? undefined : await startLocalSessions(port + 1)

  // Not before the ports are known to be free: loading wrangler takes a while.
  const { unstable_startWorker: startWorker } = await import('wrangler')
  const starting = startWorker({
    config: resolve('wrangler.toml'),
    ...(identityProvider && {
      bindings: {
        SESSION_ISSUER: { type: 'plain_text', value: identityProvider.issuer },
        SESSION_AUDIENCE: { type: 'plain_text', value: identityProvider.audience },
      },
    }),
    dev: {
      server: { hostname: HOST, port },
      inspector: false,
      persist: false,
      logLevel: 'log',
      watch: true,
    },
  })
  onStop(async () => {
    // Whatever wrangler may be waiting for, Ctrl-C ends it; workerd and the identity provider go with this process.
    setTimeout(() => process.exit(0), 3000)
    await starting.then((worker) => worker.dispose()).catch(() => {})
    process.exit(0)
  })
  const worker = await starting.catch((error: Error) =>
    fail(`The Worker could not be started. ${String(error.cause ?? error.message)}`),
  )
  await worker.ready

  try {
    await showRequests(`http://${HOST}:${port}`, apiKey, identityProvider)
  } catch (error) {
    await worker.dispose()
    fail((error as Error).message)
  }
}

function onStop(stop: () => Promise<void>): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, stop)
  // npm hands a signal on to the shell between us only, which ends and leaves us behind.
  const parent = process.ppid
  const watch = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(watch)
    stop()
  }, 500)
}

async function showRequests(
  origin: string,
  apiKey: string | undefined,
  identityProvider: LocalIdentityProvider | undefined,
): Promise<void> {
  const health = await fetch(`${origin}/healthz`)
  if (!health.ok) {
    const { detail } = (await health.json()) as { detail: string }
    throw new Error(
      `The settings in .dev.vars are wrong. ${detail}\nMend them, or delete the file to get new ones.`,
    )
  }
  console.log(`The Worker runs on ${origin} with the settings in .dev.vars.`)
  console.log(
    identityProvider
      ? `The identity provider runs on ${identityProvider.issuer}; its sessions are good until npm start ends.`
      : 'Sessions come from the identity provider in .dev.vars, so none can be shown.',
  )
  if (apiKey === undefined) {
    console.log('There is no line "# API key: …" in .dev.vars, so no request of a service can be shown.')
  }
  console.log(
    'Cloudflare Access cannot run here; a Worker behind it takes its assertions as it takes sessions.',
  )

  const session = await identityProvider?.signIn(SIGNED_IN, '1h')
  for (const example of examplesOf(origin, apiKey, session)) await showExample(example)
  console.log('\nCtrl-C stops everything.')
}

interface Example {
  title: string
  url: string
  method: 'GET' | 'POST'
  headers: Record<string, string>
  body?: string
}

function examplesOf(origin: string, apiKey: string | undefined, session: string | undefined): Example[] {
  const customerUrl = `${origin}/api/membrane-token`
  const bearer = (credentials: string) => ({ Authorization: `Bearer ${credentials}` })
  const ofUsers = (session: string): Example[] => [
    {
      title: 'As your front end, for the customer who is signed in (the session lasts an hour)',
      url: customerUrl,
      method: 'GET',
      headers: bearer(session),
    },
  ]
  const ofServices = (apiKey: string): Example[] => {
    const headers = { ...bearer(apiKey), 'Content-Type': 'application/json' }
    return [
      {
        title: 'As your server, for a customer that it names',
        url: customerUrl,
        method: 'POST',
        headers,
        body: JSON.stringify(CUSTOMER),
      },
      {
        title: 'As your server, for the whole workspace',
        url: `${origin}/api/membrane-admin-token`,
        method: 'POST',
        headers,
        body: '{"expiresIn":"10m"}',
      },
    ]
  }
  return [
    ...(session === undefined ? [] : ofUsers(session)),
    ...(apiKey === undefined ? [] : ofServices(apiKey)),
    {
      title: 'As Membrane, for the public keys (a secret has none; set MEMBRANE_PRIVATE_KEY to see one)',
      url: `${origin}/.well-known/jwks.json`,
      method: 'GET',
      headers: {},
    },
  ]
}

/** Shows a request, and what became of this very request. */
async function showExample({ title, url, ...request }: Example): Promise<void> {
  console.log(`\n${title}:\n\n${toCurl(url, request)}\n`)
  const response = await fetch(url, request)
  const answer = (await response.json()) as { token?: string; detail?: string }
  if (!response.ok) {
    console.log(
      `It was refused. ${answer.detail}\nMend .dev.vars, or delete it to get new settings, with which all of this works.`,
    )
  } else if (answer.token === undefined) {
    console.log(`It was answered just now with:\n\n${JSON.stringify(answer, null, 2)}`)
  } else {
    console.log(`The token that it returned just now says:\n\n${readClaims(answer.token)}`)
  }
}

function toCurl(
  url: string,
  { method, headers, body }: Pick<Example, 'method' | 'headers' | 'body'>,
): string {
  const lines = Object.entries(headers).map(([name, value]) => `-H '${name}: ${value}'`)
  if (body !== undefined) lines.push(`-d '${body}'`)
  return [`curl -sS -X ${method} ${url}`, ...lines].join(' \\\n  ')
}

function readClaims(token: string): string {
  const payload = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()
  return JSON.stringify(JSON.parse(payload), null, 2)
}

function readPort(value: string): number {
  const port = Number(value)
  // The identity provider takes the one after it.
  if (!Number.isInteger(port) || port < 1 || port > 65_534) fail('PORT must be a number from 1 to 65534.')
  return port
}

/** Wrangler would take another port without a word, and the printed request would reach somebody else. */
function checkPort(port: number): Promise<void> {
  return new Promise((free) => {
    const probe = createServer()
    probe.once('error', (error) => failAtPort(port, error, `PORT=${port + 2}`))
    probe.listen(port, HOST, () => probe.close(() => free()))
  })
}

function startLocalSessions(port: number): Promise<LocalIdentityProvider> {
  return startIdentityProvider(HOST, port).catch((error) =>
    failAtPort(port, error, `PORT=${port + 1}`, ', of the local identity provider,'),
  )
}

function failAtPort(port: number, error: NodeJS.ErrnoException, setting: string, whose = ''): never {
  const taken: Record<string, string> = {
    EADDRINUSE: `Port ${port}${whose} is busy. Stop what uses it, or choose another: ${setting} npm start`,
    EACCES: `Port ${port}${whose} needs privileges. Choose one from 1024 on: PORT=8787 npm start`,
  }
  return fail(taken[error.code ?? ''] ?? error.message)
}

interface DevVars {
  /** The API key itself, of which the Worker holds only the digest: it stands in a comment, for whoever develops. */
  apiKey: string | undefined
  /** Whether an identity provider is set there, which must not be mixed with the local one. */
  hasSessions: boolean
}

/** The settings for development, made at the first start. */
async function readDevVars(): Promise<DevVars> {
  const apiKey = `dev_${randomBytes(32).toString('base64url')}`
  try {
    await writeFile(DEV_VARS, devVars(apiKey), { flag: 'wx', mode: 0o600 })
    console.log('Wrote .dev.vars: a random workspace key, secret and API key, for development only.\n')
    return { apiKey, hasSessions: false }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    const text = await readFile(DEV_VARS, 'utf8')
    return {
      apiKey: /^# API key: (\S+)$/m.exec(text)?.[1],
      hasSessions: /^\s*(export\s+)?SESSION_\w+\s*=/m.test(text),
    }
  }
}

function devVars(apiKey: string): string {
  const sha256 = createHash('sha256').update(apiKey).digest('hex')
  return `# Settings for development, made by npm start. Delete this file to get new ones.
# Put your workspace's own key and secret here to get tokens that Membrane accepts.
MEMBRANE_WORKSPACE_KEY="${randomUUID()}"
MEMBRANE_WORKSPACE_SECRET="${randomBytes(48).toString('base64url')}"

# Sessions come from a local identity provider, unless you set SESSION_ISSUER and SESSION_AUDIENCE of your own.

# The Worker knows API keys by their digest only. The one below is that of:
# API key: ${apiKey}
API_KEYS='${JSON.stringify([{ name: 'development', sha256, scopes: ['customer', 'admin'] }])}'
`
}

function fail(message: string): never {
  console.error(message)
  process.exit(1)
}
