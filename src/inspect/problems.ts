import { DATE_PROBLEMS, type DateProblemCode } from './problems/dates.ts'
import { FORM_PROBLEMS, type FormProblemCode } from './problems/form.ts'
import { IDENTITY_PROBLEMS, type IdentityProblemCode } from './problems/identity.ts'
import type { ClaimsAt, Problem, ProblemKind } from './problems/problem.ts'
import { WRAPPING_PROBLEMS, type WrappingProblemCode } from './problems/wrapping.ts'

/** Stable codes of the problems that `inspectToken` reports. */
export type TokenProblemCode = WrappingProblemCode | FormProblemCode | DateProblemCode | IdentityProblemCode

/** Problems that are checked only if the claims can be read. */
export const CLAIM_PROBLEMS: Readonly<Record<DateProblemCode | IdentityProblemCode, Problem<ClaimsAt>>> =
  /* @__PURE__ */ Object.assign({}, DATE_PROBLEMS, IDENTITY_PROBLEMS)

/** Every problem that `inspectToken` reports, in the order in which to fix them. The docs list them from this table. */
export const PROBLEMS: Readonly<Record<TokenProblemCode, ProblemKind>> = /* @__PURE__ */ Object.assign(
  {},
  WRAPPING_PROBLEMS,
  FORM_PROBLEMS,
  CLAIM_PROBLEMS,
)
