import { randomBytes } from 'node:crypto'
import jwt from 'jsonwebtoken'
import { workloadIdentity } from 'membrane-token/endpoint'
import { createTokenService } from 'membrane-token/service'
import { beforeEach, describe, expect, test } from 'vitest'
import { createSigner } from '../../src/index.ts'
import { RUNTIMES, useCommand } from './harness.ts'
import { createIssuer, startServer } from './server.ts'

const { run, keep, write, expectWrongUsage } = useCommand()
const { origin, handle } = await startServer()
const issuer = await createIssuer(`${origin}/issuer`)

const secret = randomBytes(32).toString('base64url')
const requestToken = keep(randomBytes(16).toString('hex'))
const service = createTokenService({
  signer: await createSigner({ workspaceKey: 'workspace-1', secret }),
  authenticate: workloadIdentity({
    identities: [
      {
        name: 'deploy',
        issuer: `${origin}/issuer`,
        audience: origin,
        claims: { repository_id: '74' },
        scopes: ['admin', 'customer'],
      },
    ],
  }),
})

/** Responds as GitHub does to a job that may request its identity. */
async function gitHub({ url, headers }: Request): Promise<Response | undefined> {
  const { pathname, searchParams } = new URL(url)
  if (pathname !== '/github') return undefined
  if (headers.get('Authorization') !== `Bearer ${requestToken}`) return new Response(null, { status: 401 })
  const claims = { repository_id: searchParams.get('repository') ?? '74' }
  return Response.json({ value: keep(await issuer.sign(claims, searchParams.get('audience')!)) })
}

beforeEach(() =>
  handle(async (request) => (await gitHub(request)) ?? issuer.handle(request) ?? service(request)),
)

const github = (repository = '74') => ({
  GITHUB_ACTIONS: 'true',
  ACTIONS_ID_TOKEN_REQUEST_URL: `${origin}/github?repository=${repository}`,
  ACTIONS_ID_TOKEN_REQUEST_TOKEN: requestToken,
})
const claimsOf = (token: string) => jwt.verify(token.trim(), secret, { algorithms: ['HS512'] })

test.each(RUNTIMES)(
  'in a GitHub Actions job, on $name, prints the bare token after masking it',
  async (runtime) => {
    const { status, stdout, stderr } = await run(['exchange', origin], { env: github(), runtime })
    expect(status).toBe(0)
    expect(claimsOf(stdout)).toMatchObject({ iss: 'workspace-1', isAdmin: true })
    expect(stderr).toBe(`::add-mask::${stdout}`)
  },
)

test('in a GitLab job, finds the variable for this service', async () => {
  const env = {
    GITLAB_CI: 'true',
    CI_SERVER_URL: `${origin}/issuer`,
    OTHER_TOKEN: keep(await issuer.sign({ repository_id: '74' }, 'https://vault.example')),
    NOT_GITLABS: keep(jwt.sign({ iss: 'https://other.example', aud: origin }, 'x'.repeat(32))),
    ID_TOKEN: keep(await issuer.sign({ repository_id: '74' }, origin)),
  }
  const { status, stdout, stderr } = await run(['exchange', `${origin}/`], { env })
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  expect(claimsOf(stdout)).toMatchObject({ isAdmin: true })

  const { ID_TOKEN: _, ...without } = env
  const missing = await run(['exchange', origin], { env: without })
  expect(missing).toMatchObject({ status: 2, stdout: '' })
  expect(missing.stderr).toContain(`id_tokens:\n  MEMBRANE_ID_TOKEN:\n    aud: ${origin}\n`)
})

test('elsewhere, reads the identity from a file, and takes a customer and a lifetime', async () => {
  write('identity', `${keep(await issuer.sign({ repository_id: '74' }, origin))}\n`)
  const args = [
    'exchange',
    origin,
    '--identity-file=identity',
    '--customer=c-1',
    '--expires-in=10m',
    '--json',
  ]
  const { stdout } = await run(args)
  const { token, expiresIn } = JSON.parse(stdout)
  expect(claimsOf(token)).toMatchObject({ id: 'c-1' })
  expect(expiresIn).toBe(600)
})

test('uses RFC 8693 token exchange where the service has only /oauth/token', async () => {
  let form: URLSearchParams | undefined
  handle(async (request) => {
    if (new URL(request.url).pathname !== '/oauth/token') return undefined
    form = new URLSearchParams(await request.text())
    return Response.json({ access_token: 'a.b.c', token_type: 'Bearer', expires_in: 7200 })
  })
  const { status, stdout } = await run(['exchange', origin, '--identity-file=-'], { input: 'x.y.z' })
  expect({ status, stdout }).toEqual({ status: 0, stdout: 'a.b.c\n' })
  expect(Object.fromEntries(form!)).toEqual({
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    subject_token: 'x.y.z',
    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    scope: 'admin',
  })
})

test('retries while the service is busy', async () => {
  const statuses = [503, 429, 200]
  handle(() =>
    Response.json(
      { token: 'a.b.c', expiresIn: 60 },
      { status: statuses.shift()!, headers: { 'Retry-After': '0' } },
    ),
  )
  const { status, stdout } = await run(['exchange', origin, '--identity-file=-'], { input: 'x.y.z' })
  expect({ status, stdout, statuses }).toEqual({ status: 0, stdout: 'a.b.c\n', statuses: [] })
})

describe('no token', () => {
  test('for a job that is not listed', async () => {
    const { status, stdout, stderr } = await run(['exchange', origin], { env: github('75') })
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
    expect(stderr).toContain('403')
    expect(stderr).toContain('ERR_CALLER_FORBIDDEN')
  })

  test.each([
    ['redirects', () => Response.redirect('https://example.com/'), 'redirects (302)'],
    ['is not a token service', () => Response.json({ ok: true }), 'has no token'],
    ['has no such route', () => undefined, '404'],
  ])('from an address that %s', async (_, handler, reason) => {
    handle(handler)
    const { status, stdout, stderr } = await run(['exchange', origin, '--identity-file=-'], {
      input: 'x.y.z',
    })
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
    expect(stderr).toContain(reason)
    expect(stderr).not.toContain('x.y.z')
  })

  test.each([
    [['exchange', origin], {}, 'not a job of GitHub Actions or GitLab'],
    [['exchange', origin], { GITHUB_ACTIONS: 'true' }, 'permissions:\n  id-token: write'],
    [['exchange'], {}, 'Pass the address'],
    [['exchange', 'token.example.com'], {}, 'must be a URL'],
    [['exchange', 'http://token.example.com'], {}, 'must be https'],
    [['exchange', 'https://user:password@token.example.com'], {}, 'Remove the user name'],
    [['exchange', origin, '--token=x'], {}, 'Secrets are not taken as arguments'],
  ])('for %j with %j', (args, env, reason) => expectWrongUsage(args, reason, { env }))

  test('without permission at GitHub', async () => {
    const env = { ...github(), ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'wrong' }
    const { status, stderr } = await run(['exchange', origin], { env })
    expect(status).toBe(1)
    expect(stderr).toContain('GitHub returned no OIDC token: 401')
  })
})
