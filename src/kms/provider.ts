import type { RemoteKey } from '../keys/remote-key.ts'

/** A key management service as settings use it: opens the key that a URI names, with credentials of the environment. */
export interface KmsProvider {
  /** Scheme of the URIs, such as `awskms`. */
  readonly scheme: string
  /** Names of the variables that are read. */
  readonly variables: readonly string[]
  open(uri: string, env: Readonly<Record<string, unknown>>): Promise<RemoteKey>
}
