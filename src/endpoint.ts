export type { AuditEvent, AuditHook } from './endpoint/audit.ts'
export { type ApiKey, type ApiKeysOptions, apiKeys } from './endpoint/auth/api-keys.ts'
export type {
  Authenticator,
  Caller,
  Credential,
  CredentialAuthenticator,
  Dependency,
  Scope,
} from './endpoint/auth/caller.ts'
export type { ClaimMapping } from './endpoint/auth/claim-mapping.ts'
export type { ClaimRule, ClaimRules, ClaimValue } from './endpoint/auth/claim-rules.ts'
export { type CloudflareAccessOptions, cloudflareAccess } from './endpoint/auth/cloudflare-access.ts'
export { oneOf } from './endpoint/auth/one-of.ts'
export { type SessionJwtOptions, sessionJwt } from './endpoint/auth/session-jwt.ts'
export {
  type WorkloadIdentity,
  type WorkloadIdentityOptions,
  workloadIdentity,
} from './endpoint/auth/workload-identity.ts'
export {
  WORKLOAD_PRESETS,
  type WorkloadPreset,
  type WorkloadPresetName,
} from './endpoint/auth/workload-presets.ts'
export { type ProblemCode, type Refusal, refusal } from './endpoint/http/problem.ts'
export type { RequestHandler } from './endpoint/http/request.ts'
export type { RateLimitHook } from './endpoint/issuer.ts'
export { createTokenEndpoint, type TokenEndpointOptions } from './endpoint/token-endpoint.ts'
export type { KeySetCache } from './jwks/cache.ts'
