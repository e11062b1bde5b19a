import type { JWK } from 'jose'
import { exportJWK } from 'jose/key/export'
import { importSPKI } from 'jose/key/import'
import { ALGORITHMS, type Algorithm } from '../algorithms.ts'
import type { RemoteKey } from '../keys/remote-key.ts'
import { invalidOption, readOptions } from '../options.ts'
import { encodeBase64 } from './base64.ts'
import { callWithBearer, type TokenSource } from './bearer.ts'
import {
  failureByStatus,
  type Members,
  membersOf,
  type ServiceFailure,
  type ServiceResponse,
  withinTimeLimit,
} from './call.ts'
import { notForSigning, unavailable, unexpectedResponse, unsupportedKey } from './errors.ts'
import { bindGoogleCredentials, type GoogleCredentials } from './google-credentials.ts'
import { checkAddress, checkText } from './options.ts'
import { asProvider, type KeyOpener, readKeyUri, readVariable, requireVariable } from './provider.ts'
import { toRemoteKey } from './remote-key.ts'

export type {
  GoogleCredentials,
  GoogleMetadata,
  GoogleServiceAccountKey,
  GoogleWorkloadIdentity,
} from './google-credentials.ts'

/** Options of {@link googleKms}. */
export interface GoogleKmsOptions {
  /**
   * Resource name of a key version:
   * `projects/P/locations/L/keyRings/R/cryptoKeys/K/cryptoKeyVersions/N`.
   */
  key: string
  /** An access token, or credentials to request one with. */
  credentials: GoogleCredentials
  /** URL of the service. Default `https://cloudkms.googleapis.com`. http only for localhost. */
  endpoint?: string | undefined
}

const SERVICE = 'Google Cloud KMS'
const VERSION_NAME =
  /^projects\/[\w.:-]+\/locations\/[\w-]+\/keyRings\/[\w-]+\/cryptoKeys\/[\w-]+\/cryptoKeyVersions\/(\d+)$/

/** The algorithms by their Google names. A key version has exactly one. */
const KEY_ALGORITHMS: Readonly<Record<string, Algorithm>> = {
  EC_SIGN_P256_SHA256: 'ES256',
  EC_SIGN_P384_SHA384: 'ES384',
  RSA_SIGN_PKCS1_2048_SHA256: 'RS256',
  RSA_SIGN_PKCS1_3072_SHA256: 'RS256',
  RSA_SIGN_PKCS1_4096_SHA256: 'RS256',
  RSA_SIGN_PKCS1_4096_SHA512: 'RS512',
  RSA_SIGN_PSS_2048_SHA256: 'PS256',
  RSA_SIGN_PSS_3072_SHA256: 'PS256',
  RSA_SIGN_PSS_4096_SHA256: 'PS256',
  RSA_SIGN_PSS_4096_SHA512: 'PS512',
}

const DIGEST_NAMES = { 'SHA-256': 'sha256', 'SHA-384': 'sha384', 'SHA-512': 'sha512' } as const

async function openGoogleKey(options: GoogleKmsOptions): Promise<RemoteKey> {
  const given = readOptions(options, ['key', 'credentials', 'endpoint'])
  const { key } = given
  checkText(key, 'key')
  const version = VERSION_NAME.exec(key)?.[1]
  if (version === undefined) {
    throw invalidOption(
      'key must be the resource name of a key version: projects/P/locations/L/keyRings/R/cryptoKeys/K/cryptoKeyVersions/N.',
      'key',
    )
  }
  const endpoint = checkAddress(given.endpoint ?? 'https://cloudkms.googleapis.com', 'endpoint')
  const tokens = bindGoogleCredentials(given.credentials)
  const url = `${endpoint}/v1/${key}`

  const { body } = await withinTimeLimit(SERVICE, (signal) =>
    callGoogle(tokens, `${url}/publicKey`, undefined, 'cloudkms.cryptoKeyVersions.viewPublicKey', signal),
  )
  const { pem, algorithm: named } = body
  const algorithm =
    typeof named === 'string' && Object.hasOwn(KEY_ALGORITHMS, named) ? KEY_ALGORITHMS[named] : undefined
  if (!algorithm) throw unsupportedKey(SERVICE, named)
  if (typeof pem !== 'string') throw unexpectedResponse(SERVICE)

  return toRemoteKey({
    service: SERVICE,
    publicKey: await pinAlgorithm(pem, algorithm),
    version,
    algorithms: [algorithm],
    async signDigest(digest, algorithm, signal) {
      const name = DIGEST_NAMES[ALGORITHMS[algorithm].hash]
      const signed = await callGoogle(
        tokens,
        `${url}:asymmetricSign`,
        { digest: { [name]: encodeBase64(digest) } },
        'cloudkms.cryptoKeyVersions.useToSign',
        signal,
      )
      return signed.body.signature
    },
  })
}

/** The public key as a JWK with the version's only algorithm, because `createSigner` defaults to RS256 for RSA keys. */
async function pinAlgorithm(pem: string, algorithm: Algorithm): Promise<JWK> {
  try {
    const key = await importSPKI(pem, algorithm, { extractable: true })
    return { ...(await exportJWK(key)), alg: algorithm }
  } catch (cause) {
    throw unexpectedResponse(SERVICE, cause)
  }
}

