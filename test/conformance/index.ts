import { algorithmChoice, everyAlgorithm, knownAnswers } from './algorithms.ts'
import { claimStyles, customers } from './claims.ts'
import { insecureContexts, pages } from './context.ts'
import { importedKeys, importedMisfits, importedStrength } from './crypto-keys.ts'
import { concurrency, imports, inputs } from './isolation.ts'
import { jwkMetadata, publicHalves } from './jwk.ts'
import { keyContainers, mangledPem } from './key-forms.ts'
import { ecNumbers, rsaNumbers, rsaStrength } from './key-numbers.ts'
import { brokenKeys, foreignKeys, keysAsSecret } from './key-refusals.ts'
import { clock, durations, instants } from './lifetimes.ts'
import { algorithmMisfits, errorClass, signerOptions, unsupportedAlgorithms } from './options.ts'
import { fields, tokenSize, unicode } from './payloads.ts'
import { silentErrors } from './secrecy.ts'
import { secretStrength, secretText } from './secrets.ts'
import type { ConformanceModule } from './suite.ts'

/** The whole suite. A module is a function, so that nothing happens before a runner asks. */
export const modules: Record<string, ConformanceModule> = {
  algorithmChoice,
  algorithmMisfits,
  brokenKeys,
  claimStyles,
  clock,
  concurrency,
  customers,
  durations,
  ecNumbers,
  errorClass,
  everyAlgorithm,
  fields,
  foreignKeys,
  importedKeys,
  importedMisfits,
  importedStrength,
  imports,
  inputs,
  insecureContexts,
  instants,
  jwkMetadata,
  keyContainers,
  keysAsSecret,
  knownAnswers,
  mangledPem,
  pages,
  publicHalves,
  rsaNumbers,
  rsaStrength,
  secretStrength,
  secretText,
  signerOptions,
  silentErrors,
  tokenSize,
  unicode,
  unsupportedAlgorithms,
}
