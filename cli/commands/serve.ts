import {
  createTokenService,
  createTokenServiceFromEnv,
  limitBy,
  readSettings,
  type ServiceHooks,
  type SettingFault,
} from 'membrane-token/service'
import { defineCommand } from '../command.ts'
import { ENVIRONMENT_OPTIONS, type Environment, readEnvironment, readVariable } from '../environment.ts'
import { KMS_PROVIDERS } from '../kms.ts'
import { type FetchHandler, listen } from '../serve/listen.ts'
import { describePortError, readPort } from '../serve/ports.ts'
import { createClientFinder } from '../serve/proxies.ts'
import { createRateLimiter } from '../serve/rate-limiter.ts'
import { catchSignals } from '../serve/shutdown.ts'
import { ExitCode, type Terminal, UsageError } from '../terminal.ts'

export const DEFAULT_PORT = '8787'

/** Requests per minute, by caller, and by network for failed attempts. */
const RATE_LIMIT = 600

export const command = defineCommand(
  {
    name: 'serve',
    usage: ['[options]'],
    description: `Runs the token service on this runtime, with the settings in the environment. Audit events are printed to
standard output as JSON lines. Terminate TLS at a proxy, and list its networks in TRUSTED_PROXIES so
that its X-Forwarded-For and X-Forwarded-Proto are trusted. On SIGTERM or SIGINT, it finishes the
requests in progress and exits. Exit code 2: a setting is invalid.`,
    maxPositionals: 0,
    options: {
      port: { type: 'string', value: 'PORT', description: `Port; default: PORT, or ${DEFAULT_PORT}` },
      host: {
        type: 'string',
        value: 'ADDRESS',
        description: 'Address to listen on; default: 127.0.0.1; use 0.0.0.0 in a container',
      },
      ...ENVIRONMENT_OPTIONS,
    },
    examples: [
      { title: 'Read the settings from a file', command: 'membrane-token serve --env-file .env' },
      {
        title: 'Run in a container behind a load balancer',
        command: 'TRUSTED_PROXIES=10.0.0.0/8 membrane-token serve --host 0.0.0.0',
      },
    ],
  },
  async ({ options }, terminal) => {
    const environment = await readEnvironment(options['env-file'], terminal)
    const host = options.host ?? '127.0.0.1'
    const port = readPort(options.port ?? readVariable(environment, 'PORT') ?? DEFAULT_PORT, '--port')
    const handler = await createHandler(environment, terminal)
    const listener = await listen(handler, { host, port }).catch((error) => {
      throw describePortError(error, port)
    })
    const waitForShutdown = catchSignals([listener])
    log(terminal, 'listening', { url: `http://${host.includes(':') ? `[${host}]` : host}:${listener.port}` })
    await waitForShutdown(() => log(terminal, 'shutting down'))
    return ExitCode.Success
  },
)

async function createHandler(environment: Environment, terminal: Terminal): Promise<FetchHandler> {
  const findClient = createClientFinder(readVariable(environment, 'TRUSTED_PROXIES'))
  const hooks: ServiceHooks = {
    rateLimit: limitBy(createRateLimiter(RATE_LIMIT)),
    audit: (event) => terminal.out(JSON.stringify(event)),
    kms: KMS_PROVIDERS,
  }
  const service = await openService(environment, hooks)
  return async (request, { peer }) => {
    const { address: clientAddress, protocol } = findClient(peer, request.headers)
    const response = await service(request, { clientAddress })
    // RFC 6797 section 7.2: never over plain http. If no trusted proxy reports the protocol, https is assumed.
    if (protocol !== 'http') response.headers.set('Strict-Transport-Security', 'max-age=31536000')
    return response
  }
}

/** Invalid settings end the command. An unreachable key management service does not, because it may recover. */
async function openService(
  environment: Environment,
  hooks: ServiceHooks,
): Promise<ReturnType<typeof createTokenService>> {
  try {
    return createTokenService(await readSettings(environment, hooks))
  } catch (error) {
    const { code, faults } = error as { code?: unknown; faults?: readonly SettingFault[] }
    if (code === 'ERR_KEY_UNAVAILABLE') return createTokenServiceFromEnv(environment, hooks)
    if (!faults) throw error
    throw new UsageError(
      `Invalid settings:\n${faults.map(({ setting, detail }) => `  ${setting} ${detail}`).join('\n')}`,
    )
  }
}

function log(terminal: Terminal, message: string, details: object = {}): void {
  terminal.note(JSON.stringify({ time: new Date().toISOString(), message, ...details }))
}
