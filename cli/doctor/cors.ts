import { error, type Finding, ok } from './finding.ts'
import { request, type Target } from './target.ts'

/** Checks that pages of an origin can request customer tokens but not admin tokens. */
export async function checkOrigin(target: Target): Promise<readonly Finding[]> {
  const { origin } = target
  if (origin === undefined) return []
  const [customer, admin] = await Promise.all(
    ['/api/membrane-token', '/api/membrane-admin-token'].map((path) => preflight(target, path, origin)),
  )
  if (admin === origin || admin === '*') {
    return [
      error(
        'origin',
        'Pages can request admin tokens.',
        'Remove the CORS headers that a proxy in front of the service adds.',
      ),
    ]
  }
  if (customer === '*') {
    return [
      error(
        'origin',
        'Pages of every origin can request tokens.',
        'Remove the CORS headers that a proxy in front of the service adds.',
      ),
    ]
  }
  return customer === origin
    ? [ok('origin', `Pages of ${origin} can request tokens.`)]
    : [
        error(
          'origin',
          `Pages of ${origin} cannot request tokens.`,
          `Add ${origin} to ALLOWED_ORIGINS, exactly, and deploy again.`,
        ),
      ]
}

async function preflight(target: Target, path: string, origin: string): Promise<string | null> {
  const response = await request(target, path, {
    method: 'OPTIONS',
    headers: {
      Origin: origin,
      'Access-Control-Request-Method': 'POST',
      'Access-Control-Request-Headers': 'authorization',
    },
  })
  return response.status === undefined ? null : response.headers.get('Access-Control-Allow-Origin')
}
