import { calculateJwkThumbprint } from 'jose/jwk/thumbprint'
import { apiKeys, createTokenEndpoint } from '../src/endpoint/index.ts'
import { MembraneTokenError, type MembraneTokenErrorCode } from '../src/errors.ts'
import { createSigner, type Signer, type SignerOptions } from '../src/signer.ts'
import { type Fault, readSettings, type Settings } from './settings.ts'

/** What the Worker serves, made from its settings. */
export interface Service {
  readonly customerToken: (request: Request) => Promise<Response>
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
    const opening = { service: await createService(result.settings) }
    openings.set(env, opening)
    return opening
  } catch (error) {
    return { faults: [findFault(error, result.settings)] }
  }
}

async function createService(settings: Settings): Promise<Service> {
  const signer = await createSettledSigner(settings)
  const authenticate = apiKeys({ keys: settings.API_KEYS })
  return {
    customerToken: createTokenEndpoint({ signer, authenticate, maxExpiresIn: settings.TOKEN_MAX_EXPIRES_IN }),
  }
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
