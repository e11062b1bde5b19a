import { invalidOption, readOptions } from '../options.ts'
import { createTemporary } from './access-token.ts'
import { type Answer, type Credentials, call, type Refusal, refuseByStatus } from './call.ts'
import { unavailable, unexpectedAnswer } from './errors.ts'
import { checkAddress, checkSupplied, checkText, type Supplied, supplyText } from './options.ts'

/** An access key of AWS, with a session token where it is temporary. */
export interface AwsKeys {
  accessKeyId: string
  secretAccessKey: string
  sessionToken?: string | undefined
}

/** A role that an OIDC token assumes, by STS `AssumeRoleWithWebIdentity`. */
export interface AwsWebIdentity {
  roleArn: string
  /** The OIDC token; a function gets a new one each time the role is assumed. */
  webIdentityToken: Supplied<string>
  /** Name of the session in CloudTrail. Default: `membrane-token`. */
  sessionName?: string | undefined
  /** Address of STS. Default: that of the region. */
  stsEndpoint?: string | undefined
}

export type AwsCredentials = AwsKeys | AwsWebIdentity | (() => Promise<AwsKeys>)

/** An access key that was checked; no member is undefined. */
export interface CheckedKeys {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

export type CredentialSource = Credentials<CheckedKeys>

const SERVICE = 'AWS STS'

/** The domain of a region's partition: China, the European Sovereign Cloud, all others. */
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
      'credentials must be an access key, a role, or a function that gets an access key.',
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

  return createTemporary<CheckedKeys>(SERVICE, async (signal) => {
    const form = new URLSearchParams({
      Action: 'AssumeRoleWithWebIdentity',
      Version: '2011-06-15',
      RoleArn: roleArn,
      RoleSessionName: sessionName,
      WebIdentityToken: await supplyText(webIdentityToken, 'credentials.webIdentityToken'),
    })
    const answer = await call({
      service: SERVICE,
      signal,
      refuse: refuseSts,
      prepare: () => [`${endpoint}/`, { method: 'POST', body: form }],
    })
    return readSts(answer)
  })
}

/** The text of an XML element; the elements that matter here occur once and hold plain text. */
function elementOf(xml: string, name: string): string | undefined {
  return new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1]
}

function readSts({ text }: Answer): { value: CheckedKeys; expiresIn: number } {
  const accessKeyId = elementOf(text, 'AccessKeyId')
  const secretAccessKey = elementOf(text, 'SecretAccessKey')
  const sessionToken = elementOf(text, 'SessionToken')
  const seconds = (Date.parse(elementOf(text, 'Expiration') ?? '') - Date.now()) / 1000
  if (!accessKeyId || !secretAccessKey || !sessionToken || Number.isNaN(seconds))
    throw unexpectedAnswer(SERVICE)
  // A clock that is behind or ahead must neither keep credentials for long nor ask for them each time.
  const expiresIn = Math.min(Math.max(seconds, 60), 3600)
  return { value: { accessKeyId, secretAccessKey, sessionToken }, expiresIn }
}

const REFUSALS: Readonly<Record<string, string>> = {
  AccessDenied:
    'AWS STS denied the role: its trust policy does not allow sts:AssumeRoleWithWebIdentity to this identity.',
  InvalidIdentityToken: 'AWS STS rejected the web identity token: check its issuer and audience in IAM.',
  ExpiredTokenException:
    'AWS STS rejected the web identity token: it has expired; pass a function that gets a new one.',
  IDPRejectedClaim: 'AWS STS rejected a claim of the web identity token.',
}

function refuseSts({ status, text }: Answer): Refusal {
  const code = elementOf(text, 'Code') ?? ''
  const message = Object.hasOwn(REFUSALS, code) ? REFUSALS[code] : undefined
  if (message !== undefined) return { error: unavailable(message) }
  const isThrottled = code === 'Throttling' || code === 'IDPCommunicationError'
  return refuseByStatus(SERVICE, isThrottled ? 429 : status, 'sts:AssumeRoleWithWebIdentity')
}
