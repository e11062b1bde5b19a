// How the providers get their credentials: requests as documented by the services, without a network.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { bindAzureCredentials } from '../../src/kms/azure-credentials.ts'
import { bindGoogleCredentials } from '../../src/kms/google-credentials.ts'
import { authenticateVault, checkLogin } from '../../src/kms/vault-login.ts'
import { awsKms, azureKeyVault, googleKms, vaultTransit } from '../../src/kms.ts'

interface SentRequest {
  readonly url: string
  readonly headers: Headers
  readonly body: string
}
type Respond = (request: SentRequest) => Response | Promise<Response>

let sent: SentRequest[] = []

function respondWith(respond: Respond): void {
  vi.stubGlobal('fetch', async (url: string, init: RequestInit = {}) => {
    const request = { url, headers: new Headers(init.headers), body: String(init.body ?? '') }
    expect(init.redirect).toBe('manual')
    sent.push(request)
    return respond(request)
  })
}

const formOf = ({ body }: SentRequest) => Object.fromEntries(new URLSearchParams(body))
const json = (body: object, status = 200) => Response.json(body, { status })

beforeEach(() => {
  sent = []
})
afterEach(() => {
  vi.unstubAllGlobals()
  vi.useRealTimers()
})

describe('AWS web identity', () => {
  const STS = `<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
    <AssumeRoleWithWebIdentityResult><Credentials><SessionToken>session/+=</SessionToken>
    <SecretAccessKey>secret</SecretAccessKey><Expiration>2100-01-01T00:00:00Z</Expiration>
    <AccessKeyId>ASIAEXAMPLE</AccessKeyId></Credentials></AssumeRoleWithWebIdentityResult>
    </AssumeRoleWithWebIdentityResponse>`
  const publicKey = {
    KeyId: 'arn:aws:kms:eu-central-1:111122223333:key/k',
    PublicKey: 'MFkw',
    KeySpec: 'ECC_NIST_P256',
    KeyUsage: 'SIGN_VERIFY',
    SigningAlgorithms: ['ECDSA_SHA_256'],
  }
  const roleArn = 'arn:aws:iam::111122223333:role/signer'
  const open = (webIdentityToken: string | (() => Promise<string>) = 'the-oidc-token') =>
    awsKms({ keyId: 'k', region: 'eu-central-1', credentials: { roleArn, webIdentityToken } })

  test('assumes the role once, and signs requests with its session', async () => {
    respondWith(({ url, headers }) => {
      if (url.startsWith('https://sts.')) return new Response(STS)
      return json(headers.get('x-amz-target')?.endsWith('.Sign') ? { Signature: 'AAAA' } : publicKey)
    })
    const key = await open(async () => 'the-oidc-token')
    await Promise.all([key.sign(new Uint8Array(1), 'ES256'), key.sign(new Uint8Array(2), 'ES256')])
    const [assume, ...rest] = sent
    expect(assume?.url).toBe('https://sts.eu-central-1.amazonaws.com/')
    expect(formOf(assume!)).toEqual({
      Action: 'AssumeRoleWithWebIdentity',
      Version: '2011-06-15',
      RoleArn: roleArn,
      RoleSessionName: 'membrane-token',
      WebIdentityToken: 'the-oidc-token',
    })
    expect(rest).toHaveLength(3)
    for (const { url, headers } of rest) {
      expect(url).toBe('https://kms.eu-central-1.amazonaws.com/')
      expect(headers.get('x-amz-security-token')).toBe('session/+=')
      expect(headers.get('authorization')).toContain('Credential=ASIAEXAMPLE/')
    }
    expect(JSON.parse(rest[1]!.body)).toMatchObject({ KeyId: publicKey.KeyId, MessageType: 'DIGEST' })
  })

  test.each([
    ['AccessDenied', 403, /trust policy/],
    ['InvalidIdentityToken', 400, /issuer and audience/],
    ['ExpiredTokenException', 400, /expired/],
  ])('%s is explained, without the token', async (code, status, message) => {
    const xml = `<ErrorResponse><Error><Code>${code}</Code><Message>the-oidc-token</Message></Error></ErrorResponse>`
    respondWith(() => new Response(xml, { status }))
    const error = (await open().catch((thrown: unknown) => thrown)) as Error
    expect(error).toMatchObject({ code: 'ERR_KEY_UNAVAILABLE', message: expect.stringMatching(message) })
    expect(error.message).not.toContain('the-oidc-token')
    expect(sent).toHaveLength(1)
  })

  test.each([
    ['us-gov-west-1', 'amazonaws.com'],
    ['cn-north-1', 'amazonaws.com.cn'],
    ['eusc-de-east-1', 'amazonaws.eu'],
  ])('%s has the domain %s', async (region, domain) => {
    respondWith(() => json(publicKey))
    await awsKms({ keyId: 'k', region, credentials: { accessKeyId: 'a', secretAccessKey: 'b' } })
    expect(sent[0]?.url).toBe(`https://kms.${region}.${domain}/`)
  })
})

