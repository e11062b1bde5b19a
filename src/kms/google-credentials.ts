import { SignJWT } from 'jose/jwt/sign'
import { importPKCS8 } from 'jose/key/import'
import { invalidOption, readOptions } from '../options.ts'
import { createTemporary, type Issued } from './access-token.ts'
import { callWithBearer, requestAccessToken, suppliedTokens, type TokenSource } from './bearer.ts'
import { membersOf, refuseByStatus } from './call.ts'
import { unexpectedAnswer } from './errors.ts'
import { checkAddress, checkSupplied, checkText, type Supplied, supplyText } from './options.ts'

/** The key file of a service account, as Google writes it: an object, or its JSON text. */
export interface GoogleServiceAccountKey {
  client_email: string
  private_key: string
  /** Where access tokens are issued. Default `https://oauth2.googleapis.com/token`. */
  token_uri?: string | undefined
}

/** Workload identity federation: the identity of another platform becomes a service account. */
export interface GoogleWorkloadIdentity {
  /** `//iam.googleapis.com/projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER` */
  audience: string
  /** The platform's OIDC token; a function gets a new one each time. */
  subjectToken: Supplied<string>
  /** E-mail address of the service account to act as. Default: the pool's own identity. */
  serviceAccount?: string | undefined
}

/** Gets tokens from the metadata server of Compute Engine, Cloud Run or GKE. */
export interface GoogleMetadata {
  metadataServer: true
}

/** An access token, a function that returns the current one, or how to get one. */
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
const METADATA = 'http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/token'

/** @throws `ERR_OPTION_INVALID` */
export function bindGoogleCredentials(credentials: GoogleCredentials): TokenSource {
  if (typeof credentials === 'string' || typeof credentials === 'function') {
    return suppliedTokens(credentials, 'credentials')
  }
  if (typeof credentials !== 'object' || credentials === null) throw invalidCredentials()
  if ('serviceAccountKey' in credentials) {
    const { serviceAccountKey } = readOptions(credentials, ['serviceAccountKey'])
    return createTemporary(SERVICE, (signal) => byServiceAccount(readKeyFile(serviceAccountKey), signal))
  }
  if ('workloadIdentity' in credentials) {
    const { workloadIdentity } = readOptions(credentials, ['workloadIdentity'])
    const identity = checkWorkloadIdentity(workloadIdentity)
    return createTemporary(SERVICE, (signal) => byWorkloadIdentity(identity, signal))
  }
  if ('metadataServer' in credentials && credentials.metadataServer === true) {
    readOptions(credentials, ['metadataServer'])
    return createTemporary(SERVICE, (signal) =>
      tokenOf(
        METADATA,
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
    'credentials must be an access token, a function that gets one, or { serviceAccountKey }, { workloadIdentity } or { metadataServer: true }.',
    'credentials',
  )
}

/** A key file that was checked. */
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
      // No cause: engines quote the text, and the text is a key.
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

/** RFC 7523 section 2.1: an assertion of the service account for an access token. */
async function byServiceAccount(
  { email, key: pem, uri }: KeyFile,
  signal: AbortSignal,
): Promise<Issued<string>> {
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
  return tokenOf(uri, { method: 'POST', body }, 'the service account key', signal)
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

/** Token exchange at STS, then, where one is named, the service account's own token. */
async function byWorkloadIdentity(
  { audience, subjectToken, serviceAccount }: GoogleWorkloadIdentity,
  signal: AbortSignal,
): Promise<Issued<string>> {
  const body = new URLSearchParams({
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    audience,
    scope: serviceAccount === undefined ? SCOPE : 'https://www.googleapis.com/auth/cloud-platform',
    requested_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    subject_token: await supplyText(subjectToken, 'credentials.workloadIdentity.subjectToken'),
  })
  const federated = await tokenOf(STS, { method: 'POST', body }, 'the workload identity', signal)
  if (serviceAccount === undefined) return federated
  const answer = await callWithBearer({
    service: SERVICE,
    url: `${IAM}/${encodeURIComponent(serviceAccount)}:generateAccessToken`,
    body: { scope: [SCOPE], lifetime: '3600s' },
    tokens: { get: async () => federated.value, reject: () => false },
    refuse: ({ status }) => refuseByStatus(SERVICE, status, 'iam.serviceAccounts.getAccessToken'),
    signal,
  })
  const { accessToken, expireTime } = answer.body
  const seconds = (Date.parse(String(expireTime)) - Date.now()) / 1000
  if (typeof accessToken !== 'string' || Number.isNaN(seconds)) throw unexpectedAnswer(SERVICE)
  return { value: accessToken, expiresIn: Math.min(Math.max(seconds, 60), 3600) }
}

function tokenOf(url: string, init: RequestInit, what: string, signal: AbortSignal): Promise<Issued<string>> {
  const rejection = `Google rejected ${what}: check that it exists, is enabled and has not expired.`
  return requestAccessToken({ service: SERVICE, request: [url, init], rejection, signal })
}
