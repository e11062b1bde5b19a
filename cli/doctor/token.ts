import { createVerifier, inspectToken } from 'membrane-token'
import { describeProblem, type HttpResponse, parseObject } from '../http.ts'
import { toLine } from '../output.ts'
import { printable } from '../terminal.ts'
import { error, type Finding, ok, warning } from './finding.ts'
import type { KeySet } from './keys.ts'
import { request, type Target } from './target.ts'

/** Requests a token as a caller does, and checks it as Membrane does. */
export async function checkToken(target: Target, keySet: KeySet | undefined): Promise<readonly Finding[]> {
  const { credential, customer } = target
  if (credential === undefined) return []
  const headers = { Authorization: `Bearer ${credential}` }
  const response = await request(
    target,
    '/api/membrane-token',
    customer === undefined
      ? { headers }
      : {
          method: 'POST',
          headers: { ...headers, 'Content-Type': 'application/json' },
          body: JSON.stringify({ id: customer }),
        },
  )
  if (response.status === undefined) {
    return [
      error(
        'token',
        `The request for a token failed: ${response.reason}.`,
        'Make sure that proxies allow /api/membrane-token.',
      ),
    ]
  }
  const { token } = parseObject(response.text) ?? {}
  return response.status === 200 && typeof token === 'string'
    ? checkIssuedToken(token, target, keySet)
    : [notIssued(response)]
}

const FIXES: Readonly<Record<string, string>> = {
  ERR_CREDENTIALS_INVALID:
    'For an API key, check its entry in API_KEYS. For a session, check SESSION_ISSUER and SESSION_AUDIENCE, and that it has not expired.',
  ERR_CALLER_FORBIDDEN: 'Check the scopes of the API key, or the claims of the session.',
  ERR_BODY_INVALID: 'Pass --customer ID with an API key, but not with a session.',
}

function notIssued(response: HttpResponse): Finding {
  const { code } = parseObject(response.text) ?? {}
  const fix = FIXES[String(code)] ?? 'Find the request in the audit log of the service.'
  return error('token', `No token was issued: ${describeProblem(response)}`, fix)
}

async function checkIssuedToken(
  token: string,
  { workspaceKey }: Target,
  keySet: KeySet | undefined,
): Promise<readonly Finding[]> {
  const { claims, kind, problems } = inspectToken(token)
  const workspace = claims?.workspaceKey ?? claims?.iss
  const findings = problems.map(({ severity, message, fix }) => {
    return (severity === 'error' ? error : warning)('token', printable(message), fix)
  })
  if (workspaceKey !== undefined && workspace !== workspaceKey) {
    findings.push(
      error(
        'token',
        `The token is for workspace ${toLine(workspace)}, not ${printable(workspaceKey)}.`,
        'Set MEMBRANE_WORKSPACE_KEY of the service to the expected workspace key.',
      ),
    )
  }
  if (keySet && keySet.keys.length > 0 && typeof workspace === 'string') {
    const failure = await createVerifier({ workspaceKey: workspace, jwks: keySet })
      .then((verifier) => verifier.verify(token))
      .then(
        () => undefined,
        (cause: Error) => cause.message,
      )
    if (failure !== undefined) {
      findings.push(
        error(
          'token',
          `The token does not verify with the published keys: ${printable(failure)}`,
          'Publish the public half of the signing key. Caches may return an old set for up to five minutes.',
        ),
      )
    }
  }
  return findings.length > 0
    ? findings
    : [ok('token', `A valid ${kind} token for workspace ${toLine(workspace)} was issued.`)]
}
