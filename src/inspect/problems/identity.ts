import { isWorkspaceKey } from '../../options.ts'
import { isPlaceholder } from '../../placeholders.ts'
import { isDenial, isPlainObject } from '../../token/claims.ts'
import { describeIdProblem } from '../../token/customer-id.ts'
import type { ClaimsAt, JsonObject, Problem } from './problem.ts'

export type IdentityProblemCode =
  | 'WORKSPACE_MISSING'
  | 'WORKSPACE_CONFLICT'
  | 'WORKSPACE_INVALID'
  | 'PLACEHOLDER'
  | 'ADMIN_FALSY'
  | 'ADMIN_DENIED_AS_TEXT'
  | 'ADMIN_WITH_CUSTOMER'
  | 'CUSTOMER_CONFLICT'
  | 'IDENTITY_PROVIDER_TOKEN'
  | 'CUSTOMER_MISNAMED'
  | 'CUSTOMER_MISSING'
  | 'CUSTOMER_INVALID'
  | 'NAME_PLACEHOLDER'
  | 'NAME_NOT_A_STRING'
  | 'FIELDS_NOT_AN_OBJECT'

/** Problems of workspace, customer and admin, in the order in which to fix them. */
export const IDENTITY_PROBLEMS: Readonly<Record<IdentityProblemCode, Problem<ClaimsAt>>> = {
  WORKSPACE_MISSING: {
    severity: 'error',
    message: 'The token does not name a workspace.',
    fix: 'Set iss (or workspaceKey) to the workspace key from the settings page.',
    check: ({ claims }) => workspacesOf(claims).length === 0,
  },
  WORKSPACE_CONFLICT: {
    severity: 'error',
    message: 'iss and workspaceKey name different workspaces.',
    fix: 'Set only one of them.',
    check: ({ claims: { iss, workspaceKey } }) =>
      iss !== undefined && workspaceKey !== undefined && iss !== workspaceKey,
  },
  WORKSPACE_INVALID: {
    severity: 'error',
    message: 'The workspace is not a string, or has spaces around it.',
    fix: 'Set iss (or workspaceKey) to the workspace key, exactly as the settings page shows it.',
    check: ({ claims }) => !workspacesOf(claims).every(isWorkspaceKey),
  },
  PLACEHOLDER: {
    severity: 'error',
    message: 'The workspace or the customer is still a placeholder, or the word undefined or null.',
    fix: 'Use the real value; undefined and null mean that a variable was not set.',
    check: ({ claims }) => {
      if (workspacesOf(claims).some(isPlaceholderText)) return 'Check the workspace.'
      return customersOf(claims).some(isPlaceholderText) && 'Check the customer id.'
    },
  },
  ADMIN_FALSY: {
    severity: 'warning',
    message: 'isAdmin is set to a falsy value.',
    fix: 'Leave isAdmin out: other software may only check whether it is present.',
    check: ({ claims: { isAdmin } }) => isAdmin !== undefined && !isAdmin,
  },
  ADMIN_DENIED_AS_TEXT: {
    severity: 'error',
    message: 'isAdmin is a string such as "false", and any non-empty string counts as true.',
    fix: 'Leave isAdmin out of a customer token; use true in an admin token.',
    check: ({ claims: { isAdmin } }) => isDenial(isAdmin),
  },
  ADMIN_WITH_CUSTOMER: {
    severity: 'warning',
    message:
      "isAdmin is set together with a customer id; whether Membrane's API accepts that is unknown, and createVerifier rejects it.",
    fix: "Leave isAdmin out of a customer's token, and id out of an admin token.",
    check: ({ claims }) =>
      Boolean(claims.isAdmin) && !isDenial(claims.isAdmin) && customersOf(claims).length > 0,
  },
  CUSTOMER_CONFLICT: {
    severity: 'error',
    message: 'id and tenantKey name different customers.',
    fix: 'Set only one of them.',
    check: ({ claims: { id, tenantKey } }) => id !== undefined && tenantKey !== undefined && id !== tenantKey,
  },
  IDENTITY_PROVIDER_TOKEN: {
    severity: 'error',
    message: 'This token comes from an identity provider and is not a Membrane token.',
    fix: 'Send it to your token endpoint, and pass the token it returns to Membrane.',
    check: ({ claims }) =>
      lacksSubject(claims) && isSession(claims) && `It was issued by ${String(claims.iss).slice(0, 200)}.`,
  },
  CUSTOMER_MISNAMED: {
    severity: 'error',
    message: 'The customer id is in sub, userId or similar, where Membrane does not look.',
    fix: 'Put it in id.',
    check: ({ claims }) => lacksSubject(claims) && !isSession(claims) && hasOtherName(claims),
  },
  CUSTOMER_MISSING: {
    severity: 'error',
    message: 'The token is not tied to a customer: it has neither a customer id nor isAdmin.',
    fix: "Set id to the customer's id in your system, or isAdmin to true for an admin token.",
    check: ({ claims }) => lacksSubject(claims) && !isSession(claims) && !hasOtherName(claims),
  },
  CUSTOMER_INVALID: {
    severity: 'error',
    message: 'The customer id is blank, has control characters, or is not a string.',
    fix: 'Set id to a non-empty string; convert a number with String(id).',
    check: ({ claims }) =>
      customersOf(claims).some(
        (id) => !isPlaceholderText(id) && (typeof id !== 'string' || describeIdProblem(id) !== undefined),
      ),
  },
  NAME_PLACEHOLDER: {
    severity: 'warning',
    message: 'The name is a placeholder, or the word undefined or null.',
    fix: "Set name to the customer's name, or leave it out.",
    check: ({ claims: { name } }) => isPlaceholderText(name),
  },
  NAME_NOT_A_STRING: {
    severity: 'error',
    message: 'name is not a string.',
    fix: 'Set name to a string, or leave it out.',
    check: ({ claims: { name } }) => name !== undefined && name !== null && typeof name !== 'string',
  },
  FIELDS_NOT_AN_OBJECT: {
    severity: 'error',
    message: 'fields is not an object.',
    fix: 'Set fields to an object such as {"plan": "trial"}, not to a list or JSON text.',
    check: ({ claims: { fields } }) =>
      fields !== undefined &&
      fields !== null &&
      !isPlainObject(fields) &&
      !(Array.isArray(fields) && fields.length === 0),
  },
}

function workspacesOf({ iss, workspaceKey }: JsonObject): unknown[] {
  return [iss, workspaceKey].filter((claim) => claim !== undefined)
}

function customersOf({ id, tenantKey }: JsonObject): unknown[] {
  return [id, tenantKey].filter((claim) => claim !== undefined)
}

function isPlaceholderText(claim: unknown): boolean {
  return typeof claim === 'string' && isPlaceholder(claim)
}

function lacksSubject(claims: JsonObject): boolean {
  return !claims.isAdmin && customersOf(claims).length === 0
}

function isSession({ iss, sub }: JsonObject): boolean {
  return typeof iss === 'string' && /^https?:\/\//i.test(iss) && typeof sub === 'string'
}

/** Claims in which other systems put the customer id. */
const OTHER_NAMES = [
  'sub',
  'userId',
  'user_id',
  'uid',
  'customerId',
  'customer_id',
  'tenantId',
  'tenant_id',
  'userKey',
]

function hasOtherName(claims: JsonObject): boolean {
  return OTHER_NAMES.some((other) => Object.hasOwn(claims, other))
}
