import type { JSONWebKeySet } from 'jose'
import type { AuditEvent, AuditHook } from '../endpoint/audit.ts'
import type { CredentialAuthenticator } from '../endpoint/auth/caller.ts'
import { oneOf } from '../endpoint/auth/one-of.ts'
import { makeProblem, problemOf, problemResponse, requestIdOf } from '../endpoint/http/problem.ts'
import { checkRequest, type RequestHandler } from '../endpoint/http/request.ts'
import type { RateLimitHook } from '../endpoint/issuer.ts'
import { MembraneTokenError, type SettingFault } from '../errors.ts'
import type { KeySetCache } from '../jwks/cache.ts'
import { readPublishedKeys } from '../jwks/published-keys.ts'
import type { RemoteKey } from '../keys/remote-key.ts'
import type { KmsProvider } from '../kms/provider.ts'
import { invalidOption, readOptions } from '../options.ts'
import { createSharedTask } from '../shared-task.ts'
import { createSigner, type Signer } from '../token/signer.ts'
import { makeAuthenticators, type WithSetting } from './authenticators.ts'
import { SERVICE_HEADERS } from './headers.ts'
import { limitBy, type RateLimiter } from './rate-limit.ts'
import type { Way } from './readiness.ts'
import {
  createTokenService,
  HEALTHY,
  pathOf,
  publicResponse,
  signerWay,
  type TokenServiceOptions,
} from './service.ts'
import { parseSettings, type ReadSettings, type SettingName, settingError } from './settings.ts'

/** Options of {@link createTokenServiceFromEnv} and {@link readSettings} that cannot be environment variables. */
export interface ServiceHooks {
  /** Limits requests by caller, and failed attempts. Default: the binding `RATE_LIMITER`, if there is one. */
  rateLimit?: RateLimitHook | undefined
  /** Called for every decision. Default: writes a line of JSON with `console.log`. */
  audit?: AuditHook | undefined
  /** Shares fetched key sets between processes or isolates. */
  keySetCache?: KeySetCache | undefined
  /** The key management services to include, such as `[awsKms]` of `membrane-token/kms`. */
  kms?: readonly KmsProvider[] | undefined
  /** Prefix of every setting, for apps in which a name such as `API_KEYS` has another meaning. */
  prefix?: string | undefined
}

const HOOKS = ['rateLimit', 'audit', 'keySetCache', 'kms', 'prefix'] as const

/** @throws `ERR_OPTION_INVALID` */
function readHooks(hooks: ServiceHooks): ServiceHooks {
  const given = readOptions(hooks, HOOKS)
  const { kms = [] } = given
  if (Array.isArray(kms) && kms.every((provider) => typeof provider?.open === 'function')) return given
  throw invalidOption('kms must be a list of KMS providers, such as [awsKms].', 'kms')
}

type Env = Readonly<Record<string, unknown>>

/**
 * Reads all settings into the options of {@link createTokenService}: imports the private key or opens it in its key
 * management service, and creates the authenticators.
 *
 * @param env Environment variables, or the bindings of a Worker
 * @throws `ERR_SETTING_INVALID` with every fault in `faults`; `ERR_KEY_UNAVAILABLE` while the key management service
 *   is unreachable; `ERR_OPTION_INVALID` for invalid hooks
 *
 * @example Check the settings before a deployment
 *
 * ```ts
 * try {
 *   await readSettings(env)
 * } catch (error) {
 *   for (const { setting, detail } of error.faults) console.error(setting, detail)
 * }
 * ```
 */
