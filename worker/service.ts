import { calculateJwkThumbprint } from 'jose/jwk/thumbprint'
import {
  type AuditEvent,
  type Authenticator,
  apiKeys,
  cloudflareAccess,
  createTokenEndpoint,
  oneOf,
  sessionJwt,
} from '../src/endpoint.ts'
import { MembraneTokenError, type MembraneTokenErrorCode } from '../src/errors.ts'
import { importKeySet } from '../src/jwks/key-set.ts'
import { importPublicKey } from '../src/keys/public-key.ts'
import { createSigner, type Signer, type SignerOptions } from '../src/token/signer.ts'
import { limitBy, type RateLimiter } from './rate-limit.ts'
import { type Fault, readSettings, type Settings } from './settings.ts'

/** What the Worker serves, made from its settings. */
export interface Service {
  readonly customerToken: (request: Request) => Promise<Response>
  readonly adminToken: (request: Request) => Promise<Response>
  /** The JWK set to publish, as JSON. */
  readonly keys: string
  readonly allowedOrigins: readonly string[]
}

export type Opening =
  | { readonly service: Service; readonly faults?: undefined }
  | { readonly service?: undefined; readonly faults: readonly Fault[] }

const openings = new WeakMap<object, Opening>()

/**
 * Makes the service of an environment, once; or tells what is wrong with its settings.
 *
 * Kept is the service and never a promise of it: a request must not wait for what another one began, which
 * may be gone before it ends. Requests that come at once in the beginning each make their own. Failures are
 * not kept, for a Secrets Store may only be out of reach for the moment.
 */
export async function openService(env: Readonly<Record<string, unknown>>): Promise<Opening> {
  const known = openings.get(env)
  if (known) return known
  const result = await readSettings(env)
  if ('faults' in result) return result
  const limiter = (env.RATE_LIMITER ?? undefined) as RateLimiter | undefined
  if (limiter && typeof limiter.limit !== 'function') {
    return {
      faults: [
        { setting: 'RATE_LIMITER', detail: 'is no rate-limit binding: see [[ratelimits]] in wrangler.toml.' },
      ],
    }
  }
  try {
    const opening = { service: await createService(result.settings, limiter) }
    openings.set(env, opening)
    return opening
  } catch (error) {
    if (isUnsettled(error)) return { faults: [error.fault] }
    throw error
  }
}

async function createService(settings: Settings, limiter: RateLimiter | undefined): Promise<Service> {
  const signer = await createSettledSigner(settings)
  const retired = settings.MEMBRANE_ADDITIONAL_KEYS?.keys ?? []
  // One that cannot verify has no business here; it may not even be public.
  for (const jwk of retired) await settle('MEMBRANE_ADDITIONAL_KEYS', () => importPublicKey(jwk, undefined))
  const keys = [...(signer.publicJwk ? [signer.publicJwk] : []), ...retired].map(pickPublished)
  // What is published must be public, and each key have an id of its own.
  await settle('MEMBRANE_ADDITIONAL_KEYS', () => importKeySet({ keys }, undefined))
  const common = {
    signer,
    authenticate: await createAuthenticator(settings),
    maxExpiresIn: settings.TOKEN_MAX_EXPIRES_IN,
    limit: limiter && limitBy(limiter),
    audit: log,
  }
  return {
    customerToken: createTokenEndpoint(common),
    adminToken: createTokenEndpoint({ ...common, kind: 'admin' }),
    keys: JSON.stringify({ keys }),
    allowedOrigins: settings.ALLOWED_ORIGINS ?? [],
  }
}

// biome-ignore lint/suspicious/noConsole: this is the audit log
const log = (event: AuditEvent): void => console.log(JSON.stringify(event))

