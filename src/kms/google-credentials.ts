import { SignJWT } from 'jose/jwt/sign'
import { importPKCS8 } from 'jose/key/import'
import { invalidOption, readOptions } from '../options.ts'
import { callWithBearer, requestAccessToken, suppliedTokens, type TokenSource } from './bearer.ts'
import { membersOf, transientFailure } from './call.ts'
import { cacheCredential, type IssuedCredential } from './credential-cache.ts'
import { unavailable, unexpectedResponse } from './errors.ts'
import { checkAddress, checkSupplied, checkText, resolveText, type Supplied } from './options.ts'

/** The key file of a service account, in Google's format. */
export interface GoogleServiceAccountKey {
  client_email: string
  private_key: string
  /** URL of the token endpoint. Default `https://oauth2.googleapis.com/token`. */
  token_uri?: string | undefined
}

/** Workload identity federation: exchanges another platform's OIDC token for a Google access token. */
export interface GoogleWorkloadIdentity {
  /** `//iam.googleapis.com/projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER` */
  audience: string
  /** The platform's OIDC token. A function is called for each token request. */
  subjectToken: Supplied<string>
  /** E-mail address of the service account to impersonate. Default: none; the pool's identity signs. */
  serviceAccount?: string | undefined
}

/** Requests tokens from the metadata server of Compute Engine, Cloud Run or GKE. */
export interface GoogleMetadata {
  metadataServer: true
}

/** An access token, a function that returns the current one, or credentials to request one with. */
export type GoogleCredentials =
  | Supplied<string>
  | { serviceAccountKey: GoogleServiceAccountKey | string }
  | { workloadIdentity: GoogleWorkloadIdentity }
  | GoogleMetadata

const SERVICE = 'Google'
const SCOPE = 'https://www.googleapis.com/auth/cloudkms'
const TOKEN_URI = 'https://oauth2.googleapis.com/token'
const STS = 'https://sts.googleapis.com/v1/token'
const IAM = 'https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts'
const METADATA_URL =
  'http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/token'

/** @throws `ERR_OPTION_INVALID` */
export function bindGoogleCredentials(credentials: GoogleCredentials): TokenSource {
  if (typeof credentials === 'string' || typeof credentials === 'function') {
    return suppliedTokens(credentials, 'credentials')
  }
  if (typeof credentials !== 'object' || credentials === null) throw invalidCredentials()
  if ('serviceAccountKey' in credentials) {
    const { serviceAccountKey } = readOptions(credentials, ['serviceAccountKey'])
    return cacheCredential(SERVICE, (signal) => exchangeAssertion(readKeyFile(serviceAccountKey), signal))
  }
  if ('workloadIdentity' in credentials) {
    const { workloadIdentity } = readOptions(credentials, ['workloadIdentity'])
    const identity = checkWorkloadIdentity(workloadIdentity)
    return cacheCredential(SERVICE, (signal) => exchangeIdentityToken(identity, signal))
  }
  if ('metadataServer' in credentials && credentials.metadataServer === true) {
    readOptions(credentials, ['metadataServer'])
    return cacheCredential(SERVICE, (signal) =>
      requestToken(
        METADATA_URL,
        { headers: { 'Metadata-Flavor': 'Google' } },
        'the service account of this machine',
        signal,
      ),
    )
  }
  throw invalidCredentials()
}

function invalidCredentials(): Error {
  return invalidOption(
    'credentials must be an access token, a function that returns one, or { serviceAccountKey }, { workloadIdentity } or { metadataServer: true }.',
    'credentials',
  )
}

/** A validated key file. */
interface KeyFile {
  readonly email: string
  readonly key: string
  readonly uri: string
}

