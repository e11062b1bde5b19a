export {
  createTokenProvider,
  type TokenProvider,
  type TokenProviderOptions,
} from './client/token-provider.ts'
export { MembraneTokenError, type MembraneTokenErrorCode } from './errors.ts'
