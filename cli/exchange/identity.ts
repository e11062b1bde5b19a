import { type Environment, readVariable } from '../environment.ts'
import { parseObject, send } from '../http.ts'
import { negativeResult, UsageError } from '../terminal.ts'

/** A CI platform that issues OpenID Connect tokens to its jobs. */
interface Platform {
  readonly name: string
  /** Whether this process is one of its jobs. */
  isCurrent(environment: Environment): boolean
  readIdentity(environment: Environment, audience: string): Promise<string> | string
}

const PLATFORMS: readonly Platform[] = [
  {
    name: 'GitHub Actions',
    isCurrent: ({ GITHUB_ACTIONS }) => GITHUB_ACTIONS === 'true',
    readIdentity: requestFromGitHub,
  },
  {
    name: 'GitLab CI/CD',
    isCurrent: ({ GITLAB_CI }) => GITLAB_CI === 'true',
    readIdentity: findFromGitLab,
  },
]

/** The OIDC token of the current job. @throws UsageError if there is none */
export async function readIdentity(environment: Environment, audience: string): Promise<string> {
  const platform = PLATFORMS.find(({ isCurrent }) => isCurrent(environment))
  if (platform) return platform.readIdentity(environment, audience)
  throw new UsageError(
    `This is not a job of ${PLATFORMS.map(({ name }) => name).join(' or ')}. On other platforms, pass the OIDC token with --identity-file.`,
  )
}

/** https://docs.github.com/actions/reference/security/oidc */
async function requestFromGitHub(environment: Environment, audience: string): Promise<string> {
  const address = readVariable(environment, 'ACTIONS_ID_TOKEN_REQUEST_URL')
  const requestToken = readVariable(environment, 'ACTIONS_ID_TOKEN_REQUEST_TOKEN')
  if (address === undefined || requestToken === undefined) {
    throw new UsageError(
      'The job is not allowed to request an OIDC token. Add to the workflow or job:\n\npermissions:\n  id-token: write\n',
    )
  }
  const url = new URL(address)
  url.searchParams.set('audience', audience)
  const response = await send(url, { headers: { Authorization: `Bearer ${requestToken}` } })
  const value = response.status === 200 ? parseObject(response.text)?.value : undefined
  if (typeof value === 'string') return value
  throw negativeResult(
    `GitHub returned no OIDC token: ${response.status ?? response.reason}.`,
    'ERR_UNREACHABLE',
  )
}

/** The token of `id_tokens` with this audience: https://docs.gitlab.com/ci/secrets/id_token_authentication/ */
function findFromGitLab(environment: Environment, audience: string): string {
  const issuer = readVariable(environment, 'CI_SERVER_URL')
  const identity = Object.values(environment).find((value) => {
    const claims = value === undefined ? undefined : readClaims(value)
    return claims?.iss === issuer && [claims?.aud].flat().includes(audience)
  })
  if (identity !== undefined) return identity
  throw new UsageError(
    `The job has no OIDC token for ${audience}. Add to the job:\n\nid_tokens:\n  MEMBRANE_ID_TOKEN:\n    aud: ${audience}\n`,
  )
}

function readClaims(token: string): Readonly<Record<string, unknown>> | undefined {
  const [, payload] = /^ey[\w-]+\.(ey[\w-]+)\.[\w-]+$/.exec(token) ?? []
  return payload === undefined ? undefined : parseObject(Buffer.from(payload, 'base64url').toString())
}
