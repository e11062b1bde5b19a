import type { JSONWebKeySet } from 'jose'
import type { KeySetCache } from '../../jwks/cache.ts'
import { bindClock, bindTolerance, invalidOption, readOptions } from '../../options.ts'
import { refusal } from '../http/problem.ts'
import { type Caller, type CredentialAuthenticator, readScopes, type Scope } from './caller.ts'
import { type ClaimRules, type CompiledRule, compileRules, describePath, matchesRule } from './claim-rules.ts'
import { BEARER_SOURCE, composeAuthenticator } from './credential-authenticator.ts'
import { type Claims, type IdTokenRules, readAudiences, verifyIdToken } from './id-token.ts'
import { checkIssuer, checkJwks, createIssuerKeys } from './issuer-keys.ts'
import { readList } from './read-list.ts'
import {
  presetOfIssuer,
  WORKLOAD_PRESETS,
  type WorkloadPreset,
  type WorkloadPresetName,
} from './workload-presets.ts'

/** A CI job or cloud workload, and the service it becomes. */
export interface WorkloadIdentity {
  /** The service, as it appears in logs. */
  name: string
  /** The platform: checks the identity for its usual mistakes, and gives the issuer where there is only one. */
  preset?: WorkloadPresetName | undefined
  /** Exactly the `iss` of the platform's tokens. Required, unless the preset has one issuer. */
  issuer?: string | undefined
  /**
   * The issuer's keys, for issuers that cannot be reached, such as private clusters; or their `https` URL. Default:
   * discovered from the issuer (OpenID Connect Discovery).
   */
  jwks?: JSONWebKeySet | URL | undefined
  /** What the workload requests its token for (`aud`): a name of this service that no other service accepts. */
  audience: string | readonly string[]
  /** What the token's claims must be, all of them. */
  claims: ClaimRules
  /** Which tokens the service may request. */
  scopes: readonly Scope[]
}

/** Options of {@link workloadIdentity}. */
export interface WorkloadIdentityOptions {
  identities: readonly WorkloadIdentity[]
  /** Tolerated clock difference from the platform, in seconds. Default 5. */
  clockTolerance?: number | undefined
  /** Shares fetched key sets with other processes or isolates. Default: not shared. */
  keySetCache?: KeySetCache | undefined
  /** The clock, in milliseconds since the epoch. Default `Date.now`. */
  now?: (() => number) | undefined
}

interface BoundIdentity {
  readonly name: string
  readonly scopes: readonly Scope[]
  readonly issuer: string
  readonly jwks: JSONWebKeySet | URL | undefined
  readonly audiences: readonly string[]
  readonly rules: readonly CompiledRule[]
  readonly preset: WorkloadPreset | undefined
}

/** The identities of one issuer, which share its keys. */
interface IssuerGroup {
  readonly rules: IdTokenRules
  readonly identities: readonly BoundIdentity[]
}

const DEFAULT_TOLERANCE = 5

/**
 * Authenticates CI jobs and cloud workloads by the OpenID Connect token of their platform, in `Authorization: Bearer …`,
 * so that they need no stored secret. The token is verified as a session is; then the first identity whose issuer,
 * audience and claims all match is the caller. List a more specific identity before a more general one.
 *
 * Claims are compared exactly, without wildcards or conversions: `repository_id` of GitHub is text and must be listed
 * as text. Each identity must list at least one claim that tells workloads apart; with a preset, or for an issuer that
 * is known, one of the claims that identify workloads on that platform.
 *
 * @returns An authenticator that resolves to a service with the workload's `sub` as `subject`, or to `null` where there
 *   is no JWT of these issuers. A genuine token that no identity matches is rejected with `ERR_CALLER_FORBIDDEN`.
 * @throws `ERR_OPTION_INVALID`
 *
 * @example The deployment job of one repository
 *
 * ```ts
 * const authenticate = workloadIdentity({
 *   identities: [
 *     {
 *       name: 'deploy',
 *       preset: 'github-actions',
 *       audience: 'https://tokens.example.com',
 *       claims: { repository_id: '74', repository_owner_id: '65', ref: 'refs/heads/main', environment: 'prod' },
 *       scopes: ['admin'],
 *     },
 *   ],
 * })
 * ```
 *
 * @example A service account of a private cluster
 *
 * ```ts
 * const authenticate = workloadIdentity({
 *   identities: [
 *     {
 *       name: 'worker',
 *       preset: 'kubernetes',
 *       issuer: 'https://kubernetes.default.svc.cluster.local',
 *       jwks: clusterKeys,
 *       audience: 'https://tokens.example.com',
 *       claims: { 'kubernetes.io': { namespace: 'prod', serviceaccount: { name: 'worker' } } },
 *       scopes: ['customer'],
 *     },
 *   ],
 * })
 * ```
 */
