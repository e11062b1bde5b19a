import type { Algorithm } from '../algorithms.ts'
import type { Signer } from '../token/signer.ts'
import type { Caller, Scope } from './auth/caller.ts'
import { networkOf } from './http/network.ts'
import type { Problem, ProblemCode } from './http/problem.ts'
import type { Grant } from './policy.ts'

/** One decision. It never contains a token, a key, a secret, or the customer's fields. */
export interface AuditEvent {
  /** Time of the request, in RFC 3339 format. */
  readonly time: string
  readonly requestId: string
  readonly tokenKind: Scope
  /** `refused`: the request was rejected, or a dependency is unavailable. `failed`: an unexpected error (500). */
  readonly outcome: 'issued' | 'refused' | 'failed'
  /** Why the request was rejected or failed. */
  readonly code?: ProblemCode
  /** The reason, as returned to the caller. */
  readonly detail?: string
  /** Name of an unexpected error, or what the key management service reported; not in the response. */
  readonly error?: string
  /** Number of rejections with this reason from this network since the last event, if more than one. */
  readonly count?: number
  readonly callerKind?: Caller['kind']
  /** The service's name, or the user's subject at the identity provider. */
  readonly callerName?: string
  /** For a workload: its subject at the platform, such as a CI job. */
  readonly callerSubject?: string
  /** How the caller was authenticated: `session`, `access`, `api-key`, `workload`, or the `method` that you set. */
  readonly method?: string
  readonly customerId?: string
  /** The key id of the signing key. */
  readonly keyId?: string
  /** Version of a key in a key management service. */
  readonly keyVersion?: string
  readonly algorithm: Algorithm
  /** The token's `jti`. */
  readonly jwtId?: string
  /** Milliseconds. On Workers, clocks do not advance during computation, so this is the time spent waiting. */
  readonly duration: number
}

/**
 * Receives every audit event. A failure is never ignored: for an issued token, the response is a 500 without the token;
 * for a rejection, the event is written with `console.error`.
 */
export type AuditHook = (event: AuditEvent) => void | Promise<void>

/** Reports the outcome of a request. */
export interface AuditRecord {
  issued(caller: Caller | null, grant: Grant, jwtId: string): void | Promise<void>
  refused(caller: Caller | null, kind: Scope, problem: Problem): Promise<void>
}

/** Creates the audit records of requests. Repeated rejections are combined into one event a minute. */
export function createAuditor(
  audit: AuditHook | undefined,
  { keyId, algorithm, ...signer }: Pick<Signer, 'keyId' | 'algorithm'> & { readonly keyVersion?: string },
  now: () => number,
): (request: Request, context: object | undefined, requestId: string) => AuditRecord {
  const key = {
    ...(keyId !== undefined && { keyId }),
    ...(signer.keyVersion !== undefined && { keyVersion: signer.keyVersion }),
    algorithm,
  }
  const countRepeat = createRepeatCounter(now)

  return (request, context, requestId) => {
    const start = now()
    const event = (
      caller: Caller | null,
      tokenKind: Scope,
      rest: Pick<AuditEvent, 'outcome'> & Partial<AuditEvent>,
    ): AuditEvent => ({
      time: new Date(start).toISOString(),
      requestId,
      tokenKind,
      ...describeCaller(caller),
      ...key,
      duration: now() - start,
      ...rest,
    })
    return {
      issued: (caller, grant, jwtId) =>
        audit?.(
          event(caller, grant.kind, {
            outcome: 'issued',
            jwtId,
            ...(grant.kind === 'customer' && { customerId: grant.customer.id }),
          }),
        ),
      refused: async (caller, tokenKind, { code, detail, error }) => {
        const isUnexpected = code === 'ERR_INTERNAL'
        if (!isUnexpected && !audit) return
        const count = isUnexpected ? 1 : countRepeat(networkOf(request, context), `${code} ${detail}`)
        if (count === 0) return
        const refused = event(caller, tokenKind, {
          outcome: isUnexpected ? 'failed' : 'refused',
          code,
          detail,
          ...(error !== undefined && { error }),
          ...(count > 1 && { count }),
        })
        try {
          await (audit ?? logFailure)(refused)
        } catch {
          logFailure(refused)
        }
      },
    }
  }
}

/** Milliseconds. */
const REPEAT_PERIOD = 60_000
/** Maximum number of remembered pairs of network and reason. The oldest is dropped; its next repeat is a new event. */
const REPEAT_LIMIT = 1000

/**
 * Counts repeated rejections with one reason from one network, so that a flood of attempts causes one event a minute.
 *
 * @returns A function that returns the number of rejections to report; 0: no event now
 */
function createRepeatCounter(now: () => number): (network: string | undefined, reason: string) => number {
  const seen = new Map<string, { since: number; count: number }>()
  return (network, reason) => {
    // Without an address, all callers would share one network, and the rejections of one would hide those of another.
    if (network === undefined) return 1
    const key = `${network} ${reason}`
    const time = now()
    const known = seen.get(key)
    if (known && time >= known.since && time - known.since < REPEAT_PERIOD) {
      known.count++
      return 0
    }
    seen.delete(key)
    if (seen.size >= REPEAT_LIMIT) seen.delete(seen.keys().next().value as string)
    seen.set(key, { since: time, count: 0 })
    return 1 + (known?.count ?? 0)
  }
}

function describeCaller(caller: Caller | null): Partial<AuditEvent> {
  if (!caller) return {}
  const method = caller.method !== undefined && { method: caller.method }
  if (caller.kind === 'customer') {
    return { callerKind: 'customer', callerName: caller.subject, ...method, customerId: caller.customer.id }
  }
  const { subject } = caller as { subject?: string }
  return {
    callerKind: 'service',
    callerName: caller.name,
    ...(subject !== undefined && { callerSubject: subject }),
    ...method,
  }
}

function logFailure(event: AuditEvent): void {
  // biome-ignore lint/suspicious/noConsole: the only record that links a request id to an unexpected failure
  console.error(JSON.stringify(event))
}