function readKeyFile(given: GoogleServiceAccountKey | string): KeyFile {
  let file: unknown = given
  if (typeof given === 'string') {
    try {
      file = JSON.parse(given)
    } catch {
      // No cause, because engines quote the text, which contains a key.
      throw invalidOption('serviceAccountKey must be the JSON key file of a service account.', 'credentials')
    }
  }
  const { client_email: email, private_key: key, token_uri: uri = TOKEN_URI } = membersOf(file)
  checkText(email, 'credentials.serviceAccountKey.client_email')
  if (typeof key !== 'string' || !key.includes('PRIVATE KEY')) {
    throw invalidOption(
      'serviceAccountKey must be the JSON key file of a service account, with private_key in it.',
      'credentials.serviceAccountKey.private_key',
    )
  }
  return { email, key, uri: checkAddress(uri, 'credentials.serviceAccountKey.token_uri') }
}

/** Exchanges an assertion of the service account for an access token (RFC 7523 section 2.1). */
async function exchangeAssertion(
  { email, key: pem, uri }: KeyFile,
  signal: AbortSignal,
): Promise<IssuedCredential<string>> {
  const key = await importPKCS8(pem, 'RS256').catch(() => {
    throw invalidOption(
      'private_key of the service account key is not a valid RSA key; download the key file again.',
      'credentials.serviceAccountKey.private_key',
    )
  })
  const assertion = await new SignJWT({ scope: SCOPE })
    .setProtectedHeader({ alg: 'RS256', typ: 'JWT' })
    .setIssuer(email)
    .setAudience(uri)
    .setIssuedAt()
    .setExpirationTime('5m')
    .sign(key)
  const body = new URLSearchParams({ grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion })
  return requestToken(uri, { method: 'POST', body }, 'the service account key', signal)
}

function checkWorkloadIdentity(identity: GoogleWorkloadIdentity): GoogleWorkloadIdentity {
  const { audience, subjectToken, serviceAccount } = readOptions(identity, [
    'audience',
    'subjectToken',
    'serviceAccount',
  ])
  checkText(audience, 'credentials.workloadIdentity.audience')
  checkSupplied(subjectToken, 'credentials.workloadIdentity.subjectToken')
  if (serviceAccount !== undefined) checkText(serviceAccount, 'credentials.workloadIdentity.serviceAccount')
  return { audience, subjectToken, serviceAccount }
}

const NOT_IMPERSONATED =
  'Google did not issue a token for serviceAccount; check that it exists, and that the workload identity has iam.serviceAccounts.getAccessToken on it.'

/** Exchanges the OIDC token (RFC 8693), then impersonates the service account, if one is set. */
async function exchangeIdentityToken(
  { audience, subjectToken, serviceAccount }: GoogleWorkloadIdentity,
  signal: AbortSignal,
): Promise<IssuedCredential<string>> {
  const body = new URLSearchParams({
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    audience,
    scope: serviceAccount === undefined ? SCOPE : 'https://www.googleapis.com/auth/cloud-platform',
    requested_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    subject_token: await resolveText(subjectToken, 'credentials.workloadIdentity.subjectToken'),
  })
  const federated = await requestToken(STS, { method: 'POST', body }, 'the workload identity', signal)
  if (serviceAccount === undefined) return federated
  const response = await callWithBearer({
    service: SERVICE,
    url: `${IAM}/${encodeURIComponent(serviceAccount)}:generateAccessToken`,
    body: { scope: [SCOPE], lifetime: '3600s' },
    tokens: { get: async () => federated.value, reject: () => false },
    readFailure: ({ status }) =>
      transientFailure(SERVICE, status) ?? { error: unavailable(NOT_IMPERSONATED) },
    signal,
  })
  const { accessToken, expireTime } = response.body
  const seconds = (Date.parse(String(expireTime)) - Date.now()) / 1000
  if (typeof accessToken !== 'string' || Number.isNaN(seconds)) throw unexpectedResponse(SERVICE)
  return { value: accessToken, expiresIn: Math.min(Math.max(seconds, 60), 3600) }
}

function requestToken(
  url: string,
  init: RequestInit,
  credential: string,
  signal: AbortSignal,
): Promise<IssuedCredential<string>> {
  const rejection = `Google rejected ${credential}: check that it exists, is enabled and has not expired.`
  return requestAccessToken({ service: SERVICE, request: [url, init], rejection, signal })
}
