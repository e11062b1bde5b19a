import { describeProblem, type HttpResponse, isLoopback, parseObject, routeOf, send } from '../http.ts'
import { printable } from '../terminal.ts'
import { error, type Finding, ok, warning } from './finding.ts'
import { request, type Target } from './target.ts'

/** Checks that the service responds. If it does not, the other checks are skipped. */
export async function checkHealth(target: Target): Promise<readonly Finding[]> {
  const { service } = target
  const response = await request(target, '/health')
  if (response.status === undefined) {
    return [error('reachable', `The service cannot be reached: ${response.reason}.`, fixOf(response.reason))]
  }
  const { status, text } = response
  if (status >= 300 && status < 400) return [redirected(response)]
  const { status: health, code } = parseObject(text) ?? {}
  if (status === 503 && code === 'ERR_SETTING_INVALID') {
    return [
      error(
        'settings',
        `Invalid settings: ${describeProblem(response)}`,
        'Correct these settings and deploy again.',
      ),
    ]
  }
  if (status !== 200 || health !== 'ok') {
    const at = routeOf(service, '/health')
    return [
      error(
        'reachable',
        `${at} returned ${status}, which is not the health response of a token service.`,
        'Check the host and path: pass the address at which the service is mounted, without /api/….',
      ),
    ]
  }
  return [ok('reachable', `The service responds at ${service.href}`), ...checkTransport(service)]
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

function redirected({ status, headers }: HttpResponse): Finding {
  const location = printable(headers.get('Location') ?? 'nowhere')
  return /\.cloudflareaccess\.com\//.test(location)
    ? error(
        'reachable',
        'Cloudflare Access requires a sign-in.',
        'Set CF_ACCESS_CLIENT_ID and CF_ACCESS_CLIENT_SECRET to those of a service token.',
      )
    : error(
        'reachable',
        `The address redirects (${status}) to ${location}.`,
        'Use the final address everywhere: credentials are not sent to a redirect target.',
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
export async function checkReadiness(target: Target): Promise<readonly Finding[]> {
  const response = await request(target, '/ready')
  if (response.status === 200) {
    const { degraded } = parseObject(response.text) ?? {}
    if (!degraded) return [ok('ready', 'All dependencies of the service are reachable.')]
    return [
      warning(
        'ready',
        `Some callers may not be served. Unreachable: ${printable(JSON.stringify(degraded))}.`,
        'Check that the identity provider or KMS of each of these settings is up and reachable from the service.',
      ),
    ]
  }
  const reason = response.status === undefined ? response.reason : describeProblem(response)
  return [
    error(
      'ready',
      `The service is not ready: ${reason}`,
      'Check that its identity provider and KMS are up and reachable from the service.',
    ),
  ]
}

/** Checks that the workers.dev hostname does not bypass the protection of the other hostname. */
export async function checkWorkersDev({ service, workersDev }: Target): Promise<readonly Finding[]> {
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
    : [ok('workers.dev', `${workersDev.host} does not serve it.`)]
}
