export type { Algorithm } from './algorithms.ts'
export { MembraneTokenError, type MembraneTokenErrorCode } from './errors.ts'
export { type Inspection, inspectToken, type TokenProblem } from './inspect/inspect-token.ts'
export type { TokenProblemCode } from './inspect/problems.ts'
export { generateKeyPair, type KeyPair, type KeyPairOptions } from './keys/generate.ts'
export { inspectKey, type KeyInspection, type KeyProblem } from './keys/inspect-key.ts'
export type { RemoteKey } from './keys/remote-key.ts'
export type { ClaimStyle, Customer } from './token/claims.ts'
export {
  createRequestVerifier,
  type RequestVerifier,
  type RequestVerifierOptions,
  type VerifiedRequest,
} from './token/request-verifier.ts'
export {
  createSigner,
  type SignedToken,
  type Signer,
  type SignerOptions,
  type TokenOptions,
} from './token/signer.ts'
export { createVerifier, type VerifiedToken, type Verifier, type VerifierOptions } from './token/verifier.ts'
