/** One thing that can be wrong with a token. */
export interface ProblemKind {
  /** `error`: Membrane refuses the token, or takes it for something else. `warning`: it may still work. */
  readonly severity: 'error' | 'warning'
  /** What it is. */
  readonly message: string
  /** How to fix it. */
  readonly fix: string
}

/** Stable names of what `inspectToken` finds. */
export type TokenProblemCode =
  | 'NOT_A_STRING'
  | 'IN_JSON'
  | 'EMPTY'
  | 'BEARER_PREFIX'
  | 'IN_URL'
  | 'PERSONAL_ACCESS_TOKEN'
  | 'IDENTITY_PROVIDER_TOKEN'
  | 'ADMIN_DENIED_AS_TEXT'
  | 'NAME_PLACEHOLDER'
  | 'QUOTED'
  | 'JSON_ESCAPED'
  | 'URL_ENCODED'
  | 'WHITE_SPACE'
  | 'ENCRYPTED'
  | 'TRUNCATED'
  | 'NOT_BASE64URL'
  | 'NOT_JSON'
  | 'TOO_LARGE'
  | 'ALGORITHM_NONE'
  | 'ALGORITHM_UNSUPPORTED'
  | 'CRITICAL_HEADER'
  | 'SIGNATURE_MISSING'
  | 'SIGNATURE_DER'
  | 'SIGNATURE_LENGTH'
  | 'EXP_MISSING'
  | 'EXP_NOT_A_NUMBER'
  | 'EXP_IN_MILLISECONDS'
  | 'EXPIRED'
  | 'EXP_NAIVE_LOCAL_TIME'
  | 'LIFETIME_LONG'
  | 'IAT_NOT_A_NUMBER'
  | 'IAT_IN_FUTURE'
  | 'NBF_NOT_A_NUMBER'
  | 'NBF_IN_FUTURE'
  | 'WORKSPACE_MISSING'
  | 'WORKSPACE_CONFLICT'
  | 'WORKSPACE_INVALID'
  | 'PLACEHOLDER'
  | 'CUSTOMER_MISSING'
  | 'CUSTOMER_MISNAMED'
  | 'CUSTOMER_INVALID'
  | 'CUSTOMER_CONFLICT'
  | 'ADMIN_WITH_CUSTOMER'
  | 'ADMIN_FALSY'
  | 'NAME_NOT_A_STRING'
  | 'FIELDS_NOT_AN_OBJECT'

