/** One thing that can be wrong with a token. */
export interface ProblemKind {
  /** `error`: Membrane rejects the token, or misreads it. `warning`: it may still work. */
  readonly severity: 'error' | 'warning'
  /** Description of the problem. */
  readonly message: string
  /** How to fix it. */
  readonly fix: string
}

/** A problem together with its check, which says whether a token has it, and may add a detail to the message. */
export interface Problem<Subject> extends ProblemKind {
  check(subject: Subject): boolean | string
}

export type JsonObject = Record<string, unknown>

/** The claims of a token, where they can be read, and the time in seconds since the epoch. */
export interface ClaimsAt {
  readonly claims: JsonObject
  readonly now: number
}