async function createAuthenticator(settings: Settings): Promise<Authenticator> {
  const {
    API_KEYS: keys,
    SESSION_ISSUER: issuer,
    CLOUDFLARE_ACCESS_TEAM_DOMAIN: teamDomain,
    CLOUDFLARE_ACCESS_AUDIENCE: audience,
  } = settings
  const authenticators: Authenticator[] = []
  if (keys) authenticators.push(await settle('API_KEYS', () => apiKeys({ keys })))
  if (issuer) authenticators.push(await createSessionAuthenticator(issuer, settings))
  if (teamDomain && audience) {
    authenticators.push(
      await settle('CLOUDFLARE_ACCESS_TEAM_DOMAIN', () => cloudflareAccess({ teamDomain, audience })),
    )
  }
  return oneOf(...authenticators)
}

async function createSessionAuthenticator(issuer: string, settings: Settings): Promise<Authenticator> {
  const mapping = {
    customerId: settings.SESSION_CUSTOMER_ID_CLAIM,
    customerName: settings.SESSION_CUSTOMER_NAME_CLAIM,
    fields: settings.SESSION_FIELD_CLAIMS,
  }
  // Beforehand, so that a fault in it is not blamed on the issuer.
  await settle('SESSION_FIELD_CLAIMS', () =>
    sessionJwt({ issuer: 'https://example.com', anyAudience: true, ...mapping }),
  )
  return settle('SESSION_ISSUER', () =>
    sessionJwt({
      issuer,
      jwks: settings.SESSION_JWKS_URI === undefined ? undefined : new URL(settings.SESSION_JWKS_URI),
      audience: settings.SESSION_AUDIENCE,
      authorizedParties: settings.SESSION_AUTHORIZED_PARTIES,
      anyAudience: settings.SESSION_ANY_AUDIENCE,
      ...mapping,
    }),
  )
}

async function createSettledSigner(settings: Settings): Promise<Signer> {
  const options: SignerOptions = {
    workspaceKey: settings.MEMBRANE_WORKSPACE_KEY,
    secret: settings.MEMBRANE_WORKSPACE_SECRET,
    privateKey: settings.MEMBRANE_PRIVATE_KEY,
    algorithm: settings.MEMBRANE_ALGORITHM,
    keyId: settings.MEMBRANE_KEY_ID,
    claimStyle: settings.MEMBRANE_CLAIM_STYLE,
    expiresIn: settings.TOKEN_EXPIRES_IN,
  }
  const keySetting = settings.MEMBRANE_PRIVATE_KEY ? 'MEMBRANE_PRIVATE_KEY' : 'MEMBRANE_WORKSPACE_SECRET'
  const signer = await settle(keySetting, () => createSigner(options))
  if (signer.keyId !== undefined || signer.publicJwk === undefined) return signer
  return createSigner({ ...options, keyId: await calculateJwkThumbprint(signer.publicJwk) })
}

const PUBLISHED_MEMBERS = ['kty', 'crv', 'x', 'y', 'n', 'e', 'kid', 'alg', 'use', 'key_ops']

// By name, so that nothing comes along that nobody knows.
function pickPublished(jwk: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(PUBLISHED_MEMBERS.filter((name) => name in jwk).map((name) => [name, jwk[name]]))
}

/** An error that has found its setting. */
interface Unsettled extends Error {
  readonly fault: Fault
}

/** What `make` makes; what it refuses becomes the fault of a setting. */
async function settle<T>(setting: keyof Settings, make: () => T | Promise<T>): Promise<T> {
  try {
    return await make()
  } catch (error) {
    if (!(error instanceof MembraneTokenError)) throw error
    const fault = { setting: SETTING_OF[error.code] ?? setting, detail: `cannot be used: ${error.message}` }
    throw Object.assign(new Error(fault.detail), { fault })
  }
}

function isUnsettled(error: unknown): error is Unsettled {
  return error instanceof Error && 'fault' in error
}

const SETTING_OF: Partial<Record<MembraneTokenErrorCode, keyof Settings>> = {
  ERR_ALGORITHM_UNSUPPORTED: 'MEMBRANE_ALGORITHM',
  ERR_KEY_ALGORITHM_MISMATCH: 'MEMBRANE_ALGORITHM',
  ERR_LIFETIME_INVALID: 'TOKEN_EXPIRES_IN',
}
