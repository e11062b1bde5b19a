import type { SignerOptions } from 'membrane-token'
import * as kms from 'membrane-token/kms'
import type { Environment } from './environment.ts'
import { UsageError } from './terminal.ts'

type KmsProvider = kms.KmsProvider

/** Every KMS provider that the package supports. */
export const KMS_PROVIDERS: readonly KmsProvider[] = Object.values(kms).filter(
  (member): member is typeof member & KmsProvider => 'scheme' in member && 'open' in member,
)

/** Opens the key that a URI names, such as `hashivault://membrane`. @throws UsageError for an unknown scheme */
export async function openKey(
  uri: string,
  environment: Environment,
): Promise<NonNullable<SignerOptions['privateKey']>> {
  const provider = KMS_PROVIDERS.find(({ scheme }) => uri.startsWith(`${scheme}://`))
  if (provider) return provider.open(uri, environment)
  const known = KMS_PROVIDERS.map(({ scheme }) => `${scheme}://`).join(', ')
  throw new UsageError(`MEMBRANE_PRIVATE_KEY is a URI with an unknown scheme; known: ${known}.`)
}
