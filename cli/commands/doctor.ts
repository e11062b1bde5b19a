import { defineCommand } from '../command.ts'
import { checkOrigin } from '../doctor/cors.ts'
import type { Finding } from '../doctor/finding.ts'
import { checkHeaders } from '../doctor/headers.ts'
import { checkKeySet, fetchKeySet } from '../doctor/keys.ts'
import { checkHealth, checkReadiness, checkWorkersDev } from '../doctor/reachability.ts'
import type { Target } from '../doctor/target.ts'
import { checkToken } from '../doctor/token.ts'
import { ENVIRONMENT_OPTIONS, type Environment, readEnvironment, readVariable } from '../environment.ts'
import { readText } from '../files.ts'
import { isLoopback, readServiceUrl } from '../http.ts'
import { WORKSPACE_OPTIONS } from '../key-material.ts'
import { JSON_OPTIONS, toJson } from '../output.ts'
import { ExitCode, type Style, type Terminal, UsageError } from '../terminal.ts'

export const command = defineCommand(
  {
    name: 'doctor',
    usage: ['URL [options]'],
    description: `Checks a deployed token service from outside: reachability, settings, readiness, key set, headers, clock,
CORS for an origin, and a real token. Prints a fix for each problem. Exit code 1: a check failed. For a
service behind Cloudflare Access, set CF_ACCESS_CLIENT_ID and CF_ACCESS_CLIENT_SECRET to those of a
service token.`,
    maxPositionals: 1,
    options: {
      origin: {
        type: 'string',
        value: 'ORIGIN',
        description: 'Check that pages of this origin can request tokens',
      },
      'credential-file': {
        type: 'string',
        value: 'FILE',
        description:
          'API key or session to request a token with; "-": standard input; default: MEMBRANE_TOKEN_CREDENTIAL',
      },
      customer: {
        type: 'string',
        value: 'ID',
        description: 'With an API key: the customer to request a token for',
      },
      ...WORKSPACE_OPTIONS,
      'workers-dev': {
        type: 'string',
        value: 'URL',
        description: 'Check that the service is not reachable at this workers.dev address',
      },
      ...JSON_OPTIONS,
      ...ENVIRONMENT_OPTIONS,
    },
    examples: [
      {
        title: 'Check a deployment, and that your app may call it',
        command: 'membrane-token doctor https://token.example.com --origin https://app.example.com',
      },
      {
        title: 'Request a token with an API key',
        command:
          'membrane-token doctor https://token.example.com --credential-file api-key.txt --customer customer-42 --workspace-key KEY',
      },
    ],
  },
  async ({ options, positionals: [address] }, terminal) => {
    const environment = await readEnvironment(options['env-file'], terminal)
    const { 'credential-file': file, 'workers-dev': workersDev, origin } = options
    const findings = await runChecks({
      service: readServiceUrl(address, 'doctor'),
      origin: origin === undefined ? undefined : readOrigin(origin),
      workersDev: workersDev === undefined ? undefined : readServiceUrl(workersDev, 'doctor'),
      workspaceKey: options['workspace-key'] ?? readVariable(environment, 'MEMBRANE_WORKSPACE_KEY'),
      customer: options.customer,
      credential:
        file === undefined
          ? readVariable(environment, 'MEMBRANE_TOKEN_CREDENTIAL')
          : (await readText(file, terminal, 'the credential')).trim(),
      accessHeaders: readAccessHeaders(environment),
    })
    terminal.out(options.json ? toJson(findings) : render(findings, terminal))
    return findings.some(({ status }) => status === 'error') ? ExitCode.Failure : ExitCode.Success
  },
)

async function runChecks(given: Target): Promise<readonly Finding[]> {
  // Credentials are never sent over plain http.
  const isSecure = given.service.protocol === 'https:' || isLoopback(given.service)
  const target = isSecure ? given : { ...given, credential: undefined, accessHeaders: {} }
  const health = await checkHealth(target)
  if (health.some(({ check, status }) => check !== 'https' && status === 'error')) return health
  const keySet = await fetchKeySet(target)
  // One after another, so that a low rate limit is not exceeded.
  return [
    ...health,
    ...(await checkReadiness(target)),
    ...(await checkKeySet(keySet)),
    ...(await checkHeaders(target)),
    ...(await checkOrigin(target)),
    ...(await checkWorkersDev(target)),
    ...(await checkToken(target, keySet)),
  ]
}

/** Not read with `URL`, which has no origin for the custom schemes of apps. */
function readOrigin(text: string): string {
  if (/^[a-z][a-z0-9+.-]*:\/\/[^/\s]+$/i.test(text)) return text
  throw new UsageError('--origin must be an origin, such as https://app.example.com, without a path.')
}

function readAccessHeaders(environment: Environment): Readonly<Record<string, string>> {
  const id = readVariable(environment, 'CF_ACCESS_CLIENT_ID')
  const secret = readVariable(environment, 'CF_ACCESS_CLIENT_SECRET')
  return id === undefined || secret === undefined
    ? {}
    : { 'CF-Access-Client-Id': id, 'CF-Access-Client-Secret': secret }
}

const STYLES: Readonly<Record<Finding['status'], Style>> = { ok: 'green', warning: 'yellow', error: 'red' }

function render(findings: readonly Finding[], { paint }: Terminal): string {
  return findings
    .flatMap(({ check, status, message, fix }) => [
      `${paint(STYLES[status], status.padEnd(7))}  ${check}: ${message}`,
      ...(fix ? [`         Fix: ${fix}`] : []),
    ])
    .join('\n')
}
