export type { Algorithm } from './algorithms.ts'
export { MembraneTokenError, type MembraneTokenErrorCode } from './errors.ts'
export { type Inspection, inspectToken, type Problem } from './inspect/inspect-token.ts'
export { generateKeyPair, type KeyPair, type KeyPairOptions } from './keys/generate.ts'
export type { ClaimStyle, Customer } from './token/claims.ts'
export {
  createSigner,
  type SignedToken,
  type Signer,
  type SignerOptions,
  type TokenOptions,
} from './token/signer.ts'
export {
  createVerifier,
  type MembraneRequestOptions,
  type VerifiedToken,
  type Verifier,
  type VerifierOptions,
  verifyMembraneRequest,
} from './token/verifier.ts'