export function workloadIdentity(options: WorkloadIdentityOptions): CredentialAuthenticator {
  const given = readOptions(options, ['identities', 'clockTolerance', 'keySetCache', 'now'])
  if (!Array.isArray(given.identities) || given.identities.length === 0)
    throw invalidOption('identities must be a list of workload identities, with at least one.', 'identities')
  const identities = readList('identities', given.identities, readIdentity)
  const now = bindClock(given.now)
  const clockTolerance = bindTolerance(given.clockTolerance, DEFAULT_TOLERANCE)

  const issuers = [...new Set(identities.map(({ issuer }) => issuer))]
  const bound = issuers.map((issuer) => {
    const group = identities.filter((identity) => identity.issuer === issuer)
    const keys = createIssuerKeys({ issuer, jwks: commonKeys(group), keySetCache: given.keySetCache, now })
    const audiences = group.flatMap((identity) => identity.audiences)
    const rules: IdTokenRules = { source: keys.source, issuer, audiences, now, clockTolerance }
    return { rules, identities: group, dependencies: keys.dependencies }
  })

  return composeAuthenticator([
    {
      source: BEARER_SOURCE,
      accepts: bound.map(({ rules: { issuer, audiences } }) => ({ issuer, audiences })),
      dependencies: bound.flatMap(({ dependencies }) => dependencies),
      verify: async (credential, context) => {
        if (credential.kind !== 'bearer') return null
        for (const group of bound) {
          const caller = await identify(credential.token, group, context)
          if (caller) return caller
        }
        return null
      },
    },
  ])
}

async function identify(
  token: string,
  { rules, identities }: IssuerGroup,
  context: object | undefined,
): Promise<Caller | null> {
  const verified = await verifyIdToken(token, rules, context)
  if (!verified) return null
  const { claims } = verified
  const audiences = [claims.aud].flat()
  const candidates = identities.filter((identity) =>
    audiences.some((audience) => identity.audiences.includes(audience as string)),
  )
  const found = candidates.find((identity) => identity.rules.every((rule) => matchesRule(claims, rule)))
  if (!found) throw noMatch(claims, candidates)
  const { sub } = claims
  return {
    kind: 'service',
    method: 'workload',
    name: found.name,
    scopes: found.scopes,
    ...(typeof sub === 'string' && { subject: sub }),
  }
}

/** Names the claims that differ from the closest identity, and never a value of either side. */
function noMatch(claims: Claims, candidates: readonly BoundIdentity[]): Error {
  const [closest] = candidates
    .map(({ rules, preset }) => ({ preset, differing: rules.filter((rule) => !matchesRule(claims, rule)) }))
    .sort((one, other) => one.differing.length - other.differing.length)
  const names = closest?.differing.map(({ path }) => describePath(path)) ?? []
  const hint = closest?.preset?.hints.find(({ claim, values }) =>
    values.includes(String(Object.hasOwn(claims, claim) ? claims[claim] : undefined)),
  )
  return refusal(
    'ERR_CALLER_FORBIDDEN',
    `No workload identity matches this token. Of the closest one, these differ: ${names.join(', ')}.${hint ? ` ${hint.message}` : ''}`,
  )
}

