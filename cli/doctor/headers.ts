import { type HttpResponse, isLoopback } from '../http.ts'
import { error, type Finding, ok, warning } from './finding.ts'
import { request, type Target } from './target.ts'

const EXPECTED: readonly { name: string; value: RegExp; httpsOnly?: boolean }[] = [
  { name: 'Cache-Control', value: /\bno-store\b/ },
  { name: 'X-Content-Type-Options', value: /^nosniff$/ },
  { name: 'Content-Security-Policy', value: /default-src 'none'/ },
  { name: 'X-Frame-Options', value: /^DENY$/i },
  { name: 'Referrer-Policy', value: /^no-referrer$/ },
  { name: 'Strict-Transport-Security', value: /max-age=\d{7,}/, httpsOnly: true },
]

/** Checks the headers and the clock in a response to a request without credentials. */
export async function checkHeaders(target: Target): Promise<readonly Finding[]> {
  const response = await request(target, '/api/membrane-token')
  if (response.status === undefined)
    return [
      error(
        'headers',
        `/api/membrane-token cannot be reached: ${response.reason}.`,
        'Make sure that proxies and Access allow this path.',
      ),
    ]
  if (response.status === 200) {
    return [
      error(
        'authentication',
        'The service issues tokens without credentials!',
        'Take the service down and check the proxies in front of it: one of them may add credentials to every request.',
      ),
    ]
  }
  const isHttps = target.service.protocol === 'https:' && !isLoopback(target.service)
  const missing = EXPECTED.filter(({ name, value, httpsOnly }) => {
    return (isHttps || !httpsOnly) && !value.test(response.headers.get(name) ?? '')
  }).map(({ name }) => name)
  const headers =
    missing.length === 0
      ? ok('headers', 'All security headers are present.')
      : warning(
          'headers',
          `Missing or changed: ${missing.join(', ')}.`,
          'Check whether a proxy or transform rule in front of the service changes its headers.',
        )
  return [headers, ...checkClock(response)]
}

/** Seconds. */
const TOLERANCE = 5

/** Compares `Date` (RFC 9110 section 6.6.1), which has a resolution of a second, with the local clock. */
function checkClock({ headers, sentAt, receivedAt }: HttpResponse): readonly Finding[] {
  const date = Date.parse(headers.get('Date') ?? '')
  if (Number.isNaN(date)) return []
  const [earliest, latest] = [date - receivedAt, date + 1000 - sentAt]
  const seconds = Math.round((earliest > 0 ? earliest : Math.min(0, latest)) / 1000)
  if (Math.abs(seconds) <= TOLERANCE)
    return [ok('clock', 'The clocks of the service and this machine agree.')]
  return [
    error(
      'clock',
      `The clock of the service is ${Math.abs(seconds)} seconds ${seconds > 0 ? 'ahead of' : 'behind'} this machine's.`,
      'Turn on NTP on the machine whose clock is wrong: Membrane tolerates no clock difference.',
    ),
  ]
}
