export type { Algorithm } from './algorithms.ts'
export type { ClaimStyle, Customer } from './claims.ts'
export { MembraneTokenError, type MembraneTokenErrorCode } from './errors.ts'
export { type Inspection, inspectToken, type Problem } from './inspector.ts'
export { generateKeyPair, type KeyPair, type KeyPairOptions } from './key-pair.ts'
export {
  createSigner,
  type SignedToken,
  type Signer,
  type SignerOptions,
  type TokenOptions,
} from './signer.ts'
export {
  createVerifier,
  type MembraneRequestOptions,
  type VerifiedToken,
  type Verifier,
  type VerifierOptions,
  verifyMembraneRequest,
} from './verifier.ts'