describe('Google', () => {
  const audience = '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q'

  test('exchanges the token of a workload, then impersonates the service account', async () => {
    respondWith(({ url }) =>
      url.includes('sts.')
        ? json({ access_token: 'federated', expires_in: 3600 })
        : json({ accessToken: 'impersonated', expireTime: '2100-01-01T00:00:00Z' }),
    )
    const serviceAccount = 'signer@p.iam.gserviceaccount.com'
    const source = bindGoogleCredentials({
      workloadIdentity: { audience, subjectToken: async () => 'subject', serviceAccount },
    })
    expect(await source.get()).toBe('impersonated')
    expect(await source.get()).toBe('impersonated')
    const [exchange, impersonate, ...more] = sent
    expect(exchange?.url).toBe('https://sts.googleapis.com/v1/token')
    expect(formOf(exchange!)).toMatchObject({
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      audience,
      subject_token: 'subject',
      subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    })
    expect(impersonate?.url).toBe(
      `https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/${encodeURIComponent(serviceAccount)}:generateAccessToken`,
    )
    expect(impersonate?.headers.get('authorization')).toBe('Bearer federated')
    expect(more).toEqual([])
  })

  test.each([403, 404])(
    'impersonation that fails with %i is reported for the service account',
    async (status) => {
      respondWith(({ url }) =>
        url.includes('sts.') ? json({ access_token: 'federated', expires_in: 3600 }) : json({}, status),
      )
      const workloadIdentity = { audience, subjectToken: 'subject', serviceAccount: 'signer@example.com' }
      await expect(bindGoogleCredentials({ workloadIdentity }).get()).rejects.toMatchObject({
        code: 'ERR_KEY_UNAVAILABLE',
        message: expect.stringMatching(/serviceAccount.*iam\.serviceAccounts\.getAccessToken/),
      })
    },
  )

  test('a machine without a service account is not reported as a missing key', async () => {
    respondWith(() => json({}, 404))
    await expect(bindGoogleCredentials({ metadataServer: true }).get()).rejects.toMatchObject({
      code: 'ERR_KEY_UNAVAILABLE',
      message: expect.stringMatching(/rejected the service account of this machine/),
    })
  })

  test('an empty subject token is an invalid option', async () => {
    respondWith(() => json({ access_token: 'a', expires_in: 3600 }))
    const subjectToken = async () => ''
    const source = bindGoogleCredentials({ workloadIdentity: { audience, subjectToken } })
    await expect(source.get()).rejects.toMatchObject({
      code: 'ERR_OPTION_INVALID',
      option: 'credentials.workloadIdentity.subjectToken',
    })
    expect(sent).toEqual([])
  })

  test('uses the metadata server', async () => {
    respondWith(() => json({ access_token: 'machine', expires_in: 3600 }))
    expect(await bindGoogleCredentials({ metadataServer: true }).get()).toBe('machine')
    expect(sent[0]?.url).toBe(
      'http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/token',
    )
    expect(sent[0]?.headers.get('metadata-flavor')).toBe('Google')
  })

  test('an API that is not enabled is not reported as a missing permission', async () => {
    const details = [{ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'SERVICE_DISABLED' }]
    respondWith(() => json({ error: { code: 403, status: 'PERMISSION_DENIED', message: 'x', details } }, 403))
    const key = 'projects/p/locations/l/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1'
    await expect(googleKms({ key, credentials: 'token' })).rejects.toMatchObject({
      code: 'ERR_KEY_UNAVAILABLE',
      message: expect.stringMatching(/API is not enabled/),
    })
  })
})

