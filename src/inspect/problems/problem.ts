/** A kind of problem that a token can have. */
export interface ProblemKind {
  /** `error`: Membrane rejects the token, or misreads it. `warning`: it may still work. */
  readonly severity: 'error' | 'warning'
  /** Description of the problem. */
  readonly message: string
  /** How to fix it. */
  readonly fix: string
}

/** A problem with its check, which returns whether a token has it, or a detail to add to the message. */
export interface Problem<Subject> extends ProblemKind {
  check(subject: Subject): boolean | string
}

export type JsonObject = Record<string, unknown>

/** The claims of a token, and the current time in seconds since the epoch. */
export interface ClaimsAt {
  readonly claims: JsonObject
  readonly now: number
}
