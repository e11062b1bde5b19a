// `npm start`: like `membrane-token dev`, with the Worker on workerd as the server.
import { createServer } from 'node:net'
import { resolve } from 'node:path'
import { DEV_USERS } from '../cli/dev/customers.ts'
import { type LocalIdentityProvider, startIdentityProvider } from '../cli/dev/identity-provider.ts'
import { showRequests } from '../cli/dev/requests.ts'
import { type DevSettings, readDevSettings } from '../cli/dev/settings.ts'
import { buildConsole } from './build-console.ts'

const HOST = '127.0.0.1'

/** Builds the Worker from the sources, so that changes take effect immediately. */
const SOURCES = Object.fromEntries(
  ['', '/endpoint', '/service', '/client', '/kms'].map((entry) => [
    `membrane-token${entry}`,
    resolve(`src${entry || '/index'}.ts`),
  ]),
)

// No telemetry, and the machine may have no network.
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
  const settings = await readDevSettings('.dev.vars')
  const hasSessions = Object.keys(settings.variables).some((name) => name.startsWith('SESSION_'))
  const identityProvider = hasSessions ? undefined : await startSessions(port + 1)

  // After the port checks, because loading wrangler takes a while.
  const { unstable_startWorker: startWorker } = await import('wrangler')
  const starting = startWorker({
    config: resolve('wrangler.toml'),
    ...(identityProvider && {
      bindings: {
        SESSION_ISSUER: { type: 'plain_text', value: identityProvider.issuer },
        SESSION_AUDIENCE: { type: 'plain_text', value: identityProvider.audience },
      },
    }),
    build: { alias: SOURCES },
    dev: {
      server: { hostname: HOST, port },
      inspector: false,
      persist: false,
      logLevel: 'log',
      watch: true,
    },
  })
  onStop(async () => {
    // Exit even if wrangler does not stop; workerd and the identity provider end with this process.
    setTimeout(() => process.exit(0), 3000)
    await starting.then((worker) => worker.dispose()).catch(() => {})
    process.exit(0)
  })
  const worker = await starting.catch((error: Error) =>
    fail(`The Worker could not be started. ${String(error.cause ?? error.message)}`),
  )
  await worker.ready

  try {
    await printSummary(`http://${HOST}:${port}`, settings, identityProvider)
  } catch (error) {
    await worker.dispose()
    fail((error as Error).message)
  }
}

function onStop(stop: () => Promise<void>): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, stop)
  // npm sends the signal only to its shell, which exits without passing it on, so watch for a new parent process.
  const parent = process.ppid
  const watch = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(watch)
    stop()
  }, 500)
}

/** Prints the addresses and a sample request of each kind. */
async function printSummary(
  origin: string,
  { apiKey, isNew }: DevSettings,
  identityProvider: LocalIdentityProvider | undefined,
): Promise<void> {
  const health = await fetch(`${origin}/health`)
  if (!health.ok) {
    const { detail } = (await health.json()) as { detail: string }
    throw new Error(
      `Invalid settings in .dev.vars. ${detail}\nCorrect them, or delete the file to get new ones.`,
    )
  }
  console.log(`${isNew ? 'Generated settings for development in' : 'Using the settings in'} .dev.vars.`)
  console.log(`Worker:            ${origin}`)
  if (identityProvider) {
    console.log(`Identity provider: ${identityProvider.issuer}`)
    console.log(`Sign-in, console:  ${identityProvider.page}`)
  } else {
    console.log('.dev.vars sets an identity provider, so there is no sample request with a session.')
  }
  if (apiKey === undefined) {
    console.log('.dev.vars has no line "# API key: …", so there is no sample request with an API key.')
  }
  console.log(
    'Cloudflare Access cannot run locally; once deployed behind it, its assertions work like sessions.',
  )
  await showRequests(origin, apiKey, identityProvider, console.log)
  console.log('\nCtrl-C stops everything.')
}

function readPort(value: string): number {
  const port = Number(value)
  // The identity provider uses the next port.
  if (!Number.isInteger(port) || port < 1 || port > 65_534) fail('PORT must be a number from 1 to 65534.')
  return port
}

/** Wrangler would silently choose another port, and the printed requests would go to another server. */
function checkPort(port: number): Promise<void> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', (error) => failAtPort(port, error, `PORT=${port + 2}`))
    probe.listen(port, HOST, () => probe.close(() => resolve()))
  })
}

async function startSessions(port: number): Promise<LocalIdentityProvider> {
  return startIdentityProvider(HOST, port, DEV_USERS, await buildConsole()).catch((error) =>
    failAtPort(port, error, `PORT=${port + 1}`, ' (local identity provider)'),
  )
}

function failAtPort(port: number, error: NodeJS.ErrnoException, setting: string, use = ''): never {
  const messages: Record<string, string> = {
    EADDRINUSE: `Port ${port}${use} is in use. Stop the process that uses it, or choose another: ${setting} npm start`,
    EACCES: `Port ${port}${use} requires privileges. Choose 1024 or higher: PORT=8787 npm start`,
  }
  return fail(messages[error.code ?? ''] ?? error.message)
}

function fail(message: string): never {
  console.error(message)
  process.exit(1)
}
