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

/** A CI job or cloud workload, and the service that it is authenticated as. */
export interface WorkloadIdentity {
  /** Name of the service in the audit log. */
  name: string
  /** The platform. Sets the issuer if the platform has only one, and detects common mistakes in `claims`. */
  preset?: WorkloadPresetName | undefined
  /** Exactly the `iss` of the platform's tokens. Required, unless the preset sets it. */
  issuer?: string | undefined
  /**
   * The issuer's keys, if the issuer cannot be reached, as in a private cluster; or their `https` URL. Default:
   * discovered from the issuer (OpenID Connect Discovery).
   */
  jwks?: JSONWebKeySet | URL | undefined
  /** Accepted audience (`aud`): a name of this service that no other service accepts. */
  audience: string | readonly string[]
  /** Rules for the token's claims, all of which must match. */
  claims: ClaimRules
  /** Which tokens the service may request. */
  scopes: readonly Scope[]
}

/** Options of {@link workloadIdentity}. */
export interface WorkloadIdentityOptions {
  /** The identities, in order of precedence. */
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
 * Authenticates CI jobs and cloud workloads by the OpenID Connect token of their platform, in `Authorization: Bearer
 * …`, so that they need no stored secret. The token is verified like a session; the caller is the first identity whose
 * issuer, audience and claims all match. List specific identities before general ones.
 *
 * Claims are compared exactly, without wildcards or conversions: GitHub's `repository_id` is a string and must be
 * listed as a string. Each identity must list at least one claim that identifies the workload. With a preset or a known
 * issuer, it must be one of the platform's identifying claims.
 *
 * @returns An authenticator that resolves to a service with the workload's `sub` as `subject`, or to `null` if there is
 *   no JWT of these issuers. It rejects with `ERR_CREDENTIALS_INVALID`, `ERR_CREDENTIALS_AMBIGUOUS`,
 *   `ERR_JWKS_UNAVAILABLE`, or, for a valid token that no identity matches, `ERR_CALLER_FORBIDDEN`.
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

/** Names the claims that differ from the closest identity, but never their values. */
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
    `No workload identity matches this token. The closest one differs in: ${names.join(', ')}.${hint ? ` ${hint.message}` : ''}`,
  )
}

function readIdentity(identity: WorkloadIdentity): BoundIdentity {
  const given = readOptions(identity, ['name', 'preset', 'issuer', 'jwks', 'audience', 'claims', 'scopes'])
  const { name, jwks } = given
  if (typeof name !== 'string' || name === '')
    throw invalidOption('Every workload identity needs the name of its service.', 'name')
  const chosen = readPreset(given.preset)
  const issuer = given.issuer ?? (chosen?.issuer?.includes('{') ? undefined : chosen?.issuer)
  if (issuer === undefined) {
    throw invalidOption(
      `issuer is missing: it must be exactly the iss of the tokens${chosen?.issuer ? `, ${chosen.issuer}` : ''}.`,
      'issuer',
    )
  }
  checkIssuer(issuer)
  checkJwks(jwks)
  if (chosen?.issuerPattern && !chosen.issuerPattern.test(issuer)) {
    throw invalidOption(`issuer must be that of ${chosen.title}, such as ${chosen.issuer}.`, 'issuer')
  }
  const audiences = readAudiences(given.audience)
  if (!audiences) {
    throw invalidOption(
      'audience is missing: without it, a token that the workload sent to any other service would be accepted.',
      'audience',
    )
  }
  const preset = chosen ?? presetOfIssuer(issuer)
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

// Claims that do not identify a workload: many workloads share their values.
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
      `claims must list at least one claim that identifies the workload${names.length > 0 ? `, such as ${names.slice(0, 2).join(' and ')}` : ''}: others would match these, too.`,
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
    Object.entries(claims).every(([claim, pattern]) =>
      rules.some(
        ({ path, values }) =>
          isSamePath(path, [claim]) && values.some((value) => pattern.test(String(value))),
      ),
    ),
  )
  if (mistake) throw invalidOption(`claims of ${preset.title}: ${mistake.message}`, 'claims')
}

function isSamePath(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((name, index) => name === other[index])
}

/** The key set of identities with the same issuer. @throws `ERR_OPTION_INVALID` if they have different ones */
function commonKeys(identities: readonly BoundIdentity[]): JSONWebKeySet | URL | undefined {
  const [first, ...others] = identities.map(({ jwks }) => jwks)
  if (others.every((jwks) => JSON.stringify(jwks) === JSON.stringify(first))) return first
  throw invalidOption('Identities with the same issuer must have the same jwks, or none.', 'jwks')
}
