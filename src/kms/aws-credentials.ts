import { invalidOption, readOptions } from '../options.ts'
import {
  type Credentials,
  call,
  type ServiceFailure,
  type ServiceResponse,
  transientFailure,
} from './call.ts'
import { cacheCredential } from './credential-cache.ts'
import { unavailable, unexpectedResponse } from './errors.ts'
import { checkAddress, checkSupplied, checkText, resolveText, type Supplied } from './options.ts'

/** An AWS access key, with a session token if it is temporary. */
export interface AwsKeys {
  accessKeyId: string
  secretAccessKey: string
  sessionToken?: string | undefined
}

/** A role to assume with an OIDC token, through STS `AssumeRoleWithWebIdentity`. */
export interface AwsWebIdentity {
  roleArn: string
  /** The OIDC token. A function is called each time the role is assumed. */
  webIdentityToken: Supplied<string>
  /** Session name, shown in CloudTrail. Default: `membrane-token`. */
  sessionName?: string | undefined
  /** URL of STS. Default: the region's endpoint. */
  stsEndpoint?: string | undefined
}

export type AwsCredentials = AwsKeys | AwsWebIdentity | (() => Promise<AwsKeys>)

/** A validated access key; `sessionToken` is absent rather than undefined. */
export interface CheckedKeys {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

export type CredentialSource = Credentials<CheckedKeys>

const SERVICE = 'AWS STS'

/** The domain of a region's partition: China, the European Sovereign Cloud, or all others. */
export function dnsSuffix(region: string): string {
  if (region.startsWith('cn-')) return 'amazonaws.com.cn'
  return region.startsWith('eusc-') ? 'amazonaws.eu' : 'amazonaws.com'
}

/** @throws `ERR_OPTION_INVALID` */
export function bindCredentials(credentials: AwsCredentials, region: string): CredentialSource {
  if (typeof credentials === 'function')
    return { get: async () => checkKeys(await credentials()), reject: () => false }
  if (typeof credentials !== 'object' || credentials === null)
    throw invalidOption(
      'credentials must be an access key, a role, or a function that returns an access key.',
      'credentials',
    )
  if ('roleArn' in credentials) return assumeRole(credentials, region)
  const keys = checkKeys(credentials)
  return { get: async () => keys, reject: () => false }
}

function checkKeys(given: AwsKeys): CheckedKeys {
  const { accessKeyId, secretAccessKey, sessionToken } = readOptions(given, [
    'accessKeyId',
    'secretAccessKey',
    'sessionToken',
  ])
  checkText(accessKeyId, 'credentials.accessKeyId')
  checkText(secretAccessKey, 'credentials.secretAccessKey')
  if (sessionToken === undefined) return { accessKeyId, secretAccessKey }
  checkText(sessionToken, 'credentials.sessionToken')
  return { accessKeyId, secretAccessKey, sessionToken }
}

function assumeRole(identity: AwsWebIdentity, region: string): CredentialSource {
  const given = readOptions(identity, ['roleArn', 'webIdentityToken', 'sessionName', 'stsEndpoint'])
  const { roleArn, webIdentityToken, sessionName = 'membrane-token' } = given
  checkText(roleArn, 'credentials.roleArn')
  checkSupplied(webIdentityToken, 'credentials.webIdentityToken')
  checkText(sessionName, 'credentials.sessionName')
  const endpoint = checkAddress(
    given.stsEndpoint ?? `https://sts.${region}.${dnsSuffix(region)}`,
    'credentials.stsEndpoint',
  )

  return cacheCredential<CheckedKeys>(SERVICE, async (signal) => {
    const form = new URLSearchParams({
      Action: 'AssumeRoleWithWebIdentity',
      Version: '2011-06-15',
      RoleArn: roleArn,
      RoleSessionName: sessionName,
      WebIdentityToken: await resolveText(webIdentityToken, 'credentials.webIdentityToken'),
    })
    const response = await call({
      service: SERVICE,
      signal,
      readFailure: readStsFailure,
      prepare: () => [`${endpoint}/`, { method: 'POST', body: form }],
    })
    return readSts(response)
  })
}

/** The text of an XML element. Each element read here occurs once and contains plain text. */
function textOf(xml: string, name: string): string | undefined {
  return new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1]
}

function readSts({ text }: ServiceResponse): { value: CheckedKeys; expiresIn: number } {
  const accessKeyId = textOf(text, 'AccessKeyId')
  const secretAccessKey = textOf(text, 'SecretAccessKey')
  const sessionToken = textOf(text, 'SessionToken')
  const seconds = (Date.parse(textOf(text, 'Expiration') ?? '') - Date.now()) / 1000
  if (!accessKeyId || !secretAccessKey || !sessionToken || Number.isNaN(seconds))
    throw unexpectedResponse(SERVICE)
  // Bounded, because this machine's clock may be wrong.
  const expiresIn = Math.min(Math.max(seconds, 60), 3600)
  return { value: { accessKeyId, secretAccessKey, sessionToken }, expiresIn }
}

const FAILURES: Readonly<Record<string, string>> = {
  AccessDenied:
    'AWS STS denied the role: its trust policy does not allow sts:AssumeRoleWithWebIdentity for this identity.',
  InvalidIdentityToken: 'AWS STS rejected the web identity token: check its issuer and audience in IAM.',
  ExpiredTokenException:
    'AWS STS rejected the web identity token: it has expired; pass a function that returns a new one.',
  IDPRejectedClaim: 'AWS STS rejected a claim of the web identity token.',
}

function readStsFailure({ status, text }: ServiceResponse): ServiceFailure {
  const code = textOf(text, 'Code') ?? ''
  const message = Object.hasOwn(FAILURES, code) ? FAILURES[code] : undefined
  if (message !== undefined) return { error: unavailable(message) }
  const isThrottled = code === 'Throttling' || code === 'IDPCommunicationError'
  return (
    transientFailure(SERVICE, isThrottled ? 429 : status) ?? {
      error: unavailable(`AWS STS rejected the request with status ${status}; check roleArn and region.`),
    }
  )
}
