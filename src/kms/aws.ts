import { AwsV4Signer } from 'aws4fetch'
import { ALGORITHMS, type Algorithm } from '../algorithms.ts'
import type { RemoteKey } from '../keys/remote-key.ts'
import { invalidOption, readOptions } from '../options.ts'
import { type AwsCredentials, bindCredentials, type CredentialSource, dnsSuffix } from './aws-credentials.ts'
import { decodeAnyBase64, encodeBase64 } from './base64.ts'
import {
  call,
  failureByStatus,
  type Members,
  missingPermission,
  type ServiceFailure,
  type ServiceResponse,
  withinTimeLimit,
} from './call.ts'
import {
  mismatchedAlgorithm,
  notForSigning,
  unavailable,
  unexpectedResponse,
  unsupportedKey,
} from './errors.ts'
import { addressOf, checkAddress, checkText } from './options.ts'
import { asProvider, type KeyOpener, readKeyUri, readVariable, requireVariable } from './provider.ts'
import { toRemoteKey } from './remote-key.ts'

export type { AwsCredentials, AwsKeys, AwsWebIdentity } from './aws-credentials.ts'

/** Options of {@link awsKms}. */
export interface AwsKmsOptions {
  /** Key id, key ARN, `alias/NAME` or alias ARN. An alias is resolved once, when the key is opened. */
  keyId: string
  /** Region, such as `eu-central-1`. */
  region: string
  /** Access key, a function that returns one for each request, or a role to assume with a web identity. */
  credentials: AwsCredentials
  /** URL of the service. Default: the region's endpoint. http only for localhost. */
  endpoint?: string | undefined
}

const SERVICE = 'AWS KMS'

/** The algorithms by their AWS names. */
const SIGNING_ALGORITHMS: Readonly<Record<string, Algorithm>> = {
  RSASSA_PKCS1_V1_5_SHA_256: 'RS256',
  RSASSA_PKCS1_V1_5_SHA_384: 'RS384',
  RSASSA_PKCS1_V1_5_SHA_512: 'RS512',
  RSASSA_PSS_SHA_256: 'PS256',
  RSASSA_PSS_SHA_384: 'PS384',
  RSASSA_PSS_SHA_512: 'PS512',
  ECDSA_SHA_256: 'ES256',
  ECDSA_SHA_384: 'ES384',
  ECDSA_SHA_512: 'ES512',
}

/** Messages for AWS error types, and whether a retry may help. */
const FAILURES: Readonly<Record<string, { message: string; retry?: boolean }>> = {
  NotFoundException: { message: 'AWS KMS has no such key; check keyId and region.' },
  InvalidArnException: { message: 'AWS KMS rejected keyId: it is not a valid ARN.' },
  DisabledException: { message: 'The key is disabled at AWS KMS; enable it.' },
  KMSInvalidStateException: {
    message: 'The key is not usable at AWS KMS: it is pending deletion, pending import or unavailable.',
  },
  KeyUnavailableException: { message: 'AWS KMS cannot use the key at the moment.', retry: true },
  ThrottlingException: { message: 'AWS KMS throttled the request.', retry: true },
  LimitExceededException: { message: 'AWS KMS throttled the request.', retry: true },
  UnrecognizedClientException: {
    message: 'AWS rejected the credentials: the access key or session token is not valid.',
  },
  InvalidClientTokenId: {
    message: 'AWS rejected the credentials: the access key or session token is not valid.',
  },
  MissingAuthenticationTokenException: { message: 'AWS rejected the credentials: they are missing.' },
  ExpiredTokenException: { message: 'AWS rejected the credentials: the session token has expired.' },
  ExpiredToken: { message: 'AWS rejected the credentials: the session token has expired.' },
  InvalidSignatureException: {
    message:
      "AWS rejected the credentials: check the secret access key, the region and this machine's clock.",
  },
  IncompleteSignatureException: { message: 'AWS rejected the credentials: they are incomplete.' },
}

/** Error types that new credentials may resolve. */
const UNAUTHENTICATED = [
  'UnrecognizedClientException',
  'InvalidClientTokenId',
  'ExpiredTokenException',
  'ExpiredToken',
]

