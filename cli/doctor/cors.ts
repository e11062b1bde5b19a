import { ask, type Examination } from './examination.ts'
import { error, type Finding, ok } from './finding.ts'

/** Checks that pages of an origin can request customer tokens but not admin tokens. */
export async function checkOrigin(examination: Examination): Promise<readonly Finding[]> {
  const { origin } = examination
  if (origin === undefined) return []
  const [customer, admin] = await Promise.all(
    ['/api/membrane-token', '/api/membrane-admin-token'].map((path) => preflight(examination, path, origin)),
  )
  if (admin === origin || admin === '*') {
    return [
      error(
        'origin',
        'Pages can request admin tokens.',
        'Remove the CORS headers that something in front of the service adds.',
      ),
    ]
  }
  if (customer === '*') {
    return [
      error(
        'origin',
        'Pages of every origin can request tokens.',
        'Remove the CORS headers that something in front of the service adds.',
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

async function preflight(examination: Examination, path: string, origin: string): Promise<string | null> {
  const answer = await ask(examination, path, {
    method: 'OPTIONS',
    headers: {
      Origin: origin,
      'Access-Control-Request-Method': 'POST',
      'Access-Control-Request-Headers': 'authorization',
    },
  })
  return answer.status === undefined ? null : answer.headers.get('Access-Control-Allow-Origin')
}