export async function readSettings(env: Env, hooks: ServiceHooks = {}): Promise<TokenServiceOptions> {
  const { audit = log, keySetCache, kms = [], prefix = '', rateLimit } = readHooks(hooks)
  const settings = await parseSettings(env, prefix)
  const faults: SettingFault[] = []

  const withSetting: WithSetting = async (setting, options, make) => {
    try {
      return await make()
    } catch (error) {
      if (!(error instanceof MembraneTokenError) || error.code === 'ERR_KEY_UNAVAILABLE') throw error
      const at = error.option === undefined ? undefined : options[error.option.replace(/[.[].*/, '')]
      faults.push({ setting: at ?? setting, detail: `cannot be used: ${error.message}` })
      return undefined
    }
  }

  const limiter = env[`${prefix}RATE_LIMITER`] as RateLimiter | null | undefined
  if (limiter && typeof limiter.limit !== 'function') {
    faults.push({
      setting: 'RATE_LIMITER',
      detail: 'is not a rate-limit binding: see [[ratelimits]] in wrangler.toml.',
    })
  }
  const signer = await withSetting(
    settings.MEMBRANE_PRIVATE_KEY ? 'MEMBRANE_PRIVATE_KEY' : 'MEMBRANE_WORKSPACE_SECRET',
    SIGNER_OPTIONS,
    () => makeSigner(settings, env, kms),
  )
  const configured = await makeAuthenticators(settings, keySetCache, withSetting)
  // If there is none, `faults` says why.
  const [only] = configured
  const authenticate =
    configured.length > 1
      ? await withSetting('SESSION_AUDIENCE', {}, () => oneOf(...configured.map((one) => one.authenticate)))
      : only?.authenticate
  const additionalKeys = settings.MEMBRANE_ADDITIONAL_KEYS as JSONWebKeySet | undefined
  if (signer) {
    await withSetting('MEMBRANE_ADDITIONAL_KEYS', {}, () =>
      readPublishedKeys([...(signer.publicJwk ? [signer.publicJwk] : []), ...(additionalKeys?.keys ?? [])]),
    )
  }
  if (faults.length > 0 || !signer || !authenticate) throw settingError(faults, prefix)
  return {
    signer,
    authenticate,
    additionalKeys,
    allowedOrigins: settings.ALLOWED_ORIGINS,
    maxExpiresIn: settings.TOKEN_MAX_EXPIRES_IN,
    apiUri: settings.MEMBRANE_API_URI,
    oauthIssuer: settings.OAUTH_ISSUER,
    rateLimit: rateLimit ?? (limiter ? limitBy(limiter) : undefined),
    audit,
    readiness: {
      signer: signerWay(
        signer,
        `${prefix}${settings.MEMBRANE_PRIVATE_KEY ? 'MEMBRANE_PRIVATE_KEY' : 'MEMBRANE_WORKSPACE_SECRET'}`,
      ),
      ways: configured.map(({ setting, authenticate: { dependencies } }) =>
        wayOf(prefix + setting, dependencies),
      ),
    },
  }
}

/**
 * Creates the service from environment variables. Settings are read on the first request; concurrent requests share the
 * result. After a failure, the next request reads them again, so no restart is needed when a setting is corrected or a
 * store is reachable again. Until then, every route returns 503, and `/health` lists the invalid settings. If only the
 * key management service is unreachable, `/health` returns 200.
 *
 * @returns A handler that rejects only for something that is not a `Request` (`ERR_OPTION_INVALID`)
 * @throws `ERR_OPTION_INVALID` for invalid hooks
 *
 * @example On Deno
 *
 * ```ts
 * Deno.serve(createTokenServiceFromEnv(Deno.env.toObject()))
 * ```
 */
export function createTokenServiceFromEnv(env: Env, hooks: ServiceHooks = {}): RequestHandler {
  readHooks(hooks)
  const shared = createSharedTask()
  let service: RequestHandler | undefined
  let failure: unknown
  const read = async (): Promise<void> => {
    try {
      service = createTokenService(await readSettings(env, hooks))
    } catch (error) {
      failure = error
    }
  }
  const base = new Headers(SERVICE_HEADERS)

  return async (request, context) => {
    checkRequest(request)
    if (!service) await shared.join(read, context)
    return service ? service(request, context) : notReadResponse(failure, request, base)
  }
}

function notReadResponse(error: unknown, request: Request, base: Headers): Response {
  const requestId = requestIdOf(request)
  const path = pathOf(request.url)
  const isHealth = path === '/health' || path === '/healthz'
  if (!(error instanceof MembraneTokenError)) {
    const problem = problemOf(error)
    // biome-ignore lint/suspicious/noConsole: the only record that links a request id to an unexpected failure
    console.error(JSON.stringify({ requestId, outcome: 'failed', code: problem.code, error: problem.error }))
    return problemResponse(problem, requestId, base)
  }
  if (error.code === 'ERR_KEY_UNAVAILABLE') {
    // The settings are valid, and a restart would not help, so the service is healthy.
    if (isHealth) return publicResponse(HEALTHY, requestId, base)
    return problemResponse(problemOf(error), requestId, base)
  }
  const detail = isHealth
    ? error.message
    : 'This service is not configured yet; GET /health lists the invalid settings.'
  return problemResponse(makeProblem('ERR_SETTING_INVALID', detail), requestId, base)
}

// biome-ignore lint/suspicious/noConsole: this is the audit log
const log = (event: AuditEvent): void => console.log(JSON.stringify(event))

const SIGNER_OPTIONS: Readonly<Record<string, SettingName>> = {
  workspaceKey: 'MEMBRANE_WORKSPACE_KEY',
  secret: 'MEMBRANE_WORKSPACE_SECRET',
  privateKey: 'MEMBRANE_PRIVATE_KEY',
  algorithm: 'MEMBRANE_ALGORITHM',
  keyId: 'MEMBRANE_KEY_ID',
  claimStyle: 'MEMBRANE_CLAIM_STYLE',
  expiresIn: 'TOKEN_EXPIRES_IN',
}

async function makeSigner(settings: ReadSettings, env: Env, kms: readonly KmsProvider[]): Promise<Signer> {
  const { MEMBRANE_PRIVATE_KEY: key } = settings
  return createSigner({
    workspaceKey: settings.MEMBRANE_WORKSPACE_KEY as string,
    secret: settings.MEMBRANE_WORKSPACE_SECRET,
    privateKey: key === undefined ? undefined : await openKey(key, env, kms),
    algorithm: settings.MEMBRANE_ALGORITHM,
    keyId: settings.MEMBRANE_KEY_ID ?? (key === undefined ? undefined : 'thumbprint'),
    claimStyle: settings.MEMBRANE_CLAIM_STYLE,
    expiresIn: settings.TOKEN_EXPIRES_IN,
  })
}

/** The private key as text, or the remote key that a KMS URI names. */
async function openKey(key: string, env: Env, kms: readonly KmsProvider[]): Promise<string | RemoteKey> {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//.exec(key)?.[1]
  if (scheme === undefined) return key
  const provider = kms.find((candidate) => candidate.scheme === scheme)
  if (provider) return provider.open(key, env)
  const included = kms.map((candidate) => `${candidate.scheme}://`).join(', ') || 'none'
  throw new MembraneTokenError(
    'ERR_OPTION_INVALID',
    `No KMS provider in hooks.kms opens this URI (included: ${included}). Add one from membrane-token/kms.`,
    { option: 'privateKey' },
  )
}

function wayOf(name: string, dependencies: CredentialAuthenticator['dependencies']): Way {
  if (dependencies.length === 0) return { name }
  return {
    name,
    check: async (context) => {
      await Promise.all(dependencies.map((dependency) => dependency.check(context)))
    },
    isUsable: () => dependencies.every(({ isUsable }) => isUsable?.() === true),
  }
}