function callGoogle(
  tokens: TokenSource,
  url: string,
  body: Members | undefined,
  permission: string,
  signal: AbortSignal,
): Promise<ServiceResponse> {
  const readFailure = (response: ServiceResponse): ServiceFailure => readGoogleFailure(response, permission)
  return callWithBearer({ service: SERVICE, url, body, tokens, readFailure, signal })
}

/** Reads an error of Google's APIs: `{"error":{"code","status","message"}}`. */
function readGoogleFailure({ status, body }: ServiceResponse, permission: string): ServiceFailure {
  const error = membersOf(body.error)
  const message = typeof error.message === 'string' ? error.message : ''
  if (status === 400 && error.status === 'FAILED_PRECONDITION') {
    const state = /\b(DISABLED|DESTROYED|DESTROY_SCHEDULED|PENDING_GENERATION|PENDING_IMPORT)\b/.exec(
      message,
    )?.[1]
    const detail = state ? `its state is ${state}` : 'it is not enabled'
    return { error: unavailable(`The key version is not usable at Google Cloud KMS: ${detail}.`) }
  }
  if (status === 403 && isApiDisabled(error.details)) {
    return {
      error: unavailable('The Cloud KMS API is not enabled in the project; enable cloudkms.googleapis.com.'),
    }
  }
  if (status === 400) return { error: notForSigning(SERVICE) }
  return failureByStatus(SERVICE, status, permission)
}

/** Whether the reason of an error is `SERVICE_DISABLED` (google.rpc.ErrorInfo) and not a missing permission. */
function isApiDisabled(details: unknown): boolean {
  return Array.isArray(details) && details.some((detail) => membersOf(detail).reason === 'SERVICE_DISABLED')
}

/**
 * Opens a signing key in Google Cloud KMS: fetches the public key of a key version once and has the service sign
 * digests. A signature may take at most 4 seconds, and at most 32 run concurrently. Needs the permissions
 * `cloudkms.cryptoKeyVersions.viewPublicKey` and `cloudkms.cryptoKeyVersions.useToSign`.
 *
 * As a KMS provider, it opens `gcpkms://projects/P/locations/L/keyRings/R/cryptoKeys/K/cryptoKeyVersions/N` with
 * `GOOGLE_APPLICATION_CREDENTIALS_JSON` (the contents of a key file), `GOOGLE_ACCESS_TOKEN`, or
 * `GOOGLE_METADATA_SERVER=true`. `GOOGLE_CLOUD_KMS_ENDPOINT` sets another endpoint.
 *
 * @throws `ERR_OPTION_INVALID` with the `option` at fault
 * @throws `ERR_KEY_FORMAT_UNSUPPORTED` for a key that cannot sign Membrane tokens
 * @throws `ERR_KEY_UNAVAILABLE` if the service is unreachable, throttles or denies access, or the version is disabled
 *   or destroyed; the message says which. Signing throws it too, and `ERR_KEY_ALGORITHM_MISMATCH` for an algorithm that
 *   the version does not support
 *
 * @example Sign with a key in Google Cloud KMS
 *
 * ```ts
 * const privateKey = await googleKms({ key: keyVersionName, credentials: { serviceAccountKey } })
 * const signer = await createSigner({ workspaceKey, privateKey, keyId: 'thumbprint' })
 * ```
 */
export const googleKms: KeyOpener<GoogleKmsOptions> = /* @__PURE__ */ asProvider(openGoogleKey, {
  scheme: 'gcpkms',
  variables: [
    'GOOGLE_APPLICATION_CREDENTIALS_JSON',
    'GOOGLE_ACCESS_TOKEN',
    'GOOGLE_METADATA_SERVER',
    'GOOGLE_CLOUD_KMS_ENDPOINT',
  ],
  async open(uri, env) {
    const form = 'gcpkms://projects/P/locations/L/keyRings/R/cryptoKeys/K/cryptoKeyVersions/N'
    const { authority, path } = readKeyUri(uri, 'gcpkms', form)
    const key = `${authority}/${path}`.replace('/versions/', '/cryptoKeyVersions/')
    if (!VERSION_NAME.test(key)) {
      throw invalidOption(`The key must be a URI of the form ${form}; the version is required.`, 'uri')
    }
    return openGoogleKey({
      key,
      endpoint: await readVariable(env, 'GOOGLE_CLOUD_KMS_ENDPOINT'),
      credentials: await readCredentials(env),
    })
  },
})

async function readCredentials(env: Readonly<Record<string, unknown>>): Promise<GoogleCredentials> {
  const token = await readVariable(env, 'GOOGLE_ACCESS_TOKEN')
  if (token !== undefined) return token
  if ((await readVariable(env, 'GOOGLE_METADATA_SERVER')) === 'true') return { metadataServer: true }
  return { serviceAccountKey: await requireVariable(env, 'GOOGLE_APPLICATION_CREDENTIALS_JSON') }
}