/** Everything that `inspectToken` finds; README's table is made from it. */
export const PROBLEMS: Readonly<Record<TokenProblemCode, ProblemKind>> = {
  NOT_A_STRING: {
    severity: 'error',
    message: 'The token is not a string.',
    fix: 'Hand over the token itself; of an answer such as {"token": "…"} that is the member token, and a promise has to be awaited.',
  },
  IN_JSON: {
    severity: 'error',
    message: 'The token is still inside the JSON that carried it.',
    fix: 'Read the member that holds it, such as (await response.json()).token.',
  },
  EMPTY: {
    severity: 'error',
    message: 'The token is empty, or the word undefined or null.',
    fix: 'Look where it comes from: a variable that is not set, or an answer without a token.',
  },
  BEARER_PREFIX: {
    severity: 'error',
    message: 'The token starts with "Bearer ".',
    fix: 'Leave the scheme out; it belongs in the Authorization header, before the token.',
  },
  IN_URL: {
    severity: 'error',
    message: 'The token is still inside a URL.',
    fix: 'Read it with new URL(url).searchParams.get(name).',
  },
  PERSONAL_ACCESS_TOKEN: {
    severity: 'warning',
    message: 'This is a personal access token of Membrane, not a JWT; there is nothing to inspect.',
    fix: 'Keep it on your servers; sign a token for each customer instead.',
  },
  IDENTITY_PROVIDER_TOKEN: {
    severity: 'error',
    message: 'This is a token of an identity provider, not a token for Membrane.',
    fix: 'Send it to your token endpoint, and give the token it answers with to Membrane.',
  },
  QUOTED: {
    severity: 'error',
    message: 'The token has quotes around it.',
    fix: 'Parse the JSON or the environment file that it comes from, instead of cutting the token out.',
  },
  JSON_ESCAPED: {
    severity: 'error',
    message: 'The token holds backslashes, as JSON inside of JSON does.',
    fix: 'Call JSON.parse as often as JSON.stringify was called; best once.',
  },
  URL_ENCODED: {
    severity: 'error',
    message: 'The token is URL-encoded.',
    fix: 'Decode it with decodeURIComponent, or read it with URLSearchParams, which does so.',
  },
  WHITE_SPACE: {
    severity: 'error',
    message: 'There are spaces or line breaks in the token or around it.',
    fix: 'Take them out; a terminal or an e-mail may have wrapped the token.',
  },
  ENCRYPTED: {
    severity: 'error',
    message: 'The token is encrypted: five parts make a JWE.',
    fix: 'Sign it instead (JWS); Membrane has no key to decrypt with.',
  },
  TRUNCATED: {
    severity: 'error',
    message: 'The token is cut off: it does not have three complete parts.',
    fix: 'Look for a column, a log line or a variable that keeps only so many characters.',
  },
  NOT_BASE64URL: {
    severity: 'error',
    message: 'A part of the token is not canonical base64url.',
    fix: 'Copy it as a whole, for its end may be missing; and encode with base64url, without padding: - and _ stand in the place of + and /.',
  },
  NOT_JSON: {
    severity: 'error',
    message: 'The header or the claims are not a JSON object.',
    fix: 'Sign an object with claims, and not a string.',
  },
  TOO_LARGE: {
    severity: 'error',
    message: 'The token has more than 8192 characters; the SDK puts it into URLs, which servers then refuse.',
    fix: 'Put less into fields: an id by which your API finds the rest.',
  },
  ALGORITHM_NONE: {
    severity: 'error',
    message: 'The token is not signed (alg is none).',
    fix: 'Sign it with the workspace secret or a private key; use createSigner.',
  },
  ALGORITHM_UNSUPPORTED: {
    severity: 'error',
    message: 'Membrane does not take this algorithm.',
    fix: 'Sign with HS256, HS384, HS512, RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384 or ES512, in capitals.',
  },
  CRITICAL_HEADER: {
    severity: 'error',
    message: 'The header demands extensions (crit, or b64: false) that Membrane does not know.',
    fix: 'Leave crit and b64 out of the header.',
  },
  SIGNATURE_MISSING: {
    severity: 'error',
    message: 'The token has no signature.',
    fix: 'Sign it, and copy all three parts.',
  },
  SIGNATURE_DER: {
    severity: 'error',
    message:
      'The signature is DER, as openssl and most languages write ECDSA signatures, and not r and s side by side.',
    fix: 'Convert it as RFC 7518 section 3.4 says, or let a JWT library sign.',
  },
  SIGNATURE_LENGTH: {
    severity: 'error',
    message: 'The signature does not have the length that its algorithm gives.',
    fix: 'Copy the token as a whole; if it is whole, alg is not the algorithm it was signed with.',
  },
  EXP_MISSING: {
    severity: 'error',
    message: 'The token has no exp, so it never ends, and the SDK never gets a new one.',
    fix: 'Give it a lifetime, such as two hours.',
  },
  EXP_NOT_A_NUMBER: {
    severity: 'error',
    message: 'exp is not a number.',
    fix: 'Write exp as a number of seconds since 1970, not as text and not as a date.',
  },
  EXP_IN_MILLISECONDS: {
    severity: 'error',
    message: 'exp is in milliseconds, so the token ends in some fifty thousand years.',
    fix: 'Divide by 1000: Math.floor(Date.now() / 1000) + 7200.',
  },
  EXPIRED: {
    severity: 'error',
    message: 'The token has expired.',
    fix: 'Get a new one; if it is new, check the clock of the machine that signs.',
  },
  EXP_NAIVE_LOCAL_TIME: {
    severity: 'warning',
    message: 'exp is off from a usual lifetime by a time zone: a local time was used as UTC.',
    fix: 'In Python, write datetime.now(timezone.utc), not datetime.now(); elsewhere, take seconds since 1970.',
  },
  LIFETIME_LONG: {
    severity: 'warning',
    message: 'The token lives longer than 24 hours, and cannot be recalled in that time.',
    fix: 'Shorten its lifetime to some hours; the SDK gets a new one by itself.',
  },
  IAT_NOT_A_NUMBER: {
    severity: 'error',
    message: 'iat is not a number.',
    fix: 'Write iat as a number of seconds since 1970, or leave it out.',
  },
  IAT_IN_FUTURE: {
    severity: 'warning',
    message: 'iat lies in the future.',
    fix: 'Check the clock of the machine that signs, and that iat is in seconds and in UTC.',
  },
  NBF_NOT_A_NUMBER: {
    severity: 'error',
    message: 'nbf is not a number.',
    fix: 'Leave nbf out; Membrane does not need it.',
  },
  NBF_IN_FUTURE: {
    severity: 'error',
    message: 'nbf lies in the future: the token does not count yet.',
    fix: 'Leave nbf out, or check the clock of the machine that signs.',
  },
  WORKSPACE_MISSING: {
    severity: 'error',
    message: 'The token names no workspace.',
    fix: 'Set iss (or workspaceKey) to the workspace key from the settings page.',
  },
  WORKSPACE_CONFLICT: {
    severity: 'error',
    message: 'iss and workspaceKey name two different workspaces.',
    fix: 'Set only one of them.',
  },
  WORKSPACE_INVALID: {
    severity: 'error',
    message: 'The workspace is not a string, or has spaces around it.',
    fix: 'Set iss (or workspaceKey) to the workspace key, exactly as the settings page shows it.',
  },
  PLACEHOLDER: {
    severity: 'error',
    message: 'The workspace or the customer is still a placeholder, or the word undefined or null.',
    fix: 'Use the real value; undefined and null mean that a variable was not set.',
  },
  CUSTOMER_MISSING: {
    severity: 'error',
    message: 'The token is not tied to a customer: it has neither a customer id nor isAdmin.',
    fix: "Set id to the customer's id in your system, or isAdmin to true for an admin token.",
  },
  CUSTOMER_MISNAMED: {
    severity: 'error',
    message: 'The customer id is in sub, userId or similar, where Membrane does not look.',
    fix: 'Write it as id.',
  },
  CUSTOMER_INVALID: {
    severity: 'error',
    message: 'The customer id is blank, has control characters, or is not a string.',
    fix: 'Set id to a non-empty string; convert a number with String(id).',
  },
  CUSTOMER_CONFLICT: {
    severity: 'error',
    message: 'id and tenantKey name two different customers.',
    fix: 'Set only one of them.',
  },
  ADMIN_WITH_CUSTOMER: {
    severity: 'warning',
    message:
      "isAdmin is set together with a customer id; whether Membrane's API accepts that is unknown, and createVerifier rejects it.",
    fix: "Leave isAdmin out of a customer's token, and id out of an admin token.",
  },
  ADMIN_DENIED_AS_TEXT: {
    severity: 'error',
    message: 'isAdmin is text that says no, but any non-empty text counts as yes.',
    fix: 'Leave isAdmin out of a customer token; use true in an admin token.',
  },
  NAME_PLACEHOLDER: {
    severity: 'warning',
    message: 'The name is a placeholder, or the word undefined or null.',
    fix: "Set name to the customer's name, or leave it out.",
  },
  ADMIN_FALSY: {
    severity: 'warning',
    message: 'isAdmin is there and says no.',
    fix: 'Leave isAdmin out: other software may ask only whether it is there.',
  },
  NAME_NOT_A_STRING: {
    severity: 'error',
    message: 'name is not a string.',
    fix: 'Set name to text, or leave it out.',
  },
  FIELDS_NOT_AN_OBJECT: {
    severity: 'error',
    message: 'fields is not an object.',
    fix: 'Set fields to an object such as {"plan": "trial"}, not to a list and not to JSON text.',
  },
}
