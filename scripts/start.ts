// `npm start`: the Worker on real workerd, with settings of its own for development, and a token to see.
import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { resolve } from 'node:path'

const HOST = '127.0.0.1'
const DEV_VARS = resolve('.dev.vars')
const CUSTOMER = { id: 'customer-42', name: 'Acme Inc.', fields: { plan: 'trial' } }

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
  const apiKey = await readApiKey()

  // Not before the port is known to be free: loading wrangler takes a while.
  const { unstable_startWorker: startWorker } = await import('wrangler')
  const starting = startWorker({
    config: resolve('wrangler.toml'),
    dev: {
      server: { hostname: HOST, port },
      inspector: false,
      persist: false,
      logLevel: 'warn',
      watch: true,
    },
  })
  onStop(async () => {
    // Whatever wrangler may be waiting for, Ctrl-C ends it; workerd goes with this process.
    setTimeout(() => process.exit(0), 3000)
    await starting.then((worker) => worker.dispose()).catch(() => {})
    process.exit(0)
  })
  const worker = await starting.catch((error: Error) =>
    fail(`The Worker could not be started. ${String(error.cause ?? error.message)}`),
  )
  await worker.ready

  try {
    await showToken(`http://${HOST}:${port}`, apiKey)
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

async function showToken(origin: string, apiKey: string | undefined): Promise<void> {
  const health = await fetch(`${origin}/healthz`)
  if (!health.ok) {
    const { detail } = (await health.json()) as { detail: string }
    throw new Error(
      `The settings in .dev.vars are wrong. ${detail}\nMend them, or delete the file to get new ones.`,
    )
  }
  console.log(`The Worker runs on ${origin} with the settings in .dev.vars.`)
  if (apiKey === undefined) {
    console.log(
      '\nThere is no line "# API key: …" in .dev.vars, so no request can be shown. Ctrl-C stops the Worker.',
    )
    return
  }

  const request = tokenRequest(origin, apiKey)
  console.log(`\nAsk for a token, as your server would:\n\n${toCurl(request)}\n`)
  const response = await fetch(request.url, request)
  if (!response.ok) {
    const { detail } = (await response.json()) as { detail: string }
    throw new Error(`That request was refused. ${detail}\nDelete .dev.vars to get a new API key.`)
  }
  const { token } = (await response.json()) as { token: string }
  console.log(`The token that this request returned just now says:\n\n${readClaims(token)}\n`)
  console.log('Ctrl-C stops the Worker.')
}

interface TokenRequest {
  url: string
  method: string
  headers: Record<string, string>
  body: string
}

function tokenRequest(origin: string, apiKey: string): TokenRequest {
  return {
    url: `${origin}/api/membrane-token`,
    method: 'POST',
    headers: { Authorization: `Bearer ${apiKey}`, 'Content-Type': 'application/json' },
    body: JSON.stringify(CUSTOMER),
  }
}

function toCurl({ url, method, headers, body }: TokenRequest): string {
  const lines = Object.entries(headers).map(([name, value]) => `-H '${name}: ${value}'`)
  return [`curl -sS -X ${method} ${url}`, ...lines, `-d '${body}'`].join(' \\\n  ')
}

function readClaims(token: string): string {
  const payload = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()
  return JSON.stringify(JSON.parse(payload), null, 2)
}

function readPort(value: string): number {
  const port = Number(value)
  if (!Number.isInteger(port) || port < 1 || port > 65_535) fail(`PORT must be a number from 1 to 65535.`)
  return port
}

/** Wrangler would take another port without a word, and the printed request would reach somebody else. */
function checkPort(port: number): Promise<void> {
  const taken: Record<string, string> = {
    EADDRINUSE: `Port ${port} is busy. Stop what uses it, or choose another: PORT=${port + 1} npm start`,
    EACCES: `Port ${port} needs privileges. Choose one from 1024 on: PORT=8788 npm start`,
  }
  return new Promise((free) => {
    const probe = createServer()
    probe.once('error', (error: NodeJS.ErrnoException) => fail(taken[error.code ?? ''] ?? error.message))
    probe.listen(port, HOST, () => probe.close(() => free()))
  })
}

/** The Worker holds only the key's digest; the key itself stands in a comment, for whoever develops. */
async function readApiKey(): Promise<string | undefined> {
  const apiKey = `dev_${randomBytes(24).toString('base64url')}`
  try {
    await writeFile(DEV_VARS, devVars(apiKey), { flag: 'wx', mode: 0o600 })
    console.log('Wrote .dev.vars: a random workspace key, secret and API key, for development only.\n')
    return apiKey
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    return /^# API key: (\S+)$/m.exec(await readFile(DEV_VARS, 'utf8'))?.[1]
  }
}

function devVars(apiKey: string): string {
  const sha256 = createHash('sha256').update(apiKey).digest('hex')
  return `# Settings for development, made by npm start. Delete this file to get new ones.
# Put your workspace's own key and secret here to get tokens that Membrane accepts.
MEMBRANE_WORKSPACE_KEY="${randomUUID()}"
MEMBRANE_WORKSPACE_SECRET="${randomBytes(48).toString('base64url')}"

# The Worker knows API keys by their digest only. The one below is that of:
# API key: ${apiKey}
API_KEYS='${JSON.stringify([{ name: 'development', sha256, scopes: ['customer'] }])}'
`
}

function fail(message: string): never {
  console.error(message)
  process.exit(1)
}
