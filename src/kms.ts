export type { RemoteKey } from './keys/remote-key.ts'
export {
  type AwsCredentials,
  type AwsKeys,
  type AwsKmsOptions,
  type AwsWebIdentity,
  awsKms,
} from './kms/aws.ts'
export { type AzureCredentials, type AzureKeyVaultOptions, azureKeyVault } from './kms/azure.ts'
export {
  type GoogleCredentials,
  type GoogleKmsOptions,
  type GoogleMetadata,
  type GoogleServiceAccountKey,
  type GoogleWorkloadIdentity,
  googleKms,
} from './kms/google.ts'
export type { Supplied } from './kms/options.ts'
export type { KeyOpener, KmsProvider } from './kms/provider.ts'
export {
  type VaultAppRole,
  type VaultKubernetes,
  type VaultTransitOptions,
  vaultTransit,
} from './kms/vault.ts'
