import type { Algorithm } from '../algorithms.ts'
import type { Signer } from '../token/signer.ts'
import type { Caller, Scope } from './auth/caller.ts'
import type { ProblemCode } from './http/problem.ts'
import type { Grant } from './policy.ts'

/** One decision of the endpoint. It never holds a token, a key, a secret, or the customer's fields. */
export interface AuditEvent {
  /** When the request came, as an RFC 3339 time. */
  readonly time: string
  readonly requestId: string
  readonly tokenKind: Scope
  readonly outcome: 'issued' | 'refused' | 'failed'
  /** Why it was refused, or failed. */
  readonly code?: ProblemCode
  /** Name of an error that nobody foresaw. */
  readonly error?: string
  readonly callerKind?: Caller['kind']
  /** The service's name, or the user's subject at the identity provider. */
  readonly callerName?: string
  /** How the caller was recognised: `session`, `access`, `api-key`, or what your own authenticator says. */
  readonly method?: string
  readonly customerId?: string
  readonly keyId?: string
  readonly algorithm: Algorithm
  /** The first 16 hexadecimal digits of the token's SHA-256, by which it is found again. */
  readonly tokenSha256?: string
  /** Milliseconds. Workers' clocks stand still while they compute, so that there it is the time spent waiting. */
  readonly duration: number
}

/** Reports what became of one request. */
export interface Report {
  readonly requestId: string
  issued(caller: Caller | null, grant: Grant, token: string): Promise<void>
  refused(caller: Caller | null, code: ProblemCode, error: unknown): Promise<void>
}

/** Binds what all events have in common. */
export function createAuditor(
  audit: ((event: AuditEvent) => void | Promise<void>) | undefined,
  tokenKind: Scope,
  { keyId, algorithm }: Signer,
): (requestId: string) => Report {
  return (requestId) => {
    const start = Date.now()
    const event = (
      caller: Caller | null,
      rest: Pick<AuditEvent, 'outcome'> & Partial<AuditEvent>,
    ): AuditEvent => ({
      time: new Date(start).toISOString(),
      requestId,
      tokenKind,
      ...describeCaller(caller),
      ...(keyId !== undefined && { keyId }),
      algorithm,
      duration: Date.now() - start,
      ...rest,
    })
    return {
      requestId,
      issued: async (caller, grant, token) => {
        if (!audit) return
        const tokenSha256 = await fingerprint(token)
        await audit(
          event(caller, {
            outcome: 'issued',
            tokenSha256,
            ...(grant.kind === 'customer' && { customerId: grant.customer.id }),
          }),
        )
      },
      refused: async (caller, code, error) => {
        const isUnforeseen = code === 'ERR_INTERNAL'
        if (!isUnforeseen && !audit) return
        // Only its name: the message of an unforeseen error may quote a key or a token.
        const name = isUnforeseen && { error: error instanceof Error ? error.name : typeof error }
        const refused = event(caller, { outcome: isUnforeseen ? 'failed' : 'refused', code, ...name })
        try {
          await (audit ?? logFailure)(refused)
        } catch {
          logFailure(refused)
        }
      },
    }
  }
}

function describeCaller(caller: Caller | null): Partial<AuditEvent> {
  if (!caller) return {}
  return {
    callerKind: caller.kind,
    callerName: caller.kind === 'service' ? caller.name : caller.subject,
    ...(caller.method !== undefined && { method: caller.method }),
    ...(caller.kind === 'customer' && { customerId: caller.customer.id }),
  }
}

async function fingerprint(token: string): Promise<string> {
  const digest = new DataView(await crypto.subtle.digest('SHA-256', encoder.encode(token)))
  return digest.getBigUint64(0).toString(16).padStart(16, '0')
}

const encoder: TextEncoder = /* @__PURE__ */ new TextEncoder()

function logFailure(event: AuditEvent): void {
  // biome-ignore lint/suspicious/noConsole: the one line that leads from a request id to a failure nobody foresaw
  console.error(JSON.stringify(event))
}
