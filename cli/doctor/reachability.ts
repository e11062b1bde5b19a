import { describeProblem, type HttpAnswer, isLoopback, parseObject, routeOf, send } from '../http.ts'
import { printable } from '../terminal.ts'
import { ask, type Examination } from './examination.ts'
import { error, type Finding, ok, warning } from './finding.ts'

/** Checks that the service responds at all; if not, there is no point in other checks. */
export async function checkHealth(examination: Examination): Promise<readonly Finding[]> {
  const { service } = examination
  const answer = await ask(examination, '/health')
  if (answer.status === undefined) {
    return [error('reachable', `The service cannot be reached: ${answer.reason}.`, fixOf(answer.reason))]
  }
  const { status, text } = answer
  if (status >= 300 && status < 400) return [redirected(answer)]
  const { status: health, code } = parseObject(text) ?? {}
  if (status === 503 && code === 'ERR_SETTING_INVALID') {
    return [
      error(
        'settings',
        `Invalid settings: ${describeProblem(answer)}`,
        'Correct these settings and deploy again.',
      ),
    ]
  }
  if (status !== 200 || health !== 'ok') {
    const at = routeOf(service, '/health')
    return [
      error(
        'reachable',
        `${at} answered ${status}, which is not a token service's health response.`,
        'Check the host and path: pass the address at which the service is mounted, without /api/….',
      ),
    ]
  }
  return [ok('reachable', `The service answers at ${service.href}`), ...checkTransport(service)]
}

const FIXES: readonly [RegExp, string][] = [
  [
    /ENOTFOUND|EAI_AGAIN|dns error/i,
    'The host name does not resolve: check its spelling and its DNS record.',
  ],
  [/refused/i, 'Nothing listens there: check the port, and that the service is running.'],
  [/CERT|TLS|SSL|ALTNAME/i, 'The TLS certificate is not valid for this host: renew it or fix its chain.'],
]

function fixOf(reason: string): string {
  const [, fix] = FIXES.find(([pattern]) => pattern.test(reason)) ?? []
  return fix ?? 'Check the address and firewalls, and that the service is deployed.'
}

function redirected({ status, headers }: HttpAnswer): Finding {
  const location = printable(headers.get('Location') ?? 'nowhere')
  return /\.cloudflareaccess\.com\//.test(location)
    ? error(
        'reachable',
        'Cloudflare Access asks for a sign-in in front of the service.',
        'Set CF_ACCESS_CLIENT_ID and CF_ACCESS_CLIENT_SECRET to those of a service token, so that this command gets through.',
      )
    : error(
        'reachable',
        `The address redirects (${status}) to ${location}.`,
        'Use the final address everywhere: credentials are not sent to redirects.',
      )
}

function checkTransport(service: URL): readonly Finding[] {
  if (service.protocol === 'https:' || isLoopback(service)) return []
  return [
    error(
      'https',
      'The address is plain http: anyone on the network path can read credentials and tokens.',
      'Serve it over https, and redirect http to it.',
    ),
  ]
}

/** Checks readiness: whether the identity providers and the KMS are reachable. */
export async function checkReadiness(examination: Examination): Promise<readonly Finding[]> {
  const answer = await ask(examination, '/ready')
  if (answer.status === 200) {
    const { degraded } = parseObject(answer.text) ?? {}
    if (!degraded) return [ok('ready', 'The service can reach everything that it depends on.')]
    return [
      warning(
        'ready',
        `Some callers cannot be served: ${printable(JSON.stringify(degraded))}.`,
        'Check that the identity provider or KMS behind each of these settings is up and reachable from the service.',
      ),
    ]
  }
  const said = answer.status === undefined ? answer.reason : describeProblem(answer)
  return [
    error(
      'ready',
      `The service is not ready: ${said}`,
      'Check that its identity provider and KMS are up and reachable from the service.',
    ),
  ]
}

/** Checks that no second hostname bypasses the protection of the first. */
export async function checkWorkersDev({ service, workersDev }: Examination): Promise<readonly Finding[]> {
  if (workersDev === undefined) {
    return service.hostname.endsWith('.workers.dev')
      ? [
          warning(
            'workers.dev',
            'The service is served on workers.dev.',
            'If Access or a firewall protects another hostname, set workers_dev = false: this one bypasses it.',
          ),
        ]
      : []
  }
  const { status } = await send(routeOf(workersDev, '/health'))
  return status === 200
    ? [
        error(
          'workers.dev',
          `The service is also reachable at ${workersDev.host}, which bypasses the protection of ${service.host}.`,
          'Set workers_dev = false and preview_urls = false in wrangler.toml and deploy again.',
        ),
      ]
    : [ok('workers.dev', `${workersDev.host} is closed.`)]
}
