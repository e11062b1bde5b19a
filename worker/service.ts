import { calculateJwkThumbprint } from 'jose/jwk/thumbprint'
import {
  type AuditEvent,
  type Authenticator,
  apiKeys,
  cloudflareAccess,
  createTokenEndpoint,
  firstOf,
  sessionJwt,
} from '../src/endpoint/index.ts'
import { MembraneTokenError, type MembraneTokenErrorCode } from '../src/errors.ts'
import { importKeySet } from '../src/keys/key-set.ts'
import { createSigner, type Signer, type SignerOptions } from '../src/signer.ts'
import { limitRate, type RateLimiter } from './rate-limit.ts'
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
  try {
    const limiter = env.RATE_LIMITER as RateLimiter | undefined
    if (limiter !== undefined && typeof limiter.limit !== 'function') {
      return {
        faults: [
          {
            setting: 'RATE_LIMITER',
            detail: 'is not a rate-limit binding: see [[ratelimits]] in wrangler.toml.',
          },
        ],
      }
    }
    const opening = { service: await createService(result.settings, limiter) }
    openings.set(env, opening)
    return opening
  } catch (error) {
    return { faults: [findFault(error, result.settings)] }
  }
}

async function createService(settings: Settings, limiter: RateLimiter | undefined): Promise<Service> {
  const signer = await createSettledSigner(settings)
  const keys = await createPublishedKeys(signer, settings)
  const authenticate = limitRate(createAuthenticator(settings), limiter)
  const maxExpiresIn = settings.TOKEN_MAX_EXPIRES_IN
  return {
    customerToken: createTokenEndpoint({ signer, authenticate, maxExpiresIn, audit: log }),
    adminToken: createTokenEndpoint({ signer, authenticate, maxExpiresIn, audit: log, kind: 'admin' }),
    keys: JSON.stringify({ keys }),
    allowedOrigins: settings.ALLOWED_ORIGINS ?? [],
  }
}

// biome-ignore lint/suspicious/noConsole: this is the audit log
const log = (event: AuditEvent): void => console.log(JSON.stringify(event))

function createAuthenticator(settings: Settings): Authenticator {
  const authenticators: Authenticator[] = []
  if (settings.API_KEYS) authenticators.push(apiKeys({ keys: settings.API_KEYS }))
  if (settings.SESSION_ISSUER) {
    authenticators.push(
      sessionJwt({
        issuer: settings.SESSION_ISSUER,
        jwks: settings.SESSION_JWKS_URI === undefined ? undefined : new URL(settings.SESSION_JWKS_URI),
        audience: settings.SESSION_AUDIENCE,
        authorizedParties: settings.SESSION_AUTHORIZED_PARTIES,
        anyAudience: settings.SESSION_ANY_AUDIENCE,
        customerId: settings.SESSION_CUSTOMER_ID_CLAIM,
        customerName: settings.SESSION_CUSTOMER_NAME_CLAIM,
        fields: settings.SESSION_FIELD_CLAIMS,
      }),
    )
  }
  if (settings.ACCESS_TEAM_DOMAIN && settings.ACCESS_AUDIENCE) {
    authenticators.push(
      cloudflareAccess({ teamDomain: settings.ACCESS_TEAM_DOMAIN, audience: settings.ACCESS_AUDIENCE }),
    )
  }
  return firstOf(...authenticators)
}

async function createPublishedKeys(signer: Signer, settings: Settings): Promise<unknown[]> {
  const retired = settings.MEMBRANE_RETIRED_KEYS?.keys ?? []
  const keys = [...(signer.publicJwk ? [signer.publicJwk] : []), ...retired]
  // What is published must be public, and each key have an id of its own.
  await importKeySet({ keys }, undefined)
  return keys
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
  const signer = await createSigner(options)
  if (signer.keyId !== undefined || signer.publicJwk === undefined) return signer
  return createSigner({ ...options, keyId: await calculateJwkThumbprint(signer.publicJwk) })
}

const SETTING_OF: Partial<Record<MembraneTokenErrorCode, keyof Settings>> = {
  ERR_ALGORITHM_UNSUPPORTED: 'MEMBRANE_ALGORITHM',
  ERR_KEY_ALGORITHM_MISMATCH: 'MEMBRANE_ALGORITHM',
  ERR_LIFETIME_INVALID: 'TOKEN_EXPIRES_IN',
}

function findFault(error: unknown, settings: Settings): Fault {
  if (!(error instanceof MembraneTokenError)) throw error
  const keySetting = settings.MEMBRANE_PRIVATE_KEY ? 'MEMBRANE_PRIVATE_KEY' : 'MEMBRANE_WORKSPACE_SECRET'
  return { setting: SETTING_OF[error.code] ?? keySetting, detail: `cannot be used: ${error.message}` }
}