interface Service {
  readonly endpoint: string
  readonly region: string
  readonly credentials: CredentialSource
}

async function openAwsKey(options: AwsKmsOptions): Promise<RemoteKey> {
  const given = readOptions(options, ['keyId', 'region', 'credentials', 'endpoint'])
  const { keyId, region, credentials } = given
  checkText(keyId, 'keyId')
  checkText(region, 'region')
  if (!/^[a-z]{2,4}(-[a-z]+)+-\d{1,2}$/.test(region))
    throw invalidOption('region must be the code of an AWS region, such as eu-central-1.', 'region')
  const endpoint = checkAddress(given.endpoint ?? `https://kms.${region}.${dnsSuffix(region)}`, 'endpoint')
  const service = { endpoint, region, credentials: bindCredentials(credentials, region) }

  const { body } = await withinTimeLimit(SERVICE, (signal) =>
    callAws(service, 'GetPublicKey', { KeyId: keyId }, signal),
  )
  const { PublicKey, KeyId, KeySpec, KeyUsage, SigningAlgorithms } = body
  if (KeyUsage !== undefined && KeyUsage !== 'SIGN_VERIFY') throw unsupportedKey(SERVICE, KeyUsage)
  const names: unknown[] = Array.isArray(SigningAlgorithms) ? SigningAlgorithms : []
  const offered = names.flatMap((name) =>
    typeof name === 'string' && Object.hasOwn(SIGNING_ALGORITHMS, name)
      ? [SIGNING_ALGORITHMS[name] as Algorithm]
      : [],
  )
  // secp256k1 keys also list ECDSA_SHA_256.
  if (offered.length === 0 || KeySpec === 'ECC_SECG_P256K1') throw unsupportedKey(SERVICE, KeySpec)
  const publicKey = decodeAnyBase64(PublicKey)
  if (!publicKey) throw unexpectedResponse(SERVICE)
  // An alias may later point to another key, whose signatures this public key would not verify.
  const pinnedId = typeof KeyId === 'string' ? KeyId : keyId
  return toRemoteKey({
    service: SERVICE,
    publicKey,
    algorithms: (Object.keys(ALGORITHMS) as Algorithm[]).filter((name) => offered.includes(name)),
    async signDigest(digest, algorithm, signal) {
      const name = Object.keys(SIGNING_ALGORITHMS).find((key) => SIGNING_ALGORITHMS[key] === algorithm)
      if (name === undefined) throw mismatchedAlgorithm(offered, algorithm)
      const signed = await callAws(
        service,
        'Sign',
        { KeyId: pinnedId, Message: encodeBase64(digest), MessageType: 'DIGEST', SigningAlgorithm: name },
        signal,
      )
      return signed.body.Signature
    },
  })
}

async function callAws(
  { endpoint, region, credentials }: Service,
  action: 'GetPublicKey' | 'Sign',
  body: Members,
  signal: AbortSignal,
): Promise<ServiceResponse> {
  return call({
    service: SERVICE,
    signal,
    credentials,
    readFailure: (response) => readAwsFailure(response, `kms:${action}`),
    prepare: async (keys) => {
      const signed = await new AwsV4Signer({
        ...keys,
        service: 'kms',
        region,
        url: `${endpoint}/`,
        method: 'POST',
        headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': `TrentService.${action}` },
        body: JSON.stringify(body),
      }).sign()
      const { url, method, headers } = signed
      return [url.href, { method, headers, body: JSON.stringify(body) }]
    },
  })
}

