import { algorithmChoice, everyAlgorithm, knownAnswers } from './algorithms.ts'
import { algorithmAttacks, headerAttacks, signatureAttacks } from './attacks.ts'
import { brokenKeyServers } from './broken-key-servers.ts'
import { claimStyles, customers } from './claims.ts'
import { clientRenewal } from './client-renewal.ts'
import { clientRequests } from './client-requests.ts'
import { clientResponses } from './client-responses.ts'
import { clientRetries } from './client-retries.ts'
import { clientReuse } from './client-reuse.ts'
import { insecureContexts, pages, trustedContexts } from './context.ts'
import { importedKeys, importedMismatches, importedStrength } from './crypto-keys.ts'
import { differential } from './differential.ts'
import { endpointAccess, endpointAccessOptions } from './endpoint-access.ts'
import { endpointApiKeys, endpointOneOf } from './endpoint-api-keys.ts'
import { endpointAudit, endpointBrokenAudit } from './endpoint-audit.ts'
import { endpointCallers, endpointFailures, endpointOptions } from './endpoint-callers.ts'
import { endpointCredentials, endpointDependencies, endpointSharedIssuer } from './endpoint-credentials.ts'
import { endpointLifetimes, endpointSessionEnd } from './endpoint-lifetimes.ts'
import { endpointProviderShapes } from './endpoint-provider-shapes.ts'
import { endpointAccept, endpointBodies, endpointMethods } from './endpoint-requests.ts'
import { endpointSession, endpointSessionHeader } from './endpoint-session.ts'
import { endpointClaims, endpointMissingClaims } from './endpoint-session-claims.ts'
import { endpointDiscovery, endpointSessionKeys } from './endpoint-session-keys.ts'
import { endpointSessionOptions } from './endpoint-session-options.ts'
import { endpointCustomerIds, endpointRequiredScopes } from './endpoint-session-rules.ts'
import { endpointWorkloadAttacks } from './endpoint-workload-attacks.ts'
import { endpointWorkloadOptions } from './endpoint-workload-options.ts'
import { endpointWorkloads } from './endpoint-workloads.ts'
import { inspectionResults, inspections } from './inspections.ts'
import { concurrency, imports, inputs } from './isolation.ts'
import { jwkMetadata, publicHalves } from './jwk.ts'
import { keyContainers, pemVariants } from './key-forms.ts'
import { keyInspections } from './key-inspections.ts'
import { ecNumbers, rsaNumbers, rsaStrength } from './key-numbers.ts'
import { keyPairs } from './key-pairs.ts'
import { keySetCaches } from './key-set-cache.ts'
import { keySetChoice, keySetMembers } from './key-sets.ts'
import { clock, durations, instants } from './lifetimes.ts'
import { tokenEncoding, tokenForm, tokenJson } from './malformed-tokens.ts'
import { membraneRequests } from './membrane-requests.ts'
import {
  algorithmMismatches,
  errorClass,
  signerOptions,
  thumbprints,
  unknownOptions,
  unsupportedAlgorithms,
} from './options.ts'
import { fields, tokenSize, unicode } from './payloads.ts'
import { publicKeyForms, publicPemVariants } from './public-keys.ts'
import { brokenKeys, keysAsSecret, unsupportedKeys } from './rejected-keys.ts'
import {
  brokenPublicKeys,
  mismatchedPublicKeys,
  unsupportedPublicKeys,
  weakPublicKeys,
} from './rejected-public-keys.ts'
import { remoteKeySets } from './remote-key-sets.ts'
import { remoteKeys } from './remote-keys.ts'
import { rotation } from './rotation.ts'
import { roundTrips, verifierSecrets } from './round-trip.ts'
import { silentErrors } from './secrecy.ts'
import { secretStrength, secretText } from './secrets.ts'
import type { ConformanceModule } from './suite.ts'
import { support } from './support.ts'
import { pollution, verifiedDates, verifiedSubject, verifiedWorkspace } from './verified-claims.ts'
import { allowedAlgorithms, verifierOptions } from './verifier-options.ts'
import { silentVerifiers } from './verifier-secrecy.ts'

/** The whole suite. Each module is a function, so that importing it runs nothing. */
export const modules: Record<string, ConformanceModule> = {
  algorithmAttacks,
  algorithmChoice,
  algorithmMismatches,
  allowedAlgorithms,
  brokenKeyServers,
  brokenKeys,
  brokenPublicKeys,
  claimStyles,
  clientRenewal,
  clientRequests,
  clientResponses,
  clientRetries,
  clientReuse,
  clock,
  concurrency,
  customers,
  differential,
  durations,
  ecNumbers,
  endpointAccept,
  endpointAccess,
  endpointAccessOptions,
  endpointApiKeys,
  endpointAudit,
  endpointBodies,
  endpointBrokenAudit,
  endpointCallers,
  endpointClaims,
  endpointCredentials,
  endpointCustomerIds,
  endpointDependencies,
  endpointDiscovery,
  endpointFailures,
  endpointLifetimes,
  endpointMethods,
  endpointMissingClaims,
  endpointOneOf,
  endpointOptions,
  endpointProviderShapes,
  endpointRequiredScopes,
  endpointSession,
  endpointSessionEnd,
  endpointSessionHeader,
  endpointSessionKeys,
  endpointSessionOptions,
  endpointSharedIssuer,
  endpointWorkloadAttacks,
  endpointWorkloadOptions,
  endpointWorkloads,
  errorClass,
  everyAlgorithm,
  fields,
  unsupportedKeys,
  unsupportedPublicKeys,
  headerAttacks,
  importedKeys,
  importedMismatches,
  importedStrength,
  imports,
  inputs,
  insecureContexts,
  inspectionResults,
  inspections,
  instants,
  jwkMetadata,
  keyContainers,
  keyInspections,
  keyPairs,
  keySetCaches,
  keySetChoice,
  keySetMembers,
  keysAsSecret,
  knownAnswers,
  pemVariants,
  publicPemVariants,
  membraneRequests,
  mismatchedPublicKeys,
  pages,
  pollution,
  publicHalves,
  publicKeyForms,
  remoteKeySets,
  remoteKeys,
  rotation,
  roundTrips,
  rsaNumbers,
  rsaStrength,
  secretStrength,
  secretText,
  signatureAttacks,
  signerOptions,
  silentErrors,
  silentVerifiers,
  support,
  thumbprints,
  tokenEncoding,
  tokenForm,
  tokenJson,
  tokenSize,
  trustedContexts,
  unicode,
  unknownOptions,
  unsupportedAlgorithms,
  verifiedDates,
  verifiedSubject,
  verifiedWorkspace,
  verifierOptions,
  verifierSecrets,
  weakPublicKeys,
}