function readIdentity(identity: WorkloadIdentity): BoundIdentity {
  const given = readOptions(identity, ['name', 'preset', 'issuer', 'jwks', 'audience', 'claims', 'scopes'])
  const { name, jwks } = given
  if (typeof name !== 'string' || name === '')
    throw invalidOption('Every workload identity needs the name of its service.', 'name')
  const named = readPreset(given.preset)
  const issuer = given.issuer ?? (named?.issuer?.includes('{') ? undefined : named?.issuer)
  if (issuer === undefined) {
    throw invalidOption(
      `issuer is missing: it must be exactly the iss of the tokens${named?.issuer ? `, ${named.issuer}` : ''}.`,
      'issuer',
    )
  }
  checkIssuer(issuer)
  checkJwks(jwks)
  if (named?.issuerPattern && !named.issuerPattern.test(issuer)) {
    throw invalidOption(
      `issuer is not one of ${named.title}, whose tokens have ${named.issuer} as iss.`,
      'issuer',
    )
  }
  const audiences = readAudiences(given.audience)
  if (!audiences) {
    throw invalidOption(
      'audience is missing: without it, a token that the workload showed to any other service would be accepted.',
      'audience',
    )
  }
  const preset = named ?? presetOfIssuer(issuer)
  const rules = compileRules(given.claims)
  checkRules(rules, preset)
  return { name, scopes: readScopes(given.scopes, 'scopes'), issuer, jwks, audiences, rules, preset }
}

function readPreset(name: unknown): WorkloadPreset | undefined {
  if (name === undefined) return undefined
  if (typeof name === 'string' && Object.hasOwn(WORKLOAD_PRESETS, name))
    return WORKLOAD_PRESETS[name as WorkloadPresetName]
  throw invalidOption(`preset must be one of ${Object.keys(WORKLOAD_PRESETS).join(', ')}.`, 'preset')
}

// Claims about how the token was issued; many workloads share their values.
const COMMON_CLAIMS: readonly string[] = [
  'iss',
  'aud',
  'exp',
  'nbf',
  'iat',
  'jti',
  'typ',
  'nonce',
  'auth_time',
  'acr',
  'amr',
  'scope',
  'scp',
  'email_verified',
  'idtyp',
  'ver',
]

function checkRules(rules: readonly CompiledRule[], preset: WorkloadPreset | undefined): void {
  const identifying = preset?.identifying
  const isIdentifying = ({ path }: CompiledRule): boolean =>
    identifying
      ? identifying.some((known) => isSamePath(known, path))
      : !COMMON_CLAIMS.includes(path[0] as string)
  if (!rules.some(isIdentifying)) {
    const names = (preset?.immutable ?? []).map((path) => path.join(' → '))
    throw invalidOption(
      `claims must list at least one claim that tells workloads apart${names.length > 0 ? `, such as ${names.slice(0, 2).join(' and ')}` : ''}: with these alone, workloads of others would match.`,
      'claims',
    )
  }
  if (!preset) return
  for (const { path, values } of rules) {
    if (
      path.length === 1 &&
      preset.texts.includes(path[0] as string) &&
      values.some((value) => typeof value !== 'string')
    )
      throw invalidOption(
        `${describePath(path)} is text in tokens of ${preset.title}: put it in quotes.`,
        'claims',
      )
  }
  const mistake = preset.mistakes.find(({ claims }) =>
    Object.entries(claims).every(([claim, form]) =>
      rules.some(
        ({ path, values }) => isSamePath(path, [claim]) && values.some((value) => form.test(String(value))),
      ),
    ),
  )
  if (mistake) throw invalidOption(`claims of ${preset.title}: ${mistake.message}`, 'claims')
}

function isSamePath(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((name, index) => name === other[index])
}

/** The key set that the identities of one issuer share. @throws `ERR_OPTION_INVALID` if they have different ones */
function commonKeys(identities: readonly BoundIdentity[]): JSONWebKeySet | URL | undefined {
  const [first, ...others] = identities.map(({ jwks }) => jwks)
  if (others.every((jwks) => JSON.stringify(jwks) === JSON.stringify(first))) return first
  throw invalidOption('The identities of one issuer must have the same jwks, or all of them none.', 'jwks')
}
