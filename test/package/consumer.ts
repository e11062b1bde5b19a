// Uses every public name, as a TypeScript user would. `types.test.ts` compiles it with the types of one platform at a time,
// so it uses only types from ECMAScript and the package.
import {
  type Algorithm,
  type ClaimStyle,
  type Customer,
  createRequestVerifier,
  createSigner,
  createVerifier,
  generateKeyPair,
  type Inspection,
  inspectKey,
  inspectToken,
  type KeyInspection,
  type KeyPair,
  type KeyPairOptions,
  type KeyProblem,
  MembraneTokenError,
  type MembraneTokenErrorCode,
  type RemoteKey,
  type RequestVerifier,
  type RequestVerifierOptions,
  type SignedToken,
  type Signer,
  type SignerOptions,
  type TokenOptions,
  type TokenProblem,
  type TokenProblemCode,
  type VerifiedRequest,
  type VerifiedToken,
  type Verifier,
  type VerifierOptions,
} from 'membrane-token'
import { createTokenProvider, type TokenProvider, type TokenProviderOptions } from 'membrane-token/client'
import {
  type ApiKey,
  type ApiKeysOptions,
  type AuditEvent,
  type AuditHook,
  type Authenticator,
  apiKeys,
  type Caller,
  type ClaimMapping,
  type ClaimRule,
  type ClaimRules,
  type ClaimValue,
  type CloudflareAccessOptions,
  type Credential,
  type CredentialAuthenticator,
  cloudflareAccess,
  createTokenEndpoint,
  type Dependency,
  oneOf,
  type ProblemCode,
  type RateLimitHook,
  type Refusal,
  type RequestHandler,
  refusal,
  type Scope,
  type SessionJwtOptions,
  sessionJwt,
  type TokenEndpointOptions,
  WORKLOAD_PRESETS,
  type WorkloadIdentity,
  type WorkloadIdentityOptions,
  type WorkloadPreset,
  type WorkloadPresetName,
  workloadIdentity,
} from 'membrane-token/endpoint'
import {
  createTokenService,
  createTokenServiceFromEnv,
  type KeySetCache,
  limitBy,
  type RateLimiter,
  type ReadSettings,
  readSettings,
  SETTINGS,
  type ServiceHooks,
  type SettingDefinition,
  type SettingFault,
  type SettingName,
  type SettingReader,
  type Settings,
  type TokenServiceOptions,
  type Way,
} from 'membrane-token/service'

const workspaceKey = 'workspace'
const secret = 'a secret of at least thirty-two bytes'
const hmac = { name: 'HMAC', hash: 'SHA-256' }

export async function sign(style: ClaimStyle): Promise<SignedToken[]> {
  const bytes = new TextEncoder().encode(secret)
  const secretKey = await crypto.subtle.importKey('raw', bytes, hmac, true, ['sign'])
  const exported = await crypto.subtle.exportKey('jwk', secretKey)
  const algorithm: Algorithm = 'ES256'
  const keyPairOptions: KeyPairOptions = { modulusLength: 2048 }
  const pair: KeyPair = await generateKeyPair('PS256', keyPairOptions)
  const optionsOf: SignerOptions[] = [
    { workspaceKey, secret },
    { workspaceKey, secret: bytes, claimStyle: style, now: () => 0, allowShortSecret: true },
    { workspaceKey, secret: secretKey, algorithm: 'HS256', expiresIn: '2h' },
    { workspaceKey, privateKey: pair.privateKey, keyId: pair.keyId },
    { workspaceKey, privateKey: pair.publicJwk, algorithm, trustedBrowser: false },
    { workspaceKey, privateKey: { kty: 'EC', crv: 'P-256', x: '', y: '', d: '' } },
    // The platform's own JWK type; on some platforms, it includes bytes.
    { workspaceKey, privateKey: exported instanceof ArrayBuffer ? undefined : exported },
  ]
  const customer: Customer = { id: 'customer-42', name: 'Acme Inc.', fields: { plan: 'trial' } }
  const tokenOptions: TokenOptions = { expiresAt: new Date(), jwtId: 'token-1' }
  const tokens = optionsOf.map(async (options) => {
    const signer: Signer = await createSigner(options)
    const { kty }: { kty?: string | undefined } = signer.publicJwk ?? {}
    return kty ? signer.signCustomerToken(customer, tokenOptions) : signer.signAdminToken({ expiresIn: 60 })
  })
  return Promise.all(tokens)
}

