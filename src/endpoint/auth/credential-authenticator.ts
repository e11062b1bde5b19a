import { readBearer } from '../http/bearer.ts'
import { refusal } from '../http/problem.ts'
import type { Authenticator, Caller, Credential, CredentialAuthenticator, Dependency } from './caller.ts'
import { invalid, peekToken, type TokenAcceptance } from './id-token.ts'

/** A header that can contain a credential. */
export interface CredentialSource {
  /** @returns `undefined` if there is none. @throws a {@link Refusal} if it is malformed */
  read(request: Request): Credential | undefined
  /** Message if no authenticator recognizes the credential. Default: that of the endpoint. */
  readonly unrecognized?: string
}

/** `Authorization: Bearer …` (RFC 6750 section 2.1). */
export const BEARER_SOURCE: CredentialSource = {
  read: (request) => toBearer(readBearer(request)),
}

/** The assertion that Cloudflare Access adds to a request. */
export const ACCESS_SOURCE: CredentialSource = {
  read: (request) => toBearer(request.headers.get('Cf-Access-Jwt-Assertion')),
  unrecognized: 'The assertion (Cf-Access-Jwt-Assertion) is not from this Cloudflare Access team.',
}

function toBearer(token: string | null | undefined): Credential | undefined {
  return typeof token === 'string' ? { kind: 'bearer', token } : undefined
}

/** A built-in authenticator, as extraction and verification. */
export interface VerifyingMember {
  readonly source: CredentialSource
  verify(credential: Credential, context?: object): Promise<Caller | null>
  readonly dependencies: readonly Dependency[]
  /** The JWTs that it accepts; empty if it accepts other credentials. */
  readonly accepts: readonly TokenAcceptance[]
}

/** A member of a composed authenticator: built in, or your own function. */
export type Member = VerifyingMember | { readonly authenticate: Authenticator }

const memberships: WeakMap<object, readonly Member[]> = /* @__PURE__ */ new WeakMap()

/** The members of a composed authenticator; any other authenticator is its own only member. */
export function membersOf(authenticator: Authenticator): readonly Member[] {
  return memberships.get(authenticator) ?? [{ authenticate: authenticator }]
}

/**
 * Combines members into one authenticator. Each source is read once per request. If several members accept tokens of
 * one issuer, the token's audience selects the member.
 *
 * @returns An authenticator that rejects a request with two credentials with `ERR_CREDENTIALS_AMBIGUOUS`
 */
export function composeAuthenticator(members: readonly Member[]): CredentialAuthenticator {
  const verifying = members.filter((member) => 'verify' in member)
  const sources = new Set(verifying.map(({ source }) => source))
  // Behind Access, Authorization is read even if nothing accepts it, because a second credential is an error.
  if (sources.has(ACCESS_SOURCE)) sources.add(BEARER_SOURCE)
  const select = createSelection(verifying)

  const verify = async (credential: Credential, context?: object): Promise<Caller | null> => {
    const selected = select(credential)
    return callEach(members, async (member) => {
      if ('verify' in member) return selected(member) ? member.verify(credential, context) : null
      const { authenticate } = member
      return isCredentialAuthenticator(authenticate) ? authenticate.verify(credential, context) : null
    })
  }

  const authenticate = async (request: Request, context?: object): Promise<Caller | null> => {
    const found = readCredential(sources, request)
    const selected = found && select(found.credential)
    const caller = await callEach(members, async (member) => {
      if ('authenticate' in member) return member.authenticate(request, context)
      return found?.source === member.source && selected?.(member)
        ? member.verify(found.credential, context)
        : null
    })
    if (caller === null && found?.source.unrecognized) throw invalid(found.source.unrecognized)
    return caller
  }

  const authenticator = Object.assign(authenticate, { verify, dependencies: listDependencies(members) })
  memberships.set(authenticator, members)
  return authenticator
}

function readCredential(
  sources: ReadonlySet<CredentialSource>,
  request: Request,
): { readonly source: CredentialSource; readonly credential: Credential } | undefined {
  let found: { source: CredentialSource; credential: Credential } | undefined
  for (const source of sources) {
    const credential = source.read(request)
    if (credential && found) throw ambiguous()
    if (credential) found = { source, credential }
  }
  return found
}

/** Calls every member, in order, even after one finds a caller: a second caller makes the request ambiguous. */
async function callEach(
  members: readonly Member[],
  call: (member: Member) => Promise<Caller | null>,
): Promise<Caller | null> {
  let found: Caller | null = null
  for (const member of members) {
    const caller = await call(member)
    if (caller && found) throw ambiguous()
    found ??= caller
  }
  return found
}

function ambiguous(): Error {
  return refusal('ERR_CREDENTIALS_AMBIGUOUS', 'The request has more than one credential; send only one.')
}

type Selection = (member: VerifyingMember) => boolean

const everyMember: Selection = () => true

/** Selects members by audience if several accept tokens of one issuer. */
function createSelection(members: readonly VerifyingMember[]): (credential: Credential) => Selection {
  const counts = new Map<string, number>()
  for (const { accepts } of members) {
    for (const issuer of new Set(accepts.map((acceptance) => acceptance.issuer)))
      counts.set(issuer, (counts.get(issuer) ?? 0) + 1)
  }
  const shared = new Set([...counts.keys()].filter((issuer) => counts.get(issuer) !== 1))
  if (shared.size === 0) return () => everyMember

  return (credential) => {
    const token = credential.kind === 'bearer' ? peekToken(credential.token) : null
    if (!token || !shared.has(token.issuer as string)) return everyMember
    const matching = members.filter(({ accepts }) =>
      accepts.some(
        ({ issuer, audiences }) =>
          issuer === token.issuer &&
          token.audiences.some((audience) => audiences?.includes(audience as string)),
      ),
    )
    if (matching.length > 1) {
      throw refusal(
        'ERR_CREDENTIALS_AMBIGUOUS',
        'The token is for several audiences (aud) that identify different callers here; request one for a single audience.',
      )
    }
    if (matching.length === 0) throw invalid('The token is for another audience (aud).')
    return (member) => member === matching[0]
  }
}

function isCredentialAuthenticator(authenticate: Authenticator): authenticate is CredentialAuthenticator {
  return 'verify' in authenticate && typeof authenticate.verify === 'function'
}

function listDependencies(members: readonly Member[]): readonly Dependency[] {
  const byName = new Map<string, Dependency>()
  for (const member of members) {
    const owner = 'authenticate' in member ? member.authenticate : member
    const dependencies = ('dependencies' in owner && (owner.dependencies as readonly Dependency[])) || []
    for (const dependency of dependencies)
      byName.set(dependency.name, byName.get(dependency.name) ?? dependency)
  }
  return [...byName.values()]
}