describe('Azure', () => {
  const client = { tenantId: 't', clientId: 'c', clientSecret: 's' }
  const issue = () => json({ access_token: 'entra', expires_in: '3600' })

  test.each([
    ['example.vault.azure.net', 'https://vault.azure.net'],
    ['example.managedhsm.azure.net', 'https://managedhsm.azure.net'],
    ['example.vault.usgovcloudapi.net', 'https://vault.usgovcloudapi.net'],
    ['keys.example.com', 'https://vault.azure.net'],
  ])('a key of %s is opened with a token for %s', async (host, resource) => {
    respondWith(({ url }) => (url.includes('/oauth2/') ? issue() : json({}, 404)))
    const key = `https://${host}/keys/k`
    await expect(azureKeyVault({ key, ...client })).rejects.toMatchObject({ code: 'ERR_KEY_UNAVAILABLE' })
    expect(formOf(sent[0]!)).toMatchObject({ scope: `${resource}/.default`, client_secret: 's' })
    await expect(azureKeyVault({ key, managedIdentity: true })).rejects.toMatchObject({
      code: 'ERR_KEY_UNAVAILABLE',
    })
    expect(new URL(sent[2]!.url).searchParams.get('resource')).toBe(resource)
  })

  test('gets the token of a managed identity from the metadata server, by client id', async () => {
    respondWith(issue)
    const key = 'https://example.vault.azure.net/keys/k'
    expect(await bindAzureCredentials({ managedIdentity: true, clientId: 'id' }, key).get()).toBe('entra')
    const url = new URL(sent[0]!.url)
    expect(url.origin + url.pathname).toBe('http://169.254.169.254/metadata/identity/oauth2/token')
    expect(url.searchParams.get('client_id')).toBe('id')
    expect(sent[0]?.headers.get('metadata')).toBe('true')
  })

  test.each(['ForbiddenByFirewall', 'ForbiddenByConnection'])(
    '%s is not reported as a missing permission',
    async (code) => {
      respondWith(({ url }) =>
        url.includes('/oauth2/')
          ? issue()
          : json({ error: { code: 'Forbidden', innererror: { code } } }, 403),
      )
      await expect(
        azureKeyVault({ key: 'https://example.vault.azure.net/keys/k', ...client }),
      ).rejects.toMatchObject({ code: 'ERR_KEY_UNAVAILABLE', message: expect.stringMatching(/firewall/) })
    },
  )
})

