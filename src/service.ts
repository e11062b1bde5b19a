export { MembraneTokenError, type MembraneTokenErrorCode, type SettingFault } from './errors.ts'
export type { KeySetCache } from './jwks/cache.ts'
export { createTokenServiceFromEnv, readSettings, type ServiceHooks } from './service/from-env.ts'
export { limitBy, type RateLimiter } from './service/rate-limit.ts'
export type { Way } from './service/readiness.ts'
export { createTokenService, type TokenServiceOptions } from './service/service.ts'
export {
  type ReadSettings,
  SETTINGS,
  type SettingDefinition,
  type SettingName,
  type Settings,
} from './service/settings.ts'