function readAwsFailure({ status, body }: ServiceResponse, permission: string): ServiceFailure {
  const type = body.__type ?? body.code
  const name = typeof type === 'string' ? type.replace(/^.*#/, '') : ''
  if (name === 'AccessDeniedException') return { error: missingPermission(SERVICE, permission) }
  if (name === 'InvalidKeyUsageException') return { error: notForSigning(SERVICE) }
  // GetPublicKey returns this error for symmetric keys.
  if (name === 'UnsupportedOperationException') return { error: unsupportedKey(SERVICE, undefined) }
  const known = Object.hasOwn(FAILURES, name) ? FAILURES[name] : undefined
  if (!known) return failureByStatus(SERVICE, status, permission)
  const { message, retry = false } = known
  return { error: unavailable(message), retry, isUnauthenticated: UNAUTHENTICATED.includes(name) }
}

/**
 * Opens a signing key in AWS KMS: fetches its public key once and has the service sign digests. An alias is resolved
 * when the key is opened; if it changes, open the key again. A signature may take at most 4 seconds, and at most 32 run
 * concurrently. Needs the permissions `kms:GetPublicKey` and `kms:Sign`.
 *
 * As a KMS provider, it opens `awskms:///KEY` and `awskms://ENDPOINT/KEY` (key id, `alias/NAME` or ARN) with
 * `AWS_REGION` or `AWS_DEFAULT_REGION`, and with `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and optionally
 * `AWS_SESSION_TOKEN`, or with `AWS_ROLE_ARN`, `AWS_WEB_IDENTITY_TOKEN` and optionally `AWS_ROLE_SESSION_NAME` and
 * `AWS_ENDPOINT_URL_STS`.
 *
 * @throws `ERR_OPTION_INVALID` with the `option` at fault
 * @throws `ERR_KEY_FORMAT_UNSUPPORTED` for a key that cannot sign Membrane tokens
 * @throws `ERR_KEY_UNAVAILABLE` if the service is unreachable, throttles or denies access, or the key is disabled or
 *   pending deletion; the message says which. Signing throws it too, and `ERR_KEY_ALGORITHM_MISMATCH` for an algorithm
 *   that the key does not support
 *
 * @example Sign with a key in AWS KMS
 *
 * ```ts
 * const privateKey = await awsKms({
 *   keyId: 'alias/membrane',
 *   region: 'eu-central-1',
 *   credentials: { accessKeyId, secretAccessKey },
 * })
 * const signer = await createSigner({ workspaceKey, privateKey, keyId: 'thumbprint' })
 * ```
 */
export const awsKms: KeyOpener<AwsKmsOptions> = /* @__PURE__ */ asProvider(openAwsKey, {
  scheme: 'awskms',
  variables: [
    'AWS_ACCESS_KEY_ID',
    'AWS_SECRET_ACCESS_KEY',
    'AWS_SESSION_TOKEN',
    'AWS_REGION',
    'AWS_DEFAULT_REGION',
    'AWS_ROLE_ARN',
    'AWS_ROLE_SESSION_NAME',
    'AWS_WEB_IDENTITY_TOKEN',
    'AWS_ENDPOINT_URL_STS',
  ],
  async open(uri, env) {
    const { authority, path: keyId } = readKeyUri(uri, 'awskms', 'awskms:///KEY or awskms://ENDPOINT/KEY')
    if (keyId === '') throw invalidOption('The key must be a URI of the form awskms:///KEY.', 'uri')
    const region =
      /^arn:[\w-]+:kms:([\w-]+):/.exec(keyId)?.[1] ??
      (await readVariable(env, 'AWS_REGION')) ??
      (await readVariable(env, 'AWS_DEFAULT_REGION')) ??
      (await requireVariable(env, 'AWS_REGION'))
    return openAwsKey({
      keyId,
      region,
      endpoint: authority === '' ? undefined : addressOf(authority),
      credentials: await readCredentials(env),
    })
  },
})

async function readCredentials(env: Readonly<Record<string, unknown>>): Promise<AwsCredentials> {
  const roleArn = await readVariable(env, 'AWS_ROLE_ARN')
  const webIdentityToken = await readVariable(env, 'AWS_WEB_IDENTITY_TOKEN')
  if (roleArn !== undefined && webIdentityToken !== undefined)
    return {
      roleArn,
      webIdentityToken,
      sessionName: await readVariable(env, 'AWS_ROLE_SESSION_NAME'),
      stsEndpoint: await readVariable(env, 'AWS_ENDPOINT_URL_STS'),
    }
  return {
    accessKeyId: await requireVariable(env, 'AWS_ACCESS_KEY_ID'),
    secretAccessKey: await requireVariable(env, 'AWS_SECRET_ACCESS_KEY'),
    sessionToken: await readVariable(env, 'AWS_SESSION_TOKEN'),
  }
}