export async function verify(token: string, request: Parameters<Authenticator>[0]): Promise<string> {
  const pair = await generateKeyPair()
  const optionsOf: VerifierOptions[] = [
    { workspaceKey, secret, algorithms: ['HS512'], clockTolerance: 5 },
    { workspaceKey, publicKey: pair.publicKey },
    { workspaceKey, publicKey: pair.publicJwk },
    { workspaceKey, jwks: { keys: [pair.publicJwk] } },
    { workspaceKey, jwks: new URL('https://example.com/.well-known/jwks.json') },
  ]
  try {
    for (const options of optionsOf) {
      const verifier: Verifier = await createVerifier(options)
      const verified: VerifiedToken = await verifier.verify(token)
      if (verified.kind === 'customer') return verified.id
    }
    const options: RequestVerifierOptions = { workspaceKey, secret }
    const requestVerifier = await createRequestVerifier(options)
    const { customerId } = await requestVerifier.verify(request)
    return (await requestVerifier.verify(request.headers)).customerId === customerId ? customerId : ''
  } catch (error) {
    if (!(error instanceof MembraneTokenError)) throw error
    const code: MembraneTokenErrorCode = error.code
    return code
  }
}

export function inspect(token: string): string[] {
  const inspection: Inspection = inspectToken(token, { now: () => Date.now() })
  return inspection.problems.map(({ code, severity }: TokenProblem) => `${severity} ${code}`)
}

export async function serve(signer: Signer): Promise<ReturnType<typeof createTokenEndpoint>> {
  const key: ApiKey = { name: 'backend', sha256: 'ab'.repeat(32), scopes: ['customer'] }
  const keys: ApiKeysOptions = { keys: [key] }
  const mapping: ClaimMapping = { customerId: 'org_id', customerName: 'org_name', fields: ['plan'] }
  const session: SessionJwtOptions = { issuer: 'https://example.com/', audience: 'api', ...mapping }
  const access: CloudflareAccessOptions = { teamDomain: 'example.cloudflareaccess.com', audience: 'ab' }
  const own: Authenticator = async (request): Promise<Caller | null> => {
    const code: ProblemCode = 'ERR_CREDENTIALS_INVALID'
    const thrown: Refusal = refusal(code, 'This session was revoked.', { 'X-Reason': 'revoked' })
    if (request.headers.get('X-Revoked')) throw thrown
    return { kind: 'customer', customer: { id: 'customer-42' }, subject: 'user-1' }
  }
  const scope: Scope = 'customer'
  const options: TokenEndpointOptions = {
    signer,
    authenticate: oneOf(apiKeys(keys), sessionJwt(session), cloudflareAccess(access), own),
    kind: scope,
    maxExpiresIn: '24h',
    audit: (event: AuditEvent) => void event.duration,
  }
  return createTokenEndpoint(options)
}

export function provide(getSession: () => Promise<string>): TokenProvider {
  const options: TokenProviderOptions = {
    url: new URL('https://example.com/api/membrane-token'),
    fetch: (input, init) => fetch(input, init),
    headers: async () => ({ Authorization: `Bearer ${await getSession()}` }),
    refreshBefore: 30,
  }
  const others: TokenProviderOptions['headers'][] = [() => new Headers(), () => [['X-Session', '1']]]
  const provider = createTokenProvider({ ...options, headers: others[0] ?? options.headers, fetch })
  provider.invalidate()
  return provider
}