describe('Vault', () => {
  const auth = (client_token: string, lease_duration: number, renewable = true) =>
    json({ auth: { client_token, lease_duration, renewable } })
  const kubernetes = { role: 'signer', jwt: async () => 'service-account-token' }
  const bind = () => {
    const { get } = authenticateVault('https://vault.example.com', 'team', checkLogin({ kubernetes }))
    return { token: async () => (await get()).token }
  }
  const settled = () => new Promise((resolve) => setTimeout(resolve, 0))

  test('logs in with a Kubernetes service account, in its namespace', async () => {
    respondWith(() => auth('first', 3600))
    const { token } = bind()
    expect(await Promise.all([token(), token(), token()])).toEqual(['first', 'first', 'first'])
    expect(sent).toHaveLength(1)
    expect(sent[0]?.url).toBe('https://vault.example.com/v1/auth/kubernetes/login')
    expect(JSON.parse(sent[0]!.body)).toEqual({ role: 'signer', jwt: 'service-account-token' })
    expect(sent[0]?.headers.get('x-vault-namespace')).toBe('team')
    expect(sent[0]?.headers.get('x-vault-token')).toBeNull()
  })

  test('renews its token in the background, and logs in again when it can no longer be renewed', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    let renewals = 0
    respondWith(({ url }) => {
      if (url.endsWith('/login')) return auth(renewals === 0 ? 'first' : 'second', 1000)
      return auth('first', ++renewals === 1 ? 1000 : 10)
    })
    const { token } = bind()
    expect(await token()).toBe('first')
    vi.setSystemTime(Date.now() + 800_000)
    expect(await token()).toBe('first')
    await settled()
    expect(sent.map(({ url }) => url.split('/auth/')[1])).toEqual(['kubernetes/login', 'token/renew-self'])
    expect(sent[1]?.headers.get('x-vault-token')).toBe('first')
    vi.setSystemTime(Date.now() + 800_000)
    expect(await token()).toBe('first')
    await settled()
    expect(await token()).toBe('second')
  })

  test('uses a renewed token only for the lease of the renewal', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    let logins = 0
    respondWith(({ url }) =>
      url.endsWith('/login') ? auth(`login ${++logins}`, 1000) : auth('renewed', 600),
    )
    const { token } = bind()
    expect(await token()).toBe('login 1')
    vi.setSystemTime(Date.now() + 800_000)
    await token()
    await settled()
    expect(await token()).toBe('renewed')
    vi.setSystemTime(Date.now() + 600_000)
    expect(await token()).toBe('renewed')
    expect(sent.filter(({ url }) => url.endsWith('/renew-self'))).toHaveLength(2)
  })

  /** Responds as a Vault that accepts one token at a time. */
  function useVault() {
    vi.useFakeTimers({ toFake: ['Date'] })
    let valid = 'first'
    respondWith(async ({ url, headers }) => {
      if (url.endsWith('/login')) return auth(valid, 3600)
      await settled()
      if (headers.get('x-vault-token') !== valid) return json({ errors: ['permission denied'] }, 403)
      if (url.includes('/sign/')) return json({ data: { signature: 'vault:v1:AAAA' } })
      return json({ data: { type: 'ecdsa-p256', latest_version: 1, keys: { 1: { public_key: 'pem' } } } })
    })
    return {
      open: () => vaultTransit({ address: 'https://vault.example.com', key: 'k', kubernetes }),
      revoke: () => {
        valid = 'second'
      },
    }
  }

  test('replaces a revoked token once for all concurrent signatures', async () => {
    const { open, revoke } = useVault()
    const key = await open()
    vi.setSystemTime(Date.now() + 60_000)
    revoke()
    const signatures = Array.from({ length: 32 }, () => key.sign(new Uint8Array(1), 'ES256'))
    expect((await Promise.allSettled(signatures)).filter(({ status }) => status === 'rejected')).toEqual([])
    expect(sent.filter(({ url }) => url.endsWith('/login'))).toHaveLength(2)
  })

  test('reports a missing permission for a token that is new, and replaces it later', async () => {
    const { open, revoke } = useVault()
    const key = await open()
    revoke()
    await expect(key.sign(new Uint8Array(1), 'ES256')).rejects.toMatchObject({
      message: expect.stringMatching(/update on transit\/sign\/k/),
    })
    vi.setSystemTime(Date.now() + 60_000)
    expect(await key.sign(new Uint8Array(1), 'ES256')).toHaveLength(3)
  })

  test('reports a token that cannot be read, not a network error', async () => {
    const token = async () => {
      throw new Error('the file with hvs.secret is gone')
    }
    const error = await vaultTransit({ address: 'https://vault.example.com', key: 'k', token }).catch(
      (thrown: unknown) => thrown,
    )
    expect(error).toMatchObject({
      code: 'ERR_KEY_UNAVAILABLE',
      message: 'The credentials for Vault could not be read.',
    })
    expect(JSON.stringify([error, (error as Error).cause])).not.toContain('hvs.secret')
    expect(sent).toEqual([])
  })
})