/** Each line would compile if a public name were `any` because a platform's type is missing. */
export async function rejected(signer: Signer): Promise<void> {
  // @ts-expect-error a number is not a secret
  await createSigner({ workspaceKey, secret: 42 })
  // @ts-expect-error a date is not a private key
  await createSigner({ workspaceKey, privateKey: new Date() })
  // @ts-expect-error a number is not a public key
  await createVerifier({ workspaceKey, publicKey: 42 })
  const requestVerifier = await createRequestVerifier({ workspaceKey, secret })
  // @ts-expect-error a string is not a request
  await requestVerifier.verify('request')
  // @ts-expect-error a string is not a request
  await createTokenEndpoint({ signer, authenticate: async () => null })('request')
  // @ts-expect-error a number is not headers
  createTokenProvider({ url: '/api/membrane-token', headers: () => 42 })
}

export async function remote(key: RemoteKey): Promise<KeyProblem[]> {
  const signer = await createSigner({ workspaceKey, privateKey: key, keyId: 'thumbprint' })
  const inspection: KeyInspection = await inspectKey(JSON.stringify(signer.publicJwk))
  return inspection.problems
}

export async function verifyRequest(token: string): Promise<VerifiedRequest> {
  const verifier: RequestVerifier = await createRequestVerifier({ workspaceKey, secret })
  return verifier.verify(new Headers({ 'X-Membrane-Token': token }))
}

export function isExpired({ problems }: Inspection): boolean {
  const code: TokenProblemCode = 'EXPIRED'
  return problems.some((problem) => problem.code === code)
}

export function authenticateJobs(): CredentialAuthenticator {
  const name: WorkloadPresetName = 'github-actions'
  const preset: WorkloadPreset = WORKLOAD_PRESETS[name]
  const value: ClaimValue = '74'
  const rule: ClaimRule = [value, '75']
  const claims: ClaimRules = { repository_id: rule }
  const identity: WorkloadIdentity = {
    name: preset.title,
    preset: name,
    audience: 'api',
    claims,
    scopes: ['admin'],
  }
  const options: WorkloadIdentityOptions = { identities: [identity] }
  return workloadIdentity(options)
}

export async function isReachable(jobs: CredentialAuthenticator, token: string): Promise<boolean> {
  const credential: Credential = { kind: 'bearer', token }
  const dependencies: readonly Dependency[] = jobs.dependencies
  await Promise.all(dependencies.map((dependency) => dependency.check()))
  return (await jobs.verify(credential)) !== null
}

export function createService(signer: Signer, env: Record<string, unknown>): RequestHandler[] {
  const limiter: RateLimiter = { limit: async () => ({ success: true }) }
  const rateLimit: RateLimitHook = limitBy(limiter)
  const audit: AuditHook = (event) => void event.outcome
  const keySetCache: KeySetCache = { get: async () => undefined, put: async () => {} }
  const hooks: ServiceHooks = { rateLimit, audit, keySetCache, prefix: 'TOKENS_' }
  const way: Way = { name: 'API_KEYS' }
  const options: TokenServiceOptions = {
    signer,
    authenticate: authenticateJobs(),
    allowedOrigins: ['https://app.example.com'],
    readiness: { signer: way, ways: [way] },
  }
  return [createTokenService(options), createTokenServiceFromEnv(env, hooks)]
}

export async function checkSettings(env: Record<string, unknown>): Promise<readonly SettingFault[]> {
  const name: SettingName = 'API_KEYS'
  const definition: SettingDefinition<Settings['API_KEYS']> = SETTINGS[name]
  const reader: SettingReader<Settings['API_KEYS']> = definition
  const none: ReadSettings = {}
  try {
    await readSettings(env)
    return []
  } catch (error) {
    if (!(error instanceof MembraneTokenError)) throw error
    return (
      error.faults ?? [
        { setting: name, detail: definition.description + Object.keys({ ...none, ...reader }).length },
      ]
    )
  }
}
